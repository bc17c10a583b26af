// SPDX-License-Identifier: GPL-2.0-only
/* Virtual machines and their memory. */
#include <errno.h>
#include <numa.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kvm_calls.h"
#include "kvm_private_memory.h"
#include "test_assert.h"
#include "vm.h"

/* Three pages below 4 GiB that VT-x needs where it cannot run real mode itself. */
#define INTEL_TSS_ADDR 0xfffbd000ul
#define INTEL_IDENTITY_MAP_ADDR 0xfffbc000ull
#define NR_IOAPIC_PINS 24
/* Behind all others; not in vm->slot[], as it never stays. */
#define DROP_SLOT (VM_MAX_SLOTS + 100)

int __vm_ioctl(struct vm *vm, unsigned long request, void *arg)
{
	return ioctl(vm->fd, request, arg) < 0 ? errno : 0;
}

void vm_add_local_apics(struct vm *vm)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { NR_IOAPIC_PINS } };

	vm_ioctl(vm, KVM_ENABLE_CAP, &split);
}

int vm_check_cap(struct vm *vm, long cap)
{
	return ioctl(vm->fd, KVM_CHECK_EXTENSION, cap);
}

const char *vmm_strerror(int vm_fd, int err)
{
	/* KVM then answers all ioctls of the VM so, also those that cannot fail. */
	if (err == EIO && ioctl(vm_fd, KVM_CHECK_EXTENSION, (long)KVM_CAP_USER_MEMORY) < 0)
		return "KVM has killed the VM: the kernel's log may tell why";
	return strerror(err);
}

const char *vm_strerror(const struct vm *vm, int err)
{
	return vmm_strerror(vm->fd, err);
}

static struct vm *create_on(const struct host_card *card, unsigned long type)
{
	u64 identity = INTEL_IDENTITY_MAP_ADDR;
	struct kvm_vm *kvm;
	int kvm_fd, fd, size;
	struct vm *vm;

	TEST_REQUIRE(!card->kvm_error[0], "%s", card->kvm_error);
	/* Ends the subtest if KVM makes none: nothing may be allocated yet. */
	kvm = vmm_vm_create(type, &kvm_fd, &fd);
	vm = calloc(1, sizeof(*vm));
	TEST_ASSERT(vm, "out of memory");
	vm->card = *card;
	vm->kvm = kvm;
	vm->kvm_fd = kvm_fd;
	vm->fd = fd;
	size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	vm->run_size = size > 0 ? size : 0;
	/* Needed by VT-x only; other backends refuse or ignore them. */
	ioctl(vm->fd, KVM_SET_TSS_ADDR, INTEL_TSS_ADDR);
	ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	return vm;
}

struct vm *vm_create_barebones_type(unsigned long type)
{
	struct host_card card;

	host_card_read(&card);
	return create_on(&card, type);
}

struct vm *vm_create_barebones(void)
{
	return vm_create_barebones_type(0);
}

struct vm *vm_create_sharing(const struct vm *of)
{
	struct vm *vm = create_on(&of->card, 0);
	unsigned int i;

	for (i = 0; i < of->nr_slots; i++) {
		const struct vm_slot *slot = &of->slot[i];
		int err = vmm_set_memory(vm->kvm, slot->id, 0, slot->gpa, slot->size, slot->host);

		TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION slot %u: %s", slot->id,
			    vm_strerror(vm, err));
		vm->slot[i] = *slot;
		vm->slot[i].shared = true;
		vm->nr_slots++;
	}
	return vm;
}

void vm_free(struct vm *vm)
{
	unsigned int i;

	if (!vm)
		return;
	while (vm->vcpus) {
		struct vcpu *next = vm->vcpus->next;

		free(vm->vcpus->cpuid);
		free(vm->vcpus);
		vm->vcpus = next;
	}
	vmm_vm_free(vm->kvm);
	for (i = 0; i < vm->nr_slots; i++)
		if (!vm->slot[i].shared)
			munmap(vm->slot[i].host, vm->slot[i].size);
	free(vm);
}

static int mem_add(struct vm *vm, u16 space, gpa_t gpa, u64 size, int node, void **host)
{
	const u32 slot = (u32)space << 16 | vm->nr_slots;
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
	err = vmm_set_memory(vm->kvm, slot, 0, gpa, size, p);
	if (err) {
		munmap(p, size);
		return err;
	}
	vm->slot[vm->nr_slots++] = (struct vm_slot){ slot, false, gpa, size, p };
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
	const u32 slot = vm->nr_slots;
	int err;

	TEST_ASSERT(host && vm->nr_slots < VM_MAX_SLOTS, "no slot at %#llx, or too many",
		    (unsigned long long)gpa);
	err = vmm_set_memory(vm->kvm, slot, 0, alias, size, host);
	TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION gpa %#llx again at %#llx: %s",
		    (unsigned long long)gpa, (unsigned long long)alias,
		    vm_strerror(vm, err));
	vm->slot[vm->nr_slots++] = (struct vm_slot){ slot, true, alias, size, host };
}

void *vm_mem_add_in_space(struct vm *vm, u16 space, gpa_t gpa, u64 size)
{
	void *host = NULL;
	int err = mem_add(vm, space, gpa, size, VM_ANY_NODE, &host);

	TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION space %u gpa %#llx size %#llx: %s", space,
		    (unsigned long long)gpa, (unsigned long long)size, vm_strerror(vm, err));
	return host;
}

void *vm_mem_add(struct vm *vm, gpa_t gpa, u64 size, int node)
{
	void *host = NULL;
	int err = __vm_mem_add(vm, gpa, size, node, &host);

	TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION slot %u gpa %#llx size %#llx: %s",
		    vm->nr_slots, (unsigned long long)gpa, (unsigned long long)size, vm_strerror(vm, err));
	return host;
}

int __vm_slot_add(struct vm *vm, gpa_t gpa, u64 size, void *host, int guest_memfd, u64 offset)
{
	const u32 slot = vm->nr_slots;
	int err;

	if (slot == VM_MAX_SLOTS)
		return ENOSPC;
	err = guest_memfd < 0 ? vmm_set_memory(vm->kvm, slot, 0, gpa, size, host) :
				vmm_set_memory2(vm->kvm, slot, KVM_MEM_GUEST_MEMFD, gpa, size, host,
						guest_memfd, offset);
	if (!err)
		vm->slot[vm->nr_slots++] = (struct vm_slot){ slot, true, gpa, size, host };
	return err;
}

int vm_create_guest_memfd(struct vm *vm, u64 size)
{
	int fd, err = vmm_create_guest_memfd(vm->kvm, size, 0, &fd);

	TEST_ASSERT(!err, "KVM_CREATE_GUEST_MEMFD size %#llx: %s", (unsigned long long)size,
		    vm_strerror(vm, err));
	return fd;
}

void vm_drop_pages(struct vm *vm, gpa_t gpa)
{
	void *page = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err;

	TEST_ASSERT(page != MAP_FAILED, "out of memory");
	err = vmm_set_memory(vm->kvm, DROP_SLOT, 0, gpa, 0x1000, page);
	TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION slot %u: %s", DROP_SLOT,
		    vm_strerror(vm, err));
	err = vmm_set_memory(vm->kvm, DROP_SLOT, 0, gpa, 0, page);
	TEST_ASSERT(!err, "removing memory slot %u: %s", DROP_SLOT, vm_strerror(vm, err));
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
