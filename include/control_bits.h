/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bits of CR0, CR3, CR4 and EFER by name, and the CPUID bit that offers each.
 *
 * One row per bit and CPUID feature; a bit that two features offer has two rows.  Sources:
 * Intel SDM vol. 3A 2.5 and vol. 4 (IA32_EFER), AMD APM vol. 2 3.1.
 */
#ifndef KMC_CONTROL_BITS_H
#define KMC_CONTROL_BITS_H

#include "types.h"

enum control_reg { REG_CR0, REG_CR3, REG_CR4, REG_EFER, NR_CONTROL_REGS };

enum cpuid_reg { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

struct control_bit {
	enum control_reg reg;
	u8 bit;
	const char *name;      /* "smep" */
	bool always;           /* no CPUID bit stands for it */
	bool amd_only;         /* reserved on Intel, whatever CPUID says */
	u32 function, index;   /* CPUID leaf, if not always */
	enum cpuid_reg where;
	u8 cpuid_bit;
};

extern const struct control_bit control_bits[];
extern const unsigned int nr_control_bits;
extern const char *const control_reg_names[NR_CONTROL_REGS];

/* "smep", or NULL for a bit without a name (written "b27"). */
const char *control_bit_name(enum control_reg reg, u8 bit);

#endif
