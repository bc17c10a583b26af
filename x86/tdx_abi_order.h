/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each command at each stage of a TD, and what it must answer there.
 *
 * The diagonal, where a command is due, is td_build()'s.  Source: arch/x86/kvm/vmx/tdx.c,
 * tdx_td_init(), tdx_td_finalize(), tdx_vcpu_create(), tdx_vcpu_init(),
 * tdx_vcpu_init_mem_region(), tdx_vcpu_ioctl(), tdx_vcpu_needs_initialization().
 */
#ifndef TDX_ABI_ORDER_H
#define TDX_ABI_ORDER_H

#include <sys/ioctl.h>
#include <unistd.h>

#include "tdx_abi_case.h"

static int order_capabilities(struct td *td)
{
	struct tdx_capabilities *caps = NULL;
	int err = tdx_capabilities_get(td->vm.fd, &caps);

	free(caps);
	return err;
}

static int order_finalize(struct td *td)
{
	return tdx_vm_command(td->vm.fd, TDX_FINALIZE_VM, 0, NULL, NULL);
}

static int order_create_vcpu(struct td *td)
{
	int fd = ioctl(td->vm.fd, KVM_CREATE_VCPU, 1ul), err = errno;

	if (fd < 0)
		return err;
	close(fd);
	return 0;
}

static int order_get_cpuid(struct td *td)
{
	struct kvm_cpuid2 *cpuid = NULL;
	int err = td_get_cpuid(td, TDX_MAX_CPUID_ENTRIES, &cpuid);

	free(cpuid);
	return err;
}

static int order_init_vcpu(struct td *td)
{
	return tdx_vcpu_command(td->vcpu.fd, TDX_INIT_VCPU, 0, NULL, NULL);
}

/* A page that is not loaded otherwise. */
static int order_init_mem_region(struct td *td)
{
	struct tdx_mem_region region = { (uintptr_t)td->source, TD_RAM_GPA, 1 };

	return td_init_mem_region(td, &region, 0);
}

static int order_pre_fault(struct td *td)
{
	struct kvm_pre_fault_memory range = { .gpa = TD_RAM_GPA + PAGE, .size = PAGE };

	return td_pre_fault(td, &range);
}

static int order_run(struct td *td)
{
	int error = 0;

	return vcpu_run(&td->vcpu, 1000, &error) == VCPU_RUN_ERROR ? error : 0;
}

#define NR_COLUMNS (TD_FINAL + 1)

#define NONE NOT_MADE
#define ANY ANYTHING
static const struct order_row {
	const char *command;
	int (*call)(struct td *td);
	/* nothing, created, caps, vm, vcpu, vcpu-ready, memory, loaded, final */
	int answer[NR_COLUMNS];
} order_rows[] = {
	{ "KVM_TDX_CAPABILITIES", order_capabilities, { NONE, 0, 0, 0, 0, 0, 0, 0, 0 } },
	{ "KVM_TDX_INIT_VM", td_init_vm,
	  { NONE, NONE, NONE, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "KVM_CREATE_VCPU", order_create_vcpu, { NONE, EIO, EIO, NONE, NONE, NONE, NONE, NONE, EIO } },
	{ "KVM_TDX_GET_CPUID", order_get_cpuid, { NONE, NONE, NONE, NONE, 0, 0, 0, 0, EINVAL } },
	{ "KVM_TDX_INIT_VCPU", order_init_vcpu,
	  { NONE, NONE, NONE, NONE, NONE, EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "KVM_TDX_INIT_MEM_REGION", order_init_mem_region,
	  { NONE, NONE, NONE, NONE, EINVAL, ANY, NONE, NONE, EINVAL } },
	/* With a TD made and not all of it there, the module refuses and KVM warns of a bug. */
	{ "KVM_TDX_FINALIZE_VM", order_finalize,
	  { NONE, EINVAL, EINVAL, NONE, NONE, NONE, NONE, NONE, EINVAL } },
	{ "KVM_RUN", order_run, { NONE, NONE, NONE, NONE, EINVAL, EINVAL, EINVAL, EINVAL, NONE } },
	{ "KVM_PRE_FAULT_MEMORY", order_pre_fault,
	  { NONE, NONE, NONE, NONE, EOPNOTSUPP, EOPNOTSUPP, EOPNOTSUPP, EOPNOTSUPP, 0 } },
};
#undef NONE
#undef ANY

/* False once a call has done what it must not: the table no longer says what comes next. */
static bool order_at_stage(const struct subtest *self, struct td *td)
{
	char name[96];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(order_rows); i++) {
		const struct order_row *row = &order_rows[i];
		int answer = row->answer[td->stage];

		if (answer == NOT_MADE)
			continue;
		snprintf(name, sizeof(name), "%s/%s", td_stage_name(td->stage), row->command);
		if (!check_errno(self, name, answer, answer, row->call(td)))
			return false;
	}
	return true;
}

#endif
