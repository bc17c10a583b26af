/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Steps of mixed_role_test: the guest's tables and their edits.  The hashes are those of
 * KVM's fixes of what each would catch.
 *
 * Indices of a linear address VA: 8-byte entries PML4 VA>>39, PDPT VA>>30, PD VA>>21,
 * PT VA>>12 (512 each); 4-byte entries PD VA>>22, PT VA>>12 (1024 each).
 */
#ifndef KMC_MIXED_TABLES_H
#define KMC_MIXED_TABLES_H

#include "mixed_role.h"

/*
 * One page is a PT of 4-byte entries for one vCPU and of 8-byte entries for others (00a669780ffa,
 * 2640b0865395).  Entry 2i of the one is the low half of entry i of the others.
 */
static const struct mixed_step two_formats[] = {
	PUT4(ROOT_PD(0), 0x100, TABLE(0) | E_RW),
	MAP_PD_AND_PT,
	PUT8(TABLE(0), 1, DATA(0) | E_RW),
	PUT8(TABLE(0), 2, DATA(1) | E_RO),
	PUT8(TABLE(0), 3, DATA(2) | E_SRW),
	LOOK(EVERYONE),
	SET4(0, TABLE(0), 2, DATA(3) | E_RO),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	SET8(1, TABLE(0), 2, DATA(4) | E_RW),
	INVLPG(EVERYONE, 0x40002000),
	INVLPG(EVERYONE, 0x40004000),
	LOOK(EVERYONE),
	/* Not present for the one (P is bit 0 of an odd entry), NX for the others. */
	SET8(2, TABLE(0), 3, DATA(5) | E_RW | PTE_NX),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	/* A page for the one, reserved address bits (or a hole) for the others. */
	SET4(0, TABLE(0), 3, DATA(6) | E_RW),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
};

/* The same page as PT of one vCPU, PD of another and PDPT of a third (ddc16abbbae9). */
static const struct mixed_step one_page_every_level[] = {
	PUT4(ROOT_PD(0), 0x100, TABLE(0) | E_RW),
	PUT8(ROOT_PAE(0), 1, TABLE(3) | E_PAE),
	PUT8(ROOT_PAE(0), 2, TABLE(0) | E_PAE),
	PUT8(ROOT_PDPT(0), 1, TABLE(3) | E_RW),
	PUT8(ROOT_PDPT(0), 2, TABLE(0) | E_RW),
	PUT8(ROOT_PML4(0), 1, TABLE(0) | E_RW),
	PUT8(TABLE(3), 0, TABLE(0) | E_RW),
	/* Table 0, 1, 2 lead to each other; where a walk is at its end they are data. */
	PUT8(TABLE(0), 5, TABLE(1) | E_RW),
	PUT8(TABLE(1), 5, TABLE(2) | E_RW),
	PUT8(TABLE(2), 5, DATA(0) | E_RW),
	/* Something to read there: entry 0, not present. */
	PUT8(TABLE(1), 0, 0x1111000),
	PUT8(TABLE(2), 0, 0x2222000),
	LOOK(EVERYONE),
	/* A vCPU for which table 1 is data writes what is a table for the others. */
	STORE(0, 0x40005028, DATA(1) | E_RO),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	STORE(0, 0x40005028, TABLE(2) | E_RO),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	SET8(1, TABLE(0), 5, 0),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	SET8(2, TABLE(0), 5, TABLE(1) | E_SRW),
	LOOK(EVERYONE),
};

/* Parents with different rights share a PD, PTs and pages (b1bd5cba3306, CVE-2021-38198). */
static const struct mixed_step shared_pd[] = {
	PUT8(ROOT_PDPT(0), 1, TABLE(0) | E_RW),
	PUT8(ROOT_PDPT(0), 2, TABLE(0) | E_RO),
	PUT8(ROOT_PDPT(0), 3, TABLE(0) | E_SRW),
	PUT8(ROOT_PML4(0), 1, TABLE(3) | E_RO),
	PUT8(TABLE(3), 0, TABLE(0) | E_RW),
	PUT8(TABLE(0), 0, TABLE(1) | E_RW),
	PUT8(TABLE(0), 1, TABLE(1) | E_RO),
	PUT8(TABLE(1), 1, DATA(0) | E_RW),
	PUT8(TABLE(1), 2, DATA(1) | E_RO),
	PUT8(TABLE(1), 3, DATA(2) | E_SRW),
	LOOK(EVERYONE),
	SET8(1, ROOT_PDPT(0), 1, TABLE(0) | E_RO),
	SET8(1, ROOT_PDPT(0), 2, TABLE(0) | E_RW),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
};

