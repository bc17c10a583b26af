/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which guest-physical addresses of a TD are private and which are shared.
 *
 * One bit of the address says who owns the mapping: clear, it is private and is translated by
 * the secure EPT, which the TDX module keeps; set, it is shared and is translated by the EPT that
 * KVM keeps.  The bit is the highest one of the guest-physical address width (GPAW) that the TD
 * was made with.  To tell a page, not a mapping, the bit is taken out.
 *
 * A VM that is no TD has no such bit: all three functions leave its addresses alone, and none
 * of them is private ("private" is a property of a TD's memory, not the opposite of shared).
 *
 * Sources: Linux 7.3 arch/x86/kvm/vmx/tdx.c TDX_SHARED_BIT_PWL_4 (bit 47), TDX_SHARED_BIT_PWL_5
 * (bit 51), tdx_td_init() (which of them), setup_tdparams_eptp_controls()
 * (48 or 52, 4 or 5 levels); arch/x86/kvm/mmu.h kvm_gfn_direct_bits(), kvm_is_addr_direct(),
 * kvm_is_gfn_alias(); arch/x86/kvm/vmx/common.h vt_is_tdx_private_gpa().  The last is the
 * opposite of kvm_is_addr_direct(), which finds each address of a VM that is no TD direct.
 */
#ifndef KMC_TDX_GPA_H
#define KMC_TDX_GPA_H

#include "types.h"

/* What a GPAW can be; 0 stands for a VM that is no TD. */
#define TDX_NO_TD 0
#define TDX_GPAW_4LEVEL 48 /* 4-level secure EPT */
#define TDX_GPAW_5LEVEL 52 /* 5-level secure EPT */

/* Is this a width that a TD can have? */
bool tdx_gpaw_legal(unsigned int gpaw);
/*
 * The bit, as a mask.  0 for TDX_NO_TD.  Other widths up to 63 bits have one by the same rule,
 * for VMs that behave like a TD on CPUs with too few address bits.
 */
gpa_t tdx_shared_bit(unsigned int gpaw);

gpa_t tdx_gpa_to_shared(unsigned int gpaw, gpa_t gpa);
gpa_t tdx_gpa_to_private(unsigned int gpaw, gpa_t gpa);
bool tdx_gpa_is_private(unsigned int gpaw, gpa_t gpa);

/* Has the address bits beyond the width?  Never for TDX_NO_TD: MAXPHYADDR decides there. */
bool tdx_gpa_too_wide(unsigned int gpaw, gpa_t gpa);

#endif
