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
  --kernel-dir TREE     instead: the kernel of this build tree
  --modules-dir DIR     modules found there take the place of the kernel's own
  --carry DIR           take this folder along, as /suite/carried
  --append TEXT         more for the command line of the guest's kernel
  --time-limit SECONDS  give up on the guest after this time (1800)
  --results DIR         where results go (results/)
  --run-name NAME       name of the run's folder there (time, host and kernel)
  --cmd COMMAND         debugging: run this shell command instead of the runner
  --shell               debugging: a shell in the guest, until it exits
  --update              look for newer packages of kernel and emulator first
  --fetch               only fetch into the cache what --host and --kernel need;
                        what is not named is all of them; with --kernel-dir no
                        kernel
  --list                list hosts, kernels and emulators
  --help                this text
Exit status: the runner's, 1 if the guest did not get to its end, 2 if the lab
could not start, 130 if interrupted.
END
}

# shellcheck source=common.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"
# shellcheck source=packages.sh
. "$here/packages.sh"
# shellcheck source=kernel.sh
. "$here/kernel.sh"
# shellcheck source=emulator.sh
. "$here/emulator.sh"
# shellcheck source=modules.sh
. "$here/modules.sh"
# shellcheck source=initramfs.sh
. "$here/initramfs.sh"

# need PROGRAM:PACKAGE...
need()
{
	local tool

	for tool; do
		command -v "${tool%:*}" >/dev/null ||
			die "${tool%:*} is not installed (Debian package ${tool#*:})"
	done
	[[ $(uname -m) == x86_64 ]] || die "the guest runs this machine's programs, so it must be x86-64"
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

host="" kernel="" kernel_tree="" modules_dir="" carry="" append="" limit=1800 results=$suite/results run="" cmd="" shell=no update=no action=run
runner_args=()
while (($#)); do
	option=$1
	shift
	case $option in
	--host | --kernel | --kernel-dir | --modules-dir | --carry | --append | \
		--time-limit | --results | --run-name | --cmd)
		(($#)) || die "$option needs a value"
		[[ -n $1 ]] || die "$option: empty value"
		case $option in
		--host) host=$1 ;;
		--kernel) kernel=$1 ;;
		--kernel-dir) kernel_tree=$1 ;;
		--modules-dir) modules_dir=$1 ;;
		--carry) carry=$1 ;;
		--append) append=$1 ;;
		--time-limit) limit=$1 ;;
		--results) results=$1 ;;
		--run-name) run=$1 ;;
		--cmd) cmd=$1 ;;
		esac
		shift
		;;
	--shell) shell=yes ;;
	--update) update=yes ;;
	--fetch) action=fetch ;;
	--list) list; exit 0 ;;
	--help | -h) usage; exit 0 ;;
	--) take_runner_args "$@"; break ;;
	*) die "unknown option '$option' (see --help)" ;;
	esac
done

[[ -z $kernel || -z $kernel_tree ]] || die "either --kernel or --kernel-dir"
if [[ $action == fetch ]]; then
	need apt-get:apt dpkg:dpkg depmod:kmod
	fetch "$host" "$kernel"
	exit 0
fi

