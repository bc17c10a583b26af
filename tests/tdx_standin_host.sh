# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034,SC2119,SC2120 # used by who sources this
#
# The folder from which tests/standin/ plays a TDX host, to be sourced: STANDIN_ROOT names it.
STANDIN_ROOT=${STANDIN_ROOT:?is to be set by who sources this}

#
# The host that is played: two packages with a node each, everything right
#
put() { # PATH TEXT
	mkdir -p "$STANDIN_ROOT/${1%/*}"
	printf '%s\n' "$2" >"$STANDIN_ROOT/$1"
}

# What the kernel said: one argument per line, from boot on.
log() {
	local line n=0
	mkdir -p "$STANDIN_ROOT/dev"
	for line; do
		printf '6,%d,%d,-;%s\n SUBSYSTEM=none\n' "$n" $((n * 1000)) "$line"
		((++n))
	done >"$STANDIN_ROOT/dev/kmsg"
}

readonly said_booting='Linux version 7.3.0'
readonly said_tme='x86/tme: enabled by BIOS'
readonly said_keyids='virt/tdx: BIOS enabled: private KeyID range [32, 64)'
readonly said_pamt='virt/tdx: 1034220 KB allocated for PAMT'
readonly said_ready='virt/tdx: TDX-Module initialized'
readonly said_ready_old='virt/tdx: module initialized'

# msrs NUMBER VALUE...: on all CPUs, instead of the right values.
msrs() {
	local cpu text="87 0000002000000020
3a 40005
a0 0
ce 8000000
fe 8d0a
981 7f000000000
982 3
1400 7fe00000
1401 c00"
	while (($#)); do
		# shellcheck disable=SC2001
		text=$(sed "s/^$1 .*/$1 $2/" <<<"$text")
		shift 2
	done
	for cpu in 0 1 2 3; do
		put "dev/cpu/$cpu/msr" "$text"
	done
}

right_host() {
	local name node cpu
	rm -rf -- "$STANDIN_ROOT"
	STANDIN=''
	# leaf subleaf eax ebx ecx edx: "GenuineIntel", Granite Rapids
	put played/cpuid '0 0 20 756e6547 6c65746e 49656e69
1 0 000a06d1 0 00000020 08000000
7 0 0 0 10002000 0'
	put proc/cpuinfo 'flags		: fpu vmx tme tdx_host_platform
vmx flags	: vnmi ept ept_5level
bugs		: spectre_v1'
	put proc/cmdline 'root=/dev/sda1 kvm_intel.tdx=1 nohibernate'
	put proc/self/cgroup '0::/user.slice'
	msrs
	log "$said_booting" "$said_tme" "$said_keyids" "$said_pamt" "$said_ready"
	for name in tdx ept eptad enable_apicv; do
		put "sys/module/kvm_intel/parameters/$name" Y
	done
	put sys/module/kvm/parameters/tdp_mmu Y
	put sys/module/kvm/parameters/mmio_caching Y
	put sys/devices/system/cpu/online 0-3
	put sys/devices/system/cpu/present 0-3
	for cpu in 0 1 2 3; do
		put "sys/devices/system/cpu/cpu$cpu/topology/physical_package_id" $((cpu / 2))
	done
	for node in 0 1; do
		put "sys/devices/system/node/node$node/bytes" $((128 << 30))
		put "sys/devices/system/node/node$node/cpulist" $((2 * node))-$((2 * node + 1))
	done
	put sys/fs/cgroup/misc.capacity 'tdx 31'
	put sys/fs/cgroup/misc.current 'tdx 2'
}

# As it was before KVM got that far: no capability, no KeyIDs counted.
without_tdx() {
	STANDIN='vm_types=1'
	rm -f "$STANDIN_ROOT"/sys/fs/cgroup/misc.*
	put sys/module/kvm_intel/parameters/tdx N
}

without_flag() {
	put proc/cpuinfo 'flags		: fpu vmx tme
vmx flags	: vnmi ept ept_5level
bugs		: spectre_v1'
}
