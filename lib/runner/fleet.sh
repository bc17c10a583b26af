#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
#: fleet HOST...       a shard on each host, by GNU parallel; merged
#
# See docs/fleets.md.  parallel starts this script with --one for each host.
set -u
export LC_ALL=C

suite=${KMC_SUITE:?is set by runner.sh}
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")

usage() {
	cat <<-'EOT'
	Usage: runner.sh fleet [OPTION...] HOST... [-- RUNNER ARGUMENT...]

	Runs the suite on several hosts at once, each with its share of the subtests, and merges
	the results.  Needs GNU parallel.  A HOST is

	  [USER@]NAME         a machine: the suite is copied there by ssh, and removed afterwards
	  lab:HOST[:KERNEL]   an emulated host, in the source tree: lab:svm-npt:6.12
	  local               this machine

	  --each              all of it on each host, not a shard
	  --jobs N            hosts at the same time (all)
	  --retries N         how often a host is tried that cannot be used (1)
	  --time-limit N      seconds for each host (7200)
	  --results DIR, --run-name NAME   where results go: one folder per host, and merged/

	Exit codes: as of a run: 0 passed, 1 failed or a shard is missing, 2 bad usage, 4 all skipped.
	EOT
}

# shellcheck disable=SC2034 # for run_folder.sh
command_name=fleet
# shellcheck source=lib/runner/run_folder.sh
source "$here/run_folder.sh"
# shellcheck source=lib/runner/machine.sh
source "$here/machine.sh"

#
# One host, below parallel.  Exit code: 255 if the host cannot be used, which is what --retries
# is for.  A test that fails is not tried again: its verdict is in the results.
#
child='' watcher='' copier='' machine_dir='' stage='' host=''
readonly copy_every=${KMC_COPY_EVERY:-60} come_back=${KMC_COME_BACK:-120} # seconds; for the suite's own tests

wait_for_child() {
	child=$!
	wait "$child"
	code=$?
	child=''
}

# When the fleet has been ended, killed even, nothing is started any more and what runs ends.
end_with_fleet() {
	kill -0 "${KMC_FLEET:?}" 2>/dev/null || exit 255
	trap '[[ -z $child ]] || { kill -TERM "$child" && wait "$child"; } 2>/dev/null; exit 143' INT TERM HUP
	(tail --pid="$KMC_FLEET" -s 0.5 -f /dev/null && kill -TERM $$) >/dev/null 2>&1 </dev/null &
	watcher=$!
	trap leave EXIT
}

# shellcheck disable=SC2317 # called by trap
leave() {
	# shellcheck disable=SC2086 # none, or one word each
	kill $watcher $copier 2>/dev/null
	[[ -z $machine_dir ]] || remove_there "$host"
	kill -0 "$KMC_FLEET" 2>/dev/null || rm -rf -- "${stage%/suite}"
}

# Now and then, for a machine that goes down and has nothing left when it is up again.
copy_meanwhile() {
	while sleep "$copy_every" && kill -0 "$KMC_FLEET" 2>/dev/null; do
		copy_results "$@"
	done
}

# run_on_machine FOLDER LOG NAME TIME-LIMIT RUNNER-ARGUMENT...: sets code, and broken to what a broken connection left.
run_on_machine() {
	local folder=$1 log=$2 name=$3 limit=$4 end here=
	shift 4
	copy_meanwhile "$host" "$folder" &
	copier=$!
	run_there "$host" "$limit" "$stage.hold.$name" "$log" "$name" "$@"
	code=$?
	kill "$copier" 2>/dev/null
	wait "$copier" 2>/dev/null
	copier='' end=$((SECONDS + come_back))
	if ((code != 255)); then
		copy_results "$host" "$folder"
		case $? in 0 | 9) return ;; esac
		broken='its results cannot be fetched' code=255
	else
		broken="the connection broke: $(last_line "$log")"
	fi
	until end_run_there "$host"; copy_results "$host" "$folder" && here=yes; do
		((SECONDS < end)) || break
		sleep 3
	done
	if [[ $here ]]; then
		broken+='; its results till then are here'
		return
	fi
	[[ ! -s $folder/run.jsonl ]] || broken+="; a copy of its results from up to $copy_every s before is here"
	# Not to be removed: they may be all there is.
	broken+="; $host:$machine_dir may have more" machine_dir=''
}

# one OUT STAGE TIME-LIMIT SHARD NAME HOST RUNNER-ARGUMENT...
one() {
	local out=$1 limit=$3 shard=$4 name=$5 code args broken=''
	stage=$2 host=$6
	shift 6
	end_with_fleet
	args=("$@")
	[[ $shard == all ]] || args=(--shard "$shard" "${args[@]+"${args[@]}"}")
	# Tried again: what an earlier try has left stays until there is something better.
	rm -rf "${out:?}/$name.before"
	[[ ! -e $out/$name ]] || mv "$out/$name" "$out/$name.before"
	case $host in
	lab:*)
		IFS=: read -r _ host kernel <<<"$host"
		"$suite/lab/run.sh" --host "$host" --kernel "${kernel:-6.1}" --time-limit "$limit" --results "$out" \
			--run-name "$name" -- "${args[@]+"${args[@]}"}" >"$out/$name.log" 2>&1 </dev/null &
		wait_for_child
		[[ -e $out/$name/run.jsonl ]] || code=255
		;;
	local)
		timeout "$limit" "$suite/runner.sh" --results "$out" --run-name "$name" "${args[@]+"${args[@]}"}" \
			>"$out/$name.log" 2>&1 </dev/null &
		wait_for_child
		;;
	*)
		if ! send_suite "$host" "$stage" "$out/$name.log"; then
			printf 'cannot be used: %s\n' "$(last_line "$out/$name.log")"
			mv "$out/$name.before" "$out/$name" 2>/dev/null
			exit 255
		fi
		run_on_machine "$out/$name" "$out/$name.log" "$name" "$limit" "${args[@]+"${args[@]}"}"
		;;
	esac
	if ((code == 255)) && [[ ! -s $out/$name/run.jsonl && -e $out/$name.before ]]; then
		rm -rf "${out:?}/$name" && mv "$out/$name.before" "$out/$name"
	fi
	rm -rf "$out/$name.before"
	if [[ -n $broken ]]; then
		printf '%s\n' "$broken"
	else
		printf '%s\n' "$(grep -E '^[0-9]+ passed, ' "$out/$name.log" | tail -n 1)$(
			((code < 2 || code == 4)) || printf ' exit code %d: %s' "$code" "$(last_line "$out/$name.log")")"
	fi
	exit $((code == 255 ? 255 : 0))
}

