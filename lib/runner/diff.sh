#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#: diff A B            what newly fails (exit 1), passes, is skipped, is gone
set -u

command_name='diff'
# shellcheck source=lib/runner/run_folder.sh
source "$KMC_SUITE/lib/runner/run_folder.sh"

usage() {
	cat <<-EOT
	Usage: runner.sh diff [--by host|kernel] A B

	Compares two runs, subtest by subtest: what newly fails in B, newly passes, is newly skipped,
	gone or new.  A and B are folders of runs, their names in results/, summary.json files, or
	folders with runs below them, as of a lab matrix; of several runs the worst result counts.

	  --by host      compare on the same host (backend, EPT/NPT or shadow, emulator), whatever the
	                 kernel
	  --by kernel    compare on the same kernel, whatever the host

	Without --by all of A is compared with all of B; if there are several hosts or kernels, on the
	same ones.

	Exit: 0 nothing newly fails, 1 something does, 2 bad usage or no such run.
	EOT
}

by=subtest runs=()
while (($#)); do
	case $1 in
	--help | -h) usage && exit 0 ;;
	--by)
		(($# > 1)) || die "option '$1' needs host or kernel"
		by=$2
		shift
		;;
	--by=*) by=${1#*=} ;;
	-*) die "unknown option '$1', see --help" ;;
	*) find_run "$1" && runs+=("$REPLY") ;;
	esac
	shift
done
[[ $by =~ ^(subtest|host|kernel)$ ]] || die "option '--by' needs host or kernel, not '$by'"
((${#runs[@]} == 2)) || die "two runs are needed, see --help"
exec "$KMC_REPORT" diff "$by" "${runs[@]}"