/* The same with rights that differ between roots: what one vCPU may, the other may not. */
static const struct mixed_step two_roots[] = {
	PUT8(ROOT_PDPT(0), 1, TABLE(0) | E_RW),
	PUT8(ROOT_PDPT(1), 1, TABLE(0) | E_RO),
	PUT8(ROOT_PML4(1), 0, ROOT_PDPT(1) | E_RW),
	PUT8(ROOT_PAE(0), 1, TABLE(0) | E_PAE),
	PUT8(ROOT_PAE(1), 1, TABLE(2) | E_PAE),
	PUT8(TABLE(0), 0, TABLE(1) | E_RW),
	PUT8(TABLE(2), 0, TABLE(1) | E_SRO),
	PUT8(TABLE(1), 1, DATA(0) | E_RW),
	PUT8(TABLE(1), 2, DATA(1) | E_RO),
	LOOK(EVERYONE),
	SET8(1, ROOT_PDPT(1), 1, TABLE(2) | E_RW),
	SET8(0, ROOT_PDPT(0), 1, TABLE(0) | E_SRW),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	SET8(2, TABLE(1), 1, DATA(2) | (E_RW & ~PTE_D)),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
};

/* The same with 4-byte entries; the table's halves are different shadow pages (quadrants). */
static const struct mixed_step shared_pt_2level[] = {
	PUT4(ROOT_PD(0), 0x100, TABLE(0) | E_RW),
	PUT4(ROOT_PD(0), 0x101, TABLE(0) | E_RO),
	PUT4(ROOT_PD(0), 0x200, TABLE(0) | E_SRW),
	PUT4(ROOT_PD(0), 0x300, TABLE(0) | E_RO),
	PUT4(TABLE(0), 0x001, DATA(0) | E_RW),
	PUT4(TABLE(0), 0x002, DATA(1) | E_RO),
	PUT4(TABLE(0), 0x003, DATA(2) | E_SRW),
	PUT4(TABLE(0), 0x201, DATA(3) | E_RW),
	PUT4(TABLE(0), 0x202, DATA(4) | E_RO),
	LOOK(EVERYONE),
	SET4(0, TABLE(0), 0x201, DATA(5) | E_RO),
	SET4(1, TABLE(0), 0x001, DATA(6) | E_SRW),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	/* Directory entries 1 GiB apart lie in different quadrants of the root. */
	SET4(2, ROOT_PD(0), 0x300, TABLE(0) | E_RW),
	SET4(2, ROOT_PD(0), 0x100, TABLE(0) | E_SRW),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
};

/* Bit 7 of a PDE maps 4 MiB for one vCPU and means nothing for the other (4e9c0d80dbbd). */
static const struct mixed_step pse_on_and_off[] = {
	PUT4(ROOT_PD(0), 0x100, BIG(0x800000) | E_RW | PTE_PS),
	PUT4(ROOT_PD(0), 0x200, BIG(0x800000) | E_RO | PTE_PS),
	PUT4(BIG(0x800000), 1, DATA(0) | E_RW),
	PUT4(BIG(0x800000), 0x201, DATA(1) | E_RO),
	LOOK(EVERYONE),
	SET4(0, ROOT_PD(0), 0x200, BIG(0x800000) | E_SRW | PTE_PS),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
};

