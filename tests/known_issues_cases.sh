# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # work, install, test_bin, report are runner_test.sh's
#
# Part of runner_test.sh: known issues that match, that do not, that are stale or malformed.

# entry KEY JSON...: the file with one good entry, these members replaced or added.
entry() {
	local key separator='' text='{"format": 1, "known_issues": [{'
	local -A member=([id]='"one"' [tests]='["alpha_test"]' [host]='{"kernel": ">=1 <99"}'
		[cases]='"a/*"' [mismatch]='"#PF\\(p,rsvd\\)(.*) => #PF\\(rsvd\\)\\1"'
		[reason]='"r"' [evidence]='"e"')
	while (($#)); do
		member[$1]=$2
		shift 2
	done
	for key in "${!member[@]}"; do
		[[ -n ${member[$key]} ]] || continue
		text+="$separator\"$key\": ${member[$key]}"
		separator=', '
	done
	printf '%s}]}\n' "$text" >"$work/known.json"
}

# A fact of this host's card, as JSON.
fact() {
	local text
	text=$("$report" host --json)
	[[ $text =~ \"$1\":\ ([^,$'\n']*) ]] && printf '%s' "${BASH_REMATCH[1]}"
}

# The entry covers the three cases of subtest a, or it does not; -stale if it should have.
matches() {
	run 0 "$test_bin" --known-issues "$work/known.json"
	well_formed "$out"
	has "ok 1 a # XFAIL cases=3 known=3" "$out"
	has ": one" "$out"
	hasnt "stale" "$out"
}

matches_not() {
	run 1 "$test_bin" --known-issues "$work/known.json"
	has "not ok 1 a # cases=3 failed=3" "$out"
	hasnt "XFAIL" "$out"
	if [[ ${1-} == stale ]]; then
		has "stale known issue: one" "$out"
	else
		hasnt "stale" "$out"
	fi
}

known_issues_match() {
	local version
	export FAKE_PLAN='a=known:3 b=pass'
	entry && matches
	entry cases '["x/*", "a/case-?"]' && matches
	entry host "{\"backend\": $(fact backend), \"cpu_vendor\": $(fact cpu_vendor)}" && matches
	entry cases '"b/*"' && matches_not stale
	entry mismatch '"no such => text"' && matches_not stale
	# A part of the text is not enough.
	entry mismatch '"#PF\\(p,rsvd\\)"' && matches_not stale
	entry tests '["beta_test"]' && matches_not
	entry host '{"backend": "kvm_none"}' && matches_not
	entry host '{"cpu_vendor": "!kvm_none"}' && matches
	entry host "{\"cpu_vendor\": \"!$(fact cpu_vendor | tr -d '"')\"}" && matches_not
	entry host '{"emulator_version": ">=0", "kernel": ">=1"}'
	[[ $(fact emulator_version) == '"unknown"' ]] && matches_not
	entry host '{"tdp": true}'
	[[ $(fact tdp) == true ]] || matches_not
	entry host "{\"la57\": $(fact la57)}" && matches
	entry host "{\"la57\": $([[ $(fact la57) == true ]] && echo false || echo true)}" && matches_not

	version=$(uname -r)
	[[ $version =~ ^[0-9]+\.[0-9]+(\.[0-9]+)? ]] || return
	version=${BASH_REMATCH[0]}
	entry host "{\"kernel\": \"=$version\"}" && matches
	entry host "{\"kernel\": \">=$version <=$version.0\"}" && matches
	entry host "{\"kernel\": \"<$version.1 >${version%%.*}\"}" && matches
	entry host "{\"kernel\": \"!=$version\"}" && matches_not
	entry host "{\"kernel\": \">$version\"}" && matches_not
	entry host "{\"kernel\": \">=1 <$version\"}" && matches_not
}

# An entry without a word about engines is about the guest's CPU.
known_issues_engine() {
	local other=("$test_bin" --known-issues "$work/known.json" --engine other)
	export FAKE_PLAN='a=known:3 b=pass'
	entry
	run 1 "${other[@]}"
	has "not ok 1 a # cases=3 failed=3" "$out"
	has "replay:   $test_bin --engine other --case a/case-0" "$out"
	entry engine '"native"' && matches
	entry engine '"*"' && matches
	run 0 "${other[@]}"
	has "ok 1 a # XFAIL cases=3 known=3" "$out"
	entry engine '"nat*"' mismatch '"no such => text"' && matches_not stale
	# No such engine ran.
	entry engine '"oth*"' && matches_not
	run 0 "${other[@]}"
	has "ok 1 a # XFAIL cases=3 known=3" "$out"
	malformed "'engine' must be" engine '""'
	malformed "'engine' must be" engine '["native"]'
}

known_issues_stale() {
	entry
	export FAKE_PLAN='a=pass b=pass'
	run 0 "$test_bin" --known-issues "$work/known.json"
	has "stale known issue: one" "$out"
	run 0 "$test_bin" --known-issues "$work/known.json" --filter b
	hasnt "stale" "$out"
	run 0 "$test_bin" --known-issues "$work/known.json" --engine other
	hasnt "stale" "$out"
	FAKE_PLAN='a=skip b=skip' run 4 "$test_bin" --known-issues "$work/known.json"
	hasnt "stale" "$out"
	FAKE_PLAN='b=fail:9' run 1 "$test_bin" --known-issues "$work/known.json" --max-failures 2
	hasnt "stale" "$out"
}

known_issues_in_a_run() {
	entry tests '["alpha_test", "beta_test"]'
	cp "$work/known.json" "$install/x86/known_issues.json"
	FAKE_PLAN='a=known:30 b=pass' FAKE_beta_test='a=pass' run 0 runner
	rm "$install/x86/known_issues.json"
	well_formed "$(<"$install/results/latest/alpha_test.ktap")"
	last_line '3 passed, 0 failed, 0 skipped'
	has '1 passed only thanks to known issues (cases covered: one 30)' "$out"
	has 'stale known issue: one matched no case of beta_test' "$out"
	has '"known": 1' "$(summary)"
	[[ $(grep -c '"verdict":"known"' "$install/results/latest/alpha_test.jsonl") == 20 ]] ||
		problem "not 20 known failures in full"
}

# malformed TEXT KEY JSON: one line that names file, entry and what is wrong.
malformed() {
	local text=$1
	shift
	entry "$@"
	refuse "$text" "$test_bin" --known-issues "$work/known.json"
	has "known.json: entry " "$err"
}

known_issues_malformed() {
	local key
	for key in id tests host cases mismatch reason evidence; do
		malformed "'$key' is missing" "$key" ''
	done
	for key in mismatch reason evidence cases; do
		malformed "'$key' must be" "$key" '""'
		malformed "'$key' must be" "$key" 7
	done
	malformed "unknown field 'extra'" extra 1
	malformed "'id' must be of" id '"A B"'
	malformed "'tests' must" tests '[]'
	malformed "'tests' must" tests '[1]'
	malformed "'cases' must" cases '[]'
	malformed "'host' must be an object" host '{}'
	malformed "unknown field 'host.cpu'" host '{"cpu": "x"}'
	malformed "'host.tdp' must be true or false" host '{"tdp": "yes"}'
	malformed "'host.backend' must be a text" host '{"backend": 1}'
	for key in 6.1 '>=' '>=6.1,<7' '~6' '>=6..1' '>=6.1-54' ' '; do
		malformed "must be comparisons" host "{\"kernel\": \"$key\"}"
	done
	malformed "no regular expression" mismatch '"("'
	printf '{"format": 2, "known_issues": []}' >"$work/known.json"
	refuse "'format' must be 1" "$test_bin" --known-issues "$work/known.json"
	printf '{"format": 1, "known_issues": [], "x": 1}' >"$work/known.json"
	refuse "unknown field 'x'" "$test_bin" --known-issues "$work/known.json"
	printf '{"format": 1,\n"known_issues": [}' >"$work/known.json"
	refuse "known.json: line 2" "$test_bin" --known-issues "$work/known.json"
	printf '[]' >"$work/known.json"
	refuse "one object" "$test_bin" --known-issues "$work/known.json"
	: >"$work/known.json"
	refuse "known.json" "$test_bin" --known-issues "$work/known.json"
	entry
	sed -i 's/\[{\(.*\)}\]/[{\1}, {\1}]/' "$work/known.json"
	refuse "entry one: 'id' is used twice" "$test_bin" --known-issues "$work/known.json"
	refuse "No such file" "$test_bin" --known-issues "$work/none.json"
	FAKE_PLAN='a=pass' run 0 "$test_bin" --known-issues "$here/x86/known_issues.json"
}

# shellcheck disable=SC2034 # runs in runner_test.sh
known_issue_subtests=(known_issues_match known_issues_engine known_issues_stale known_issues_in_a_run
	known_issues_malformed)
