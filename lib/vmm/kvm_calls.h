/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lib/vmm/ asks of KVM: the seam with two implementations, of which a build has one.
 *
 *   own_calls.c    ioctls; needs no kernel tree (the default)
 *   libkvm/        the kernel's tools/testing/selftests/kvm (make LIBKVM=...)
 *
 * struct kvm_vm and struct kvm_vcpu are the implementation's own.  Nothing but the kernel's and
 * the C library's headers may be included here: libkvm's headers and the suite's speak of the
 * same things by the same names, so no file can include both.
 *
 * Functions that return int return 0 or a positive errno value; the others fail the running
 * subtest, or skip it where the host lacks something.
 */
#ifndef KMC_KVM_CALLS_H
#define KMC_KVM_CALLS_H

#include <linux/kvm.h>
#include <stdint.h>

struct kvm_vm;
struct kvm_vcpu;

/* A VM of a type that KVM_CAP_VM_TYPES offers, without memory and vCPUs, and its descriptors. */
struct kvm_vm *vmm_vm_create(unsigned long type, int *kvm_fd, int *fd);
/* Closes its vCPUs, too; NULL does nothing. */
void vmm_vm_free(struct kvm_vm *vm);

/* KVM_SET_USER_MEMORY_REGION: size bytes at host become guest memory at gpa; 0: no more. */
int vmm_set_memory(struct kvm_vm *vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size,
		   void *host);
/* KVM_SET_USER_MEMORY_REGION2: with a guest_memfd behind it. */
int vmm_set_memory2(struct kvm_vm *vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size,
		    void *host, int guest_memfd, uint64_t guest_memfd_offset);
int vmm_create_guest_memfd(struct kvm_vm *vm, uint64_t size, uint64_t flags, int *fd);

/* A vCPU without CPUID, its descriptor, and its mapping, KVM_GET_VCPU_MMAP_SIZE bytes. */
struct kvm_vcpu *vmm_vcpu_add(struct kvm_vm *vm, uint32_t id, int *fd, struct kvm_run **run);
/* KVM_GET_SUPPORTED_CPUID; the caller frees it. */
struct kvm_cpuid2 *vmm_supported_cpuid(int kvm_fd);
int vmm_set_cpuid(struct kvm_vcpu *vcpu, const struct kvm_cpuid2 *cpuid);

/* KVM_RUN, once. */
int vmm_run(struct kvm_vcpu *vcpu);
/* KVM_RUN that finishes an instruction and goes no further. */
void vmm_run_complete_io(struct kvm_vcpu *vcpu);

void vmm_regs_get(struct kvm_vcpu *vcpu, struct kvm_regs *regs);
void vmm_regs_set(struct kvm_vcpu *vcpu, const struct kvm_regs *regs);
void vmm_sregs_get(struct kvm_vcpu *vcpu, struct kvm_sregs *sregs);
int vmm_sregs_set(struct kvm_vcpu *vcpu, const struct kvm_sregs *sregs);
void vmm_events_get(struct kvm_vcpu *vcpu, struct kvm_vcpu_events *events);
void vmm_events_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_events *events);
void vmm_mp_state_set(struct kvm_vcpu *vcpu, const struct kvm_mp_state *state);
uint64_t vmm_msr_get(struct kvm_vcpu *vcpu, uint32_t index);
/* EINVAL when KVM_SET_MSRS refuses the value. */
int vmm_msr_set(struct kvm_vcpu *vcpu, uint32_t index, uint64_t value);
void vmm_nested_get(struct kvm_vcpu *vcpu, struct kvm_nested_state *state);
int vmm_nested_set(struct kvm_vcpu *vcpu, const struct kvm_nested_state *state);

/* strerror() of an ioctl's error; says so where KVM has killed the VM, which is then no errno. */
const char *vmm_strerror(int vm_fd, int err);

#endif