/* A read-only user page becomes writable, but not executable, for WP=0 (844a5fe219cf). */
static const struct mixed_step smep_without_wp[] = {
	PUT4(ROOT_PD(0), 0x100, TABLE(2) | E_RW),
	MAP_PD_AND_PT,
	PUT8(TABLE(0), 1, DATA(0) | E_RO),
	PUT8(TABLE(0), 2, DATA(1) | E_RW),
	PUT8(TABLE(0), 3, DATA(2) | E_SRO),
	PUT4(TABLE(2), 1, DATA(0) | E_RO),
	PUT4(TABLE(2), 2, DATA(1) | E_RW),
	PUT4(TABLE(2), 3, DATA(2) | E_SRO),
	LOOK(EVERYONE),
	LOOK(EVERYONE),
};

/* Bit 63 forbids fetches for one vCPU and is reserved for the other. */
static const struct mixed_step nx_on_and_off[] = {
	MAP_PD_AND_PT,
	PUT8(TABLE(0), 1, DATA(0) | E_RW | PTE_NX),
	PUT8(TABLE(0), 2, DATA(1) | E_RW),
	LOOK(EVERYONE),
	LOOK(EVERYONE),
};

/* A table that maps itself is written through itself (258d985f6eb3). */
#define RECURSIVE(a, b, c, d) ((u64)(a) << 39 | (u64)(b) << 30 | (u64)(c) << 21 | (u64)(d) << 12)
static const struct mixed_step recursive_pml4[] = {
	PUT8(ROOT_PML4(0), 2, ROOT_PML4(0) | E_RW),
	PUT8(ROOT_PDPT(0), 1, TABLE(1) | E_RW),
	PUT8(TABLE(1), 0, TABLE(0) | E_RW),
	PUT8(TABLE(0), 1, DATA(0) | E_RW),
	PUT8(TABLE(0), 2, DATA(1) | E_RW),
	PUT8(TABLE(0), 8, TABLE(0) | (E_RW & ~(PTE_A | PTE_D))),
	LOOK(EVERYONE),
	/* Through the recursive entry; A and D of what is written now are to be set later. */
	STORE(0, RECURSIVE(2, 0, 1, 0) + 8 * 1, DATA(2) | E_RO),
	STORE(1, RECURSIVE(2, 0, 1, 0) + 8 * 2, DATA(3) | (E_RW & ~(PTE_A | PTE_D))),
	INVLPG(EVERYONE, 0x40001000),
	INVLPG(EVERYONE, 0x40002000),
	LOOK(EVERYONE),
	/* The PT through its own entry 8, then that entry itself: read-only from now on. */
	STORE(2, 0x40008000 + 8 * 3, DATA(4) | E_RW),
	STORE(0, 0x40008000 + 8 * 8, TABLE(0) | E_RO),
	INVLPG(EVERYONE, 0x40008000),
	STORE(0, 0x40008000 + 8 * 1, DATA(5) | E_RW),
	STORE(1, 0x40008000 + 8 * 2, DATA(6) | E_RO),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	/* The PML4 through itself: everything else but the agent goes, and comes back. */
	STORE(0, RECURSIVE(2, 2, 2, 2) + 8 * 2, ROOT_PML4(0) | (E_SRW & ~PTE_D)),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
};

static const struct mixed_step recursive_pd[] = {
	PUT4(ROOT_PD(0), 0x200, ROOT_PD(0) | E_RW),
	PUT4(ROOT_PD(0), 0x100, TABLE(2) | E_RW),
	PUT4(TABLE(2), 1, DATA(0) | E_RW),
	PUT8(ROOT_PAE(0), 1, TABLE(1) | E_PAE),
	PUT8(TABLE(1), 4, TABLE(1) | E_RW),
	PUT8(TABLE(1), 0, TABLE(0) | E_RW),
	PUT8(TABLE(0), 1, DATA(1) | E_RW),
	LOOK(EVERYONE),
	STORE(0, 0x80000000 + 0x100 * 0x1000 + 4 * 1, DATA(2) | (E_RO & ~PTE_A)),
	STORE(2, 0x40800000 + 8 * 1, DATA(3) | (E_RO & ~PTE_A)),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	/* The entry that maps the table, through that entry. */
	STORE(1, 0x80000000 + 0x200 * 0x1000 + 4 * 0x200, ROOT_PD(0) | E_RO),
	STORE(3, 0x40800000 + 4 * 0x1000 + 8 * 4, TABLE(1) | E_RO),
	FLUSH(EVERYONE),
	STORE(0, 0x80000000 + 0x100 * 0x1000 + 4 * 1, DATA(4) | E_RW),
	STORE(2, 0x40800000 + 8 * 1, DATA(4) | E_RW),
	STORE(1, 0x80000000 + 0x100 * 0x1000 + 4 * 1, DATA(5) | E_RW),
	STORE(3, 0x40800000 + 8 * 1, DATA(5) | E_RW),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
};

