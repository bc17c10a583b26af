/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's own counters, by name: KVM_GET_STATS_FD of a VM and of a vCPU.
 *
 * Of use here: of a VM mmu_cache_miss (pages made for a (gfn, role) that was not there; not
 * counted by the TDP MMU), mmu_unsync, mmu_shadow_zapped, pages_4k, pages_2m, pages_1g; of a
 * vCPU pf_taken, pf_guest, pf_fixed, pf_spurious, tlb_flush.  Names come and go between
 * kernels (Documentation/virt/kvm/api.rst, 4.133): one that is missing is told as a reason.
 */
#ifndef KMC_KVM_STATS_H
#define KMC_KVM_STATS_H

#include "types.h"
#include "vm.h"

struct kvm_stats;

#define STATS_WHY_LEN 128

/* NULL, and why, where the kernel offers none. */
struct kvm_stats *vm_stats_open(struct vm *vm, char why[STATS_WHY_LEN]);
struct kvm_stats *vcpu_stats_open(struct vcpu *vcpu, char why[STATS_WHY_LEN]);
void kvm_stats_close(struct kvm_stats *stats);

/*
 * Reads a counter, in its own unit (of a histogram the first bucket), as it is now.  Returns
 * NULL, or why there is no value: a static text, or the name of what is missing.
 */
const char *kvm_stats_get(const struct kvm_stats *stats, const char *name, u64 *value);

#endif
