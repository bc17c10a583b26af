#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The suite on every emulated host with every kernel, and one table of it all.
# See docs/lab.md.
set -u

usage()
{
	cat <<'END'
Usage: lab/matrix.sh [OPTION...] [-- RUNNER ARGUMENT...]
  --host NAME      only this host (may be repeated)
  --kernel NAME    only this kernel (may be repeated)
  --jobs N         so many at a time (number of CPUs)
  --results DIR    where results go (results/)
  --run-name NAME  name of the folder there (time and "matrix")
  --time-limit SECONDS  for each (1800)
  --help           this text
Tests that need no KVM are left out: they say the same on every host.
Exit status: 0 if every run passed, 1 if not, 2 if the lab could not start,
130 if interrupted.
END
}

# shellcheck source=common.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

hosts=() kernels=() jobs=$(nproc) results=$suite/results name="" limit=1800
while (($#)); do
	option=$1
	shift
	case $option in
	--host | --kernel | --jobs | --results | --run-name | --time-limit)
		[[ -n ${1-} ]] || die "$option needs a value"
		case $option in
		--host) hosts+=("$1") ;;
		--kernel) kernels+=("$1") ;;
		--jobs) jobs=$1 ;;
		--results) results=$1 ;;
		--run-name) name=$1 ;;
		--time-limit) limit=$1 ;;
		esac
		shift
		;;
	--help | -h) usage; exit 0 ;;
	--) break ;;
	*) die "unknown option '$option' (see --help)" ;;
	esac
done
runner_args=("$@")

[[ $jobs =~ ^[1-9][0-9]{0,2}$ ]] || die "--jobs: '$jobs' is not a number of runs"
check_time_limit "$limit"
check_run_name "$name"
# Wrong names are told before anything is fetched.
for host in "${hosts[@]+"${hosts[@]}"}"; do find_host "$host"; done
for kernel in "${kernels[@]+"${kernels[@]}"}"; do find_row kernel "$kernel"; done
((${#hosts[@]})) || mapfile -t hosts < <(rows hosts | cut -d';' -f1)
((${#kernels[@]})) || mapfile -t kernels < <(rows kernels | cut -d';' -f1)

check_built
mapfile -t hosts < <(unique "${hosts[@]}")
mapfile -t kernels < <(unique "${kernels[@]}")

make_results "$name" "$(date +%Y%m%d-%H%M%S)-matrix"
dir=$results/$run

# One after the other: they would wait for each other's lock anyway, and a
# missing package is told once.
for host in "${hosts[@]}"; do
	for kernel in "${kernels[@]}"; do
		"$here/run.sh" --fetch --host "$host" --kernel "$kernel" >"$dir/fetch.log" 2>&1 ||
			{ cat "$dir/fetch.log" >&2; exit 2; }
	done
done
rm -f "$dir/fetch.log"

number() { sed -n "$2s/.*\"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" "$3" 2>/dev/null | head -n 1; }
total() { number "$1" '/"totals"/,/}/' "$dir/$2/summary.json"; }
of_lab() { number "$1" '' "$dir/$2/lab.json"; }

# One row of the table.
line()
{
	local run=$1 host=$2 kernel=$3 code=$4 end

	end=$(of_lab outcome "$run")
	[[ $end != finished ]] || end=$( ((code)) && echo "exit status $code" || echo ok)
	printf '%-11s %-7s %-26s %7s %7s %7s %7s %9s %6s %7s  %s\n' "$host" "$kernel" \
		"$(of_lab kernel_release "$run")" "$(total passed "$run")" "$(total known "$run")" \
		"$(total failed "$run")" "$(total skipped "$run")" "$(total cases "$run")" \
		"$(of_lab boot_seconds "$run")" "$(of_lab total_seconds "$run")" "${end:-not started}"
}

heading()
{
	printf '%-11s %-7s %-26s %7s %7s %7s %7s %9s %6s %7s  %s\n' host kernel release passed \
		known failed skipped cases 'boot s' 'all s' end
}

declare -A running=() status=()
# shellcheck disable=SC2317 # called by trap
interrupted()
{
	trap '' INT TERM HUP
	((!${#running[@]})) || kill -TERM "${!running[@]}" 2>/dev/null
	wait
	note "interrupted; results in $dir"
	exit 130
}
trap interrupted INT TERM HUP

wait_for_one()
{
	local pid="" code run

	wait -n -p pid
	code=$?
	[[ -n $pid && -n ${running[$pid]-} ]] || return
	run=${running[$pid]}
	unset "running[$pid]"
	status[$run]=$code
	line "$run" "${run%%/*}" "${run#*/}" "$code" 2>/dev/null
	[[ -e $dir/$run/lab.json ]] || note "$run: $(tail -n 1 "$dir/$run.log" | sed 's/^lab: //')"
}

# The runs and their table are finished even where nobody reads on.
trap '' PIPE
start=$SECONDS
heading 2>/dev/null
runs=()
for kernel in "${kernels[@]}"; do
	for host in "${hosts[@]}"; do
		((${#running[@]} < jobs)) || wait_for_one
		mkdir -p "$dir/$host" || die "cannot write to $dir"
		runs+=("$host/$kernel")
		setpriv --pdeathsig TERM "$here/run.sh" --host "$host" --kernel "$kernel" --time-limit "$limit" \
			--results "$dir/$host" --run-name "$kernel" \
			-- --skip-tag no-kvm "${runner_args[@]+"${runner_args[@]}"}" \
			>"$dir/$host/$kernel.log" 2>&1 </dev/null &
		running[$!]=$host/$kernel
	done
done
while ((${#running[@]})); do
	wait_for_one
done

code=0
{
	heading
	for run in "${runs[@]}"; do
		line "$run" "${run%%/*}" "${run#*/}" "${status[$run]}"
	done
} >"$dir/table.txt"
for run in "${runs[@]}"; do
	((!status[$run])) || code=1
	[[ -e $dir/$run/lab.json ]] || code=2
done
{
echo
cat "$dir/table.txt"
echo "known: passed thanks to a known issue.  All of it took $((SECONDS - start)) s; results in $dir"
} 2>/dev/null
exit "$code"
