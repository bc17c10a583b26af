// SPDX-License-Identifier: GPL-2.0-only
/* kvm_calls.h by ioctls, without any library. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"
#include "kvm_calls.h"
#include "kvm_private_memory.h"
#include "test_assert.h"

#define MAX_CPUID_ENTRIES 256

struct kvm_vm {
	int kvm_fd, fd;
	size_t run_size; /* bytes */
	struct kvm_vcpu *vcpus;
};

struct kvm_vcpu {
	struct kvm_vm *vm;
	u32 id;
	int fd;
	struct kvm_run *run;
	struct kvm_vcpu *next;
};

static int vm_call(struct kvm_vm *vm, unsigned long request, void *arg)
{
	return ioctl(vm->fd, request, arg) < 0 ? errno : 0;
}

static int vcpu_call(struct kvm_vcpu *vcpu, unsigned long request, const void *arg)
{
	return ioctl(vcpu->fd, request, arg) < 0 ? errno : 0;
}

#define VCPU_CALL(vcpu, request, arg)                                              \
	do {                                                                       \
		int err_ = vcpu_call(vcpu, request, arg);                          \
										   \
		TEST_ASSERT(!err_, #request " vcpu %u: %s", (vcpu)->id,            \
			    vmm_strerror((vcpu)->vm->fd, err_));                   \
	} while (0)

/* NULL, or the step that failed, with errno. */
static const char *open_vm(struct kvm_vm *vm, unsigned long type)
{
	int size;

	vm->kvm_fd = open(kvm_device_path(), O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0)
		return "open";
	size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size <= 0)
		return "KVM_GET_VCPU_MMAP_SIZE";
	vm->run_size = size;
	do {
		vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, type);
	} while (vm->fd < 0 && errno == EINTR);
	return vm->fd < 0 ? "KVM_CREATE_VM" : NULL;
}

struct kvm_vm *vmm_vm_create(unsigned long type, int *kvm_fd, int *fd)
{
	struct kvm_vm *vm = calloc(1, sizeof(*vm));
	const char *step;
	int err;

	TEST_ASSERT(vm, "out of memory");
	vm->kvm_fd = vm->fd = -1;
	step = open_vm(vm, type);
	if (step) {
		err = errno;
		vmm_vm_free(vm);
		TEST_FAIL("%s, %s, VM type %lu: %s", kvm_device_path(), step, type, strerror(err));
	}
	*kvm_fd = vm->kvm_fd;
	*fd = vm->fd;
	return vm;
}

void vmm_vm_free(struct kvm_vm *vm)
{
	if (!vm)
		return;
	while (vm->vcpus) {
		struct kvm_vcpu *next = vm->vcpus->next;

		munmap(vm->vcpus->run, vm->run_size);
		close(vm->vcpus->fd);
		free(vm->vcpus);
		vm->vcpus = next;
	}
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm_fd >= 0)
		close(vm->kvm_fd);
	free(vm);
}

int vmm_set_memory(struct kvm_vm *vm, u32 slot, u32 flags, u64 gpa, u64 size, void *host)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	return vm_call(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

int vmm_set_memory2(struct kvm_vm *vm, u32 slot, u32 flags, u64 gpa, u64 size, void *host,
		    int guest_memfd, u64 guest_memfd_offset)
{
	struct kvm_userspace_memory_region2 region =
		memory_region2(slot, flags, gpa, size, host, guest_memfd, guest_memfd_offset);

	return vm_call(vm, KVM_SET_USER_MEMORY_REGION2, &region);
}

int vmm_create_guest_memfd(struct kvm_vm *vm, u64 size, u64 flags, int *fd)
{
	struct kvm_create_guest_memfd create = { .size = size, .flags = flags };

	*fd = ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &create);
	return *fd < 0 ? errno : 0;
}

struct kvm_vcpu *vmm_vcpu_add(struct kvm_vm *vm, u32 id, int *fd, struct kvm_run **run)
{
	struct kvm_vcpu *vcpu = calloc(1, sizeof(*vcpu));