/* Leaf entries change under everyone, and everyone flushes what he has to (unsync pages). */
static const struct mixed_step edits[] = {
	PUT4(ROOT_PD(0), 0x100, TABLE(0) | E_RW),
	MAP_PD_AND_PT,
	PUT8(TABLE(0), 1, DATA(0) | E_RW),
	PUT8(TABLE(0), 2, DATA(1) | E_RW),
	LOOK(EVERYONE),
	/* Present to not present; by INVLPG. */
	SET8(0, TABLE(0), 1, 0),
	TOUCH(EVERYONE),
	INVLPG(EVERYONE, 0x40001000),
	INVLPG(EVERYONE, 0x40002000),
	LOOK(EVERYONE),
	/* Not present to present: nothing to flush. */
	SET8(1, TABLE(0), 1, DATA(2) | E_RW),
	LOOK(EVERYONE),
	/* Writable to read-only, and another page; each flushes in his own way. */
	SET8(0, TABLE(0), 1, DATA(2) | E_RO),
	SET8(0, TABLE(0), 2, DATA(3) | E_RW),
	TOUCH(EVERYONE),
	FLUSH(0x05),
	INVLPG(0xfa, 0x40001000),
	INVLPG(0xfa, 0x40002000),
	INVLPG(0xfa, 0x40004000),
	LOOK(EVERYONE),
	/* User to supervisor, executable to not. */
	SET8(1, TABLE(0), 1, DATA(2) | E_SRW),
	SET8(1, TABLE(0), 2, DATA(3) | E_RW | PTE_NX),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	SET8(2, TABLE(0), 1, DATA(4) | (E_RW & ~(PTE_A | PTE_D))),
	SET8(2, TABLE(0), 2, DATA(5) | (E_RO & ~PTE_A)),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
};

/*
 * A PT out of step is brought up to date, and what it maps is the same page as before: one
 * that is clean again, so that the next write is to set D; and in the second half of a table
 * of 4-byte entries rights that the first half does not have.
 */
static const struct mixed_step in_step_again[] = {
	PUT4(ROOT_PD(0), 0x100, TABLE(2) | E_RW),
	MAP_PD_AND_PT,
	PUT8(TABLE(0), 1, DATA(0) | E_RW),
	PUT8(TABLE(0), 2, DATA(1) | E_RW),
	PUT4(TABLE(2), 0x001, DATA(0) | E_RW),
	PUT4(TABLE(2), 0x002, DATA(1) | E_RW),
	PUT4(TABLE(2), 0x201, DATA(0) | E_RW),
	PUT4(TABLE(2), 0x202, DATA(1) | E_RO),
	LOOK(EVERYONE),
	SET8(0, TABLE(0), 1, DATA(0) | (E_RW & ~PTE_D)),
	SET8(1, TABLE(0), 2, DATA(1) | (E_RW & ~PTE_D)),
	SET4(2, TABLE(2), 0x001, DATA(0) | (E_RW & ~PTE_D)),
	SET4(3, TABLE(2), 0x002, DATA(1) | (E_RW & ~PTE_D)),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	SET4(2, TABLE(2), 0x201, DATA(0) | E_RO),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	SET4(3, TABLE(2), 0x001, DATA(0) | E_SRW),
	INVLPG(EVERYONE, 0x40001000),
	LOOK(EVERYONE),
};

