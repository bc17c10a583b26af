// SPDX-License-Identifier: GPL-2.0-only
/* Virtual machines and their memory. */
#include <errno.h>
#include <fcntl.h>
#include <numa.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test_assert.h"
#include "vm.h"

/* Three pages below 4 GiB that VT-x needs where it cannot run real mode itself. */
#define INTEL_TSS_ADDR 0xfffbd000ul
#define INTEL_IDENTITY_MAP_ADDR 0xfffbc000ull
/* Behind all others; not in vm->slot[], as it never stays. */
#define DROP_SLOT (VM_MAX_SLOTS + 100)

int __vm_ioctl(struct vm *vm, unsigned long request, void *arg)
{
	return ioctl(vm->fd, request, arg) < 0 ? errno : 0;
}

int vm_check_cap(struct vm *vm, long cap)
{
	return ioctl(vm->fd, KVM_CHECK_EXTENSION, cap);
}

/* NULL, or the step that failed, with errno. */
static const char *open_vm(struct vm *vm, unsigned long type)
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

static struct vm *create_on(const struct host_card *card, unsigned long type)
{
	struct vm *vm;
	u64 identity = INTEL_IDENTITY_MAP_ADDR;
	const char *step;
	int err;

	TEST_REQUIRE(!card->kvm_error[0], "%s", card->kvm_error);
	vm = calloc(1, sizeof(*vm));
	TEST_ASSERT(vm, "out of memory");
	vm->card = *card;
	vm->kvm_fd = vm->fd = -1;
	step = open_vm(vm, type);
	if (step) {
		err = errno;
		vm_free(vm);
		TEST_FAIL("%s, %s, VM type %lu: %s", kvm_device_path(), step, type, strerror(err));
	}
	/* Needed by VT-x only; other backends refuse or ignore them. */
	ioctl(vm->fd, KVM_SET_TSS_ADDR, INTEL_TSS_ADDR);
	ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	return vm;
}

struct vm *vm_create_of_type(unsigned long type)
{
	struct host_card card;

	host_card_read(&card);
	return create_on(&card, type);
}

struct vm *vm_create(void)
{
	return vm_create_of_type(0);
}

struct vm *vm_create_sharing(const struct vm *of)
{
	struct vm *vm = create_on(&of->card, 0);
	unsigned int i;

	for (i = 0; i < of->nr_slots; i++) {
		const struct vm_slot *slot = &of->slot[i];
		struct kvm_userspace_memory_region region = {
			.slot = slot->id,
			.guest_phys_addr = slot->gpa,
			.memory_size = slot->size,
			.userspace_addr = (uintptr_t)slot->host,
		};
		int err = __vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);

		TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION slot %u: %s", slot->id,
			    strerror(err));
		vm->slot[i] = *slot;
		vm->slot[i].shared = true;
		vm->nr_slots++;
	}
	return vm;
}

static void vcpu_free(struct vm *vm, struct vcpu *vcpu)
{
	munmap(vcpu->run, vm->run_size);
	close(vcpu->fd);
	free(vcpu->cpuid);
	free(vcpu);
}

void vm_free(struct vm *vm)
{
	unsigned int i;

	if (!vm)
		return;
	while (vm->vcpus) {
		struct vcpu *next = vm->vcpus->next;

		vcpu_free(vm, vm->vcpus);
		vm->vcpus = next;
	}
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm_fd >= 0)
		close(vm->kvm_fd);
	for (i = 0; i < vm->nr_slots; i++)
		if (!vm->slot[i].shared)
			munmap(vm->slot[i].host, vm->slot[i].size);
	free(vm);
}

static int mem_add(struct vm *vm, u16 space, gpa_t gpa, u64 size, int node, void **host)
{
	struct kvm_userspace_memory_region region = {
		.slot = (u32)space << 16 | vm->nr_slots,
		.guest_phys_addr = gpa,
		.memory_size = size,
	};
	void *p;
	int err;

	if (vm->nr_slots == VM_MAX_SLOTS)
		return ENOSPC;
	/* Not numa_alloc_onnode(): a sparse range must not count as committed memory. */
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		 -1, 0);
	if (p == MAP_FAILED)
		return errno;
	/* Pages of a sparse range are touched one by one: do not fill it with huge pages. */
	madvise(p, size, MADV_NOHUGEPAGE);
	if (node != VM_ANY_NODE && numa_available() >= 0)
		numa_tonode_memory(p, size, node);
	region.userspace_addr = (uintptr_t)p;
	err = __vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
	if (err) {
		munmap(p, size);
		return err;
	}
	vm->slot[vm->nr_slots++] = (struct vm_slot){ region.slot, false, gpa, size, p };
	*host = p;
	return 0;
}

int __vm_mem_add(struct vm *vm, gpa_t gpa, u64 size, int node, void **host)
{
	return mem_add(vm, 0, gpa, size, node, host);
}

void vm_mem_alias(struct vm *vm, gpa_t gpa, u64 size, gpa_t alias)
{
	u8 *host = vm_gpa2hva(vm, gpa);
	struct kvm_userspace_memory_region region = {
		.slot = vm->nr_slots,
		.guest_phys_addr = alias,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};
	int err;

	TEST_ASSERT(host && vm->nr_slots < VM_MAX_SLOTS, "no slot at %#llx, or too many",
		    (unsigned long long)gpa);
	err = __vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
	TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION gpa %#llx again at %#llx: %s",
		    (unsigned long long)gpa, (unsigned long long)alias, strerror(err));
	vm->slot[vm->nr_slots++] = (struct vm_slot){ region.slot, true, alias, size, host };
}

void *vm_mem_add_in_space(struct vm *vm, u16 space, gpa_t gpa, u64 size)
{
	void *host = NULL;
	int err = mem_add(vm, space, gpa, size, VM_ANY_NODE, &host);

	TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION space %u gpa %#llx size %#llx: %s", space,
		    (unsigned long long)gpa, (unsigned long long)size, strerror(err));
	return host;
}

void *vm_mem_add(struct vm *vm, gpa_t gpa, u64 size, int node)
{
	void *host = NULL;
	int err = __vm_mem_add(vm, gpa, size, node, &host);

	TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION slot %u gpa %#llx size %#llx: %s",
		    vm->nr_slots, (unsigned long long)gpa, (unsigned long long)size, strerror(err));
	return host;
}

void vm_drop_pages(struct vm *vm, gpa_t gpa)
{
	struct kvm_userspace_memory_region region = {
		.slot = DROP_SLOT,
		.guest_phys_addr = gpa,
		.memory_size = 0x1000,
	};
	void *page = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err;

	TEST_ASSERT(page != MAP_FAILED, "out of memory");
	region.userspace_addr = (uintptr_t)page;
	err = __vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
	TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION slot %u: %s", DROP_SLOT, strerror(err));
	region.memory_size = 0;
	err = __vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
	TEST_ASSERT(!err, "removing memory slot %u: %s", DROP_SLOT, strerror(err));
	munmap(page, 0x1000);
}

void *vm_gpa2hva(const struct vm *vm, gpa_t gpa)
{
	unsigned int i;

	for (i = 0; i < vm->nr_slots; i++)
		if (!(vm->slot[i].id >> 16) && gpa >= vm->slot[i].gpa &&
		    gpa - vm->slot[i].gpa < vm->slot[i].size)
			return vm->slot[i].host + (gpa - vm->slot[i].gpa);
	return NULL;
}
