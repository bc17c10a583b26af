# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034  # for who sources this
# What all commands of the lab begin with: messages, places, options that several
# of them have, temporary folders, the folder of a run.

# Also where stderr is caught in a file.
exec {real_stderr}>&2
note() { echo "lab: $*" >&"$real_stderr"; }
die() { note "$*"; exit 2; }

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
suite=$(dirname "$here")
cache=${KMC_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/kvm-mmu-conformance}
# depmod and mke2fs live where a user's path may not look.
PATH=$PATH:/usr/sbin:/sbin

# shellcheck source=tables.sh
. "$here/tables.sh"

# --- options

# check_time_limit SECONDS [OPTION]
check_time_limit()
{
	[[ $1 =~ ^[1-9][0-9]{0,6}$ ]] || die "${2---time-limit}: '$1' is not a number of seconds"
}

# "latest" is a link that every run of the suite replaces.
check_run_name()
{
	[[ -z $1 || ($1 =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ && $1 != latest) ]] ||
		die "--run-name: '$1' is no file name"
}

check_built()
{
	compgen -G "$suite/${KMC_BUILD:-build}/x86/*_test" >/dev/null ||
		die "nothing is built in ${KMC_BUILD:-build}/x86: run make first"
}

# unique NAME...: one per line, twice the same is once.
unique() { (($#)) && printf '%s\n' "$@" | awk '!seen[$0]++'; }

# --- what is under way, and what goes with us

cleanup_paths=() child=""

# in_background COMMAND...: its exit status; meanwhile a signal is answered at once.  Not
# for a function: what that has started would outlive it.
in_background()
{
	local status

	"$@" &
	child=$!
	wait "$child"
	status=$?
	child=""
	return "$status"
}

cleanup()
{
	[[ -z $child ]] || { kill "$child" && wait "$child"; } 2>/dev/null
	rm -rf "${cleanup_paths[@]}"
}
trap cleanup EXIT

# --- files

# make_tmp NAME: sets tmp, a folder that goes with us, and removes those of that name
# that killed runs have left behind.
make_tmp()
{
	local left

	tmp=$(mktemp -d "${TMPDIR:-/tmp}/$1.XXXXXX" 2>/dev/null) || die "cannot write to ${TMPDIR:-/tmp}"
	cleanup_paths+=("$tmp")
	# Whole or not there: others look into it.
	echo $$ 2>/dev/null >"$tmp/pid.new" && mv "$tmp/pid.new" "$tmp/pid" ||
		die "cannot write to ${TMPDIR:-/tmp}: no space left?"
	for left in "${tmp%/*}/$1".*/pid; do
		[[ -O $left ]] && ! kill -0 "$(<"$left")" 2>/dev/null && rm -rf "${left%/pid}"
	done
}

# need_space WHAT MEGABYTES FOLDER: asked for beforehand, as what runs out of it half
# way says something else.
need_space()
{
	local free

	free=$(free_megabytes "$3")
	[[ -z $free ]] || ((free >= $2)) || die "no space for $1: $free MB free in $3, $2 are needed"
}

free_megabytes() { df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }'; }

# make_results NAME DEFAULT: a folder in the results folder that no other run has; sets
# run, its name, and makes results absolute.
make_results()
{
	local i

	mkdir -p "$results" 2>/dev/null && [[ -w $results ]] || die "cannot write to the results folder $results"
	results=$(readlink -f "$results")
	run=$1
	if [[ -n $run ]]; then
		mkdir "$results/$run" 2>/dev/null || die "cannot create $results/$run (there already?)"
		return
	fi
	run=$2
	for ((i = 2; ; i++)); do
		mkdir "$results/$run" 2>/dev/null && break
		[[ -d $results/$run ]] || die "cannot create $results/$run"
		run=$2-$i
	done
}
