// SPDX-License-Identifier: GPL-2.0-only
/* CPUID tables, and the facts the model needs from them. */
#include <stdlib.h>
#include <string.h>

#include "kvm_calls.h"
#include "test_assert.h"
#include "vm.h"

static size_t cpuid_size(u32 nent)
{
	return sizeof(struct kvm_cpuid2) + nent * sizeof(struct kvm_cpuid_entry2);
}

struct kvm_cpuid2 *kvm_supported_cpuid(int kvm_fd)
{
	return vmm_supported_cpuid(kvm_fd);
}

int __vcpu_set_cpuid(struct vcpu *vcpu, const struct kvm_cpuid2 *cpuid)
{
	int err = vmm_set_cpuid(vcpu->kvm, cpuid);

	if (!err) {
		size_t size = cpuid_size(cpuid->nent);
		struct kvm_cpuid2 *copy = malloc(size);

		TEST_ASSERT(copy, "out of memory");
		memcpy(copy, cpuid, size);
		free(vcpu->cpuid);
		vcpu->cpuid = copy;
	}
	return err;
}

void vcpu_set_cpuid(struct vcpu *vcpu, const struct kvm_cpuid2 *cpuid)
{
	int err = __vcpu_set_cpuid(vcpu, cpuid);

	TEST_ASSERT(!err, "KVM_SET_CPUID2 vcpu %u nent %u: %s", vcpu->id, cpuid->nent,
		    vm_strerror(vcpu->vm, err));
}

struct kvm_cpuid_entry2 *cpuid_entry(struct kvm_cpuid2 *cpuid, u32 function, u32 index)
{
	u32 i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == function && cpuid->entries[i].index == index)
			return &cpuid->entries[i];
	return NULL;
}

struct cpu_facts cpuid_facts(struct kvm_cpuid2 *cpuid)
{
	static const struct kvm_cpuid_entry2 none;
	const struct kvm_cpuid_entry2 *l0 = cpuid_entry(cpuid, 0, 0);
	const struct kvm_cpuid_entry2 *l1 = cpuid_entry(cpuid, 1, 0);
	const struct kvm_cpuid_entry2 *l7 = cpuid_entry(cpuid, 7, 0);
	const struct kvm_cpuid_entry2 *e1 = cpuid_entry(cpuid, 0x80000001, 0);
	const struct kvm_cpuid_entry2 *e8 = cpuid_entry(cpuid, 0x80000008, 0);
	bool amd;

	l0 = l0 ?: &none;
	l1 = l1 ?: &none;
	l7 = l7 ?: &none;
	e1 = e1 ?: &none;
	/* "Auth"enticAMD, "Hygo"nGenuine */
	amd = l0->ebx == 0x68747541 || l0->ebx == 0x6f677948;
	return (struct cpu_facts){
		.vendor = amd ? VENDOR_AMD : VENDOR_INTEL,
		/* SDM 3A 4.1.4: without the leaf 36 with PAE, else 32. */
		.maxphyaddr = e8 && e8->eax & 0xff ? e8->eax & 0xff : l1->edx & 1 << 6 ? 36 : 32,
		.pse36 = l1->edx & 1u << 17,
		.smep = l7->ebx & 1u << 7,
		.smap = l7->ebx & 1u << 20,
		.pku = l7->ecx & 1u << 3,
		.la57 = l7->ecx & 1u << 16,
		.nx = e1->edx & 1u << 20,
		.gbpages = e1->edx & 1u << 26,
		.lm = e1->edx & 1u << 29,
	};
}
