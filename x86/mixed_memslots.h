/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Steps of mixed_role_test: what the VMM does to memory while the guest uses it.  The guest
 * flushes nothing for it: KVM has to.
 */
#ifndef KMC_MIXED_MEMSLOTS_H
#define KMC_MIXED_MEMSLOTS_H

#include "mixed_role.h"

/* Pages 0 to 2 of the slot, where it is and where it will be, for everyone. */
#define MAP_SLOT                                                                          \
	PUT4(ROOT_PD(0), 0x100, TABLE(2) | E_RW),                                         \
	MAP_PD_AND_PT,                                                                    \
	PUT8(TABLE(0), 1, SLOT(0) | E_RW), PUT4(TABLE(2), 1, SLOT(0) | E_RW),             \
	PUT8(TABLE(0), 2, SLOT(1) | E_RO), PUT4(TABLE(2), 2, SLOT(1) | E_RO),             \
	PUT8(TABLE(0), 3, SLOT_MOVED_GPA | E_RW), PUT4(TABLE(2), 3, SLOT_MOVED_GPA | E_RW), \
	PUT8(TABLE(0), 4, DATA(0) | E_RW), PUT4(TABLE(2), 4, DATA(0) | E_RW)

/* The guest flushes nothing: a slot that goes takes every translation with it. */
static const struct mixed_step slot_contents[] = {
	MAP_SLOT,
	LOOK(EVERYONE),
	DELETE(REGION_SLOT),
	LOOK(EVERYONE),
	ADD(REGION_SLOT, 1),
	LOOK(EVERYONE),
	DELETE(REGION_SLOT),
	ADD(REGION_SLOT, 0),
	LOOK(EVERYONE),
	MOVE(REGION_SLOT, SLOT_MOVED_GPA),
	LOOK(EVERYONE),
	MOVE(REGION_SLOT, SLOT_GPA),
	LOOK(EVERYONE),
};

static const struct mixed_step slot_readonly[] = {
	MAP_SLOT,
	LOOK(EVERYONE),
	DELETE(REGION_SLOT),
	ADD_READONLY(REGION_SLOT, 0),
	LOOK(EVERYONE),
	DELETE(REGION_SLOT),
	ADD(REGION_SLOT, 0),
	LOOK(EVERYONE),
};

/* Other memory at the same guest physical address holds other tables. */
static const struct mixed_step slot_with_tables[] = {
	PUT4(ROOT_PD(0), 0x100, SLOT(8) | E_RW),
	MAP_PD,
	PUT8(TABLE(1), 0, SLOT(8) | E_RW),
	/* Of what is in a tagged page only this is walked through, by 4-byte entries. */
	PUT4(SLOT(8), 2, 0),
	PUT8(SLOT(8), 2, DATA(0) | E_RW),
	PUT8(SLOT(8), 4, DATA(1) | E_RW),
	LOOK(EVERYONE),
	DELETE(REGION_SLOT),
	ADD(REGION_SLOT, 1),
	PUT4(SLOT(8), 2, 0),
	PUT8(SLOT(8), 2, DATA(2) | E_RO),
	PUT8(SLOT(8), 4, 0),
	LOOK(EVERYONE),
	DELETE(REGION_SLOT),
	ADD(REGION_SLOT, 0),
	LOOK(EVERYONE),
	SET8(0, TABLE(1), 0, TABLE(0) | E_RW),
	FLUSH(EVERYONE),
	DELETE(REGION_SLOT),
	LOOK(0xfe),
	ADD(REGION_SLOT, 1),
	LOOK(EVERYONE),
};

static const struct mixed_step dirty_log[] = {
	MAP_SLOT,
	LOOK(EVERYONE),
	LOG(REGION_SLOT, 1),
	CHECK_LOG(REGION_SLOT),
	LOOK(EVERYONE),
	CHECK_LOG(REGION_SLOT),
	CHECK_LOG(REGION_SLOT),
	TOUCH(EVERYONE),
	LOOK(0x01),
	CHECK_LOG(REGION_SLOT),
	LOOK(0x06),
	CHECK_LOG(REGION_SLOT),
	LOG(REGION_SLOT, 0),
	LOOK(EVERYONE),
	LOG(REGION_SLOT, 1),
	LOOK(EVERYONE),
	CHECK_LOG(REGION_SLOT),
};

