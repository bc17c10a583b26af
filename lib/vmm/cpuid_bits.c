// SPDX-License-Identifier: GPL-2.0-only
/* Control bits in CPUID tables: see include/cpuid_bits.h. */
#include "cpuid_bits.h"

static u32 *cpuid_word(struct kvm_cpuid2 *cpuid, const struct control_bit *bit)
{
	struct kvm_cpuid_entry2 *e = cpuid_entry(cpuid, bit->function, bit->index);

	if (!e)
		return NULL;
	switch (bit->where) {
	case CPUID_EAX:
		return &e->eax;
	case CPUID_EBX:
		return &e->ebx;
	case CPUID_ECX:
		return &e->ecx;
	default:
		return &e->edx;
	}
}

bool cpuid_offers(struct kvm_cpuid2 *cpuid, const struct control_bit *bit)
{
	const u32 *word = bit->always ? NULL : cpuid_word(cpuid, bit);

	return bit->always || (word && *word & 1u << bit->cpuid_bit);
}

void cpuid_hide(struct kvm_cpuid2 *cpuid, const struct control_bit *bit)
{
	unsigned int i;
	u32 *word;

	for (i = 0; i < nr_control_bits; i++) {
		const struct control_bit *b = &control_bits[i];

		if (b->always || b->reg != bit->reg || b->bit != bit->bit)
			continue;
		word = cpuid_word(cpuid, b);
		if (word)
			*word &= ~(1u << b->cpuid_bit);
	}
}

struct legal_cpu cpuid_legal_cpu(struct kvm_cpuid2 *cpuid, bool tdp)
{
	const struct cpu_facts facts = cpuid_facts(cpuid);
	const struct kvm_cpuid_entry2 *e8 = cpuid_entry(cpuid, 0x80000008, 0);
	bool amd = facts.vendor == VENDOR_AMD;
	struct legal_cpu cpu = {
		.vendor = facts.vendor,
		.maxphyaddr = facts.maxphyaddr,
		.lmsle = amd && !(e8 && e8->ebx & 1u << 20),
		.pdptes_on_demand = amd && tdp,
	};
	unsigned int i;

	for (i = 0; i < nr_control_bits; i++) {
		const struct control_bit *b = &control_bits[i];

		if (!cpuid_offers(cpuid, b) || (b->amd_only && !amd))
			continue;
		if (b->reg == REG_CR4)
			cpu.cr4 |= BIT_ULL(b->bit);
		if (b->reg == REG_EFER)
			cpu.efer |= BIT_ULL(b->bit);
	}
	return cpu;
}
