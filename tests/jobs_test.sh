#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of --jobs: subtests of one test in several processes.  The tests that are run are copies of
# fake_test.  Prints KTAP; exits 0 or 1.
#
# Would catch: a result lost, counted twice or torn apart, jobs that wait for each other, a crash, a
# time limit or an interrupt that leaves processes behind or goes unseen.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/jobs_test.XXXXXX") || exit 2
trap 'rm -rf -- "$work"' EXIT

scratch=$work
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"

install=$work/install
fake_suite "$install" alpha_test
fake=$install/x86/alpha_test

# a_plan N: so many subtests of every kind.
a_plan() {
	local i kinds=(pass:3 fail:2 skip known:4 assert note pass:1)
	FAKE_PLAN=''
	for ((i = 0; i < $1; i++)); do
		FAKE_PLAN+="part/$i=${kinds[i % ${#kinds[@]}]} "
	done
	export FAKE_PLAN
}

# What a run said, whatever the order.
without_order() { sed -E 's/^(not )?ok [0-9]+ /\1ok /; s/ time_ms=[0-9]+//' "$1" | sort; }
events_without_order() { sed -E 's/"time_ms":[0-9]+//' "$1" | sort; }

same_with_any_number() {
	local jobs
	a_plan 200
	run 1 "$fake" --results "$work/1.jsonl"
	cp "$work/out" "$work/1.ktap"
	for jobs in 2 7 64 1000; do
		run 1 "$fake" --jobs "$jobs" --results "$work/n.jsonl"
		diff <(without_order "$work/1.ktap") <(without_order "$work/out") >"$work/differs" ||
			problem "$jobs jobs say other things: $(head -n 5 "$work/differs")"
		diff <(events_without_order "$work/1.jsonl") <(events_without_order "$work/n.jsonl") >"$work/differs" ||
			problem "$jobs jobs record other things: $(head -n 5 "$work/differs")"
		# In the order in which they are printed.
		diff <(seq 200) <(sed -nE 's/^(not )?ok ([0-9]+) .*/\2/p' "$work/out") >/dev/null ||
			problem "$jobs jobs: the numbers are not those from 1 to 200"
	done
	check 'whatever the number of jobs, the same is said and recorded'
}

lines_stay_together() {
	local torn
	a_plan 200
	run 1 "$fake" --jobs 16
	# The lines of a failing case lie right above its subtest's result.
	torn=$(awk '/^# case / { split($3, id, "/"); of = id[1] "/" id[2] }
		/^(not )?ok / { name = $1 == "ok" ? $3 : $4; if (of != "" && of != name) print of " above " name; of = "" }' "$work/out")
	[[ -z $torn ]] || problem "$torn"
	check 'what is said of a subtest stands together'
}

at_the_same_time() {
	local i plan='' start=${EPOCHREALTIME/./} ms
	for ((i = 0; i < 8; i++)); do plan+="nap/$i=nap:1000 "; done
	FAKE_PLAN=$plan run 0 "$fake" --jobs 8
	ms=$(((${EPOCHREALTIME/./} - start) / 1000))
	# Each sleeps a second: one after the other would be eight.
	((ms < 6000)) || problem "eight seconds of sleep took $ms ms"
	check 'jobs run at the same time'
}

one_that_crashes() {
	run 139 env FAKE_PLAN='a=nap:700 b=crash c=nap:700 d=pass e=pass' "$fake" --jobs 2
	has 'ok 1 a' "$out"
	hasnt ' d ' "$out"
	hasnt '# Totals' "$out"
	run 7 env FAKE_PLAN='a=nap:700 b=exit:7 c=pass' "$fake" --jobs 2
	FAKE_PLAN='a=nap:700 b=crash c=pass' run 1 "$install/runner.sh" --run-name crash --jobs 2 alpha_test
	has 'killed by signal 11 (SIGSEGV), last finished subtest: a, running: b' "$out"
	check 'a job that crashes or exits ends the test as it would alone'
}

one_that_hangs() {
	FAKE_PLAN='a=hang b=deaf c=orphan d=pass e=hang' \
		run 1 "$install/runner.sh" --time-limit 2 --run-name hang --jobs 4 alpha_test
	has 'timed out after 2 s, last finished' "$out"
	has ', running: a, b, e' "$out"
	sleep 0.5
	! pgrep -f "$fake" >/dev/null || problem "left behind: $(pgrep -af "$fake")"
	check 'a time limit ends all jobs, and says which subtests were running'
}

parent_killed() {
	FAKE_PLAN='a=hang b=hang' "$fake" --jobs 2 >/dev/null 2>&1 &
	sleep 0.5
	kill -KILL $!
	wait $! 2>/dev/null
	sleep 0.5
	! pgrep -f "$fake" >/dev/null || problem "left behind: $(pgrep -af "$fake")"
	check 'jobs do not outlive the process that started them'
}

stops_after_failures() {
	local plan='' i
	for ((i = 0; i < 60; i++)); do plan+="f/$i=fail:1 "; done
	FAKE_PLAN=$plan run 1 "$fake" --jobs 3 --max-failures 5
	i=$(grep -c '^not ok' "$work/out")
	# Those that the others had begun may add one each.
	((i >= 5 && i <= 7)) || problem "$i failed with --max-failures 5"
	(($(grep -c 'not run: --max-failures reached' "$work/out") == 60 - i)) || problem "not all others are skipped"
	check '--max-failures holds for all jobs together'
}

known_issues_of_all() {
	cat >"$work/known.json" <<-'END'
	{"format": 1, "known_issues": [
	 {"id": "met", "tests": ["alpha_test"], "host": {"kernel": ">=1"}, "cases": "*", "mismatch": ".*rsvd.*",
	  "reason": "r", "evidence": "e"},
	 {"id": "not-met", "tests": ["alpha_test"], "host": {"kernel": ">=1"}, "cases": "*", "mismatch": "never",
	  "reason": "r", "evidence": "e"}]}
	END
	FAKE_PLAN='a=pass b=known:2 c=pass d=known:1' run 0 "$fake" --jobs 4 --known-issues "$work/known.json"
	has 'stale known issue: not-met' "$out"
	hasnt 'stale known issue: met' "$out"
	has 'xfail:2' "$out"
	check 'a known issue that any job meets is not stale'
}

disk_full() {
	[[ -w /dev/full ]] || { printf 'ok %d a full disk is told # SKIP no /dev/full\n' $((++number)) && return; }
	FAKE_PLAN='a=pass b=pass' run 1 "$fake" --jobs 2 --results /dev/full
	has 'cannot write results' "$err"
	! FAKE_PLAN='a=pass b=pass' "$fake" --jobs 2 >/dev/full 2>"$work/err" || problem "stdout is full, exit code 0"
	has 'cannot write to standard output' "$(<"$work/err")"
	check 'a full disk is told'
}

refusals() {
	local bad
	for bad in 0 -1 x '' 1x 99999; do
		FAKE_PLAN='a=pass' refuse 'jobs' "$fake" --jobs "$bad"
		refuse 'jobs' "$install/runner.sh" --jobs "$bad" alpha_test
	done
	check 'a number of jobs that is none is refused'
}

printf 'KTAP version 1\n1..10\n'
same_with_any_number
lines_stay_together
at_the_same_time
one_that_crashes
one_that_hangs
parent_killed
stops_after_failures
known_issues_of_all
disk_full
refusals
totals
exit $((failures > 0))
