# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the commands about runs share, to be sourced by them.
command_name=${command_name:?is to be set by who sources this}

die() {
	printf 'runner.sh %s: %s\n' "$command_name" "$1" >&2
	exit 2
}

# The run that is meant, in REPLY: a path, or the name of a run in the results folder.
find_run() {
	REPLY=$1
	[[ -e $1 || $1 == */* || ! -e $KMC_RESULTS/$1 ]] || REPLY=$KMC_RESULTS/$1
	[[ -e $REPLY ]] || die "there is no run '$1', here or in $KMC_RESULTS"
}
