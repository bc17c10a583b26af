#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#: repeat N ...        run the same N times, shuffled, and say what differs
set -u
export LC_ALL=C

command_name='repeat'
# shellcheck source=lib/runner/run_folder.sh
source "$KMC_SUITE/lib/runner/run_folder.sh"

usage() {
	cat <<-EOT
	Usage: runner.sh repeat [--in-order] [--keep] N [RUNNER ARGUMENT...]

	Runs the same tests N times and compares how each test ended and what became of each
	subtest: its status, its reason and how many of its cases failed.  The first
	run is in order, the others are shuffled by --seed 2, 3, ... N: what depends on the order
	of the subtests differs, too, and is run again by its seed alone.

	  --in-order     do not shuffle: --seed is an argument like any other
	  --keep         keep the runs that do not differ, too
	  --results DIR  folder of the runs

	A run that differs stays in the results folder with the first one, and has a file
	"differs".  Not compared: times, and how many cases there were or known issues covered,
	which for some tests depends on the seed.  A subtest that passes in one run and in another only
	thanks to known issues (what KVM keeps from one subtest to the next) is told, and is no difference.

	Exit: 0 nothing differs, 1 something does, 2 bad usage or no run, 130/143 interrupted.
	EOT
}

in_order=no keep=no times='' arguments=()
while (($#)); do
	case $1 in
	--help | -h) usage && exit 0 ;;
	--in-order) in_order=yes ;;
	--keep) keep=yes ;;
	--results)
		(($# > 1)) || die "option '$1' needs an argument"
		KMC_RESULTS=$2
		shift
		;;
	--results=*) KMC_RESULTS=${1#*=} ;;
	--run-name | --run-name=* | --no-summary | --list | --host | --setup | --self-test | --case | --case=*)
		die "option '$1' is not for runs that are compared"
		;;
	--seed | --seed=*)
		[[ $in_order == yes ]] || die "the runs are shuffled by seeds of their own: use --in-order before '$1'"
		arguments+=("$1")
		;;
	*)
		if [[ -z $times && $1 != -* ]]; then
			[[ $1 =~ ^[1-9][0-9]{0,5}$ ]] || die "how many times? A number above 0, not '$1'"
			times=$1
		else
			[[ $1 != -- ]] || { arguments+=("$@") && break; }
			arguments+=("$1")
		fi
		;;
	esac
	shift
done
[[ -n $times ]] || die "how many times? See --help"

# outcomes RUN: one line per test and per subtest, in the order of their names.
outcomes() {
	local file
	for file in "$1"/*_test.jsonl; do
		[[ -e $file ]] || continue
		sed -nE '/^\{"event":"subtest"/ { s/,"known_issues":\{[^}]*\}//; s/,"(cases|known|pairs|per_second|time_ms)":[0-9]+//g; p }' "$file" |
			sed "s/^/${file##*/} /"
	done | sort
	sed -nE '/^\{"event":"test_end"/ { s/,"time_(ms|limit)":[0-9]+//g; p }' "$1/run.jsonl" | sort
}

# What passes only thanks to known issues passes.
all_known() { sed 's/"status":"known"/"status":"pass"/' "$1"; }

mkdir -p -- "$KMC_RESULTS" 2>/dev/null
work=$(mktemp -d "$KMC_RESULTS/.repeat.XXXXXX" 2>/dev/null) || die "cannot write to $KMC_RESULTS"
trap 'rm -rf -- "$work"' EXIT
name=repeat-$(date -u +%Y%m%dT%H%M%SZ)-$$
first='' differing=0 explained=0 done_runs=0 began=$SECONDS

# one_run NUMBER: sets code and run, its folder.
one_run() {
	local seed=()
	[[ $in_order == yes || $1 == 1 ]] || seed=(--seed "$1")
	run=$KMC_RESULTS/$name-$1
	bash "$KMC_SUITE/runner.sh" --results "$KMC_RESULTS" --run-name "$name-$1" "${seed[@]+"${seed[@]}"}" \
		"${arguments[@]+"${arguments[@]}"}" >"$work/out" 2>&1
	code=$?
	[[ $code != 2 && -e $run/run.jsonl ]] || die "$(grep -m1 '^runner.sh: ' "$work/out" | cut -c12- | grep . || tail -n 1 "$work/out")"
	((code < 128)) || exit "$code"
}

for ((i = 1; i <= times; i++)); do
	one_run "$i"
	((++done_runs))
	if [[ -z $first ]]; then
		first=$run first_code=$code
		outcomes "$run" >"$work/first"
		grep -q '"event":"subtest"' "$work/first" || die "nothing ran: $(tail -n 1 "$work/out")"
		printf 'run 1: exit code %d, %s\n' "$code" "$(tail -n 1 "$work/out")"
		continue
	fi
	outcomes "$run" >"$work/this"
	if [[ $code == "$first_code" ]] && cmp -s "$work/first" "$work/this"; then
		[[ $keep == yes ]] || rm -rf -- "$run"
		continue
	fi
	diff "$work/first" "$work/this" | grep '^[<>]' >"$run/differs"
	how="differs: exit code $code, was $first_code"
	if [[ $code == "$first_code" ]] && cmp -s <(all_known "$work/first") <(all_known "$work/this"); then
		how='differs only in what known issues explain'
		((++explained))
	else
		((++differing))
	fi
	printf 'run %d %s; %s%s\n' "$i" "$how" "$run" "$([[ $in_order == yes ]] || printf ' (--seed %d)' "$i")"
	head -n 6 "$run/differs" | cut -c1-300 | sed 's/^/  /'
done
skipped=$(grep -c '"event":"subtest".*"status":"skip"' "$work/first")
printf '%d runs of %d subtests%s, %d differ from the first%s, %d s\n' "$done_runs" "$(grep -c '"event":"subtest"' "$work/first")" \
	"$( ((!skipped)) || printf ' (%d skipped)' "$skipped")" "$differing" "$( ((!explained)) || printf ', %d only in what known issues explain' "$explained")" $((SECONDS - began))
((!differing))