/* One large page, clean and writable here, read-only there: KVM has pieces for either. */
static const struct mixed_step clean_large_page[] = {
	PUT4(ROOT_PD(0), 0x101, BIG(0x800000) | (E_RW & ~PTE_D) | PTE_PS),
	PUT4(ROOT_PD(0), 0x102, BIG(0x800000) | E_RO | PTE_PS),
	MAP_PD,
	PUT8(TABLE(1), 2, BIG(0x800000) | (E_RW & ~PTE_D) | PTE_PS),
	PUT8(TABLE(1), 4, BIG(0x800000) | E_RO | PTE_PS),
	LOOK(EVERYONE),
	SET8(0, TABLE(1), 4, BIG(0x800000) | (E_SRW & ~PTE_D) | PTE_PS),
	SET4(2, ROOT_PD(0), 0x102, BIG(0x800000) | (E_SRW & ~PTE_D) | PTE_PS),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
};

/* A large page begins with a PT: here its entries are data, there they are in use. */
static const struct mixed_step page_of_entries[] = {
	PUT4(ROOT_PD(0), 0x101, BIG(0x800000) | E_RW | PTE_PS),
	PUT4(ROOT_PD(0), 0x102, BIG(0x800000) | E_RW),
	MAP_PD,
	PUT8(TABLE(1), 2, BIG(0x800000) | E_RW | PTE_PS),
	PUT8(TABLE(1), 4, BIG(0x800000) | E_RW),
	PUT8(BIG(0x800000), 1, DATA(0) | E_RW),
	PUT8(BIG(0x800000), 2, DATA(1) | E_RW),
	PUT8(BIG(0x800000), 3, DATA(2) | E_RW),
	PUT8(BIG(0x800000), 4, DATA(3) | E_RW),
	LOOK(EVERYONE),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
};

/* A vCPU comes to tables that another one has edited since KVM saw them: what it sees is new. */
static const struct mixed_step other_root[] = {
	PUT8(ROOT_PDPT(0), 1, TABLE(1) | E_RW),
	PUT8(ROOT_PAE(0), 1, TABLE(1) | E_PAE),
	PUT8(TABLE(1), 0, TABLE(0) | E_RW),
	PUT8(TABLE(0), 1, DATA(0) | E_RW),
	PUT8(TABLE(0), 2, DATA(1) | E_RW),
	LOOK(EVERYONE),
	SET8(0, TABLE(0), 1, DATA(0) | E_RO),
	SET8(2, TABLE(0), 2, DATA(1) | E_SRO),
	ROOT(0x0a, 0),
	LOOK(0x0a),
	ROOT(0x0a, 1),
	FLUSH(0x05),
	LOOK(EVERYONE),
	SET8(0, TABLE(0), 1, 0),
	SET8(0, TABLE(0), 2, DATA(2) | E_RW),
	ROOT(0x0a, 0),
	LOOK(0x0a),
	FLUSH(0x05),
	LOOK(EVERYONE),
};

/* Nothing but CR4.PGE tells KVM that the tables have changed. */
static const struct mixed_step flushed_by_pge[] = {
	PUT4(ROOT_PD(0), 0x100, TABLE(2) | E_RW),
	MAP_PD_AND_PT,
	PUT8(TABLE(0), 1, DATA(0) | E_RW),
	PUT8(TABLE(0), 2, DATA(1) | E_RW),
	PUT4(TABLE(2), 1, DATA(0) | E_RW),
	PUT4(TABLE(2), 2, DATA(1) | E_RW),
	LOOK(EVERYONE),
	SET8(0, TABLE(0), 1, DATA(0) | E_RO),
	SET8(1, TABLE(0), 2, DATA(2) | E_SRW),
	SET4(2, TABLE(2), 1, DATA(0) | E_RO),
	SET4(2, TABLE(2), 2, DATA(2) | E_SRW),
	PGE(EVERYONE),
	LOOK(EVERYONE),
	SET8(1, TABLE(0), 1, 0),
	SET4(2, TABLE(2), 1, 0),
	PGE(EVERYONE),
	LOOK(EVERYONE),
};

