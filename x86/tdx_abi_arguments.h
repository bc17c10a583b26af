/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wrong arguments, each at a stage where the call would else succeed, and some whose answer
 * kernels do not agree on, which are only noted.
 */
#ifndef TDX_ABI_ARGUMENTS_H
#define TDX_ABI_ARGUMENTS_H

#include "tdx_abi_case.h"
#include "tdx_gpa.h"

#define BAD_POINTER ((void *)0x10)

/* KVM_TDX_INIT_VM with a structure that is right but for what spoil() does. */
static int init_vm_but(struct td *td, u32 flags, void (*spoil)(struct tdx_init_vm *init))
{
	struct kvm_cpuid2 *supported = kvm_supported_cpuid(td->kvm_fd);
	struct tdx_init_vm *init = tdx_init_vm_make(td->caps, supported, td->gpaw);
	int err = ENOMEM;

	if (init) {
		if (spoil)
			spoil(init);
		err = tdx_vm_command(td->vm.fd, TDX_INIT_VM, flags, init, NULL);
	}
	free(init);
	free(supported);
	return err;
}

static void spoil_reserved_first(struct tdx_init_vm *init) { init->reserved[0] = 1; }
static void spoil_reserved_last(struct tdx_init_vm *init) { init->reserved[11] = BIT_ULL(63); }
static void spoil_padding(struct tdx_init_vm *init) { init->cpuid.padding = 1; }
/* Debug (bit 0) is an attribute of TDX that KVM does not support; bit 63 is none at all. */
static void spoil_debug(struct tdx_init_vm *init) { init->attributes |= 1; }
static void spoil_attributes(struct tdx_init_vm *init) { init->attributes |= BIT_ULL(63); }
static void spoil_xfam(struct tdx_init_vm *init) { init->xfam |= BIT_ULL(63); }
static void spoil_nent(struct tdx_init_vm *init) { init->cpuid.nent = TDX_MAX_CPUID_ENTRIES + 1; }

/* A leaf that no module lets anybody configure. */
static void spoil_leaf(struct tdx_init_vm *init)
{
	init->entries[init->cpuid.nent++] = (struct kvm_cpuid_entry2){ .function = 0x40000000, .eax = 1 };
}

/* Without the leaf that has the GPAW. */
static void spoil_no_gpaw(struct tdx_init_vm *init)
{
	u32 i, kept = 0;

	for (i = 0; i < init->cpuid.nent; i++)
		if (init->entries[i].function != TDX_GPAW_LEAF)
			init->entries[kept++] = init->entries[i];
	init->cpuid.nent = kept;
}

#define SPOILT(name) \
	static int init_vm_##name(struct td *td) { return init_vm_but(td, 0, spoil_##name); }
SPOILT(reserved_first)
SPOILT(reserved_last)
SPOILT(padding)
SPOILT(debug)
SPOILT(attributes)
SPOILT(xfam)
SPOILT(nent)
SPOILT(leaf)
SPOILT(no_gpaw)
#undef SPOILT

static int init_vm_flags(struct td *td) { return init_vm_but(td, 1, NULL); }

static int init_vm_pointer(struct td *td)
{
	return tdx_vm_command(td->vm.fd, TDX_INIT_VM, 0, BAD_POINTER, NULL);
}

/* Widths next to those that are right, none, and those of other page-table depths. */
static int init_vm_gpaws(struct td *td)
{
	static const unsigned int wrong[] = { 0, 1, 32, 40, 47, 49, 51, 53, 57, 64, 255 };
	unsigned int right = td->gpaw;
	size_t i;
	int err = EINVAL;

	for (i = 0; i < ARRAY_SIZE(wrong) && err == EINVAL; i++) {
		td->gpaw = wrong[i];
		err = td_init_vm(td);
	}
	td->gpaw = right;
	return err;
}

static int vm_unknown_id(struct td *td) { return tdx_vm_command(td->vm.fd, 0x7fffffff, 0, NULL, NULL); }
static int vm_vcpu_id(struct td *td) { return tdx_vm_command(td->vm.fd, TDX_INIT_VCPU, 0, NULL, NULL); }
static int vm_cpuid_id(struct td *td) { return tdx_vm_command(td->vm.fd, TDX_GET_CPUID, 0, NULL, NULL); }

static int vm_hw_error(struct td *td)
{
	struct tdx_cmd cmd = { .id = TDX_CAPABILITIES, .data = (uintptr_t)td->caps, .hw_error = 1 };

	return tdx_raw_command(td->vm.fd, &cmd);
}