need_number() { [[ $2 =~ ^[1-9][0-9]{0,6}$ ]] || die "option '$1' needs a number above 0, not '$2'"; }

hosts=() runner_args=() each=0 jobs='' retries=1 limit=7200 results=${KMC_RESULTS:-$suite/results} run_name=''

take_option() {
	case $1 in
	--jobs) need_number "$@" && jobs=$2 ;;
	--retries) need_number "$@" && retries=$2 ;;
	--time-limit) need_number "$@" && limit=$2 ;;
	--results) results=$2 ;;
	--run-name)
		[[ $2 =~ ^[A-Za-z0-9_][A-Za-z0-9_.:+-]*$ && $2 != latest ]] || die "option '$1' needs a file name, not '$2'"
		run_name=$2
		;;
	*) die "unknown option '$1', see --help; what the runner is told comes behind --" ;;
	esac
}

take_host() {
	# A folder will have the name.
	[[ ${#1} -le 200 && $1 =~ ^(lab:[a-z0-9-]+(:[0-9.]+)?|local|([A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9._-]*)$ ]] ||
		die "'${1:0:200}' is no host, see --help"
	[[ $1 != lab:* || -x $suite/lab/run.sh ]] || die "$1: emulated hosts need the source tree"
	hosts+=("$1")
}

parse_options() {
	local option
	while (($#)); do
		option=$1
		shift
		case $option in
		--help | -h) usage && exit 0 ;;
		--each) each=1 ;;
		--) runner_args=("$@") && break ;;
		--*=*) take_option "${option%%=*}" "${option#*=}" ;;
		-*)
			(($#)) || die "option '$option' needs an argument"
			take_option "$option" "$1"
			shift
			;;
		*) take_host "$option" ;;
		esac
	done
	((${#hosts[@]})) || die "which hosts? see --help"
	for option in "${runner_args[@]+"${runner_args[@]}"}"; do
		case $option in
		--results* | --run-name* | --shard*) die "$option is the fleet's business" ;;
		--) break ;;
		esac
	done
	# moreutils has another one.
	[[ $(parallel --version 2>/dev/null) == 'GNU parallel'* ]] ||
		die "GNU parallel is not installed (Debian package parallel)"
}

main() {
	local words='' nothing='' out stage i shard name rows=() runs=()
	if [[ ${1-} == --one ]]; then
		shift
		one "$@"
	fi
	parse_options "$@"
	new_folder "$results" "${run_name:-fleet-$(date -u +%Y%m%dT%H%M%SZ)}"
	out=$REPLY
	work=$(mktemp -d "${TMPDIR:-/tmp}/kmc-fleet.XXXXXX") || die "cannot write to ${TMPDIR:-/tmp}"
	trap '[[ $BASHPID != "$$" ]] || rm -rf -- "$work"' EXIT
	stage=$work/suite
	stage_suite "$stage" || die "cannot write to $work"
	for i in "${!hosts[@]}"; do
		shard=$((i + 1))/${#hosts[@]} name=$((i + 1))-${hosts[i]//[^A-Za-z0-9._-]/-}
		((!each)) || shard=all
		rows+=("$shard" "$name" "${hosts[i]}")
		runs+=("$out/$name")
	done
	printf '%d host%s, results in %s\n' "${#hosts[@]}" "$( ((${#hosts[@]} == 1)) || echo s)" "$out"
	printf '%s\t%s\t%s\n' "${rows[@]}" >"$work/hosts"
	# Words of the runner's arguments stay words: parallel quotes what it replaces, printf the rest.
	((!${#runner_args[@]})) || printf -v words ' %q' "${runner_args[@]}"
	export KMC_FLEET=$$
	parallel --will-cite --jobs "${jobs:-${#hosts[@]}}" --joblog "$out/joblog" --retries "$retries" --colsep '\t' \
		--tagstring '{2}' --termseq TERM,5000,KILL,1000 --arg-file "$work/hosts" \
		"bash $(printf '%q' "$here/fleet.sh") --one $(printf '%q %q' "$out" "$stage") $limit {1} {2} {3}$words" </dev/null
	for i in "${!runs[@]}"; do
		[[ -s ${runs[i]}/run.jsonl ]] && continue
		unset "runs[$i]"
		nothing+=" ${hosts[i]}"
	done
	((${#runs[@]})) || die "no host ran anything, see $out"
	[[ -z $nothing ]] || printf '%d of %d hosts ran nothing:%s\n' $((${#hosts[@]} - ${#runs[@]})) "${#hosts[@]}" "$nothing"
	"$suite/runner.sh" merge "$out/merged" "${runs[@]}"
	i=$?
	((i || ${#runs[@]} == ${#hosts[@]})) || i=1
	printf 'results in %s\n' "$out"
	exit "$i"
}

main "$@"
