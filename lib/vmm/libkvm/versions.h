/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the libraries of different kernels differ, as far as calls.c uses them: nowhere else is a
 * version of the library asked for.  Tried: 6.1, 6.12, 7.3.
 *
 * The library has no version number.  What it has is told by macros that came with it.
 */
#ifndef KMC_LIBKVM_VERSIONS_H
#define KMC_LIBKVM_VERSIONS_H

/* 6.1 has x86_64/ in its paths, later x86/; both are in the include path (libkvm.mk). */
#include "kvm_util.h"
#include "processor.h"

/*
 * VM types: vm_create_barebones_type() came in 6.10, VM_SHAPE() before it in 6.8, and 6.1 knows
 * none.  All have a type in struct kvm_vm that kvm_vm_restart() makes the VM with again.
 */
static inline struct kvm_vm *create_of_type(unsigned long type)
{
	struct kvm_vm *vm = vm_create_barebones();

	if (type) {
		kvm_vm_release(vm);
		vm->type = type;
		kvm_vm_restart(vm);
	}
	return vm;
}

/* guest_memfd: 6.8. */
#ifdef KVM_CREATE_GUEST_MEMFD
static inline int create_guest_memfd(struct kvm_vm *vm, uint64_t size, uint64_t flags)
{
	return __vm_create_guest_memfd(vm, size, flags);
}

static inline int set_memory2(struct kvm_vm *vm, uint32_t slot, uint32_t flags, uint64_t gpa,
			      uint64_t size, void *host, int guest_memfd, uint64_t offset)
{
	return __vm_set_user_memory_region2(vm, slot, flags, gpa, size, host, guest_memfd, offset);
}
#else
#include "kvm_private_memory.h"

static inline int create_guest_memfd(struct kvm_vm *vm, uint64_t size, uint64_t flags)
{
	struct kvm_create_guest_memfd create = { .size = size, .flags = flags };

	return __vm_ioctl(vm, KVM_CREATE_GUEST_MEMFD, &create);
}

static inline int set_memory2(struct kvm_vm *vm, uint32_t slot, uint32_t flags, uint64_t gpa,
			      uint64_t size, void *host, int guest_memfd, uint64_t offset)
{
	struct kvm_userspace_memory_region2 region =
		memory_region2(slot, flags, gpa, size, host, guest_memfd, offset);

	return __vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &region);
}
#endif

#endif
