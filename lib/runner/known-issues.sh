#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#: known-issues [RUN]  entries of known_issues.json that expired or never match
set -u

command_name=known-issues
# shellcheck source=lib/runner/run_folder.sh
source "$KMC_SUITE/lib/runner/run_folder.sh"

usage() {
	cat <<-EOT
	Usage: runner.sh known-issues [--file FILE] [RUN...]

	Compares the known issues with what runs met (all in results/ if none is named): a line for each
	entry that is expired, that matched no case though its hosts and tests are there, or whose hosts
	or tests are not.  A RUN may be a folder with runs below it.

	  --file FILE    the known issues (x86/known_issues.json)

	Exit: 0 all is well, 1 an entry is expired or never matched, 2 bad usage or no such run.
	EOT
}

file=$KMC_SUITE/x86/known_issues.json runs=()
while (($#)); do
	case $1 in
	--help | -h) usage && exit 0 ;;
	--file)
		[[ -n ${2-} ]] || die "option '$1' needs an argument"
		file=$2
		shift
		;;
	--file=?*) file=${1#*=} ;;
	-*) die "unknown option '$1', see --help" ;;
	*) find_run "$1" && runs+=("$REPLY") ;;
	esac
	shift
done
exec "$KMC_REPORT" known-issues "$file" "${runs[@]-$KMC_RESULTS}"
