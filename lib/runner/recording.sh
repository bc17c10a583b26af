# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034 # shared with runner.sh, of which this is a part
#
# What the runner writes down as it goes: results/RUN/run.jsonl.
run_dir='' write_failed=0

# A JSON string in REPLY.
json() {
	local text=$1
	text=${text//\\/\\\\} text=${text//\"/\\\"}
	text=${text//$'\n'/\\n} text=${text//$'\t'/\\t}
	REPLY="\"${text//[^[:print:]]/?}\""
}

# record EVENT [KEY JSON-VALUE]...
record() {
	local line="{\"event\":\"$1\""
	shift
	while (($#)); do
		line+=",\"$1\":$2"
		shift 2
	done
	{ printf '%s}\n' "$line" >>"$run_dir/run.jsonl" && sync -d "$run_dir/run.jsonl"; } 2>/dev/null && return 0
	((write_failed)) || printf 'runner.sh: cannot write to %s\n' "$run_dir/run.jsonl" >&2
	write_failed=1
}

note() {
	printf '%s\n' "$1"
	json "$1"
	record note text "$REPLY"
}

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
