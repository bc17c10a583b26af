/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KVM answers where there is no TD: on kernels and hosts without TDX, and for ordinary VMs
 * on hosts with it.  Runs everywhere.
 *
 * Source: arch/x86/kvm/x86.c kvm_arch_init_vm() and the two KVM_MEMORY_ENCRYPT_OP, arch/x86/kvm/
 * vmx/main.c vt_mem_enc_ioctl(), arch/x86/kvm/svm/sev.c sev_mem_enc_ioctl(), 6.1-7.3.
 */
#ifndef TDX_ABI_NON_TD_H
#define TDX_ABI_NON_TD_H

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tdx_abi_case.h"
#include "tdx_host.h"

#define SLOT_GPA 0x10000000ull
#define SLOT_SIZE (4 * PAGE)

static struct tdx_host host;

/* The same ioctl has SEV's commands, with other meanings; they are no business of this test's. */
static void require_no_sev(void)
{
	TEST_REQUIRE(module_parameter("kvm_amd", "sev") != YES,
		     "this host has SEV, whose commands the same ioctl takes");
}

static int create_vm_of_type(unsigned long type)
{
	int kvm = open(kvm_device_path(), O_RDWR | O_CLOEXEC), vm, err;

	if (kvm < 0)
		return errno;
	do {
		vm = ioctl(kvm, KVM_CREATE_VM, type);
	} while (vm < 0 && errno == EINTR);
	err = vm < 0 ? errno : 0;
	if (vm >= 0)
		close(vm);
	close(kvm);
	return err;
}

/* A type whose bit is not set is refused, TDX's among them; one whose bit is set is made. */
static void run_vm_types(const struct subtest *self)
{
	static const unsigned long beyond[] = { 32, 33, 63, 0x10000, 1ul << 31, 1ul << 32, ~0ul };
	u32 types = host.vm_types > 0 ? host.vm_types : 1;
	unsigned long type;
	char name[32];
	size_t i;

	TEST_REQUIRE(!host.kvm_error[0], "%s", host.kvm_error);
	report_note("KVM_CAP_VM_TYPES: %#x", host.vm_types);
	for (type = 0; type < 32; type++) {
		/* SEV's and SNP's VMs take what is scarce; TDX's are made by the other subtests. */
		if (types >> type & 1 && type > KVM_X86_SW_PROTECTED_VM)
			continue;
		snprintf(name, sizeof(name), "type-%lu", type);
		check_errno(self, name, types >> type & 1 ? 0 : EINVAL,
			    types >> type & 1 ? 0 : EINVAL, create_vm_of_type(type));
	}
	for (i = 0; i < ARRAY_SIZE(beyond); i++) {
		snprintf(name, sizeof(name), "type-%#lx", beyond[i]);
		check_errno(self, name, EINVAL, EINVAL, create_vm_of_type(beyond[i]));
	}
}

/* Runs body() with an ordinary VM and a vCPU, and gives both back however it ends. */
static void with_vm(const struct subtest *self,
		    void (*body)(const struct subtest *self, struct vcpu *vcpu))
{
	struct vm *volatile vm = NULL;
	struct test_scope scope;
	int end = setjmp(*test_scope_enter(&scope));

	if (!end) {
		vm = vm_create_barebones();
		body(self, vm_vcpu_add(vm, 0));
		test_scope_leave(&scope);
	}
	vm_free(vm);
	if (end)
		test_end_again(end, &scope);
}

static void vm_commands(const struct subtest *self, struct vcpu *vcpu)
{
	char name[64];
	u32 id;

	for (id = 0; id <= TDX_NR_COMMANDS; id++) {
		struct tdx_cmd cmd = { .id = id };

		snprintf(name, sizeof(name), "vm-command-%u", id);
		check_errno(self, name, ENOTTY, ENOTTY, tdx_raw_command(vcpu->vm->fd, &cmd));
		snprintf(name, sizeof(name), "vcpu-command-%u", id);
		check_errno(self, name, ENOTTY, EINVAL, tdx_raw_command(vcpu->fd, &cmd));
	}
	check_errno(self, "vm-bad-pointer", ENOTTY, ENOTTY,
		    tdx_raw_command(vcpu->vm->fd, (void *)0x10));
	check_errno(self, "vcpu-bad-pointer", ENOTTY, EINVAL,
		    tdx_raw_command(vcpu->fd, (void *)0x10));
}