static int vm_command_pointer(struct td *td) { return tdx_raw_command(td->vm.fd, BAD_POINTER); }

static int capabilities_flags(struct td *td)
{
	return tdx_vm_command(td->vm.fd, TDX_CAPABILITIES, 1, td->caps, NULL);
}

static int capabilities_pointer(struct td *td)
{
	return tdx_vm_command(td->vm.fd, TDX_CAPABILITIES, 0, BAD_POINTER, NULL);
}

static int capabilities_nent(struct td *td)
{
	struct tdx_capabilities small = {};

	return tdx_vm_command(td->vm.fd, TDX_CAPABILITIES, 0, &small, NULL);
}

static int vcpu_unknown_id(struct td *td)
{
	return tdx_vcpu_command(td->vcpu.fd, 0x7fffffff, 0, NULL, NULL);
}

static int vcpu_vm_id(struct td *td)
{
	return tdx_vcpu_command(td->vcpu.fd, TDX_FINALIZE_VM, 0, NULL, NULL);
}

static int vcpu_hw_error(struct td *td)
{
	struct tdx_cmd cmd = { .id = TDX_INIT_VCPU, .hw_error = 1 };

	return tdx_raw_command(td->vcpu.fd, &cmd);
}

static int vcpu_command_pointer(struct td *td) { return tdx_raw_command(td->vcpu.fd, BAD_POINTER); }

static int init_vcpu_flags(struct td *td)
{
	return tdx_vcpu_command(td->vcpu.fd, TDX_INIT_VCPU, 1, NULL, NULL);
}

static int get_cpuid_nent(struct td *td)
{
	struct kvm_cpuid2 *cpuid = NULL;
	int err = td_get_cpuid(td, 0, &cpuid);

	free(cpuid);
	return err;
}

static int get_cpuid_pointer(struct td *td)
{
	return tdx_vcpu_command(td->vcpu.fd, TDX_GET_CPUID, 0, BAD_POINTER, NULL);
}

static int get_regs(struct td *td)
{
	struct kvm_regs regs;

	return __vcpu_ioctl(&td->vcpu, KVM_GET_REGS, &regs);
}

/* KVM_TDX_INIT_MEM_REGION that is right but for these. */
static int region_but(struct td *td, u64 source, gpa_t gpa, u64 nr_pages, u32 flags)
{
	struct tdx_mem_region region = { (uintptr_t)td->source + source, TD_RAM_GPA + gpa, nr_pages };

	return td_init_mem_region(td, &region, flags);
}

static int region_gpa(struct td *td) { return region_but(td, 0, 1, 1, 0); }
static int region_source(struct td *td) { return region_but(td, 1, 0, 1, 0); }
static int region_no_pages(struct td *td) { return region_but(td, 0, 0, 0, 0); }
static int region_wrap(struct td *td) { return region_but(td, 0, 0, BITS_ULL(51, 0), 0); }
static int region_flag(struct td *td) { return region_but(td, 0, 0, 1, 2); }
static int region_no_source(struct td *td) { return region_but(td, -(uintptr_t)td->source, 0, 1, 0); }
static int region_shared(struct td *td) { return region_but(td, 0, tdx_shared_bit(td->gpaw), 1, 0); }

static int region_into_shared(struct td *td)
{
	return region_but(td, 0, tdx_shared_bit(td->gpaw) - PAGE - TD_RAM_GPA, 2, 0);
}

static int region_pointer(struct td *td)
{
	return tdx_vcpu_command(td->vcpu.fd, TDX_INIT_MEM_REGION, 0, BAD_POINTER, NULL);
}

static int pre_fault_but(struct td *td, gpa_t gpa, u64 size, u64 flags)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = size, .flags = flags };

	return td_pre_fault(td, &range);
}

static int pre_fault_shared(struct td *td)
{
	return pre_fault_but(td, TD_RAM_GPA | tdx_shared_bit(td->gpaw), PAGE, 0);
}

static int pre_fault_gpa(struct td *td) { return pre_fault_but(td, TD_RAM_GPA + 1, PAGE, 0); }
static int pre_fault_size(struct td *td) { return pre_fault_but(td, TD_RAM_GPA, 1, 0); }
static int pre_fault_flags(struct td *td) { return pre_fault_but(td, TD_RAM_GPA, PAGE, 1); }

