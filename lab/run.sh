#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots an emulated host with an upstream kernel, runs the suite's runner in
# it and brings the results back.  See docs/lab.md.
set -u

usage()
{
	cat <<'END'
Usage: lab/run.sh --host NAME [OPTION...] [-- RUNNER ARGUMENT...]
  --host NAME           emulated host, see --list
  --kernel NAME         kernel, see --list (6.1)
  --time-limit SECONDS  give up on the guest after this time (1800)
  --results DIR         where results go (results/)
  --run-name NAME       name of the run's folder there (time, host and kernel)
  --cmd COMMAND         debugging: run this shell command instead of the runner
  --update              look for a newer kernel package first
  --list                list hosts and kernels
  --help                this text
Exit status: the runner's, 1 if the guest did not get to its end, 2 if the lab
could not start, 130 if interrupted.
END
}

note() { echo "lab: $*" >&2; }
die() { note "$*"; exit 2; }

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
suite=$(dirname "$here")
cache=${KMC_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/kvm-mmu-conformance}
# depmod and mke2fs live where a user's path may not look.
PATH=$PATH:/usr/sbin:/sbin

# shellcheck source=kernel.sh
. "$here/kernel.sh"
# shellcheck source=initramfs.sh
. "$here/initramfs.sh"

# Rows of a .conf file, fields without the blanks around them.
rows()
{
	sed -E '/^[[:space:]]*(#|$)/d; s/[[:space:]]*;[[:space:]]*/;/g' "$here/$1.conf"
}

# Sets the array row to the row NAME of a .conf file.
find_row()
{
	local table=$1 name=$2 line

	line=$(rows "${table}s" | awk -F';' -v name="$name" '$1 == name')
	[[ -n $line ]] || die "unknown $table '$name', there is: $(rows "${table}s" |
		cut -d';' -f1 | paste -sd' ')"
	IFS=';' read -ra row <<<"$line"
}

list()
{
	local name emulator offers suites state

	echo "hosts:"
	while IFS=';' read -r name emulator _ offers; do
		printf '  %-12s %-10s %s\n' "$name" "$emulator" "$offers"
	done < <(rows hosts)
	echo "kernels:"
	while IFS=';' read -r name suites _; do
		state="not fetched yet"
		[[ ! -e $cache/kernels/$name/info ]] ||
			state=$(sed -n 's/^package \([^ ]* [^ ]*\).*/\1/p' "$cache/kernels/$name/info")
		printf '  %-12s %-28s %s\n' "$name" "$suites" "${state//$'\n'/, }"
	done < <(rows kernels)
}

# Where results go is the lab's business: in the guest it is the results disk.
# What follows a second -- is for the tests.
take_runner_args()
{
	local option

	while (($#)); do
		option=$1
		shift
		case $option in
		--results | --run-name)
			(($#)) || die "$option needs a value"
			set -- "$option=$1" "${@:2}"
			;;
		--results=*) results=${option#*=} ;;
		--run-name=*) run=${option#*=} ;;
		--) runner_args+=(-- "$@"); return ;;
		*) runner_args+=("$option") ;;
		esac
	done
}

host="" kernel=6.1 limit=1800 results=$suite/results run="" cmd="" update=no
runner_args=()
while (($#)); do
	option=$1
	shift
	case $option in
	--host | --kernel | --time-limit | --results | --run-name | --cmd)
		(($#)) || die "$option needs a value"
		[[ -n $1 ]] || die "$option: empty value"
		case $option in
		--host) host=$1 ;;
		--kernel) kernel=$1 ;;
		--time-limit) limit=$1 ;;
		--results) results=$1 ;;
		--run-name) run=$1 ;;
		--cmd) cmd=$1 ;;
		esac
		shift
		;;
	--update) update=yes ;;
	--list) list; exit 0 ;;
	--help | -h) usage; exit 0 ;;
	--) take_runner_args "$@"; break ;;
	*) die "unknown option '$option' (see --help)" ;;
	esac
done