static void run_commands(const struct subtest *self)
{
	require_no_sev();
	with_vm(self, vm_commands);
}

/* Memory of an ordinary VM has no private half. */
static void private_memory(const struct subtest *self, struct vcpu *vcpu)
{
	struct kvm_memory_attributes attributes = {
		.address = SLOT_GPA,
		.size = SLOT_SIZE,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};

	vm_mem_add(vcpu->vm, SLOT_GPA, SLOT_SIZE, VM_ANY_NODE);
	report_note("KVM_CAP_MEMORY_ATTRIBUTES of this VM: %#x",
		    vm_check_cap(vcpu->vm, KVM_CAP_MEMORY_ATTRIBUTES));
	/* The ioctl is unknown, or the attribute is. */
	check_errno(self, "private-attribute", ENOTTY, EINVAL,
		    __vm_ioctl(vcpu->vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes));
}

static void run_private_memory(const struct subtest *self)
{
	with_vm(self, private_memory);
}

static int pre_fault(struct vcpu *vcpu, gpa_t gpa, u64 size, u64 flags,
		     struct kvm_pre_fault_memory *range)
{
	int err;

	*range = (struct kvm_pre_fault_memory){ .gpa = gpa, .size = size, .flags = flags };
	do {
		err = __vcpu_ioctl(vcpu, KVM_PRE_FAULT_MEMORY, range);
	} while (err == EINTR || err == EAGAIN);
	return err;
}

/* Mapped in advance, page for page, also with no shared bit anywhere. */
static void pre_fault_vm(const struct subtest *self, struct vcpu *vcpu)
{
	struct kvm_pre_fault_memory range;

	if (vm_check_cap(vcpu->vm, KVM_CAP_PRE_FAULT_MEMORY) <= 0) {
		/* Not even tried where KVM shadows: it warns of a bug of its own. */
		TEST_REQUIRE(vm_check_cap(vcpu->vm, KVM_CAP_VM_TYPES) <= 0,
			     "KVM_CAP_PRE_FAULT_MEMORY is 0: no two-dimensional paging");
		check_errno(self, "no-such-ioctl", ENOTTY, EINVAL,
			    pre_fault(vcpu, SLOT_GPA, PAGE, 0, &range));
		return;
	}
	vm_mem_add(vcpu->vm, SLOT_GPA, SLOT_SIZE, VM_ANY_NODE);
	check_errno(self, "slot", 0, 0, pre_fault(vcpu, SLOT_GPA, SLOT_SIZE, 0, &range));
	check_number(self, "slot-gpa-after", SLOT_GPA + SLOT_SIZE, range.gpa);
	check_number(self, "slot-size-after", 0, range.size);
	check_errno(self, "again", 0, 0, pre_fault(vcpu, SLOT_GPA, SLOT_SIZE, 0, &range));
	/* Up to the end of the slot, and no further: what is left is told. */
	check_errno(self, "over-the-end", 0, 0,
		    pre_fault(vcpu, SLOT_GPA, SLOT_SIZE + PAGE, 0, &range));
	check_number(self, "over-the-end-gpa-after", SLOT_GPA + SLOT_SIZE, range.gpa);
	check_number(self, "over-the-end-size-after", PAGE, range.size);
	check_errno(self, "no-slot", ENOENT, ENOENT,
		    pre_fault(vcpu, SLOT_GPA + SLOT_SIZE, PAGE, 0, &range));
	check_errno(self, "gpa-unaligned", EINVAL, EINVAL,
		    pre_fault(vcpu, SLOT_GPA + 1, PAGE, 0, &range));
	check_errno(self, "size-unaligned", EINVAL, EINVAL,
		    pre_fault(vcpu, SLOT_GPA, 1, 0, &range));
	check_errno(self, "size-0", EINVAL, EINVAL, pre_fault(vcpu, SLOT_GPA, 0, 0, &range));
	check_errno(self, "wraps", EINVAL, EINVAL, pre_fault(vcpu, ~0xfffull, 2 * PAGE, 0, &range));
	check_errno(self, "flags", EINVAL, EINVAL, pre_fault(vcpu, SLOT_GPA, PAGE, 1, &range));
}

static void run_pre_fault_vm(const struct subtest *self)
{
	with_vm(self, pre_fault_vm);
}

#endif
