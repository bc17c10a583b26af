#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#: report [RUN]        its page, report.html; --junit, --ktap: for CI systems
set -u

command_name=report
# shellcheck source=lib/runner/run_folder.sh
source "$KMC_SUITE/lib/runner/run_folder.sh"

usage() {
	cat <<-EOT
	Usage: runner.sh report [--junit | --ktap] [--output FILE] [RUN]

	Writes RUN/report.html, one page without any other file: the host, the outcomes by mode and
	state, and each failing case in full.  Prints the name of the file.

	  --junit          write RUN/junit.xml instead, as CI systems read it
	  --ktap           write RUN/run.ktap instead: all tests, with their subtests nested
	  --output FILE    write there; - is standard output
	  RUN              a run's folder, its name in results/, or a summary.json (latest)

	Exit: 0 written, 1 could not be written in full, 2 bad usage or no such run.
	EOT
}

kind=page file=report.html output='' run=''
while (($#)); do
	case $1 in
	--help | -h) usage && exit 0 ;;
	--junit | --ktap)
		[[ $kind == page ]] || die "either --junit or --ktap: one file at a time"
		kind=${1#--} file=junit.xml
		[[ $kind == junit ]] || file=run.ktap
		;;
	--output)
		[[ -n ${2-} ]] || die "option '$1' needs an argument"
		output=$2
		shift
		;;
	--output=?*) output=${1#*=} ;;
	-*) die "unknown option '$1', see --help" ;;
	*)
		[[ -z $run ]] || die "one run at a time; runner.sh merge makes one of several"
		run=$1
		;;
	esac
	shift
done
find_run "${run:-latest}"
run=$REPLY
if [[ -z $output ]]; then
	[[ -d $run || $(head -c 1 -- "$run" 2>/dev/null) == '{' ]] || die "'$run' is neither a run's folder nor a summary.json"
	[[ -d $run ]] || die "--output FILE is needed, as '$run' is no folder"
	output=$run/$file
fi
exec "$KMC_REPORT" "$kind" "$run" "$output"
