#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest, for lab/mutants.sh --together: loads KVM with one mistake after the other
# and runs the suite with each until it fails.  Beside this file lie the modules, a folder
# per mutant, and "runs", a line of arguments for the runner per run.  Of each mutant
# $RESULTS gets ID/N, the results of run N, ID/N.status, and ID/end behind the last.
files=$(dirname "$0") vendor=kvm_amd
[[ ! -d /sys/module/kvm_intel ]] || vendor=kvm_intel

for dir in "$files"/*/; do
	out=$RESULTS/$(basename "$dir") n=0
	# A module of the suite's last run may be busy for a moment.
	for ((i = 0; i < 20; i++)); do
		modprobe -r $vendor kvm
		[[ -d /sys/module/kvm ]] || break
		sleep 0.2
	done
	# Without its folder a mutant has not been reached, and is tried again in another boot.
	[[ ! -d /sys/module/kvm ]] || exit
	mkdir "$out" && sync
	mv "$dir"/*.ko "/usr/lib/modules/$(uname -r)/" && modprobe $vendor || { rmdir "$out" && exit; }
	while read -r -a arguments; do
		./runner.sh --results "$out" --run-name "$((++n))" --skip-tag no-kvm \
			--max-failures 1 "${arguments[@]}" </dev/null
		status=$?
		echo "$status" >"$out/$n.status"
		((status == 0 || status == 4)) || break
	done <"$files/runs"
	touch "$out/end"
	# The next one may take the host down.
	sync
done
