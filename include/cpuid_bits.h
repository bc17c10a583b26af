/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUID tables and control bits: which of them a guest is offered, and how to hide one.
 */
#ifndef KMC_CPUID_BITS_H
#define KMC_CPUID_BITS_H

#include "legal_regs.h"
#include "vm.h"

/* Does the table offer this bit? */
bool cpuid_offers(struct kvm_cpuid2 *cpuid, const struct control_bit *bit);
/* Takes out of the table what offers it, and all other features that offer the same bit. */
void cpuid_hide(struct kvm_cpuid2 *cpuid, const struct control_bit *bit);
/* What the register rules need.  tdp: nested paging is in use. */
struct legal_cpu cpuid_legal_cpu(struct kvm_cpuid2 *cpuid, bool tdp);

#endif
