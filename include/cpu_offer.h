/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest's CPU is offered less than KVM supports, or else: a narrower MAXPHYADDR, no
 * 1-GByte pages, no PSE-36, the other vendor's name.
 *
 * An offer is made through CPUID alone (KVM_SET_CPUID2), so the model sees it as any other
 * CPU's facts.  All vCPUs of a process are made with the offer in use; ids of cases name it
 * in front: "cpu-phys36,no-1g/4level/nx/cpl0/read/...".
 *
 * Sources: SDM 3A 4.1.4 (CPUID 80000008 EAX[7:0], 80000001 EDX[26], 1 EDX[17]), SDM vol. 2
 * CPUID (leaf 0); APM3 E.3.1, E.4.7.
 */
#ifndef KMC_CPU_OFFER_H
#define KMC_CPU_OFFER_H

#include <linux/kvm.h>

#include "types.h"

struct cpu_offer {
	u8 maxphyaddr; /* bits, 32 to 52; 0: as KVM supports */
	bool no_1g, no_pse36;
	u8 wider;	 /* without maxphyaddr: so many bits more than KVM supports; ids do not say it */
	bool intel, amd; /* at most one of them: vendor, whatever the host's is */
};

#define CPU_OFFER_LEN 32
/* "cpu-phys36,no-1g/", "cpu-amd/", or "" for all that KVM supports. */
void cpu_offer_text(const struct cpu_offer *offer, char text[CPU_OFFER_LEN]);
/* Reads such a text, which may be missing; *rest is what follows.  NULL, or what is wrong. */
const char *cpu_offer_parse(const char *text, struct cpu_offer *offer, const char **rest);

/* From now on vCPUs are made with this offer; *offer is copied. */
void cpu_offer_use(const struct cpu_offer *offer);
const struct cpu_offer *cpu_offer_used(void);
/*
 * Takes out of a CPUID table what the offer in use lacks.  Skips the subtest if it names a wider
 * MAXPHYADDR than the table has, or wants more bits than there can be.
 */
void cpu_offer_apply(struct kvm_cpuid2 *cpuid);

#endif
