# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the shell tests share, to be sourced: problems are collected, one KTAP result ends
# a group of them.  The sourcing script sets scratch, a folder for what commands say.
scratch=${scratch:?is to be set by who sources this}
number=0 failures=0 problems=()

problem() { problems+=("$1"); }

# check NAME: ends one check; what problem() has collected since the last decides.
check() {
	local text
	((++number))
	for text in "${problems[@]+"${problems[@]}"}"; do
		printf '# %s\n' "${text//$'\n'/$'\n'# }"
	done
	if ((${#problems[@]})); then
		((++failures))
		printf 'not '
	fi
	printf 'ok %d %s\n' "$number" "$1"
	problems=()
}

totals() { printf '# Totals: pass:%d fail:%d\n' $((number - failures)) "$failures"; }

# run CODE COMMAND...: leaves out and err.
run() {
	local want=$1 code
	shift
	"$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	code=$?
	out=$(<"$scratch/out") err=$(<"$scratch/err")
	((code == want)) || problem "exit code $code, not $want: $* (${err: -600})"
}

# refuse TEXT COMMAND...: bad input; exit code 2, nothing on stdout, one line on stderr with TEXT.
refuse() {
	local text=$1
	shift
	run 2 "$@"
	[[ -z $out ]] || problem "says more than it should: $*: $out"
	[[ -n $err && $err != *$'\n'* ]] || problem "not one line: $*: $err"
	[[ $err == *"$text"* ]] || problem "'$text' is not in: $err"
}

has() { [[ $2 == *"$1"* ]] || problem "'$1' is not in: ${2: -600}"; }
