# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2034 # STANDIN_ROOT, out and failed: of who sources this
#
# tdx_abi_test with kernels that are played to it: of several versions, with an error at each
# step, with mistakes.  To be sourced by tdx_standin_test.sh.

#
# The ioctls
#

# abi CODE "SUBTEST..." TEXT...
abi() {
	local code=$1 want=$2 text
	shift 2
	export STANDIN
	ends "$code" tdx_abi_test
	# shellcheck disable=SC2086
	only $want
	for text; do has "$text" "$out"; done
}

abi_variants() {
	local abi
	right_host
	abi 0 '' 'pass:24 fail:0'
	for abi in 616rc caps-first; do
		STANDIN="abi=$abi"
		abi 0 ''
	done
	check 'ioctls of several kernels pass'
	STANDIN='vm_types=0x3f'
	abi 0 ''
	STANDIN='vm_types=1'
	abi 0 '' 'KVM makes no TDs here' 'pass:4 fail:0'
	STANDIN='vm_types=0'
	abi 0 '' 'pass:4 fail:0'
	STANDIN='no_kvm=13'
	abi 4 '' 'Permission denied'
	check 'without TDX, or without KVM, what needs it is skipped'
	STANDIN='abi=other'
	abi 1 'gpaw48/right-order gpaw52/right-order' 'KVM_TDX_CAPABILITIES: Inappropriate ioctl' \
		'kernel and userspace have different versions'
	check 'symptom: TDX_CAPABILITIES ENOTTY: kernel and userspace ABI differ'
	STANDIN='ept5=0'
	sed -i 's/ ept_5level//' "$STANDIN_ROOT/proc/cpuinfo"
	abi 0 '' 'gpaw52/right-order # SKIP GPAW 52 needs 5-level EPT, which this CPU has not; use GPAW 48' \
		'pass:14 fail:0 xfail:0 xpass:0 skip:10'
	check 'symptom: INIT_VM EINVAL with GPAW 52 on parts without 5-level EPT: use GPAW 48'
	right_host
	STANDIN='ept5=0'
	abi 1 gpaw52/right-order
	check 'the same on a CPU that has 5-level EPT is a failure'
	STANDIN='fail=KVM_TDX_INIT_VM:22:0xc000010000000045'
	abi 1 'gpaw48/right-order gpaw52/right-order' 'OPERAND_INVALID (class operand, not recoverable), operand CPUID_CONFIG' \
		'CPUID configuration is refused'
	check 'symptom: TDH.MNG.INIT -> OPERAND_INVALID, CPUID_CONFIG'
}

abi_errors() {
	local step error text
	right_host
	while IFS=: read -r error text; do
		STANDIN="fail=KVM_TDX_INIT_VM:$error"
		abi 1 'gpaw48/right-order gpaw52/right-order' "$text"
	done <<-EOT
		5:by a CPU of it
		28:all KeyIDs are used up
		11:no entropy
		16:raise tdx in its misc.max
	EOT
	check 'INIT_VM: EIO, ENOSPC, EAGAIN, EBUSY are explained'
	for step in KVM_CREATE_VM KVM_TDX_CAPABILITIES KVM_ENABLE_CAP KVM_GET_SUPPORTED_CPUID KVM_TDX_INIT_VM \
		KVM_GET_VCPU_MMAP_SIZE KVM_CREATE_VCPU KVM_TDX_GET_CPUID KVM_SET_CPUID2 KVM_TDX_INIT_VCPU \
		KVM_CREATE_GUEST_MEMFD KVM_SET_USER_MEMORY_REGION2 KVM_SET_MEMORY_ATTRIBUTES KVM_TDX_INIT_MEM_REGION \
		KVM_TDX_FINALIZE_VM KVM_RUN; do
		for error in 12 5 22; do
			STANDIN="fail=$step:$error"
			ends 1 tdx_abi_test
			[[ $failed == *' gpaw48/right-order '* ]] || problem "$step $error: failed:$failed"
			has "$step" "$out"
		done
	done
	check 'an error at each step is named, and everything is given back'
}

# Each mistake is found by the subtests named, at both widths where a * stands for the width.
deviations() {
	local name want
	right_host
	while IFS=: read -r name want; do
		STANDIN="deviation=$name"
		abi 1 "${want//\*/gpaw48} ${want//\*/gpaw52}"
	done <<-EOT
		no-slot-limit:*/memslot-limit
		init-vm-twice:*/wrong-order
		init-vcpu-twice:*/wrong-order
		finalize-early:*/wrong-order
		finalize-twice:*/wrong-order
		vcpu-early:*/wrong-order
		run-early:*/wrong-order
		vcpu-commands-late:*/wrong-order
		pre-fault-early:*/wrong-order
		region-early:*/memory-first
		no-irqchip:*/no-irqchip
		reserved-ignored:*/wrong-arguments
		nent-ignored:*/wrong-arguments
		any-gpaw:*/wrong-arguments
		any-leaf:*/wrong-arguments
		hw-error-ignored:*/wrong-arguments
		unknown-command:*/wrong-arguments
		region-shared:*/wrong-arguments
		pre-fault-shared:*/wrong-arguments
		region-not-moved:*/mem-region
		gpaw-lost:*/cpuid
		no-memory-on-node-1:*/each-node
	EOT
	for want in 'any-vm-type:non-td/vm-types' 'normal-vm-commands:non-td/commands' \
		'slot-limit-early:gpaw48/memslot-limit' 'slot-limit-stays:gpaw52/memslot-limit'; do
		STANDIN="deviation=${want%%:*}"
		abi 1 "${want#*:}"
	done
	check 'mistakes in KVM are found where they should be'
	STANDIN='deviation=wrong-exit'
	ends 1 tdx_abi_test
	has 'observed: 0x5' "$out"
	check 'a TD that ends otherwise than by a triple fault'
}
