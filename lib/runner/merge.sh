#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#: merge OUT RUN...    shards of a run, or runs of several hosts, as one
set -u

command_name=merge
# shellcheck source=lib/runner/run_folder.sh
source "$KMC_SUITE/lib/runner/run_folder.sh"

usage() {
	cat <<-EOT
	Usage: runner.sh merge OUT RUN...

	Makes the folder OUT with the summary.json of all these runs together; report and diff take it
	as they take a run.  Each subtest of a host counts once, with its worst result.  Shards that no
	run has are named.

	  OUT    a folder that is not there yet; a name without a slash is in results/
	  RUN    a run's folder, its name in results/, a summary.json, or a folder with runs below it

	Exit: that of a run (0 passed, 1 failed, 4 all skipped), 1 if a shard is missing, 2 bad usage.
	EOT
}

runs=()
while (($#)); do
	case $1 in
	--help | -h) usage && exit 0 ;;
	-*) die "unknown option '$1', see --help" ;;
	*) runs+=("$1") ;;
	esac
	shift
done
((${#runs[@]} > 1)) || die "OUT and at least one run are needed, see --help"
out=${runs[0]}
# As the names of runs: who forgets OUT is told so.
[[ $out == */* ]] || out=$KMC_RESULTS/$out
out=${out%/}
[[ ! -e $out ]] || die "$out is there already: OUT, which comes first, is to be a new folder"
for ((i = 1; i < ${#runs[@]}; i++)); do
	find_run "${runs[i]}" && runs[i]=$REPLY
done
exec "$KMC_REPORT" merge "$out" "${runs[@]:1}"
