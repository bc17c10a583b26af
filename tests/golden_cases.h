/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cases with literal answers, taken from the manuals by hand.
 *
 * The two walkers share the tables of paging.c, so a slip there would leave them in
 * agreement; these answers are written down, not computed.  Each line names what it
 * pins down.  Entries not given are full (p,w,u,a,d; a PAE PDPTE: p).
 */
#ifndef KMC_GOLDEN_CASES_H
#define KMC_GOLDEN_CASES_H

#include "page_table.h"

#define GOLDEN_ALL .lm = true, .nx = true, .smep = true, .smap = true, .pku = true, .la57 = true

static const struct cpu_facts golden_intel = { VENDOR_INTEL, 46, GOLDEN_ALL, .gbpages = true,
					       .pse36 = true };
static const struct cpu_facts golden_amd = { VENDOR_AMD, 48, GOLDEN_ALL, .gbpages = true,
					     .pse36 = true };
static const struct cpu_facts golden_small = { VENDOR_INTEL, 36, GOLDEN_ALL, .gbpages = false,
					       .pse36 = true };
static const struct cpu_facts golden_39 = { VENDOR_INTEL, 39, GOLDEN_ALL, .gbpages = true,
					    .pse36 = true };
static const struct cpu_facts golden_no_pse36 = { VENDOR_INTEL, 40, GOLDEN_ALL, .gbpages = true,
						  .pse36 = false };

/* Full entries, to keep the lines readable. */
#define F "p,w,u,a,d"
#define L4(e4, e3, e2, e1) "4=" e4 "/3=" e3 "/2=" e2 "/1=" e1
#define L5(e5, e4, e3, e2, e1) "5=" e5 "/" L4(e4, e3, e2, e1)
#define PAE(e3, e2, e1) "3=" e3 "/2=" e2 "/1=" e1
#define L2(e2, e1) "2=" e2 "/1=" e1

