# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the commands share, to be sourced by them.
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

# new_folder RESULTS NAME: makes RESULTS/NAME, or NAME-2 and so on if that is there; it is in REPLY.
new_folder() {
	local base error n=1
	error=$(mkdir -p -- "$1" 2>&1) || die "cannot write results: ${error#mkdir: }"
	base=$(cd -- "$1" && pwd)/$2
	REPLY=$base
	until error=$(mkdir -- "$REPLY" 2>&1); do
		[[ -e $REPLY ]] || die "cannot write results: ${error#mkdir: }"
		REPLY=$base-$((++n))
	done
}
