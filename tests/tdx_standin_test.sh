#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of tdx_host_test and tdx_abi_test with TDX hosts that are played to them
# (tests/standin/): right ones of several kernels, each line of the table of symptoms in
# docs/tdx.md, an error at each step of making a TD, mistakes in KVM.  Of each the subtests that fail
# must be those that should, what they say must name the cause, and nothing may be left open.
# Prints KTAP; exits 0 or 1.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
standin=${STANDIN_DIR:-$here/build/tests/standin}
for name in tdx_host_test tdx_abi_test; do
	[[ -x $standin/$name ]] || { printf 'tdx_standin_test.sh: %s is not built\n' "$standin/$name" >&2 && exit 2; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/tdx_standin.XXXXXX") || exit 2
trap 'rm -rf -- "$work"' EXIT
scratch=$work
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"
export STANDIN_ROOT=$work/root STANDIN=''

# shellcheck source=tests/tdx_standin_host.sh
source "$here/tests/tdx_standin_host.sh"

#
# Checking
#

# ends CODE TEST [ARGUMENT...]: runs it; failed: its failed subtests.  99 is something left open.
ends() {
	local code=$1 test=$2
	shift 2
	STANDIN=$STANDIN run "$code" "$standin/$test" "$@"
	failed=" $(sed -n 's/^not ok [0-9]* \([^ ]*\).*/\1/p' <<<"$out" | tr '\n' ' ')"
	[[ -z $err ]] || problem "on stderr: $err"
}

# only SUBTEST...: these failed and no others.
only() {
	local want=" $*"
	[[ $failed == "${want% } " || ($failed == ' ' && -z $*) ]] || problem "failed:$failed, and not:$want"
}

# A wrong host: what must fail, and what must be said.  finds "SUBTEST..." TEXT...
finds() {
	local want=$1 text
	shift
	export STANDIN
	ends 1 tdx_host_test
	# shellcheck disable=SC2086 # a list of words
	only $want
	for text; do has "$text" "$out"; done
}

# A host that is none.
is_skipped() {
	ends 4 tdx_host_test
	only
	has "$1" "$out"
	[[ $out != *'# cases='* ]] || problem "a check counts as passed"
}

#
# Hosts that are right
#
right_hosts() {
	local ready
	for ready in "$said_ready" "$said_ready_old"; do
		right_host
		log "$said_booting" "$said_tme" "$said_keyids" "$said_pamt" "$ready"
		STANDIN='reads=1'
		ends 0 tdx_host_test
		only
	done
	check "a TDX host that is set up rightly, with the log of older and of newer kernels; only read"
	right_host
	sed -i 's/^6,\([0-9]*\),/6,1000\1,/' "$STANDIN_ROOT/dev/kmsg"
	sed -i '/tdx/d' "$STANDIN_ROOT/dev/kmsg"
	ends 0 tdx_host_test
	only
	has 'tdx_host_platform says the same' "$out"
	check "the same, with the beginning of the log overwritten"
	right_host
	rm -r "${STANDIN_ROOT:?}/dev"
	ends 0 tdx_host_test
	only
	has 'msr/readable # SKIP cannot tell' "$out"
	check "the same, with neither MSRs nor log: what cannot be seen is skipped"
	right_host
	log "$said_booting" "$said_keyids" 'virt/tdx: SEAMCALL (0x0000000000000021) failed: 0x8000020300000000' \
		'virt/tdx: module initialization failed (-5)' "$said_pamt" "$said_ready"
	ends 0 tdx_host_test
	only
	check "a failure that a later loading of kvm_intel has made good"
}

no_tdx_hosts() {
	right_host && without_tdx && without_flag && log "$said_booting" && rm -r "$STANDIN_ROOT/dev/cpu"
	put played/cpuid '0 0 10 68747541 444d4163 69746e65
1 0 00a20f10 0 0 0'
	is_skipped 'not a TDX host: the CPU is not Intel'
	put played/cpuid '0 0 20 756e6547 6c65746e 49656e69
1 0 000a06d1 0 80000020 08000000
7 0 0 0 10002000 0'
	is_skipped 'not a TDX host: it is a guest'
	put played/cpuid '0 0 20 756e6547 6c65746e 49656e69
1 0 000506e3 0 00000020 08000000
7 0 0 0 0 0'
	is_skipped 'not a TDX host: the CPU has no total memory encryption'
	check "hosts that can be no TDX hosts are skipped: AMD, a guest, no TME"
	right_host && without_tdx && without_flag && log "$said_booting" && msrs fe d0a 87 0 1401 0 982 0
	is_skipped 'not a TDX host: the CPU has no SEAMRR'
	check "a CPU with TME and without SEAMRR is skipped"
	msrs 87 0 1401 0 982 0
	put proc/cmdline root=/dev/sda1
	is_skipped 'not set up as a TDX host: the CPU can, but nothing is switched on'
	has 'change: BIOS: switch on Total Memory Encryption' "$out"
	check "a CPU that could, with nothing switched on, is skipped and told what to change"
	rm -r "$STANDIN_ROOT/dev/cpu"
	is_skipped 'cannot tell whether this is a TDX host'
	check "without MSRs nobody can tell"
	right_host && without_tdx && without_flag && log "$said_booting" && msrs 87 0 1401 0 982 0
	ends 1 tdx_host_test
	has 'kvm_intel.tdx=1 is on the kernel' "$out"
	check "the same with kvm_intel.tdx=1 asked for is a TDX host set up wrongly"
}

#
# The table of symptoms, row by row, and what else can be wrong
#

# Says what the kernel says when the module fails, and leaves KVM without TDX.
module_fails() {
	right_host
	without_tdx
	log "$said_booting" "$said_tme" "$said_keyids" "$@" 'virt/tdx: module initialization failed (-5)'
}

symptoms_of_the_module() {
	module_fails 'virt/tdx: SEAMCALL failed: TDX not enabled by BIOS'
	finds 'module/bios module/initialized capability/vm-types' 'switched TDX on only in part' 'SEAM loader'
	check 'symptom: "not enabled by BIOS" after a KeyID range line: BIOS settings'
	right_host && without_tdx && log "$said_booting" "$said_tme" "$said_keyids"
	finds 'module/initialized capability/vm-types' 'gave up without a word' 'memory integrity off'
	check 'the same on kernels that do not say it'
	module_fails 'virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc000090000000000'
	finds 'module/seamcall module/initialized capability/vm-types' \
		'TDH.SYS.INIT failed with 0xc000090000000000 INCORRECT_CPUID_VALUE' 'change: update the BIOS'
	check 'symptom: SEAMCALL 0x21 -> INCORRECT_CPUID_VALUE: old BIOS'
	module_fails 'tdx: SEAMCALL (33) failed: 0xc000092100000122'
	finds 'module/seamcall module/initialized capability/vm-types' \
		'TDH.SYS.INIT failed with 0xc000092100000122 INCORRECT_MSR_VALUE' 'MSR 0x122 (IA32_TSX_CTRL)' 'firmware'
	check 'symptom: SEAMCALL 33 -> INCORRECT_MSR_VALUE, MSR 0x122: firmware'
	module_fails 'virt/tdx: SEAMCALL (0x0000000000000022) failed: 0xc000050500000000'
	finds 'module/seamcall module/initialized capability/vm-types' \
		'TDH.SYS.RD failed with 0xc000050500000000 SYS_NOT_READY' 'TDX module 1.0' '1.5 or newer'
	put proc/cmdline nohibernate
	finds 'module/seamcall module/initialized capability/vm-types' 'kvm_intel/tdx # SKIP not yet: TDX was asked for'
	check 'symptom: SEAMCALL 0x22 -> SYS_NOT_READY: module 1.0; also with tdx=1 given to modprobe'
	module_fails 'virt/tdx: SEAMCALL (0x0000000000000022) failed: 0xc0000c0000000000' \
		'virt/tdx: RCX 0x0000000000000000 RDX 0x9100000200000003 R08 0x0000000000000000'
	finds 'module/seamcall module/initialized capability/vm-types' \
		'METADATA_FIELD_ID_INCORRECT' 'the module is too old' 'change: a newer TDX module'
	check 'symptom: METADATA_FIELD_ID_INCORRECT: old module'
	module_fails 'virt/tdx: initialization failed: TDMR [0x0, 0x40000000): reserved areas exhausted.'
	finds 'module/memory module/initialized capability/vm-types' 'too many pieces' 'a simpler memory map'
	check 'symptom: "reserved areas exhausted": CMR and memory map'
	module_fails 'virt/tdx: initialization failed: TDMRs exhausted.'
	finds 'module/memory module/initialized capability/vm-types' 'too many pieces'
	check '"TDMRs exhausted"'
	module_fails 'virt/tdx: module not loaded'
	finds 'module/loaded module/initialized capability/vm-types' 'loaded no TDX module'
	check '"module not loaded"'
	module_fails 'virt/tdx: SEAMCALL (0x000000000000002d) failed: 0xc0000aff00000001'
	finds 'module/seamcall module/initialized capability/vm-types' \
		'TDH.SYS.CONFIG failed with 0xc0000aff00000001 unknown status (class physical memory' 'ABI reference'
	check 'a status that has no name yet'
}

symptoms_of_kvm() {
	local name words
	right_host && without_tdx && put proc/cmdline nohibernate
	log "$said_booting" "$said_tme" "$said_keyids"
	finds 'kvm_intel/tdx capability/vm-types' 'vm-type tdx not supported' 'kvm_intel.tdx is N, which is the default'
	check 'symptom: "vm-type tdx not supported": tdx=0'
	right_host && without_tdx && put sys/module/kvm_intel/parameters/ept N
	log "$said_booting" "$said_tme" "$said_keyids" 'kvm_intel: EPT is required for TDX'
	finds 'kvm_intel/parameters kvm_intel/refusal capability/vm-types' \
		'vm-type tdx not supported' 'set kvm_intel.ept=1'
	check 'symptom: "vm-type tdx not supported": ept=0'
	right_host && without_tdx && rm "$STANDIN_ROOT/sys/module/kvm_intel/parameters/tdx"
	log "$said_booting" "$said_tme" "$said_keyids"
	finds 'kvm_intel/loaded capability/vm-types' 'vm-type tdx not supported' 'a kernel with CONFIG_KVM_INTEL_TDX'
	check 'symptom: "vm-type tdx not supported": a kernel without TDX in KVM'
	right_host && without_tdx && rm -r "$STANDIN_ROOT/sys/module/kvm_intel"
	log "$said_booting" "$said_tme" "$said_keyids"
	finds 'kvm_intel/loaded capability/vm-types' 'modprobe kvm_intel'
	check 'kvm_intel is not loaded'
	while IFS=: read -r name words; do
		right_host && without_tdx && put "sys/module/${name/.//parameters/}" N
		log "$said_booting" "$said_tme" "$said_keyids" "kvm_intel: $words"
		finds 'kvm_intel/parameters kvm_intel/refusal capability/vm-types' "set $name=1"
	done <<-EOT
		kvm_intel.eptad:TDP MMU and MMIO caching and EPT A/D bit is required for TDX
		kvm.tdp_mmu:TDP MMU and MMIO caching and EPT A/D bit is required for TDX
		kvm.mmio_caching:TDP MMU and MMIO caching and EPT A/D bit is required for TDX
		kvm_intel.enable_apicv:APICv is required for TDX
	EOT
	check 'kvm_intel refuses: each parameter'
	for words in 'MOVDIR64B is required for TDX' 'Self-snoop is required for TDX' \
		'TDX not supported by the host platform' \
		'Disable TDX: MAX_VCPU_PER_TD (64) smaller than number of logical CPUs (512).'; do
		right_host && without_tdx
		log "$said_booting" "$said_tme" "$said_keyids" "kvm_intel: $words"
		finds 'kvm_intel/refusal capability/vm-types' "$words" 'asked for TDX and went without'
	done
	check 'kvm_intel refuses: MOVDIR64B, self-snoop, platform, number of CPUs'
	right_host
	STANDIN='no_kvm=13'
	ends 0 tdx_host_test
	only
	has 'capability/vm-types # SKIP cannot tell' "$out"
	check '/dev/kvm may not be opened: that is skipped, not failed'
}

symptoms_of_the_bios() {
	local after='capability/vm-types'
	right_host && without_tdx && without_flag && msrs 982 0
	log "$said_booting" 'x86/tme: not enabled by BIOS' "$said_keyids"
	finds "msr/tme log/tme kernel/platform-flag $after" 'memory encryption is off'
	check 'BIOS: TME off'
	right_host && without_tdx && without_flag && msrs 87 20
	log "$said_booting" "$said_tme"
	finds "msr/key-split log/keyids kernel/platform-flag $after" 'set no KeyID aside for TDX' 'silence: '
	check 'BIOS: no TDX KeyIDs, and the kernel is silent'
	right_host && without_tdx && without_flag && msrs 87 100000020
	log "$said_booting" "$said_tme" 'virt/tdx: BIOS enabled: private KeyID range [32, 33)' \
		'virt/tdx: initialization failed: too few private KeyIDs available.'
	finds "msr/key-split log/keyids kernel/platform-flag $after" 'none is left for TDs'
	check 'BIOS: a single TDX KeyID'
	right_host && msrs 87 6000000020
	finds msr/key-split 'more KeyIDs than the CPU has'
	check 'BIOS: more KeyIDs than there are'
	right_host && without_tdx && msrs 1401 400
	log "$said_booting" "$said_tme" "$said_keyids"
	finds "msr/seamrr module/initialized $after" 'SEAMRR is off'
	check 'BIOS: SEAMRR off'
	right_host && msrs a0 5
	finds msr/mcheck 'MCHECK refused'
	check 'BIOS: MCHECK refused the platform'
	right_host && msrs 3a 5
	finds msr/sgx 'SGX is off'
	check 'BIOS: SGX off'
	right_host && sed -i 's/^982 3/982 1/' "$STANDIN_ROOT/dev/cpu/3/msr"
	finds msr/tme 'CPUs differ' '0x1 on CPU 3'
	right_host && sed -i 's/^ce .*/ce 8001234/' "$STANDIN_ROOT/dev/cpu/3/msr"
	ends 0 tdx_host_test
	check 'BIOS: one CPU differs; where that is no matter it is none'
	right_host && msrs ce 0
	ends 0 tdx_host_test
	has 'pre-production part' "$out"
	check 'a pre-production part is named, and no failure'
	right_host && without_tdx && without_flag
	log "$said_booting" "$said_tme" "$said_keyids" 'virt/tdx: initialization failed: Hibernation support is enabled'
	finds "log/hibernation kernel/platform-flag $after" 'add nohibernate'
	check 'kernel: hibernation'
	right_host && put played/cpuid '0 0 20 756e6547 6c65746e 49656e69
1 0 000a06d1 0 00000020 0
7 0 0 0 2000 0'
	finds cpu/instructions 'MOVDIR64B 0, self-snoop 0'
	check 'CPU: no MOVDIR64B, no self-snoop'
}

# Everything says TDX host, but for one thing that cannot be.
contradictions() {
	local edit want text
	while IFS=: read -r edit want text; do
		right_host
		sed -i "$edit" "$STANDIN_ROOT/played/cpuid"
		finds "$want" "$text"
	done <<-EOT
		s/756e6547/68747541/:cpu/vmx:a technology of Intel
		s/00000020 08000000/80000020 08000000/:cpu/vmx:a guest of a hypervisor
		s/00000020 08000000/00000000 08000000/:cpu/vmx:no VMX
		s/10002000/10000000/:cpu/tme:the CPU has no TME
	EOT
	check 'CPU: CPUID that contradicts the kernel'
	right_host && msrs fe d0a
	finds msr/seamrr-capable 'it cannot do TDX'
	right_host && msrs 982 2
	finds msr/tme 'memory encryption is not locked'
	right_host && msrs 1401 800
	finds msr/seamrr 'SEAMRR is not locked'
	right_host && sed -i '/^1401/d' "$STANDIN_ROOT"/dev/cpu/*/msr
	finds msr/seamrr 'the CPU has no such MSR'
	right_host && log "$said_booting" 'x86/tme: configuration is inconsistent between CPUs' "$said_keyids" "$said_ready"
	finds log/tme 'CPUs differ in TME'
	check 'BIOS: MSRs and log that contradict the kernel'
	right_host && without_tdx && put sys/module/kvm_intel/parameters/tdx Y
	log "$said_booting" "$said_tme" "$said_keyids"
	finds 'module/initialized capability/vm-types' 'has not tried to initialize the TDX module'
	right_host && put sys/devices/system/node/node0/bytes 0 && put sys/devices/system/node/node1/bytes 0
	finds run/nodes 'no node has memory'
	right_host && put sys/fs/cgroup/misc.capacity 'tdx 0'
	finds run/keyids 'KVM has no KeyID for TDs'
	check 'KVM: tdx=Y without a module, memory or KeyIDs'
}

run_time() {
	right_host && put sys/devices/system/cpu/online 0-1 && put sys/devices/system/node/node1/cpulist ''
	finds run/packages 'node 1 has memory and no online CPU' 'EIO'
	check 'run time: a package without an online CPU'
	right_host && put sys/devices/system/cpu/online 0-2
	ends 0 tdx_host_test
	only
	check 'run time: one CPU offline is no matter'
	right_host && log "$said_booting" "$said_tme" "$said_keyids" "$said_ready" \
		'kvm_intel: All packages need to have online CPU to create TD. Online CPU and retry.'
	finds run/log 'a TD could not be made (EIO)'
	check 'run time: the kernel said so'
	right_host && put sys/fs/cgroup/misc.current 'tdx 31'
	finds run/keyids 'all KeyIDs are used up' ENOSPC
	check 'run time: KeyIDs used up'
	right_host && put sys/fs/cgroup/user.slice/misc.max 'tdx 2' && put sys/fs/cgroup/user.slice/misc.current 'tdx 2'
	finds run/keyids 'this cgroup: 2 of 2' 'raise tdx in its misc.max'
	check 'run time: the limit of the cgroup'
	right_host && put sys/devices/system/node/node1/memory40/state offline
	ends 0 tdx_host_test
	has '1 memory blocks offline' "$out"
	has 'cannot be brought online any more' "$out"
	check 'run time: memory that is offline'
	right_host && put proc/cpuinfo 'flags		: fpu vmx tdx_host_platform
bugs		: tdx_pw_mce'
	ends 0 tdx_host_test
	has 'refuse kexec and kdump' "$out"
	check 'run time: the erratum that forbids kexec'
	right_host && log "$said_booting" "$said_tme" "$said_keyids" "$said_ready" \
		'kvm_intel: SEAMCALL TDH_MEM_PAGE_ADD failed: 0xc000010000000001'
	finds run/log 'which KVM holds for a bug'
	check 'run time: a SEAMCALL for a TD failed'
}

# shellcheck source=tests/tdx_standin_abi.sh
source "$here/tests/tdx_standin_abi.sh"

#
# The page that runner.sh tdx-host prints
#

# page CODE TEXT...
page() {
	local code=$1 text
	shift
	export STANDIN
	run "$code" env KMC_TEST_DIR="$standin" bash "$here/lib/runner/tdx-host.sh"
	[[ -z $err ]] || problem "on stderr: $err"
	for text; do has "$text" "$out"; done
}

verdicts() {
	right_host
	page 0 'TDX module                       5 ok' 'Verdict: a TDX host (KVM offers the VM type TDX), set up rightly.'
	rm -r "$STANDIN_ROOT/dev/cpu"
	page 0 '8 cannot tell' 'modprobe msr, and run as root' 'with nothing wrong in what could be seen'
	check 'runner.sh tdx-host: a host that is set up rightly'
	module_fails 'virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc000090000000000'
	page 1 'What is wrong. Begin with the first' '1. module/seamcall' 'change: update the BIOS' \
		'Verdict: a TDX host (the kernel says tdx_host_platform), set up wrongly: 3 of 32 checks.'
	(($(wc -l <<<"$out") <= 60)) || problem 'it is more than a page'
	check 'runner.sh tdx-host: a host that is set up wrongly'
	right_host && without_tdx && without_flag && log "$said_booting" && msrs 87 0 1401 0 982 0
	put proc/cmdline root=/dev/sda1
	page 4 'Verdict: not set up as a TDX host' 'To make it one:' '1. BIOS: switch on Total Memory Encryption'
	sed -i 's/756e6547/68747541/' "$STANDIN_ROOT/played/cpuid"
	page 4 'Verdict: not a TDX host'
	[[ $out != *'To make it one'* ]] || problem 'says how to make a TDX host of what cannot be one'
	check 'runner.sh tdx-host: no TDX host'
	refuse 'unexpected argument' bash "$here/lib/runner/tdx-host.sh" --what
	run 2 env KMC_TEST_DIR="$work" bash "$here/lib/runner/tdx-host.sh"
	has 'is not built' "$err"
	run 0 bash "$here/lib/runner/tdx-host.sh" --help
	check 'runner.sh tdx-host: bad usage, nothing built'
}

printf 'KTAP version 1\n'
for part in right_hosts no_tdx_hosts symptoms_of_the_module symptoms_of_kvm symptoms_of_the_bios contradictions run_time \
	abi_variants abi_errors deviations verdicts; do
	# An argument picks by glob.
	# shellcheck disable=SC2053
	[[ $part == ${1:-*} ]] && "$part"
done
printf '1..%d\n' "$number"
totals
((!failures))
