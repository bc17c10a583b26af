// SPDX-License-Identifier: GPL-2.0-only
/* KVM_MEMORY_ENCRYPT_OP's TDX commands, and what they are handed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tdx.h"

#define MAX_TRIES 10
#define RETRY_US 10000
#define SPLIT_IRQCHIP_PINS 24
/* KVM_CAP_X2APIC_API: 32-bit ids, no broadcast quirk. */
#define X2APIC_API_FLAGS (KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)

/* Bits of leaf 7.0 that KVM reports as configurable in some kernels and refuses in all. */
#define LEAF7_EBX_TSX (1u << 4 | 1u << 11)
#define LEAF7_ECX_WAITPKG (1u << 5)

int tdx_raw_command(int fd, struct tdx_cmd *cmd)
{
	return ioctl(fd, KVM_MEMORY_ENCRYPT_OP, cmd) < 0 ? errno : 0;
}

static int command(int fd, u32 id, u32 flags, const void *data, u64 *hw_error)
{
	struct tdx_cmd cmd = { .id = id, .flags = flags, .data = (uintptr_t)data };
	int err = tdx_raw_command(fd, &cmd);

	if (hw_error)
		*hw_error = cmd.hw_error;
	return err;
}

int tdx_vm_command(int vm_fd, u32 id, u32 flags, const void *data, u64 *hw_error)
{
	return command(vm_fd, id, flags, data, hw_error);
}

int tdx_vcpu_command(int vcpu_fd, u32 id, u32 flags, const void *data, u64 *hw_error)
{
	return command(vcpu_fd, id, flags, data, hw_error);
}

int tdx_capabilities_get(int vm_fd, struct tdx_capabilities **caps)
{
	struct tdx_capabilities *c;
	int err;

	c = calloc(1, sizeof(*c) + TDX_MAX_CPUID_ENTRIES * sizeof(c->entries[0]));
	if (!c)
		return ENOMEM;
	c->cpuid.nent = TDX_MAX_CPUID_ENTRIES;
	err = tdx_vm_command(vm_fd, TDX_CAPABILITIES, 0, c, NULL);
	if (!err && c->cpuid.nent > TDX_MAX_CPUID_ENTRIES)
		err = EOVERFLOW;
	if (err) {
		free(c);
		return err;
	}
	*caps = c;
	return 0;
}

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid2 *cpuid,
					   const struct kvm_cpuid_entry2 *leaf)
{
	u32 i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == leaf->function &&
		    cpuid->entries[i].index == leaf->index)
			return &cpuid->entries[i];
	return NULL;
}

/* What KVM can give of the bits that a leaf lets a VMM choose. */
static void choose(struct kvm_cpuid_entry2 *leaf, const struct kvm_cpuid_entry2 *supported)
{
	static const struct kvm_cpuid_entry2 nothing;

	if (!supported)
		supported = &nothing;
	leaf->eax &= supported->eax;
	leaf->ebx &= supported->ebx;
	leaf->ecx &= supported->ecx;
	leaf->edx &= supported->edx;
	if (leaf->function == 7 && !leaf->index) {
		leaf->ebx &= ~LEAF7_EBX_TSX;
		leaf->ecx &= ~LEAF7_ECX_WAITPKG;
	}
}

struct tdx_init_vm *tdx_init_vm_make(const struct tdx_capabilities *caps,
				     const struct kvm_cpuid2 *supported, unsigned int gpaw)
{
	struct tdx_init_vm *init;
	u32 i, nr = caps->cpuid.nent;

	/* Room for one that the caller may add. */
	init = calloc(1, sizeof(*init) + (nr + 1) * sizeof(init->entries[0]));
	if (!init)
		return NULL;
	init->attributes = caps->supported_attrs;
	init->xfam = caps->supported_xfam;
	init->cpuid.nent = nr;
	for (i = 0; i < nr; i++) {
		struct kvm_cpuid_entry2 *leaf = &init->entries[i];

		*leaf = caps->entries[i];
		/* Else KVM takes the first leaf of this function for all of its subleaves. */
		leaf->flags |= KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		choose(leaf, find(supported, leaf));
		if (leaf->function != TDX_GPAW_LEAF)
			continue;
		leaf->eax &= ~(0xffu << TDX_GPAW_SHIFT);
		leaf->eax |= gpaw << TDX_GPAW_SHIFT;
	}
	return init;
}

int tdx_vm_init(int vm_fd, const struct tdx_init_vm *init, u64 *hw_error)
{
	int err, tries = 0;

	do {
		err = tdx_vm_command(vm_fd, TDX_INIT_VM, 0, init, hw_error);
	} while (err == EAGAIN && ++tries < MAX_TRIES && !usleep(RETRY_US));
	return err;
}

int tdx_vcpu_get_cpuid(int vcpu_fd, u32 nent, struct kvm_cpuid2 **cpuid, u64 *hw_error)
{
	*cpuid = calloc(1, sizeof(**cpuid) +
				   TDX_MAX_CPUID_ENTRIES * sizeof((*cpuid)->entries[0]));
	if (!*cpuid)
		return ENOMEM;
	(*cpuid)->nent = nent;
	return tdx_vcpu_command(vcpu_fd, TDX_GET_CPUID, 0, *cpuid, hw_error);
}

static int enable(int vm_fd, u32 cap, u64 arg)
{
	struct kvm_enable_cap enable = { .cap = cap, .args = { arg } };

	return ioctl(vm_fd, KVM_ENABLE_CAP, &enable) < 0 ? errno : 0;
}

int tdx_enable_caps(int vm_fd)
{
	int err = enable(vm_fd, KVM_CAP_SPLIT_IRQCHIP, SPLIT_IRQCHIP_PINS);

	if (!err)
		err = enable(vm_fd, KVM_CAP_X2APIC_API, X2APIC_API_FLAGS);
	if (!err)
		err = enable(vm_fd, KVM_CAP_EXIT_HYPERCALL, 1ull << KVM_HC_MAP_GPA_RANGE);
	return err;
}