[[ -n $results ]] || die "--results: empty value"
[[ -n $host ]] || die "which host? --host NAME (see --list)"
[[ $limit =~ ^[1-9][0-9]{0,6}$ ]] || die "--time-limit: '$limit' is not a number of seconds"
[[ -z $run || $run =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "--run-name: '$run' is no file name"

find_row host "$host"
emulator=${row[1]} host_modules=${row[2]}
find_row kernel "$kernel"
kernel_suites=${row[1]} kernel_patterns=${row[2]}
name=$host-$kernel
# shellcheck source=emulator-qemu-tcg.sh
. "$here/emulator-$emulator.sh" || die "no back end for the emulator $emulator"

for tool in cpio:cpio mke2fs:e2fsprogs e2fsck:e2fsprogs debugfs:e2fsprogs \
	modprobe:kmod depmod:kmod xz:xz-utils dpkg:dpkg apt-get:apt; do
	command -v "${tool%:*}" >/dev/null ||
		die "${tool%:*} is not installed (Debian package ${tool#*:})"
done
[[ $(uname -m) == x86_64 ]] || die "the guest runs this machine's programs, so it must be x86-64"
emulator_check
if [[ -z $cmd ]]; then
	[[ -x $suite/runner.sh ]] || die "$suite/runner.sh is missing"
	compgen -G "$suite/build/x86/*" >/dev/null ||
		die "nothing is built in build/x86: run make first"
fi

cleanup_paths=()
emulator_pid=""
cleanup() { rm -rf "${cleanup_paths[@]}"; }
trap cleanup EXIT

tmp=$(mktemp -d "${TMPDIR:-/tmp}/kmc-lab.XXXXXX") || die "cannot write to ${TMPDIR:-/tmp}"
cleanup_paths+=("$tmp")

# The run's folder: made first, so that two runs never share one.
mkdir -p "$results" 2>/dev/null && [[ -w $results ]] || die "cannot write to the results folder $results"
results=$(readlink -f "$results")
if [[ -n $run ]]; then
	mkdir "$results/$run" 2>/dev/null || die "cannot create $results/$run (there already?)"
else
	base=$(date +%Y%m%d-%H%M%S)-$name
	[[ -z $cmd ]] || base+=-cmd
	run=$base
	for ((i = 2; ; i++)); do
		mkdir "$results/$run" 2>/dev/null && break
		[[ -d $results/$run ]] || die "cannot create $results/$run"
		run=$base-$i
	done
fi
out=$results/$run
# Nothing to keep if the lab does not get as far as starting the guest.
trap 'rmdir "$out" 2>/dev/null; cleanup' EXIT

get_kernel "$kernel" "$kernel_suites" "$kernel_patterns" "$update"
version=$(emulator_version)

# --- the guest's files
get_base "$here" "$tmp"
guest=$tmp/guest
mkdir -p "$guest"/{etc/modprobe.d,lab,suite} || die_writing "writing to $tmp" "$tmp"
# Progress that overwrites itself is for a terminal, in the guest as here.
live=no
[[ ! -t 1 ]] || live=yes
modules=$emulator_modules
while read -r module parameters; do
	modules+=" $module"
	[[ -z $parameters ]] || echo "options $module $parameters"
done >"$guest/etc/modprobe.d/lab.conf" < <(tr ',' '\n' <<<"$host_modules")
cat >"$guest/etc/fstab" <<'END'
devtmpfs /dev devtmpfs defaults 0 0
sysfs /sys sysfs defaults 0 0
tracefs /sys/kernel/tracing tracefs defaults 0 0
debugfs /sys/kernel/debug debugfs defaults 0 0
tmpfs /tmp tmpfs defaults 0 0
END
{
	printf '%s=%q\n' lab_name "$name" lab_modules "$modules" \
		lab_disk "$emulator_disk" lab_console "$emulator_console" lab_live "$live"
} >"$guest/lab/config"
if [[ -n $cmd ]]; then
	printf 'export RESULTS=/results/%q\n' "$run"
	printf '%s\n' "mkdir -p \"\$RESULTS\"" "$cmd"
else
	printf '%q ' exec /suite/runner.sh --results /results --run-name "$run" "${runner_args[@]}"
	echo
fi >"$guest/lab/command"
add_modules "$guest" "$modules" 2>"$tmp/log" && add_suite "$guest" "$suite" 2>"$tmp/log" &&
	pack "$guest" "$tmp/guest.cpio" 2>"$tmp/log" &&
	cat "$base_cpio" "$tmp/guest.cpio" >"$tmp/initrd" 2>"$tmp/log" ||
	die_writing "building the initramfs" "$tmp" "$tmp/log"
truncate -s 512M "$tmp/disk" && mke2fs -q -t ext4 -O ^has_journal "$tmp/disk" 2>"$tmp/log" ||
	die_writing "making the results disk" "$tmp" "$tmp/log"

# --- run it
cmdline="console=$emulator_console quiet panic=-1 mitigations=off nokaslr tsc=reliable"
cmdline+=" no_timer_check cryptomgr.notests audit=0 selinux=0 apparmor=0 random.trust_cpu=on"
cmdline+=" lab.emulator=$emulator-$version lab.host=$host"
emulator_prepare "$kernel_dir/vmlinuz" "$tmp/initrd" "$cmdline" "$tmp/disk" "$tmp"

interrupted=no
stop()
{
	[[ -n $emulator_pid ]] || exit 130
	interrupted=yes
	kill "$emulator_pid" 2>/dev/null
}
trap stop INT TERM HUP

now() { echo "${EPOCHREALTIME/,/.}"; }
seconds() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", b - a }'; }

# The console goes to the terminal and to a file; the moment the guest says
# "start" is noted on the way.
mkfifo "$tmp/console"
start=$(now)
# The readers outlive an interrupt, to take the last lines.
(
	trap '' INT TERM HUP
	tee -p "$out/console.log" >(grep -q -m1 "^lab: $name: start" && now >"$tmp/boot"
		cat >/dev/null) <"$tmp/console"
) &
console_pid=$!
timeout -k 10 "$limit" "${emulator_command[@]}" </dev/null >"$tmp/console" 2>"$tmp/emulator.log" &
emulator_pid=$!
# A trap makes wait return early: wait for the real end.
while :; do
	wait "$emulator_pid" 2>/dev/null
	status=$?
	kill -0 "$emulator_pid" 2>/dev/null || break
done
emulator_pid=""
wait "$console_pid"
total=$(seconds "$start" "$(now)")
boot=unknown
[[ ! -s $tmp/boot ]] || boot=$(seconds "$start" "$(<"$tmp/boot")")
# What a progress line has overwritten is no part of the log.
sed -i -e 's/\r*$//' -e 's/.*\r\x1b\[K//' "$out/console.log"

# --- bring the results back, whatever became of the guest
e2fsck -fy "$tmp/disk" >"$tmp/e2fsck.log" 2>&1
mkdir "$tmp/out"
debugfs -R "rdump / \"$tmp/out\"" "$tmp/disk" >"$tmp/log" 2>&1
rm -rf "$tmp/out/lost+found"
if [[ -d $tmp/out/$run ]]; then
	cp -r --preserve=timestamps "$tmp/out/$run/." "$out/" || die_writing "copying the results to $out" "$results"
fi
runner_status=""
[[ ! -s $tmp/out/.lab-exit ]] || runner_status=$(<"$tmp/out/.lab-exit")

panic=$(grep -aoE '^\[ *[0-9]+\.[0-9]+\](\[.*\])? Kernel panic - .*' "$out/console.log" | head -n 1)
emulator_said=$(tail -n 1 "$tmp/emulator.log")
[[ ! -s $tmp/emulator.log ]] || cp "$tmp/emulator.log" "$out/emulator.log"
if [[ $interrupted == yes ]]; then
	outcome=interrupted what="interrupted" code=130
elif ((status == 124)) || { ((status == 137)) && ((${total%.*} >= limit)); }; then
	outcome=hung what="the guest hung: stopped after the time limit of $limit s" code=1
elif [[ -n $panic ]]; then
	outcome=panicked what="the guest's kernel panicked: ${panic#*] }" code=1
elif ((status > 128)); then
	outcome=killed what="the emulator was killed (signal $((status - 128)))${emulator_said:+: $emulator_said}" code=1
elif ((status != 0)); then
	outcome=failed what="the emulator failed (exit status $status): $emulator_said" code=1
elif [[ ! $runner_status =~ ^[0-9]+$ ]]; then
	outcome=died code=1
	what="the guest ended without a result${emulator_said:+: $emulator_said}"
else
	outcome=finished what="exit status $runner_status" code=$runner_status
fi

cat >"$out/lab.json" <<END
{
  "host": "$host",
  "kernel": "$kernel",
  "kernel_release": "$kernel_release",
  "kernel_packages": "$kernel_packages",
  "emulator": "$emulator",
  "emulator_version": "$version",
  "outcome": "$outcome",
  "exit_status": $code,
  "boot_seconds": $([[ $boot == unknown ]] && echo null || echo "$boot"),
  "total_seconds": $total
}
END

# Not for a runner that ran nothing, as with --list.
if [[ -z $cmd && -d $tmp/out/$run ]]; then
	ln -sfn "$run" "$results/.latest.$$" && mv -T "$results/.latest.$$" "$results/latest"
fi

if [[ $outcome != finished ]]; then
	if [[ -z $cmd && -x $suite/build/bin/kmc-report ]]; then
		"$suite/build/bin/kmc-report" summary "$out"
	fi
	if [[ $outcome != interrupted ]]; then
		echo "--- last lines of the console"
		tail -n 30 "$out/console.log"
		echo "---"
	fi >&2
	note "$name: $what"
	if [[ -s $out/run.jsonl ]]; then
		note "$name: ran last: $(tail -n 1 "$out/run.jsonl")"
	elif [[ -z $cmd ]]; then
		note "$name: no test had begun"
	fi
	what=$outcome
fi
note "$name: $what; runner started after $boot s, all took $total s; results in $out"
exit "$code"
