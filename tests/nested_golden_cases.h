/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nested walks with literal answers, taken from the manuals by hand.
 *
 * What both walkers share, the rows of nested_format.c and paging.c, they cannot disagree
 * about.  A case changes one entry of the nested tables, one of L2's, or both; all others
 * are full.  Positions: 1 to 5 is L2's table of that level, FINAL the page.
 */
#ifndef KMC_NESTED_GOLDEN_CASES_H
#define KMC_NESTED_GOLDEN_CASES_H

#include "nested_configs.h"

#define RD ACCESS_READ
#define WR ACCESS_WRITE
#define IF ACCESS_FETCH
#define WB ((u64)EPT_MT_WB << EPT_MT_SHIFT)
#define MT(n) ((u64)(n) << EPT_MT_SHIFT)
#define AD (EPT_A | EPT_D)
#define RWX EPT_RWX
#define FULL (WB | AD)          /* an EPT leaf, without rights */
#define B(n) BIT_ULL(n)
#define NPTF (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)
#define NO_L2 0, 0
#define SAME 0, 0, 0

static const struct nested_golden {
	enum nested_config_index config;
	u8 position, level; /* of the nested entry that is changed; 0: none */
	u64 bits;
	u8 l2_level;        /* of L2's entry that is changed; 0: none */
	u64 l2_bits;
	enum access_kind kind;
	u8 cpl;
	const char *expected;
} nested_goldens[] = {
	/* APM 15.25.6: EXITINFO1 P, W, U, RSV, ID and bits 32, 33 */
	{ NPT4, SAME, NO_L2, WR, 3, "ok final+0x128" },
	{ NPT4, FINAL, 1, 0, NO_L2, RD, 0, "npf 0x100000004 at final+0x128" },
	{ NPT4, FINAL, 1, 0, NO_L2, WR, 3, "npf 0x100000006 at final+0x128" },
	{ NPT4, FINAL, 1, 0, NO_L2, IF, 3, "npf 0x100000014 at final+0x128" },
	{ NPT4, FINAL, 4, 0, NO_L2, RD, 3, "npf 0x100000004 at final+0x128" },
	{ NPT4, FINAL, 1, NPTF & ~PTE_W, NO_L2, RD, 3, "ok final+0x128" },
	{ NPT4, FINAL, 1, NPTF & ~PTE_W, NO_L2, WR, 0, "npf 0x100000007 at final+0x128" },
	{ NPT4, FINAL, 3, NPTF & ~PTE_W, NO_L2, WR, 0, "npf 0x100000007 at final+0x128" },
	{ NPT4, FINAL, 1, NPTF & ~PTE_U, NO_L2, RD, 0, "npf 0x100000005 at final+0x128" },
	{ NPT4, FINAL, 4, NPTF & ~PTE_U, NO_L2, IF, 0, "npf 0x100000015 at final+0x128" },
	{ NPT4, FINAL, 1, NPTF | PTE_NX, NO_L2, IF, 0, "npf 0x100000015 at final+0x128" },
	{ NPT4, FINAL, 2, NPTF | PTE_NX, NO_L2, IF, 3, "npf 0x100000015 at final+0x128" },
	{ NPT4, FINAL, 1, NPTF | PTE_NX, NO_L2, WR, 0, "ok final+0x128" },
	/* APM 15.25.5: a walk of L2's tables is a user write, whatever L2 does */
	{ NPT4, 2, 1, 0, NO_L2, RD, 0, "npf 0x200000006 at pt2+0x20" },
	{ NPT4, 4, 1, 0, NO_L2, IF, 0, "npf 0x200000006 at pt4+0x10" },
	{ NPT4, 1, 1, NPTF & ~PTE_W, NO_L2, RD, 0, "npf 0x200000007 at pt1+0x28" },
	{ NPT4, 3, 2, NPTF & ~PTE_U, NO_L2, RD, 0, "npf 0x200000007 at pt3+0x18" },
	{ NPT4, 1, 1, NPTF | PTE_NX, NO_L2, IF, 0, "ok final+0x128" },
	{ NPT5, 5, 1, 0, NO_L2, RD, 0, "npf 0x200000006 at pt5+0x8" },
	/* APM 15.25.3: formats follow L1's mode; reserved bits */
	{ NPT4, FINAL, 4, NPTF | PTE_PS, NO_L2, RD, 0, "npf 0x10000000d at final+0x128" },
	{ NPT4, FINAL, 4, NPTF | B(8), NO_L2, RD, 0, "npf 0x10000000d at final+0x128" },
	{ NPT4, FINAL, 2, NPTF | PTE_PS, NO_L2, WR, 0, "ok final+0x128" },
	{ NPT4, FINAL, 2, NPTF | PTE_PS | B(13), NO_L2, WR, 0, "npf 0x10000000f at final+0x128" },
	{ NPT4, FINAL, 3, NPTF | PTE_PS, NO_L2, WR, 0, "ok final+0x128" },
	/* Fewer address bits, so that level 3 is shared with pt2. */
	{ NPT4_40, FINAL, 3, NPTF | PTE_PS, NO_L2, WR, 0, "npf 0x20000000f at pt2+0x20" },
	{ NPT4, FINAL, 1, NPTF | B(48), NO_L2, RD, 0, "npf 0x10000000d at final+0x128" },
	{ NPT4, FINAL, 1, (NPTF | B(48)) & ~PTE_P, NO_L2, RD, 0, "npf 0x100000004 at final+0x128" },
	{ NPT4_NO_NX, FINAL, 1, NPTF | PTE_NX, NO_L2, RD, 0, "npf 0x10000000d at final+0x128" },
	{ NPT4_NO_NX, FINAL, 1, 0, NO_L2, IF, 0, "npf 0x100000014 ?0x10 at final+0x128" },
	{ NPT5, FINAL, 5, NPTF | PTE_PS, NO_L2, RD, 0, "npf 0x20000000f at pt5+0x8" },
	{ NPT_PAE, FINAL, 3, PTE_P | B(1), NO_L2, RD, 0, "npf 0x20000000f at pt2+0x20" },
	{ NPT_PAE, FINAL, 3, 0, NO_L2, RD, 0, "npf 0x200000006 at pt2+0x20" },
	{ NPT_PAE, FINAL, 2, NPTF | PTE_PS, NO_L2, RD, 0, "ok final+0x128" },
	{ NPT2, FINAL, 2, (NPTF | PTE_PS) & ~PTE_D, NO_L2, WR, 0, "ok final+0x128 nested:f2d" },
	{ NPT2_NO_PSE, FINAL, 2, (NPTF | PTE_PS) & ~PTE_D, NO_L2, WR, 0, "ok final+0x128" },
	{ NPT2, FINAL, 1, NPTF & ~PTE_W, NO_L2, WR, 0, "npf 0x100000007 at final+0x128" },
	/* APM 15.25.5: A and D; those of the walk of L2's tables as well */
	{ NPT4, FINAL, 1, PTE_P | PTE_W | PTE_U, NO_L2, RD, 0, "ok final+0x128 nested:f1a" },
	{ NPT4, FINAL, 1, PTE_P | PTE_W | PTE_U, NO_L2, WR, 0, "ok final+0x128 nested:f1ad" },
	{ NPT4, 1, 1, PTE_P | PTE_W | PTE_U, NO_L2, RD, 0, "ok final+0x128 nested:11ad" },
	{ NPT4, 4, 3, PTE_P | PTE_W | PTE_U, NO_L2, RD, 0, "ok final+0x128 nested:43a" },
	{ NPT4, SAME, 1, PTE_P | PTE_W | PTE_U, WR, 3, "ok final+0x128 l2:1ad" },
	{ NPT4, 1, 1, PTE_P | PTE_W | PTE_U, 1, 0, RD, 0, "#PF(0x0) nested:11ad" },
	/* APM 15.25.6: the order */
	{ NPT4, FINAL, 1, 0, 1, 0, RD, 0, "#PF(0x0)" },
	{ NPT4, FINAL, 1, 0, 1, NPTF & ~PTE_W, WR, 3, "#PF(0x7)" },
	{ NPT4, 2, 1, 0, 3, 0, RD, 3, "#PF(0x4)" },
	{ NPT4, 2, 1, 0, 1, 0, RD, 3, "npf 0x200000006 at pt2+0x20" },
	{ NPT4, 2, 1, 0, 3, NPTF | B(48), RD, 3, "#PF(0xd)" },
	/* APM 15.25.10: PDPTEs are read at the walk */
	{ NPT4_L2_PAE, 3, 1, NPTF & ~PTE_W, NO_L2, RD, 0, "npf 0x200000007 at pt3+0x8" },
	{ NPT4_L2_PAE, 3, 1, PTE_P | PTE_W | PTE_U, NO_L2, RD, 0, "ok final+0x128 nested:31ad" },
	{ NPT4_L2_PAE, SAME, 3, PTE_P | B(1), RD, 0, "#PF(0x9)" },
	{ NPT4_L2_PAE, SAME, 3, 0, RD, 3, "#PF(0x4)" },
	/* CR0.PG=0 in L2; addresses that the tables do not translate (the manual: nothing) */
	{ NPT4_L2_NOPG, FINAL, 1, 0, NO_L2, WR, 0, "npf 0x100000006 at final+0x128" },
	{ NPT4_52, SAME, 1, NPTF | B(48), RD, 0, "npf 0x100000004 ?0x9 at 0x1030180c06128" },
	{ NPT_PAE_L2_4, SAME, 1, NPTF | B(32), RD, 0, "npf 0x100000004 ?0x9 at 0x180c06128" },

	/* SDM table 28-7: bits 2:0, 5:3, 7, 8, and 11:9 of a user, read/write, executable page */
	{ EPT4, SAME, NO_L2, WR, 3, "ok final+0x128" },
	{ EPT4, FINAL, 1, 0, NO_L2, RD, 0, "violation 0x781 ?0x40 at final+0x128" },
	{ EPT4, FINAL, 1, 0, NO_L2, WR, 0, "violation 0x782 ?0x40 at final+0x128" },
	{ EPT4, FINAL, 1, 0, NO_L2, IF, 3, "violation 0x784 ?0x40 at final+0x128" },
	{ EPT4, FINAL, 2, 0, NO_L2, RD, 0, "violation 0x781 ?0x40 at final+0x128" },
	{ EPT4, FINAL, 1, FULL | EPT_R, NO_L2, WR, 0, "violation 0x78a ?0x40 at final+0x128" },
	{ EPT4, FINAL, 1, FULL | EPT_R | EPT_W, NO_L2, IF, 0, "violation 0x79c ?0x40 at final+0x128" },
	{ EPT4, FINAL, 1, FULL | EPT_X, NO_L2, RD, 0, "violation 0x7a1 ?0x40 at final+0x128" },
	{ EPT4, FINAL, 1, FULL | EPT_X, NO_L2, IF, 0, "ok final+0x128" },
	{ EPT4, FINAL, 3, EPT_A | EPT_R | EPT_X, NO_L2, WR, 0, "violation 0x7aa ?0x40 at final+0x128" },
	{ EPT4, FINAL, 1, 0, 1, NPTF | PTE_NX, RD, 0, "violation 0xf81 ?0x40 at final+0x128" },
	{ EPT4, FINAL, 1, 0, 1, NPTF & ~PTE_W, RD, 0, "violation 0x381 ?0x40 at final+0x128" },
	{ EPT4, FINAL, 1, 0, 2, NPTF & ~PTE_U, RD, 0, "violation 0x581 ?0x40 at final+0x128" },
	{ EPT4_BARE, FINAL, 1, 0, NO_L2, RD, 0, "violation 0x181 ?0xe40 at final+0x128" },
	{ EPT4_L2_NOPG, FINAL, 1, 0, NO_L2, IF, 0, "violation 0x784 ?0x40 at final+0x128" },
	{ EPT4_IRET, FINAL, 1, 0, NO_L2, RD, 0, "violation 0x1781 ?0x40 at final+0x128" },
	{ EPT4_IRET, 1, 1, 0, NO_L2, RD, 0, "violation 0x1083 ?0xe40 at pt1+0x28" },
	{ EPT4_NMI_UNDEFINED, FINAL, 1, 0, NO_L2, RD, 0, "violation 0x781 ?0x1040 at final+0x128" },
	/* Accesses to L2's tables: reads, or reads and writes with A/D flags for EPT */
	{ EPT4, 1, 1, 0, NO_L2, RD, 0, "violation 0x83 ?0xe40 at pt1+0x28" },
	{ EPT4, 4, 1, 0, NO_L2, IF, 3, "violation 0x83 ?0xe40 at pt4+0x10" },
	{ EPT4, 1, 1, FULL | EPT_R, NO_L2, RD, 0, "violation 0x8b ?0xe40 at pt1+0x28" },
	{ EPT4, 3, 2, EPT_A | EPT_R | EPT_X, NO_L2, RD, 0, "violation 0xab ?0xe40 at pt3+0x18" },
	{ EPT4_NO_AD, 1, 1, FULL | EPT_R, NO_L2, WR, 0, "ok final+0x128" },
	{ EPT4_NO_AD, 1, 1, 0, NO_L2, WR, 0, "violation 0x81 ?0xe40 at pt1+0x28" },
	{ EPT4_NO_AD, 1, 1, FULL | EPT_X, NO_L2, IF, 0, "violation 0xa1 ?0xe40 at pt1+0x28" },
	{ EPT5, 5, 1, 0, NO_L2, RD, 0, "violation 0x83 ?0xe40 at pt5+0x8" },
	{ EPT4_L2_PAE, 2, 1, 0, NO_L2, RD, 0, "violation 0x83 ?0xe40 at pt2+0x20" },
	{ EPT4_L2_PAE, 3, 1, 0, NO_L2, RD, 0, "ok final+0x128" },
	/* SDM 29.3.3.2: setting A or D in L2's tables is a write; bit 0 of a read-modify-write is open */
	{ EPT4_NO_AD, 1, 1, FULL | EPT_R | EPT_X, 1, NPTF & ~PTE_A, RD, 0,
	  "violation 0xaa ?0xe41 at pt1+0x28" },
	{ EPT4_NO_AD, 1, 1, FULL | EPT_R | EPT_X, 1, NPTF & ~PTE_D, WR, 0,
	  "violation 0xaa ?0xe41 at pt1+0x28" },
	{ EPT4_NO_AD, 1, 1, FULL | EPT_R | EPT_X, 1, NPTF & ~PTE_D, RD, 0, "ok final+0x128" },
	{ EPT4_NO_AD, 1, 1, FULL | EPT_R | EPT_X, 1, NPTF & ~(PTE_A | PTE_W), WR, 3,
	  "#PF(0x7) also violation 0xaa ?0xe41 at pt1+0x28" },
	{ EPT4_NO_AD, 1, 1, FULL | EPT_R, 1, 0, WR, 3, "#PF(0x6)" },
	/* SDM 29.3.3.1: misconfigurations; not present outranks them, they outrank rights */
	{ EPT4, FINAL, 1, FULL | EPT_W, NO_L2, RD, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 1, FULL | EPT_W | EPT_X, NO_L2, RD, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 4, EPT_A | EPT_W, NO_L2, RD, 0, "misconfig at final+0x128" },
	{ EPT4_BARE, FINAL, 1, FULL | EPT_X, NO_L2, IF, 0, "misconfig at final+0x128" },
	{ EPT4_BARE, 2, 1, FULL | EPT_X, NO_L2, IF, 0, "misconfig at pt2+0x20" },
	{ EPT4, FINAL, 1, RWX | AD | MT(0), NO_L2, RD, 0, "ok final+0x128" },
	{ EPT4, FINAL, 1, RWX | AD | MT(1), NO_L2, RD, 0, "ok final+0x128" },
	{ EPT4, FINAL, 1, RWX | AD | MT(2), NO_L2, RD, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 1, RWX | AD | MT(3), NO_L2, RD, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 1, RWX | AD | MT(4), NO_L2, RD, 0, "ok final+0x128" },
	{ EPT4, FINAL, 1, RWX | AD | MT(5), NO_L2, RD, 0, "ok final+0x128" },
	{ EPT4, FINAL, 1, RWX | AD | MT(7), NO_L2, RD, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 2, RWX | AD | MT(7) | EPT_PS, NO_L2, RD, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 1, EPT_R | AD | MT(7), NO_L2, WR, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 1, RWX | FULL | B(46), NO_L2, RD, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 1, RWX | FULL | B(51), NO_L2, RD, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 1, RWX | FULL | B(7) | B(11) | BITS_ULL(63, 52) | EPT_IPAT, NO_L2, RD, 0,
	  "ok final+0x128" },
	{ EPT4, FINAL, 1, FULL | B(46) | MT(7), NO_L2, RD, 0, "violation 0x781 ?0x40 at final+0x128" },
	{ EPT4, FINAL, 4, RWX | EPT_A | B(3), NO_L2, RD, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 4, RWX | EPT_A | EPT_PS, NO_L2, RD, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 3, RWX | EPT_A | B(6), NO_L2, RD, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 2, RWX | EPT_A | B(5), NO_L2, RD, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 2, RWX | EPT_A | B(9) | B(11), NO_L2, RD, 0, "ok final+0x128" },
	{ EPT4, FINAL, 2, RWX | FULL | EPT_PS, NO_L2, WR, 0, "ok final+0x128" },
	{ EPT4, FINAL, 2, RWX | FULL | EPT_PS | B(12), NO_L2, WR, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 2, RWX | FULL | EPT_PS | B(20), NO_L2, WR, 0, "misconfig at final+0x128" },
	{ EPT4, FINAL, 3, RWX | FULL | EPT_PS, NO_L2, WR, 0, "ok final+0x128" },
	{ EPT4, FINAL, 3, RWX | FULL | EPT_PS | B(29), NO_L2, WR, 0, "misconfig at final+0x128" },
	{ EPT4_2M, FINAL, 2, RWX | FULL | EPT_PS, NO_L2, WR, 0, "ok final+0x128" },
	{ EPT4_2M, FINAL, 3, RWX | FULL | EPT_PS, NO_L2, WR, 0, "misconfig at final+0x128" },
	{ EPT4_BARE, FINAL, 2, RWX | FULL | EPT_PS, NO_L2, WR, 0, "misconfig at final+0x128" },
	{ EPT5, FINAL, 5, RWX | EPT_A | EPT_PS, NO_L2, RD, 0, "misconfig at pt5+0x8" },
	/* SDM 29.3.3.2 with MBEC: U/S of the page says which bit counts, not the CPL */
	{ EPT4_MBEC, FINAL, 1, 0, NO_L2, RD, 0, "violation 0x781 at final+0x128" },
	{ EPT4_MBEC, FINAL, 1, FULL | RWX, NO_L2, IF, 3, "violation 0x7bc at final+0x128" },
	{ EPT4_MBEC, FINAL, 1, FULL | RWX, NO_L2, IF, 0, "violation 0x7bc at final+0x128" },
	{ EPT4_MBEC, FINAL, 1, FULL | RWX, 1, NPTF & ~PTE_U, IF, 0, "ok final+0x128" },
	{ EPT4_MBEC, FINAL, 1, FULL | EPT_R | EPT_W | EPT_XU, 1, NPTF & ~PTE_U, IF, 0,
	  "violation 0x5dc at final+0x128" },
	{ EPT4_MBEC, FINAL, 1, FULL | EPT_R | EPT_W | EPT_XU, NO_L2, IF, 0, "ok final+0x128" },
	{ EPT4_MBEC, FINAL, 1, FULL | EPT_XU, NO_L2, RD, 0, "violation 0x7c1 at final+0x128" },
	{ EPT4_MBEC, FINAL, 1, FULL | EPT_XU, NO_L2, IF, 3, "ok final+0x128" },
	{ EPT4_MBEC_BARE, FINAL, 1, FULL | EPT_XU, NO_L2, IF, 3, "misconfig at final+0x128" },
	{ EPT4, FINAL, 1, FULL | EPT_XU, NO_L2, RD, 0, "violation 0x781 ?0x40 at final+0x128" },
	/* SDM 29.3.5 */
	{ EPT4, FINAL, 1, RWX | WB, NO_L2, RD, 0, "ok final+0x128 nested:f1a" },
	{ EPT4, FINAL, 1, RWX | WB, NO_L2, WR, 0, "ok final+0x128 nested:f1ad" },
	{ EPT4, 1, 1, RWX | WB, NO_L2, RD, 0, "ok final+0x128 nested:11ad" },
	{ EPT4, FINAL, 4, RWX, NO_L2, WR, 0, "ok final+0x128 nested:f4a" },
	{ EPT4_NO_AD, FINAL, 1, RWX | WB, NO_L2, WR, 0, "ok final+0x128" },
	{ EPT4, FINAL, 2, RWX | WB | EPT_PS, NO_L2, WR, 0, "ok final+0x128 nested:f2ad" },
	/* SDM 29.3.3.3: the order; addresses beyond 48 bits */
	{ EPT4, FINAL, 1, 0, 1, 0, RD, 0, "#PF(0x0)" },
	{ EPT4, FINAL, 1, 0, 1, NPTF & ~PTE_W, WR, 3, "#PF(0x7)" },
	{ EPT4, 2, 1, 0, 3, 0, RD, 3, "#PF(0x4)" },
	{ EPT4, 2, 1, FULL | EPT_W, 1, 0, RD, 3, "misconfig at pt2+0x20" },
	{ EPT4_52, SAME, 1, NPTF | B(48), RD, 0, "violation 0x781 ?0x40 at 0x1030180c06128" },
	{ EPT5, FINAL, 1, 0, NO_L2, RD, 0, "violation 0x781 ?0x40 at final+0x128" },
};

#endif