/* Tables are written by the guest, and by whoever sets A and D for it. */
static const struct mixed_step dirty_log_of_tables[] = {
	MAP_SLOT,
	LOOK(EVERYONE),
	LOG(REGION_ARENA, 1),
	CHECK_LOG_MAPPED(REGION_ARENA),
	SET8(0, TABLE(0), 1, SLOT(2) | (E_RW & ~(PTE_A | PTE_D))),
	SET4(1, TABLE(2), 1, SLOT(2) | (E_RW & ~(PTE_A | PTE_D))),
	FLUSH(EVERYONE),
	CHECK_LOG_MAPPED(REGION_ARENA),
	LOOK(EVERYONE),
	CHECK_LOG_MAPPED(REGION_ARENA),
	SET8(0, ROOT_PDPT(0), 1, TABLE(1) | (E_RW & ~PTE_A)),
	FLUSH(EVERYONE),
	CHECK_LOG_MAPPED(REGION_ARENA),
	LOOK(EVERYONE),
	CHECK_LOG_MAPPED(REGION_ARENA),
};

static const struct mixed_step dropped_pages[] = {
	MAP_SLOT,
	LOOK(EVERYONE),
	DROP(SLOT(0)),
	DROP(DATA(0)),
	LOOK(EVERYONE),
	DROP(SLOT(1)),
	LOG(REGION_SLOT, 1),
	LOOK(EVERYONE),
	DROP(SLOT(0)),
	LOOK(EVERYONE),
	CHECK_LOG(REGION_SLOT),
};

static const struct mixed_step migrated_pages[] = {
	MAP_SLOT,
	LOOK(EVERYONE),
	MIGRATE(SLOT(0)),
	MIGRATE(DATA(0)),
	MIGRATE(TABLE(0)),
	LOOK(EVERYONE),
	MIGRATE(SLOT(0)),
	MIGRATE(TABLE(2)),
	LOOK(EVERYONE),
};

/* The same memory through leaves of every size, with different rights. */
static const struct mixed_step page_sizes[] = {
	PUT8(ROOT_PDPT(0), 1, BIG(0) | E_RW | PTE_PS),
	PUT8(ROOT_PDPT(0), 2, TABLE(1) | E_RW),
	PUT8(ROOT_PAE(0), 2, TABLE(1) | E_PAE),
	PUT8(TABLE(1), 0, BIG(0) | E_RO | PTE_PS),
	PUT8(TABLE(1), 1, BIG(0x200000) | E_RW | PTE_PS),
	PUT8(TABLE(1), 2, TABLE(0) | E_RW),
	PUT8(TABLE(0), 0, BIG(0) | E_RO),
	PUT8(TABLE(0), 1, BIG(0x1000) | E_RW),
	PUT8(TABLE(0), 0x1ff, BIG(0x1ff000) | E_SRW),
	PUT4(ROOT_PD(0), 0x200, BIG(0) | E_RW | PTE_PS),
	PUT4(ROOT_PD(0), 0x201, BIG(0x400000) | E_RO | PTE_PS),
	PUT4(ROOT_PD(0), 0x100, TABLE(2) | E_RW),
	PUT4(TABLE(2), 0, BIG(0x1000) | E_RO),
	PUT4(TABLE(2), 1, BIG(0) | E_RW),
	LOOK(EVERYONE),
	/* A 2-MByte page becomes a table of 4-KByte ones, and another the other way round. */
	SET8(0, TABLE(1), 0, TABLE(0) | E_RW),
	SET8(1, TABLE(1), 2, BIG(0x400000) | E_SRW | PTE_PS),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
	/* KVM must map 4 KByte each while it logs, and may go back to large pages then. */
	LOG(REGION_BIG, 1),
	LOOK(EVERYONE),
	LOG(REGION_BIG, 0),
	LOOK(EVERYONE),
	DROP(BIG(0x1000)),
	LOOK(EVERYONE),
	DELETE(REGION_BIG),
	ADD(REGION_BIG, 0),
	LOOK(EVERYONE),
};

