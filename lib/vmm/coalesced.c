// SPDX-License-Identifier: GPL-2.0-only
/* Coalesced port I/O: see include/coalesced.h. */
#include <string.h>

#include "coalesced.h"
#include "test_assert.h"

#define RING_SIZE 4096 /* a page */

bool vm_coalesce_ports(struct vm *vm, u16 port, u32 size)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = port, .size = size, .pio = 1 };

	/* What KVM_CAP_COALESCED_MMIO answers is the ring's page in a vCPU's mapping. */
	if (vm_check_cap(vm, KVM_CAP_COALESCED_PIO) <= 0 ||
	    vm_check_cap(vm, KVM_CAP_COALESCED_MMIO) != KVM_COALESCED_MMIO_PAGE_OFFSET)
		return false;
	return !__vm_ioctl(vm, KVM_REGISTER_COALESCED_MMIO, &zone);
}

bool vcpu_coalesced_out(struct vcpu *vcpu, u16 *port, u32 *len, u32 *data)
{
	const u32 room = (RING_SIZE - sizeof(struct kvm_coalesced_mmio_ring)) /
			 sizeof(struct kvm_coalesced_mmio);
	const size_t offset = KVM_COALESCED_MMIO_PAGE_OFFSET * RING_SIZE;
	volatile struct kvm_coalesced_mmio_ring *ring;
	const volatile struct kvm_coalesced_mmio *entry;

	if (offset + RING_SIZE > vcpu->vm->run_size)
		return false;
	ring = (void *)((u8 *)vcpu->run + offset);
	if (ring->first == ring->last)
		return false;
	TEST_ASSERT(ring->first < room && ring->last < room, "coalesced ring %u..%u of %u",
		    ring->first, ring->last, room);
	__sync_synchronize();
	entry = &ring->coalesced_mmio[ring->first];
	*port = entry->phys_addr;
	*len = entry->len;
	memcpy(data, (const void *)entry->data, sizeof(*data));
	__sync_synchronize();
	ring->first = (ring->first + 1) % room;
	return true;
}
