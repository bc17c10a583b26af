// SPDX-License-Identifier: GPL-2.0-only
/* Control bits and what offers them: see include/control_bits.h. */
#include "control_bits.h"

#define ALWAYS(reg, bit, name) { reg, bit, name, true, false, 0, 0, CPUID_EAX, 0 }
#define L1(reg, bit, name, where, cpuid_bit) \
	{ reg, bit, name, false, false, 1, 0, CPUID_##where, cpuid_bit }
#define L7(reg, bit, name, where, cpuid_bit) \
	{ reg, bit, name, false, false, 7, 0, CPUID_##where, cpuid_bit }
#define L7_1(reg, bit, name, where, cpuid_bit) \
	{ reg, bit, name, false, false, 7, 1, CPUID_##where, cpuid_bit }
#define E1(reg, bit, name, where, cpuid_bit) \
	{ reg, bit, name, false, false, 0x80000001, 0, CPUID_##where, cpuid_bit }
#define AMD(bit, name, leaf, where, cpuid_bit) \
	{ REG_EFER, bit, name, false, true, leaf, 0, CPUID_##where, cpuid_bit }

const struct control_bit control_bits[] = {
	ALWAYS(REG_CR0, 0, "pe"),
	ALWAYS(REG_CR0, 1, "mp"),
	ALWAYS(REG_CR0, 2, "em"),
	ALWAYS(REG_CR0, 3, "ts"),
	ALWAYS(REG_CR0, 4, "et"),
	ALWAYS(REG_CR0, 5, "ne"),
	ALWAYS(REG_CR0, 16, "wp"),
	ALWAYS(REG_CR0, 18, "am"),
	ALWAYS(REG_CR0, 29, "nw"),
	ALWAYS(REG_CR0, 30, "cd"),
	ALWAYS(REG_CR0, 31, "pg"),
	ALWAYS(REG_CR3, 3, "pwt"),
	ALWAYS(REG_CR3, 4, "pcd"),
	L1(REG_CR4, 0, "vme", EDX, 1),
	L1(REG_CR4, 1, "pvi", EDX, 1),
	L1(REG_CR4, 2, "tsd", EDX, 4),
	L1(REG_CR4, 3, "de", EDX, 2),
	L1(REG_CR4, 4, "pse", EDX, 3),
	L1(REG_CR4, 5, "pae", EDX, 6),
	L1(REG_CR4, 6, "mce", EDX, 7),
	L1(REG_CR4, 7, "pge", EDX, 13),
	ALWAYS(REG_CR4, 8, "pce"),
	L1(REG_CR4, 9, "osfxsr", EDX, 24),
	L1(REG_CR4, 10, "osxmmexcpt", EDX, 25),
	L7(REG_CR4, 11, "umip", ECX, 2),
	L7(REG_CR4, 12, "la57", ECX, 16),
	L1(REG_CR4, 13, "vmxe", ECX, 5),
	L1(REG_CR4, 14, "smxe", ECX, 6),
	L7(REG_CR4, 16, "fsgsbase", EBX, 0),
	L1(REG_CR4, 17, "pcide", ECX, 17),
	L1(REG_CR4, 18, "osxsave", ECX, 26),
	L7(REG_CR4, 19, "kl", ECX, 23),
	L7(REG_CR4, 20, "smep", EBX, 7),
	L7(REG_CR4, 21, "smap", EBX, 20),
	L7(REG_CR4, 22, "pke", ECX, 3),
	L7(REG_CR4, 23, "cet", ECX, 7),   /* shadow stacks */
	L7(REG_CR4, 23, "cet", EDX, 20),  /* indirect branch tracking */
	L7(REG_CR4, 24, "pks", ECX, 31),
	L7(REG_CR4, 25, "uintr", EDX, 5),
	L7_1(REG_CR4, 27, "lass", EAX, 6),
	L7_1(REG_CR4, 28, "lam-sup", EAX, 26),
	L7_1(REG_CR4, 32, "fred", EAX, 17),
	ALWAYS(REG_EFER, 0, "sce"),
	E1(REG_EFER, 8, "lme", EDX, 29),
	E1(REG_EFER, 10, "lma", EDX, 29),
	E1(REG_EFER, 11, "nx", EDX, 20),
	AMD(12, "svme", 0x80000001, ECX, 2),
	AMD(14, "ffxsr", 0x80000001, EDX, 25),
	AMD(15, "tce", 0x80000001, ECX, 17),
	AMD(17, "mcommit", 0x80000008, EBX, 8),
	AMD(18, "intwb", 0x80000008, EBX, 13),
	AMD(20, "uaie", 0x80000021, EAX, 7),
	AMD(21, "autoibrs", 0x80000021, EAX, 8),
};
const unsigned int nr_control_bits = ARRAY_SIZE(control_bits);

const char *const control_reg_names[NR_CONTROL_REGS] = { "cr0", "cr3", "cr4", "efer" };

const char *control_bit_name(enum control_reg reg, u8 bit)
{
	unsigned int i;

	for (i = 0; i < nr_control_bits; i++)
		if (control_bits[i].reg == reg && control_bits[i].bit == bit)
			return control_bits[i].name;
	/* Not in the table as it is on offer where a CPUID bit is clear: see legal_cpu.lmsle. */
	return reg == REG_EFER && bit == 13 ? "lmsle" : NULL;
}
