// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_calls.h over the kernel's library of tools/testing/selftests/kvm.
 *
 * struct kvm_vm and struct kvm_vcpu are the library's.  Memory is the suite's own: it lays out
 * guest memory itself, also where the library would refuse to (beyond its max_gfn, one page at
 * several addresses), so slots are set by __vm_set_user_memory_region(), which the library has for
 * that, and its page allocator and page tables are not used.
 *
 * The suite's functions and the library's have the same names, as both speak as KVM does.  No file
 * sees both headers (kvm_calls.h), and libkvm.mk makes all names of the library local before the
 * suite is linked to it.
 */
#include "versions.h"

#include "ends.h"
#include "kvm_calls.h"

/* Instead of the library's lib/assert.c, which exits with code 254. */
void test_assert(bool exp, const char *exp_str, const char *file, unsigned int line,
		 const char *fmt, ...)
{
	int err = errno;
	va_list args;

	if (exp)
		return;
	va_start(args, fmt);
	libkvm_fail(err, file, line, exp_str, fmt, args);
}

static int error_of(int ret)
{
	return ret < 0 ? errno : 0;
}

struct kvm_vm *vmm_vm_create(unsigned long type, int *kvm_fd, int *fd)
{
	struct kvm_vm *vm = create_of_type(type);

	*kvm_fd = vm->kvm_fd;
	*fd = vm->fd;
	return vm;
}

void vmm_vm_free(struct kvm_vm *vm)
{
	kvm_vm_free(vm);
}

int vmm_set_memory(struct kvm_vm *vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size,
		   void *host)
{
	return error_of(__vm_set_user_memory_region(vm, slot, flags, gpa, size, host));
}

int vmm_set_memory2(struct kvm_vm *vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size,
		    void *host, int guest_memfd, uint64_t offset)
{
	return error_of(set_memory2(vm, slot, flags, gpa, size, host, guest_memfd, offset));
}

int vmm_create_guest_memfd(struct kvm_vm *vm, uint64_t size, uint64_t flags, int *fd)
{
	*fd = create_guest_memfd(vm, size, flags);
	return error_of(*fd);
}

struct kvm_vcpu *vmm_vcpu_add(struct kvm_vm *vm, uint32_t id, int *fd, struct kvm_run **run)
{
	struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, id);

	*fd = vcpu->fd;
	*run = vcpu->run;
	return vcpu;
}

static struct kvm_cpuid2 *copy_cpuid(const struct kvm_cpuid2 *cpuid)
{
	struct kvm_cpuid2 *copy = allocate_kvm_cpuid2(cpuid->nent);

	memcpy(copy, cpuid, kvm_cpuid2_size(cpuid->nent));
	return copy;
}

struct kvm_cpuid2 *vmm_supported_cpuid(int kvm_fd)
{
	/* The library asks once, and keeps it. */
	return copy_cpuid(kvm_get_supported_cpuid());
}

/* vcpu_init_cpuid() asserts that KVM accepts it. */
int vmm_set_cpuid(struct kvm_vcpu *vcpu, const struct kvm_cpuid2 *cpuid)
{
	struct kvm_cpuid2 *before = vcpu->cpuid;
	int err;

	vcpu->cpuid = copy_cpuid(cpuid);
	err = error_of(__vcpu_set_cpuid(vcpu));
	if (err) {
		free(vcpu->cpuid);
		vcpu->cpuid = before;
	} else {
		free(before);
	}
	return err;
}

/* vcpu_run() and _vcpu_run() go on after EINTR, which is how the watchdog ends a guest. */
int vmm_run(struct kvm_vcpu *vcpu)
{
	return error_of(__vcpu_run(vcpu));
}

void vmm_run_complete_io(struct kvm_vcpu *vcpu)
{
	vcpu_run_complete_io(vcpu);
}

void vmm_regs_get(struct kvm_vcpu *vcpu, struct kvm_regs *regs)
{
	vcpu_regs_get(vcpu, regs);
}

void vmm_regs_set(struct kvm_vcpu *vcpu, const struct kvm_regs *regs)
{
	vcpu_regs_set(vcpu, (struct kvm_regs *)regs);
}

void vmm_sregs_get(struct kvm_vcpu *vcpu, struct kvm_sregs *sregs)
{
	vcpu_sregs_get(vcpu, sregs);
}

int vmm_sregs_set(struct kvm_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	return error_of(_vcpu_sregs_set(vcpu, (struct kvm_sregs *)sregs));
}

void vmm_events_get(struct kvm_vcpu *vcpu, struct kvm_vcpu_events *events)
{
	vcpu_events_get(vcpu, events);
}

void vmm_events_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_events *events)
{
	vcpu_events_set(vcpu, (struct kvm_vcpu_events *)events);
}

void vmm_mp_state_set(struct kvm_vcpu *vcpu, const struct kvm_mp_state *state)
{
	vcpu_mp_state_set(vcpu, (struct kvm_mp_state *)state);
}

uint64_t vmm_msr_get(struct kvm_vcpu *vcpu, uint32_t index)
{
	return vcpu_get_msr(vcpu, index);
}

int vmm_msr_set(struct kvm_vcpu *vcpu, uint32_t index, uint64_t value)
{
	int n = _vcpu_set_msr(vcpu, index, value);

	return n < 0 ? errno : n == 1 ? 0 : EINVAL;
}

void vmm_nested_get(struct kvm_vcpu *vcpu, struct kvm_nested_state *state)
{
	vcpu_nested_state_get(vcpu, state);
}

int vmm_nested_set(struct kvm_vcpu *vcpu, const struct kvm_nested_state *state)
{
	return error_of(__vcpu_nested_state_set(vcpu, (struct kvm_nested_state *)state));
}
