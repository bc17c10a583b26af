// SPDX-License-Identifier: GPL-2.0-only
/* Making a TD, step by step (Documentation/virt/kvm/x86/intel-tdx.rst, "KVM TDX basic API"). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tdx_td.h"

#define PAGE 4096
/* UD2 at the reset vector: without an IDT that is a triple fault. */
#define RESET_VECTOR_OFFSET 0xff0

static const char *const stage_names[] = {
	[TD_NOTHING] = "nothing", [TD_CREATED] = "created", [TD_CAPS] = "caps",
	[TD_VM] = "vm",           [TD_VCPU] = "vcpu",       [TD_VCPU_READY] = "vcpu-ready",
	[TD_MEMORY] = "memory",   [TD_LOADED] = "loaded",   [TD_FINAL] = "final",
};

const char *td_stage_name(enum td_stage stage)
{
	return stage_names[stage];
}

static int failed(struct td *td, const char *step)
{
	int err = errno;

	td->step = step;
	td->hw_error = 0;
	return err;
}

static int command_failed(struct td *td, const char *step, int err, u64 hw_error)
{
	if (err) {
		td->step = step;
		td->hw_error = hw_error;
	}
	return err;
}

static void *anonymous(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int td_start(struct td *td, unsigned int gpaw)
{
	memset(td, 0, sizeof(*td));
	td->gpaw = gpaw;
	td->memfd = td->vm.fd = td->vcpu.fd = -1;
	td->vcpu.vm = &td->vm;
	td->vcpu.run = MAP_FAILED;
	td->kvm_fd = open(kvm_device_path(), O_RDWR | O_CLOEXEC);
	if (td->kvm_fd < 0)
		return failed(td, "open");
	td->shared = anonymous(TD_RAM_SIZE);
	td->source = anonymous(PAGE);
	if (!td->shared || !td->source)
		return failed(td, "mmap");
	td->source[RESET_VECTOR_OFFSET] = 0x0f;
	td->source[RESET_VECTOR_OFFSET + 1] = 0x0b;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void td_free(struct td *td)
{
	if (td->vcpu.run != MAP_FAILED)
		munmap(td->vcpu.run, td->vm.run_size);
	close_fd(&td->vcpu.fd);
	close_fd(&td->memfd);
	close_fd(&td->vm.fd);
	close_fd(&td->kvm_fd);
	if (td->shared)
		munmap(td->shared, TD_RAM_SIZE);
	if (td->source)
		munmap(td->source, PAGE);
	free(td->caps);
	free(td->cpuid);
	memset(td, 0, sizeof(*td));
	td->memfd = td->vm.fd = td->vcpu.fd = td->kvm_fd = -1;
	td->vcpu.run = MAP_FAILED;
}

static int create_vm(struct td *td)
{
	int err;

	do {
		td->vm.fd = ioctl(td->kvm_fd, KVM_CREATE_VM, (unsigned long)KVM_X86_TDX_VM);
	} while (td->vm.fd < 0 && errno == EINTR);
	if (td->vm.fd < 0)
		return failed(td, "KVM_CREATE_VM");
	err = tdx_capabilities_get(td->vm.fd, &td->caps);
	return command_failed(td, "KVM_TDX_CAPABILITIES", err, 0);
}

int td_init_vm(struct td *td)
{
	struct kvm_cpuid2 *supported = kvm_supported_cpuid(td->kvm_fd);
	struct tdx_init_vm *init = tdx_init_vm_make(td->caps, supported, td->gpaw);
	u64 hw_error = 0;
	int err = init ? tdx_vm_init(td->vm.fd, init, &hw_error) : ENOMEM;

	free(init);
	free(supported);
	return command_failed(td, "KVM_TDX_INIT_VM", err, hw_error);
}

int td_get_cpuid(struct td *td, u32 nent, struct kvm_cpuid2 **cpuid)
{
	return tdx_vcpu_get_cpuid(td->vcpu.fd, nent, cpuid, NULL);
}

static int create_vcpu(struct td *td)
{
	int size = ioctl(td->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0), err;

	if (size <= 0)
		return failed(td, "KVM_GET_VCPU_MMAP_SIZE");
	td->vm.run_size = size;
	td->vcpu.fd = ioctl(td->vm.fd, KVM_CREATE_VCPU, 0ul);
	if (td->vcpu.fd < 0)
		return failed(td, "KVM_CREATE_VCPU");
	td->vcpu.run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, td->vcpu.fd, 0);
	if (td->vcpu.run == MAP_FAILED)
		return failed(td, "mmap of the vCPU");
	err = td_get_cpuid(td, TDX_MAX_CPUID_ENTRIES, &td->cpuid);
	if (err)
		return command_failed(td, "KVM_TDX_GET_CPUID", err, 0);
	err = __vcpu_ioctl(&td->vcpu, KVM_SET_CPUID2, td->cpuid);
	return command_failed(td, "KVM_SET_CPUID2", err, 0);
}

int td_set_slot(struct td *td, u32 slot, gpa_t gpa, u64 size, void *memory, int memfd)
{
	struct kvm_userspace_memory_region2 region =
		memory_region2(slot, memfd >= 0 ? KVM_MEM_GUEST_MEMFD : 0, gpa, size, memory,
			       memfd >= 0 ? memfd : 0, 0);

	return __vm_ioctl(&td->vm, KVM_SET_USER_MEMORY_REGION2, &region);
}

int td_add_memory(struct td *td)
{
	struct kvm_create_guest_memfd create = { .size = TD_RAM_SIZE };
	struct kvm_memory_attributes private = {
		.address = TD_RAM_GPA,
		.size = TD_RAM_SIZE,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};
	int err;

	if (td->memfd >= 0)
		return 0;
	td->memfd = ioctl(td->vm.fd, KVM_CREATE_GUEST_MEMFD, &create);
	if (td->memfd < 0)
		return failed(td, "KVM_CREATE_GUEST_MEMFD");
	err = td_set_slot(td, 0, TD_RAM_GPA, TD_RAM_SIZE, td->shared, td->memfd);
	if (err)
		return command_failed(td, "KVM_SET_USER_MEMORY_REGION2", err, 0);
	err = __vm_ioctl(&td->vm, KVM_SET_MEMORY_ATTRIBUTES, &private);
	return command_failed(td, "KVM_SET_MEMORY_ATTRIBUTES", err, 0);
}

int td_init_mem_region(struct td *td, struct tdx_mem_region *region, u32 flags)
{
	u64 hw_error = 0;
	int err = tdx_vcpu_command(td->vcpu.fd, TDX_INIT_MEM_REGION, flags, region, &hw_error);

	return command_failed(td, "KVM_TDX_INIT_MEM_REGION", err, hw_error);
}

static int load(struct td *td)
{
	struct tdx_mem_region region = {
		.source_addr = (uintptr_t)td->source,
		.gpa = TD_RESET_PAGE,
		.nr_pages = 1,
	};

	return td_init_mem_region(td, &region, TDX_MEASURE);
}

int td_pre_fault(struct td *td, struct kvm_pre_fault_memory *range)
{
	int err;

	do {
		err = __vcpu_ioctl(&td->vcpu, KVM_PRE_FAULT_MEMORY, range);
	} while (err == EINTR || err == EAGAIN);
	return err;
}

static int take_step(struct td *td, enum td_stage to)
{
	u64 hw_error = 0;
	int err;

	switch (to) {
	case TD_CREATED:
		return create_vm(td);
	case TD_CAPS:
		return command_failed(td, "KVM_ENABLE_CAP", tdx_enable_caps(td->vm.fd), 0);
	case TD_VM:
		return td_init_vm(td);
	case TD_VCPU:
		return create_vcpu(td);
	case TD_VCPU_READY:
		err = tdx_vcpu_command(td->vcpu.fd, TDX_INIT_VCPU, 0, NULL, &hw_error);
		return command_failed(td, "KVM_TDX_INIT_VCPU", err, hw_error);
	case TD_MEMORY:
		return td_add_memory(td);
	case TD_LOADED:
		return load(td);
	case TD_FINAL:
		err = tdx_vm_command(td->vm.fd, TDX_FINALIZE_VM, 0, NULL, &hw_error);
		return command_failed(td, "KVM_TDX_FINALIZE_VM", err, hw_error);
	default:
		return EINVAL;
	}
}

int td_build(struct td *td, enum td_stage stage)
{
	int err;

	while (td->stage < stage) {
		err = take_step(td, td->stage + 1);
		if (err)
			return err;
		td->stage++;
	}
	return 0;
}
