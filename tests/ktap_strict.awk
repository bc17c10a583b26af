# SPDX-License-Identifier: GPL-2.0-only
#
# Reads KTAP as strictly as the kernel's Documentation/dev-tools/ktap.rst has it: for versions 1
# and 2 alike, nested to any depth.  Prints a line for each offence and "passed P failed F skipped
# S" counted in results that have nothing nested in them; exits 1 if there was an offence.
#
#   version line, then (subtest comment,) the plan, then results numbered from 1, as many as
#   planned; what is nested is indented by two blanks more and stands before its result; a result
#   whose nested ones failed has failed; every other line is a diagnostic.

function offence(text) { print "line " NR ": " text ": " $0; offences++ }

function open_level(new) {
	if (new > level + 1)
		offence("indented by more than one level")
	level = new
	plan[level] = -1
	results[level] = 0
	failed_below[level] = 0
	nested[level] = 0
}

# The document of this level has come to its end.
function close_level() {
	if (plan[level] != results[level])
		offence("level " level " ends with " results[level] " results of " plan[level])
	level--
	nested[level] = 1
	failed_below[level] = failures_of[level + 1]
}

function take_result(line,    parts, number, rest, directive, ok) {
	ok = line !~ /^not /
	sub(/^not /, "", line)
	if (plan[level] < 0)
		offence("result without a plan")
	split(line, parts, " ")
	number = parts[2]
	if (number != ++results[level])
		offence("numbered " number ", not " results[level])
	rest = line
	sub(/^ok [0-9]+ ?/, "", rest)
	directive = ""
	if (index(rest, " # ")) {
		directive = substr(rest, index(rest, " # ") + 3)
		rest = substr(rest, 1, index(rest, " # ") - 1)
	}
	if (rest == "" || rest ~ /#/)
		offence("no description, or a # in it")
	if (directive != "" && directive !~ /^(SKIP|TODO|XFAIL|TIMEOUT|ERROR)( |$)/ &&
	    directive !~ /^[a-z_]+=/)
		offence("neither a directive nor data")
	if (directive ~ /^SKIP/ && !ok)
		offence("skipped and not ok")
	if (nested[level] && ok && failed_below[level])
		offence("ok, though something nested in it is not")
	if (!ok)
		failures_of[level]++
	if (!nested[level]) {
		if (!ok)
			failed++
		else if (directive ~ /^SKIP/)
			skipped++
		else
			passed++
	}
	nested[level] = 0
	failed_below[level] = 0
}

BEGIN { level = -1 }

{
	line = $0
	match(line, /^ */)
	blanks = RLENGTH
	sub(/^ */, "", line)
	if (blanks % 2)
		offence("odd indentation")
	depth = int(blanks / 2)
	if (line ~ /^KTAP version [12]$/) {
		if (depth <= level)
			offence("a second version line")
		open_level(depth)
		failures_of[depth] = 0
		next
	}
	if (level < 0) {
		offence("before the version line")
		level = 0
	}
	while (depth < level && line !~ /^#/)
		close_level()
	if (line ~ /^#( |$)/)
		next
	if (depth > level)
		offence("nested without a version line")
	if (line ~ /^1\.\.[0-9]+$/) {
		if (plan[level] >= 0)
			offence("a second plan")
		if (results[level])
			offence("the plan comes behind results")
		plan[level] = substr(line, 4) + 0
	} else if (line ~ /^(not )?ok [0-9]+( |$)/) {
		take_result(line)
	} else {
		offence("no KTAP")
	}
}

END {
	$0 = "the end"
	while (level > 0)
		close_level()
	if (level < 0)
		offence("no KTAP at all")
	else if (plan[0] != results[0])
		offence(results[0] " results of " plan[0])
	print "passed " passed + 0 " failed " failed + 0 " skipped " skipped + 0
	exit offences > 0
}