[[ -n $results ]] || die "--results: empty value"
[[ -z $carry || -d $carry ]] || die "--carry: there is no folder $carry"
[[ -n $host ]] || die "which host? --host NAME (see --list)"
check_time_limit "$limit"
check_run_name "$run"
[[ $shell == no || -z $cmd ]] || die "either --cmd or --shell"
[[ ($shell == no && -z $cmd) || ${#runner_args[@]} == 0 ]] ||
	die "--cmd and --shell run no runner: what is '${runner_args[0]}' for?"

if [[ $shell == yes ]]; then
	[[ -t 0 && -t 1 ]] || die "--shell needs a terminal; --cmd does not"
	# shellcheck disable=SC2016 # for the guest
	cmd='exec <>"/dev/$(</sys/class/tty/console/active)" >&0 2>&1; stty sane; exec bash --norc -i'
fi

find_host "$host"
emulator=${row[1]} host_modules=${row[2]}
if [[ -n $kernel_tree ]]; then
	kernel=built
else
	kernel=${kernel:-6.1}
	find_row kernel "$kernel"
fi
name=$host-$kernel
emulator_initrd=plain emulator_cmdline=""
# shellcheck source=emulator-qemu-tcg.sh
. "$here/emulator-$emulator.sh" || die "no back end for the emulator $emulator"

need cpio:cpio mke2fs:e2fsprogs e2fsck:e2fsprogs debugfs:e2fsprogs modprobe:kmod \
	depmod:kmod modinfo:kmod setpriv:util-linux xz:xz-utils zstd:zstd dpkg:dpkg apt-get:apt
if [[ -z $cmd ]]; then
	[[ -x $suite/runner.sh ]] || die "$suite/runner.sh is missing"
	check_built
fi

emulator_pid=""
make_tmp kmc-lab
# Twice the guest's files, and what the guest will write.
need_space "the guest's files and results" 150 "$tmp"
# Made first, so that two runs never share one.
make_results "$run" "$(date +%Y%m%d-%H%M%S)-$name${cmd:+-cmd}"
out=$results/$run
# Nothing to keep if the lab does not get as far as starting the guest.
trap 'rmdir "$out" 2>/dev/null; cleanup' EXIT

if [[ -n $kernel_tree ]]; then
	mkdir "$tmp/kernel" || die_writing "writing to $tmp" "$tmp"
	built_kernel "$kernel_tree" "$tmp/kernel"
else
	get_kernel "$kernel"
fi
[[ -z $modules_dir ]] || replace_modules "$modules_dir"
get_emulator "$emulator"
version=$(emulator_version)
[[ -n $version ]] || die "the emulator $emulator in $emulator_root does not start"

# --- the guest's files
make_initrd "$here" "$tmp" "$tmp/initrd"
truncate -s 512M "$tmp/disk" && mke2fs -q -t ext4 -O ^has_journal "$tmp/disk" 2>"$tmp/log" ||
	die_writing "making the results disk" "$tmp" "$tmp/log"

# --- run it
cmdline="console=$emulator_console,115200 quiet panic=-1 mitigations=off nokaslr tsc=reliable"
cmdline+=" no_timer_check cryptomgr.notests audit=0 selinux=0 apparmor=0 random.trust_cpu=on"
cmdline+=" lab.emulator=$emulator-$version lab.host=$host"
cmdline+="${emulator_cmdline:+ $emulator_cmdline}$(builtin_parameters "$host_modules")${append:+ $append}"
emulator_prepare "$kernel_image" "$tmp/initrd" "$cmdline" "$tmp/disk" "$tmp"

interrupted=no
stop()
{
	[[ -n $emulator_pid ]] || { note "interrupted"; exit 130; }
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
		cat >/dev/null) <"$tmp/console" |
		# The kernel ends its lines with "\r\n"; a file is not a terminal.
		if [[ -t 1 ]]; then cat; else sed -u 's/\r*$//'; fi
) &
console_pid=$!
if [[ $shell == yes ]]; then
	# What is typed goes to the guest as it is, ^C too.
	terminal=$(stty -g)
	trap 'stty "$terminal"; cleanup' EXIT
	stty raw -echo
	exec {input}</dev/tty
	limits=(timeout --foreground)
else
	exec {input}</dev/null
	limits=(timeout)
fi
# The emulator does not outlive this script, not even a killed one.
setpriv --pdeathsig TERM "${limits[@]}" -k 10 "$limit" "${emulator_command[@]}" <&"$input" >"$tmp/console" 2>"$tmp/emulator.log" &
emulator_pid=$!
# Results come back also where nobody reads on.
trap '' PIPE
# A trap makes wait return early: wait for the real end.
while :; do
	wait "$emulator_pid" 2>/dev/null
	status=$?
	kill -0 "$emulator_pid" 2>/dev/null || break
done
# What is left is short work, and the results are worth it.
trap '' INT TERM HUP
emulator_pid=""
wait "$console_pid"
[[ $shell == no ]] || stty "$terminal"
total=$(seconds "$start" "$(now)")
boot=unknown
[[ ! -s $tmp/boot ]] || boot=$(seconds "$start" "$(<"$tmp/boot")")
# What a progress line has overwritten is no part of the log.
sed -i -e 's/\r*$//' -e 's/.*\r\x1b\[K//' "$out/console.log"

# The one place where the results are stays.
keep_disk()
{
	local kept

	kept=$(mktemp "${tmp%/*}/kmc-results.XXXXXX") && mv "$tmp/disk" "$kept" &&
		note "the guest's disk is kept: debugfs -R 'rdump / FOLDER' $kept"
	die_writing "copying the results to $out" "$results" "$tmp/log"
}

# --- bring the results back, whatever became of the guest
e2fsck -fy "$tmp/disk" >"$tmp/e2fsck.log" 2>&1
mkdir "$tmp/out"
debugfs -R "rdump / \"$tmp/out\"" "$tmp/disk" >"$tmp/log" 2>&1
rm -rf "$tmp/out/lost+found"
if [[ -d $tmp/out/$run ]]; then
	cp -r --preserve=timestamps "$tmp/out/$run/." "$out/" 2>"$tmp/log" || keep_disk
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
	outcome=finished code=$runner_status
fi
# The summary is made here: an emulated CPU takes minutes for many failures.
if [[ -z $cmd && -s $out/run.jsonl && ! -e $out/summary.json ]]; then
	said=$("$suite/${KMC_BUILD:-build}/bin/kmc-report" summary "$out")
	summary_status=$?
	echo "$said" 2>/dev/null
	((code)) || code=$summary_status
fi
[[ $outcome != finished ]] || what="exit status $code"

cat >"$out/lab.json" <<END
{
  "host": "$host",
  "kernel": "$kernel",
  "kernel_release": "$kernel_release",
  "kernel_packages": "$kernel_packages",
  "emulator": "$emulator",
  "emulator_version": "$version",
  "emulator_packages": "$emulator_packages",
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
