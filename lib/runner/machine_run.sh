#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What machine.sh starts on another machine, in a folder DIR with the suite and modules/:
#
#   machine_run.sh DIR RUN-NAME RUNNER-ARGUMENT...
#
# Loads KVM's modules of modules/, if there are any, in place of those that are loaded, with
# the parameters of this machine's configuration; runs; and loads the machine's own again.
# When stdin ends the caller is gone: then this ends, too.  Exit code: the runner's; 3 if the
# modules cannot be loaded.
set -u

readonly modules=${KMC_MODULES:-/proc/modules} # replaced by the suite's own tests
dir=$1 run_name=$2
shift 2
say() { printf 'machine_run: %s\n' "$1"; }
child='' swapped=''

# "path option=value..." of a module, as modprobe would load it.
configured() { modprobe --show-depends "$1" 2>/dev/null | sed -n 's/^insmod //p' | tail -n 1; }

# shellcheck disable=SC2317 # called by trap
restore() {
	trap '' INT TERM HUP EXIT
	[[ -z $child ]] || { kill -TERM "$child" && wait "$child"; } 2>/dev/null
	if [[ -n $swapped ]]; then
		rmmod "$vendor" kvm 2>/dev/null
		modprobe "$vendor" || say "this machine's own $vendor cannot be loaded again"
	fi
}

swap_modules() {
	local own options
	vendor=$(grep -oE '^kvm_(amd|intel)' "$modules" | head -n 1)
	[[ -n $vendor ]] || { say "neither kvm_amd nor kvm_intel is loaded" && return 1; }
	own=$(configured "$vendor") options=${own#"${own%% *}"}
	swapped=yes
	rmmod "$vendor" kvm 2>&1 | sed 's/^/machine_run: /'
	# shellcheck disable=SC2046,SC2086 # options are words
	insmod "$dir/modules/kvm.ko" $(configured kvm | cut -s -d' ' -f2-) 2>&1 &&
		insmod "$dir/modules/${vendor/_/-}.ko" $options 2>&1 && return
	say "the modules of this commit do not load: $(dmesg 2>/dev/null | tail -n 1)"
	return 1
}

trap restore EXIT
trap 'exit 143' INT TERM HUP
if compgen -G "$dir/modules/*.ko" >/dev/null; then
	swap_modules || exit 3
fi
# For who comes back after a broken connection.
printf '%d\n' $$ >"$dir/pid"
exec {stdin}<&0
"$dir/runner.sh" --results "$dir/results" --run-name "$run_name" "$@" </dev/null &
child=$!
(read -r -u "$stdin" _; kill -TERM "$child") 2>/dev/null &
watcher=$!
wait "$child"
code=$?
child=''
kill "$watcher" 2>/dev/null
exit "$code"