/* Guests switch between two roots, as kernels do between processes: KVM has kept the other. */
static const struct mixed_step cr3_and_back[] = {
	PUT4(ROOT_PD(0), 0x100, TABLE(2) | E_RW),
	PUT4(ROOT_PD(1), 0x100, TABLE(3) | E_RW),
	PUT8(ROOT_PML4(1), 0, ROOT_PDPT(1) | E_RW),
	PUT8(ROOT_PDPT(0), 1, TABLE(1) | E_RW),
	PUT8(ROOT_PDPT(1), 1, TABLE(4) | E_RW),
	PUT8(ROOT_PAE(0), 1, TABLE(1) | E_PAE),
	PUT8(ROOT_PAE(1), 1, TABLE(4) | E_PAE),
	PUT8(TABLE(1), 0, TABLE(0) | E_RW),
	PUT8(TABLE(4), 0, TABLE(5) | E_RW),
	PUT8(TABLE(0), 1, DATA(0) | E_RW),
	PUT8(TABLE(0), 2, DATA(1) | E_RO),
	PUT8(TABLE(5), 1, DATA(2) | E_RO),
	PUT8(TABLE(5), 2, DATA(3) | E_SRW),
	PUT4(TABLE(2), 1, DATA(0) | E_RW),
	PUT4(TABLE(2), 2, DATA(1) | E_RO),
	PUT4(TABLE(3), 1, DATA(2) | E_RO),
	PUT4(TABLE(3), 2, DATA(3) | E_SRW),
	LOOK(EVERYONE),
	CR3(EVERYONE, 1),
	LOOK(EVERYONE),
	CR3(EVERYONE, 0),
	LOOK(EVERYONE),
	/* What is edited is not the root in use. */
	SET8(0, TABLE(5), 1, 0),
	SET8(1, TABLE(5), 2, DATA(3) | E_RW),
	SET4(2, TABLE(3), 1, 0),
	SET4(2, TABLE(3), 2, DATA(3) | E_RW),
	CR3(EVERYONE, 1),
	LOOK(EVERYONE),
	/* With PAE paging the root is CR3 and four registers. */
	SET8(1, ROOT_PAE(1), 1, TABLE(1) | E_PAE),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
};

/* An unsync table is unlinked, edited and linked again: no flush needed (65855ed8b034). */
static const struct mixed_step relink[] = {
	PUT4(ROOT_PD(0), 0x100, TABLE(0) | E_RW),
	MAP_PD_AND_PT,
	PUT8(TABLE(0), 1, DATA(0) | E_RW),
	PUT8(TABLE(0), 2, DATA(1) | E_RW),
	PUT8(TABLE(2), 1, DATA(2) | E_RO),
	PUT8(TABLE(2), 2, DATA(3) | E_SRW),
	LOOK(EVERYONE),
	SET8(0, TABLE(0), 1, DATA(4) | E_RO),
	SET8(0, TABLE(1), 0, 0),
	SET4(0, ROOT_PD(0), 0x100, 0),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	SET8(1, TABLE(0), 1, DATA(5) | E_SRW),
	SET8(1, TABLE(0), 2, 0),
	SET8(1, TABLE(1), 0, TABLE(0) | E_RW),
	SET4(1, ROOT_PD(0), 0x100, TABLE(0) | E_RW),
	LOOK(EVERYONE),
	/* In another vCPU's hands, under another table's name, and back. */
	SET8(2, TABLE(1), 0, TABLE(2) | E_RW),
	SET4(2, ROOT_PD(0), 0x100, TABLE(2) | E_RW),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	SET8(2, TABLE(0), 1, DATA(6) | E_RW),
	SET8(0, TABLE(1), 0, TABLE(0) | E_RO),
	SET4(0, ROOT_PD(0), 0x100, TABLE(0) | E_RO),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	/*
	 * A level higher, where the table itself is in step but its child is not.  vCPUs 0 and
	 * 1 do not come this way (a PDPTE of PAE paging is loaded with CR3): they flush.
	 */
	SET8(2, ROOT_PDPT(0), 1, 0),
	FLUSH(EVERYONE),
	LOOK(0x3c),
	SET8(2, TABLE(0), 1, DATA(7) | E_RO),
	SET8(3, TABLE(0), 2, DATA(8) | E_RW),
	SET8(3, ROOT_PDPT(0), 1, TABLE(1) | E_RW),
	LOOK(0x3c),
	FLUSH(0x03),
	LOOK(EVERYONE),
};

#endif