/* A large page of the guest and of the host's memory, of which only the first half is the slot's. */
static const struct mixed_step slot_end[] = {
	MAP_PD,
	PUT8(TABLE(1), 0, BIG(BIG_LAST) | E_RW | PTE_PS),
	PUT8(TABLE(1), 1, TABLE(0) | E_RW),
	PUT8(TABLE(0), 0, BIG(BIG_LAST) | E_RW),
	PUT8(TABLE(0), 0x100, BIG(BIG_LAST + 0x100000) | E_RW),
	PUT4(ROOT_PD(0), 0x100, BIG(BIG_LAST - 0x200000) | E_RW | PTE_PS),
	LOOK(EVERYONE),
	LOG(REGION_BIG, 1),
	LOOK(EVERYONE),
	LOG(REGION_BIG, 0),
	LOOK(EVERYONE),
	DELETE(REGION_BIG),
	ADD(REGION_BIG, 0),
	LOOK(EVERYONE),
};

/*
 * The VMM changes one of two PDEs that lead to a table, and leaves the other.  After a flush the
 * guest uses the one for the first time at some address, and then the other there: what came of
 * the first must not show.  One leads to another table then, one has more rights.
 */
#define STORES(gva) STORE(0, gva, 0x11), STORE(1, gva, 0x22), STORE(2, gva, 0x33)

static const struct mixed_step rewritten_parent[] = {
	MAP_PD,
	PUT8(TABLE(1), 0, TABLE(0) | E_RW),
	PUT8(TABLE(1), 1, TABLE(0) | E_RW),
	PUT8(TABLE(1), 2, TABLE(3) | E_SRW),
	PUT8(TABLE(1), 3, TABLE(3) | E_SRW),
	/* Far enough from each other that KVM does not map one with the other. */
	PUT8(TABLE(0), 0x01, DATA(0) | E_RW),
	PUT8(TABLE(0), 0x11, DATA(1) | E_RW),
	PUT8(TABLE(2), 0x11, DATA(2) | E_RW),
	PUT8(TABLE(3), 0x01, DATA(3) | E_RW),
	PUT8(TABLE(3), 0x11, DATA(4) | E_RW),
	STORES(0x40001000),
	STORES(0x40201000),
	STORES(0x40401000),
	STORES(0x40601000),
	PUT8(TABLE(1), 0, TABLE(2) | E_RW),
	PUT8(TABLE(1), 2, TABLE(3) | E_RW),
	FLUSH(EVERYONE),
	STORES(0x40011000),
	STORES(0x40411000),
	LOOK(EVERYONE),
};

/*
 * The VMM changes a PDE behind the guest's back, the guest uses it, and the slot of the old
 * target goes: unfixed hosts use freed memory (aad885e77496 and others).  What the guest sees
 * in between is nobody's promise.
 */
static const struct mixed_step rewritten_pde[] = {
	MAP_PD,
	PUT8(TABLE(1), 0, SLOT(8) | E_RW),
	PUT8(SLOT(8), 2, SLOT(0) | E_RW),
	PUT8(TABLE(0), 2, DATA(0) | E_RW),
	LOOK(EVERYONE),
	PUT8(TABLE(1), 0, BIG(0) | E_RW | PTE_PS),
	TOUCH(EVERYONE),
	PUT8(TABLE(1), 0, TABLE(0) | E_RW),
	TOUCH(EVERYONE),
	DELETE(REGION_SLOT),
	TOUCH(EVERYONE),
	ADD(REGION_SLOT, 0),
	FLUSH(EVERYONE),
	LOOK(EVERYONE),
};

/*
 * As before, but the new entry leads to no memory and has a right that the old one had not, so the
 * guest's store makes KVM walk: unfixed hosts put "no memory" over what stays listed for the old
 * page, and go down when that list is used (aad885e77496).
 */
static const struct mixed_step mmio_over_mapping[] = {
	MAP_PD_AND_PT,
	PUT8(TABLE(0), 2, SLOT(0) | E_RO),
	LOOK(EVERYONE),
	PUT8(TABLE(0), 2, SLOT_MOVED_GPA | E_RW),
	FLUSH(EVERYONE),
	STORE(0, 0x40002000, 0x11),
	STORE(1, 0x40002000, 0x22),
	LOOK(EVERYONE),
	LOG(REGION_SLOT, 1),
	LOOK(EVERYONE),
	DELETE(REGION_SLOT),
	LOOK(EVERYONE),
};

#endif