static const struct argument_row {
	enum td_stage stage;
	const char *name;
	int (*call)(struct td *td);
	int answer;
} argument_rows[] = {
	{ TD_CREATED, "capabilities-flags", capabilities_flags, EINVAL },
	{ TD_CREATED, "capabilities-bad-pointer", capabilities_pointer, EFAULT },
	{ TD_CREATED, "capabilities-nent-0", capabilities_nent, E2BIG },
	{ TD_CREATED, "vm-hw-error-not-0", vm_hw_error, EINVAL },
	{ TD_CREATED, "vm-command-bad-pointer", vm_command_pointer, EFAULT },
	{ TD_CREATED, "vm-unknown-command", vm_unknown_id, EINVAL },
	{ TD_CREATED, "vm-gets-init-vcpu", vm_vcpu_id, EINVAL },
	{ TD_CREATED, "vm-gets-get-cpuid", vm_cpuid_id, EINVAL },
	{ TD_CAPS, "init-vm-flags", init_vm_flags, EINVAL },
	{ TD_CAPS, "init-vm-bad-pointer", init_vm_pointer, EFAULT },
	{ TD_CAPS, "init-vm-reserved-first", init_vm_reserved_first, EINVAL },
	{ TD_CAPS, "init-vm-reserved-last", init_vm_reserved_last, EINVAL },
	{ TD_CAPS, "init-vm-cpuid-padding", init_vm_padding, EINVAL },
	{ TD_CAPS, "init-vm-attribute-debug", init_vm_debug, EINVAL },
	{ TD_CAPS, "init-vm-attribute-63", init_vm_attributes, EINVAL },
	{ TD_CAPS, "init-vm-xfam-63", init_vm_xfam, EINVAL },
	{ TD_CAPS, "init-vm-nent-257", init_vm_nent, E2BIG },
	{ TD_CAPS, "init-vm-leaf-not-configurable", init_vm_leaf, EINVAL },
	{ TD_CAPS, "init-vm-no-gpaw-leaf", init_vm_no_gpaw, EINVAL },
	{ TD_CAPS, "init-vm-gpaw-neither-48-nor-52", init_vm_gpaws, EINVAL },
	{ TD_VCPU, "get-cpuid-nent-0", get_cpuid_nent, E2BIG },
	{ TD_VCPU, "get-cpuid-bad-pointer", get_cpuid_pointer, EFAULT },
	{ TD_VCPU, "init-vcpu-flags", init_vcpu_flags, EINVAL },
	{ TD_VCPU, "vcpu-hw-error-not-0", vcpu_hw_error, EINVAL },
	{ TD_VCPU, "vcpu-command-bad-pointer", vcpu_command_pointer, EFAULT },
	{ TD_VCPU, "vcpu-unknown-command", vcpu_unknown_id, EINVAL },
	{ TD_VCPU, "vcpu-gets-finalize-vm", vcpu_vm_id, EINVAL },
	{ TD_VCPU, "vcpu-get-regs", get_regs, EINVAL },
	{ TD_MEMORY, "region-gpa-unaligned", region_gpa, EINVAL },
	{ TD_MEMORY, "region-source-unaligned", region_source, EINVAL },
	{ TD_MEMORY, "region-no-pages", region_no_pages, EINVAL },
	{ TD_MEMORY, "region-wraps", region_wrap, EINVAL },
	{ TD_MEMORY, "region-flag-1", region_flag, EINVAL },
	{ TD_MEMORY, "region-shared-bit", region_shared, EINVAL },
	{ TD_MEMORY, "region-into-shared-bit", region_into_shared, EINVAL },
	{ TD_MEMORY, "region-bad-pointer", region_pointer, EFAULT },
	{ TD_MEMORY, "region-source-0", region_no_source, ANYTHING },
	{ TD_FINAL, "pre-fault-shared-bit", pre_fault_shared, EINVAL },
	{ TD_FINAL, "pre-fault-gpa-unaligned", pre_fault_gpa, EINVAL },
	{ TD_FINAL, "pre-fault-size-unaligned", pre_fault_size, EINVAL },
	{ TD_FINAL, "pre-fault-flags", pre_fault_flags, EINVAL },
	{ TD_FINAL, "vcpu-gets-init-vcpu", order_init_vcpu, EINVAL },
};

/* As order_at_stage(). */
static bool arguments_at_stage(const struct subtest *self, struct td *td)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(argument_rows); i++) {
		const struct argument_row *row = &argument_rows[i];

		if (row->stage == td->stage &&
		    !check_errno(self, row->name, row->answer, row->answer, row->call(td)))
			return false;
	}
	return true;
}

#endif