	TEST_ASSERT(vcpu, "out of memory");
	vcpu->vm = vm;
	vcpu->id = id;
	/* Even if nothing comes of it: vmm_vm_free() then knows of it. */
	vcpu->next = vm->vcpus;
	vm->vcpus = vcpu;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
	TEST_ASSERT(vcpu->fd >= 0, "KVM_CREATE_VCPU id %u: %s", id, vmm_strerror(vm->fd, errno));
	vcpu->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	TEST_ASSERT(vcpu->run != MAP_FAILED, "mmap of vcpu %u, %zu bytes: %s", id, vm->run_size,
		    strerror(errno));
	*fd = vcpu->fd;
	*run = vcpu->run;
	return vcpu;
}

struct kvm_cpuid2 *vmm_supported_cpuid(int kvm_fd)
{
	struct kvm_cpuid2 *cpuid =
		calloc(1, sizeof(*cpuid) + MAX_CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	int err;

	TEST_ASSERT(cpuid, "out of memory");
	cpuid->nent = MAX_CPUID_ENTRIES;
	err = ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) ? errno : 0;
	if (err)
		free(cpuid);
	TEST_ASSERT(!err, "KVM_GET_SUPPORTED_CPUID nent %u: %s", MAX_CPUID_ENTRIES, strerror(err));
	return cpuid;
}

int vmm_set_cpuid(struct kvm_vcpu *vcpu, const struct kvm_cpuid2 *cpuid)
{
	return vcpu_call(vcpu, KVM_SET_CPUID2, cpuid);
}

int vmm_run(struct kvm_vcpu *vcpu)
{
	return vcpu_call(vcpu, KVM_RUN, NULL);
}

void vmm_run_complete_io(struct kvm_vcpu *vcpu)
{
	int err;

	vcpu->run->immediate_exit = 1;
	err = vmm_run(vcpu);
	vcpu->run->immediate_exit = 0;
	TEST_ASSERT(err == EINTR, "KVM_RUN with immediate_exit: %s", strerror(err));
}

void vmm_regs_get(struct kvm_vcpu *vcpu, struct kvm_regs *regs)
{
	VCPU_CALL(vcpu, KVM_GET_REGS, regs);
}

void vmm_regs_set(struct kvm_vcpu *vcpu, const struct kvm_regs *regs)
{
	VCPU_CALL(vcpu, KVM_SET_REGS, regs);
}

void vmm_sregs_get(struct kvm_vcpu *vcpu, struct kvm_sregs *sregs)
{
	VCPU_CALL(vcpu, KVM_GET_SREGS, sregs);
}

int vmm_sregs_set(struct kvm_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	return vcpu_call(vcpu, KVM_SET_SREGS, sregs);
}

void vmm_events_get(struct kvm_vcpu *vcpu, struct kvm_vcpu_events *events)
{
	VCPU_CALL(vcpu, KVM_GET_VCPU_EVENTS, events);
}

void vmm_events_set(struct kvm_vcpu *vcpu, const struct kvm_vcpu_events *events)
{
	VCPU_CALL(vcpu, KVM_SET_VCPU_EVENTS, events);
}

void vmm_mp_state_set(struct kvm_vcpu *vcpu, const struct kvm_mp_state *state)
{
	VCPU_CALL(vcpu, KVM_SET_MP_STATE, state);
}

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

u64 vmm_msr_get(struct kvm_vcpu *vcpu, u32 index)
{
	struct one_msr m = { .head.nmsrs = 1, .entry.index = index };
	int n = ioctl(vcpu->fd, KVM_GET_MSRS, &m);

	TEST_ASSERT(n == 1, "KVM_GET_MSRS vcpu %u msr %#x: %s", vcpu->id, index,
		    n < 0 ? vmm_strerror(vcpu->vm->fd, errno) : "refused");
	return m.entry.data;
}

int vmm_msr_set(struct kvm_vcpu *vcpu, u32 index, u64 value)
{
	struct one_msr m = { .head.nmsrs = 1, .entry = { .index = index, .data = value } };

	int n = ioctl(vcpu->fd, KVM_SET_MSRS, &m);

	return n < 0 ? errno : n == 1 ? 0 : EINVAL;
}

void vmm_nested_get(struct kvm_vcpu *vcpu, struct kvm_nested_state *state)
{
	VCPU_CALL(vcpu, KVM_GET_NESTED_STATE, state);
}

int vmm_nested_set(struct kvm_vcpu *vcpu, const struct kvm_nested_state *state)
{
	return vcpu_call(vcpu, KVM_SET_NESTED_STATE, state);
}