static const struct golden {
	const struct cpu_facts *cpu;
	const char *id;
	const char *expected; /* outcome, and " ad=" with the bits that must be newly set */
	u64 gva;              /* if not 0: this address instead of the case's */
} golden_cases[] = {
	/* SDM 3A 4.1.1: the modes */
	{ &golden_intel, "nopg/wp,smep,nx/cpl3/write", "ok page=0x1000000", 0 },
	{ &golden_intel, "2level/-/cpl0/read/" L2(F, F), "ok page=0x1000000", 0 },
	{ &golden_intel, "pae/-/cpl0/read/" PAE("p", F, F), "ok page=0x1000000", 0 },
	{ &golden_intel, "4level/-/cpl0/read/" L4(F, F, F, F), "ok page=0x1000000", 0 },
	{ &golden_intel, "5level/-/cpl0/read/" L5(F, F, F, F, F), "ok page=0x1000000", 0 },
	/* SDM 3A 4.5.2: canonical addresses, 48 and 57 bits */
	{ &golden_intel, "4level/-/cpl0/read/" L4(F, F, F, F), "#GP(0)", 1ULL << 47 },
	{ &golden_intel, "5level/-/cpl0/read/" L5(F, F, F, F, F), "#GP(0)", 1ULL << 56 },
	/* SDM 3A 4.7: not present outranks everything below; W, U and I/D tell the access */
	{ &golden_intel, "4level/wp/cpl3/write/" L4("w,u,a,d", F, F, F), "#PF(w,u)", 0 },
	{ &golden_intel, "4level/nx/cpl0/fetch/" L4(F, F, "0", F), "#PF(fetch)", 0 },
	{ &golden_intel, "4level/-/cpl0/fetch/" L4(F, F, "0", F), "#PF(0)", 0 },
	{ &golden_intel, "2level/nx/cpl0/fetch/" L2("0", F), "#PF(0)", 0 },
	{ &golden_intel, "2level/smep/cpl3/fetch/" L2("0", F), "#PF(u,fetch)", 0 },
	{ &golden_intel, "pae/nx/cpl0/fetch/" PAE("0", F, F), "#PF(fetch)", 0 },
	/* SDM 3A 4.7: reserved bits imply P=1 and outrank missing rights */
	{ &golden_intel, "4level/wp/cpl3/write/" L4(F, F, F, "p,a,d,b51"), "#PF(p,w,u,rsvd)", 0 },
	{ &golden_intel, "4level/nx/cpl0/read/" L4(F, F, F, F ",b46"), "#PF(p,rsvd)", 0 },
	{ &golden_intel, "4level/nx/cpl0/read/" L4(F, F, F, F ",b45"), "ok page=0x200001000000", 0 },
	{ &golden_intel, "4level/nx/cpl0/read/" L4(F, F, F, F ",b52"), "ok page=0x1000000", 0 },
	{ &golden_small, "pae/nx/cpl0/read/" PAE("p", F, F ",b36"), "#PF(p,rsvd)", 0 },
	{ &golden_small, "pae/nx/cpl0/read/" PAE("p", F, F ",b62"), "#PF(p,rsvd)", 0 },
	{ &golden_intel, "4level/-/cpl0/read/" L4(F, F, F, F ",nx"), "#PF(p,rsvd)", 0 },
	{ &golden_intel, "pae/-/cpl0/read/" PAE("p", F ",nx", F), "#PF(p,rsvd)", 0 },
	{ &golden_intel, "4level/-/cpl0/read/" L4(F ",ps", F, F, F), "#PF(p,rsvd)", 0 },
	{ &golden_intel, "5level/-/cpl0/read/" L5(F ",ps", F, F, F, F), "#PF(p,rsvd)", 0 },
	{ &golden_amd, "4level/-/cpl0/read/" L4(F ",g", F, F, F), "#PF(p,rsvd)", 0 },
	{ &golden_intel, "4level/-/cpl0/read/" L4(F ",g", F, F, F), "ok page=0x1000000", 0 },
	{ &golden_amd, "4level/-/cpl0/read/" L4(F, F ",g", F, F), "ok page=0x1000000", 0 },
	{ &golden_intel, "4level/-/cpl0/read/" L4(F, F, F ",ps,b13", F), "#PF(p,rsvd)", 0 },
	{ &golden_intel, "4level/-/cpl0/read/" L4(F, F, F ",ps,pat", F), "ok page=0x1400000", 0 },
	{ &golden_intel, "4level/-/cpl0/read/" L4(F, F ",ps,b29", F, F), "#PF(p,rsvd)", 0 },
	{ &golden_intel, "4level/-/cpl0/read/" L4(F, F ",ps", F, F), "ok page=0x40000000", 0 },
	{ &golden_small, "4level/-/cpl0/read/" L4(F, F ",ps", F, F), "#PF(p,rsvd)", 0 },
	/* SDM 3A 4.3: 4-MByte pages */
	{ &golden_intel, "2level/pse/cpl0/read/" L2(F ",ps", F), "ok page=0x1400000", 0 },
	{ &golden_intel, "2level/-/cpl0/read/" L2(F ",ps", F), "ok page=0x1000000", 0 },
	{ &golden_intel, "2level/pse/cpl0/read/" L2(F ",ps,b20", F), "ok page=0x8001400000", 0 },
	{ &golden_intel, "2level/pse/cpl0/read/" L2(F ",ps,b21", F), "#PF(p,rsvd)", 0 },
	{ &golden_small, "2level/pse/cpl0/read/" L2(F ",ps,b16", F), "ok page=0x801400000", 0 },
	{ &golden_small, "2level/pse/cpl0/read/" L2(F ",ps,b17", F), "#PF(p,rsvd)", 0 },
	{ &golden_39, "2level/pse/cpl0/read/" L2(F ",ps,b19", F), "ok page=0x4001400000", 0 },
	{ &golden_39, "2level/pse/cpl0/read/" L2(F ",ps,b20", F), "#PF(p,rsvd)", 0 },
	{ &golden_39, "4level/nx/cpl0/read/" L4(F, F, F, F ",b39"), "#PF(p,rsvd)", 0 },
	{ &golden_39, "4level/nx/cpl0/read/" L4(F, F, F, F ",b38"), "ok page=0x4001000000", 0 },
	{ &golden_39, "4level/nx/cpl0/read/" L4(F, F ",b39", F, F), "#PF(p,rsvd)", 0 },
	{ &golden_no_pse36, "2level/pse/cpl0/read/" L2(F ",ps,b13", F), "#PF(p,rsvd)", 0 },
	/* SDM 3A 4.6.1: rights are those that every level grants */
	{ &golden_intel, "4level/-/cpl3/read/" L4(F, F, F, "p,w,a,d"), "#PF(p,u)", 0 },
	{ &golden_intel, "4level/-/cpl3/read/" L4("p,w,a,d", F, F, F), "#PF(p,u)", 0 },
	{ &golden_intel, "4level/-/cpl3/write/" L4(F, "p,u,a,d", F, F), "#PF(p,w,u)", 0 },
	{ &golden_intel, "4level/-/cpl0/write/" L4(F, F, F, "p,u,a,d"), "ok page=0x1000000", 0 },
	{ &golden_intel, "4level/wp/cpl0/write/" L4(F, F, F, "p,u,a,d"), "#PF(p,w)", 0 },
	{ &golden_intel, "4level/nx/cpl0/fetch/" L4(F, F, F ",nx", F), "#PF(p,fetch)", 0 },
	{ &golden_intel, "4level/nx/cpl3/fetch/" L4(F, F, F, F ",nx"), "#PF(p,u,fetch)", 0 },
	{ &golden_intel, "4level/nx/cpl0/read/" L4(F, F, F, F ",nx"), "ok page=0x1000000", 0 },
	{ &golden_intel, "4level/smep/cpl0/fetch/" L4(F, F, F, F), "#PF(p,fetch)", 0 },
	{ &golden_intel, "4level/smep/cpl0/fetch/" L4("p,w,a,d", F, F, F), "ok page=0x1000000", 0 },
	{ &golden_intel, "4level/smap/cpl0/read/" L4(F, F, F, F), "#PF(p)", 0 },
	{ &golden_intel, "4level/smap/cpl0-ac/read/" L4(F, F, F, F), "ok page=0x1000000", 0 },
	{ &golden_intel, "4level/smap/cpl0-ac/ldt/" L4(F, F, F, F), "#PF(p)", 0 },
	{ &golden_intel, "4level/smap/cpl3-ac/ldt/" L4(F, F, F, F), "#PF(p)", 0 },
	{ &golden_intel, "4level/-/cpl3/ldt/" L4(F, F, F, "p,w,a,d"), "ok page=0x1000000", 0 },
	{ &golden_intel, "4level/smap/cpl0/fetch/" L4(F, F, F, F), "ok page=0x1000000", 0 },
	/* SDM 3A 4.6.2: key 1 is AD, key 2 WD, key 3 both */
	{ &golden_intel, "4level/pke/cpl3/read/" L4(F, F, F, F ",pk1"), "#PF(p,u,pk)", 0 },
	{ &golden_intel, "4level/-/cpl3/read/" L4(F, F, F, F ",pk1"), "ok page=0x1000000", 0 },
	{ &golden_intel, "4level/pke/cpl0/read/" L4(F, F, F, F ",pk1"), "#PF(p,pk)", 0 },
	{ &golden_intel, "4level/pke/cpl0/read/" L4(F, F, F, "p,w,a,d,pk1"), "ok page=0x1000000", 0 },
	{ &golden_intel, "4level/pke/cpl3/fetch/" L4(F, F, F, F ",pk1"), "ok page=0x1000000", 0 },
	{ &golden_intel, "4level/pke/cpl3/write/" L4(F, F, F, F ",pk2"), "#PF(p,w,u,pk)", 0 },
	{ &golden_intel, "4level/pke/cpl0/write/" L4(F, F, F, F ",pk2"), "ok page=0x1000000", 0 },
	{ &golden_intel, "4level/wp,pke/cpl0/write/" L4(F, F, F, F ",pk2"), "#PF(p,w,pk)", 0 },
	{ &golden_intel, "4level/pke/cpl3/write/" L4(F, F, F, "p,u,a,d,pk1"), "#PF(p,w,u,pk)", 0 },
	{ &golden_intel, "pae/pke/cpl3/read/" PAE("p", F, F), "ok page=0x1000000", 0 },
	/* SDM 3A 4.8: accessed and dirty */
	{ &golden_intel, "4level/-/cpl3/write/" L4("p,w,u", "p,w,u", "p,w,u", "p,w,u"),
	  "ok page=0x1000000 ad=4a3a2a1ad", 0 },
	{ &golden_intel, "4level/-/cpl3/read/" L4(F, F, "p,w,u", "p,w,u"),
	  "ok page=0x1000000 ad=2a1a", 0 },
	{ &golden_intel, "4level/-/cpl3/write/" L4(F, F, "p,w,u,ps", F), "ok page=0x1400000 ad=2ad", 0 },
	{ &golden_intel, "4level/-/cpl3/write/" L4(F, F, "p,w,u", "p,u"), "#PF(p,w,u)", 0 },
};

#undef F
#undef L4
#undef L5
#undef PAE
#undef L2

#endif
