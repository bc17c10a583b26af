// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scenarios of gpa_test: tables and memslots.  To add one, write a set_up function and a row
 * in gpa_scenarios[]; what must come of its accesses is the model's to say.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gpa_cases.h"
#include "test_assert.h"

#define PAGE 0x1000ull
#define FULL (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)
#define CLEAN (FULL & ~(PTE_A | PTE_D))

/* No memslot is there: between the slots, below 4 GiB. */
#define HOLE 0x06000000ull
#define HOLE_AT_4G 0xc0000000ull

/* Linear addresses of the leaf scenarios; tables elsewhere have their own GiB. */
#define LEAVES 0x40000000ull
#define GIB(n) ((u64)(n) << 30)

struct mmu_state gpa_state(enum state_mode mode)
{
	struct mmu_state state = { .mode = mode };

	if (state_modes[mode].paging != PAGING_NONE)
		state.flags |= FLAG_WP;
	if (state_modes[mode].used & FLAG_NX)
		state.flags |= FLAG_NX;
	if (mode == MODE_2LEVEL)
		state.flags = FLAG_WP | FLAG_PSE;
	return state;
}

static enum paging_mode paging(const struct gpa_rig *rig)
{
	return state_modes[rig->state.mode].paging;
}

static bool code64(const struct gpa_rig *rig)
{
	return state_modes[rig->state.mode].code64;
}

static const struct cpu_facts *cpu(const struct gpa_rig *rig)
{
	return &rig->shared->guest->cpu;
}

static void place(struct gpa_rig *rig, gva_t gva, const char *fmt, ...)
	__printf(3, 4);

static void place(struct gpa_rig *rig, gva_t gva, const char *fmt, ...)
{
	struct gpa_place *p = &rig->place[rig->nr_places++];
	va_list args;

	TEST_ASSERT(rig->nr_places <= GPA_MAX_PLACES, "more than %d places", GPA_MAX_PLACES);
	p->gva = gva;
	va_start(args, fmt);
	vsnprintf(p->name, sizeof(p->name), fmt, args);
	va_end(args);
}

static u64 table_bits(enum paging_mode mode, int level)
{
	return paging_formats[mode].level[level].register_entry ? PTE_P : FULL;
}

/* Where the entry of this level for gva lies; tables above it are made as needed. */
static gpa_t entry_at(struct gpa_rig *rig, gva_t gva, int level)
{
	const enum paging_mode mode = paging(rig);
	const struct paging_format *f = &paging_formats[mode];
	gpa_t table = rig->root, at;
	u64 entry;
	int l;

	for (l = f->levels;; l--) {
		at = table + (u64)level_index(mode, l, gva) * f->entry_bytes;
		if (l == level)
			return at;
		entry = 0;
		memcpy(&entry, shared_copy(rig->shared, at), f->entry_bytes);
		if (!(entry & PTE_P)) {
			entry = TABLE(rig->nr_tables++) | table_bits(mode, l);
			TEST_ASSERT(rig->nr_tables <= 64, "too many tables");
			shared_put(rig->shared, at, entry, f->entry_bytes);
		}
		table = entry_address(mode, l, false, entry, cpu(rig));
	}
}

static void map(struct gpa_rig *rig, gva_t gva, int level, u64 entry)
{
	shared_put(rig->shared, entry_at(rig, gva, level), entry,
		   paging_formats[paging(rig)].entry_bytes);
}

/* Can a leaf of this level be had, and at what address? */
static bool has_leaf(const struct gpa_rig *rig, int level)
{
	const enum paging_mode mode = paging(rig);

	return level <= paging_formats[mode].levels &&
	       (level == 1 || entry_is_leaf(mode, level, PTE_P | PTE_PS,
					    rig->state.flags & FLAG_PSE, cpu(rig)));
}

static u64 leaf_bits(int level)
{
	return FULL | (level > 1 ? PTE_PS : 0);
}

/* Leaves to addresses without memory, by size and by where that is. */
static void set_up_holes(struct gpa_rig *rig)
{
	const int top_bit = cpu(rig)->maxphyaddr - 1;
	const u64 high = BITS_ULL(top_bit, 30);
	unsigned int i, nr = 0;
	int level;

	if (paging(rig) == PAGING_NONE) {
		place(rig, HOLE, "hole");
		place(rig, HOLE + 0xffc, "end-of-page");
		place(rig, HOLE_AT_4G, "high");
		return;
	}
	for (level = 1; level <= 3; level++) {
		const u64 size = level_page_size(paging(rig), level);
		const u64 at[] = { HOLE & ~(size - 1), HOLE_AT_4G, BIT_ULL(top_bit), high };
		const char *const name[] = { "hole", "high", "top-bit", "all-bits" };

		if (!has_leaf(rig, level))
			continue;
		for (i = 0; i < ARRAY_SIZE(at); i++) {
			/* 32-bit paging: a PTE has no more bits, a PDE its own way to say them. */
			if (paging(rig) == PAGING_2LEVEL && at[i] >> 32)
				continue;
			/* Linear addresses: one GiB for each 1-GiB page, one for the rest. */
			if (level == 3 && !code64(rig))
				continue;
			nr = level == 3 ? 0 : nr + 1;
			map(rig, level == 3 ? BIT_ULL(39) + GIB(i) :
					      LEAVES + nr * 0x400000ull, level,
			    at[i] | leaf_bits(level));
			place(rig, (level == 3 ? BIT_ULL(39) + GIB(i) : LEAVES + nr * 0x400000ull) +
				      (level == 1 ? 0 : HOLE & (size - 1)),
			      "%s,leaf%d", name[i], level);
			if (level == 1 && !i)
				place(rig, LEAVES + nr * 0x400000ull + 0xff8, "%s,leaf1,end-of-page",
				      name[i]);
		}
	}
}

/*
 * A table without memory, at each level.  KVM may know of the walk only the address of the
 * entry that was not there; the data's offset in its page is once the same as the entry's.
 */
static void set_up_table_holes(struct gpa_rig *rig)
{
	const enum paging_mode mode = paging(rig);
	const struct paging_format *f = &paging_formats[mode];
	int level;

	for (level = 1; level < f->levels; level++) {
		const u32 index = 0x90; /* in the table that is not there */
		const int shift = f->level[level].shift;
		gva_t gva = level == 1 ? LEAVES : level == 2 ? GIB(2) : 1ull << f->level[level + 1].shift;

		/* The PDPT's entries are registers: see set_up_pdpte_hole(). */
		if (f->level[level + 1].register_entry || (gva >> 32 && !code64(rig)))
			continue;
		gva |= (u64)(index & ((1u << f->level[level].index_bits) - 1)) << shift;
		map(rig, gva, level + 1, HOLE | FULL);
		gva |= (gva >> shift & ((1u << f->level[level].index_bits) - 1)) * f->entry_bytes;
		place(rig, gva, "level%d,same-offset", level);
		place(rig, gva ^ 0x800, "level%d", level);
	}
}

/* PAE paging: a PDPTE that names no memory is legal to load, and need never be used. */
static void set_up_pdpte_hole(struct gpa_rig *rig)
{
	if (paging(rig) != PAGING_PAE)
		return;
	map(rig, LEAVES, 1, DATA(0) | FULL);
	place(rig, LEAVES, "elsewhere");
	map(rig, GIB(3), 3, HOLE | PTE_P);
	place(rig, GIB(3) + 0x800, "through-it");
}

static void set_up_cr3_hole(struct gpa_rig *rig)
{
	if (paging(rig) == PAGING_NONE)
		return;
	rig->root = HOLE;
	place(rig, AGENT_PROBE, "agent");
}

#define WIDER 6

/*
 * Addresses with bits that CPUID gives the guest and the host's CPU has not: there is no memory, not
 * even that at the address without these bits.
 */
static void set_up_beyond_host(struct gpa_rig *rig)
{
	const enum paging_mode mode = paging(rig);
	const struct paging_format *f = &paging_formats[mode];
	const int top = cpu(rig)->maxphyaddr - 1, first = top + 1 - WIDER;
	gva_t gva = LEAVES;
	int level, i;

	if (f->entry_bytes < 8)
		return;
	for (level = 1; level <= 2; level++)
		for (i = 0; i < 2; i++, gva += 0x400000) {
			const u64 offset = DATA(i) & (level_page_size(mode, level) - 1);

			map(rig, gva, level,
			    (DATA(i) - offset) | BIT_ULL(i ? top : first) | leaf_bits(level));
			place(rig, gva + offset, "%s,leaf%d", i ? "top-bit" : "first-bit", level);
		}
	for (level = 1; level < f->levels; level++) {
		gva = level == 1 ? GIB(1) + 0x2000000 : level == 2 ? GIB(2) : 1ull << f->level[level + 1].shift;
		if (f->level[level + 1].register_entry || (gva >> 32 && !code64(rig)))
			continue;
		map(rig, gva, 1, DATA(2) | FULL);
		map(rig, gva, level + 1,
		    *(u64 *)shared_copy(rig->shared, entry_at(rig, gva, level + 1)) | BIT_ULL(first));
		place(rig, gva + 0x800, "first-bit,level%d", level);
	}
}

/* Leaves of each size into one slot, A and D clear and set. */
static void map_slot(struct gpa_rig *rig, u64 gpa)
{
	if (paging(rig) == PAGING_NONE) {
		place(rig, gpa, "page0");
		place(rig, gpa + 5 * PAGE, "page5");
		return;
	}
	map(rig, LEAVES, 1, gpa | FULL);
	place(rig, LEAVES, "leaf1");
	map(rig, LEAVES + PAGE, 1, (gpa + 5 * PAGE) | CLEAN);
	place(rig, LEAVES + PAGE, "leaf1,clean");
	if (has_leaf(rig, 2)) {
		map(rig, LEAVES + 0x800000, 2, (gpa & ~0x3fffffull) | CLEAN | PTE_PS);
		place(rig, LEAVES + 0x800000 + (gpa & 0x3fffff) + 6 * PAGE, "leaf2,clean");
	}
	if (has_leaf(rig, 3) && code64(rig)) {
		map(rig, GIB(2), 3, FULL | PTE_PS);
		place(rig, GIB(2) + gpa + 7 * PAGE, "leaf3");
	}
}

static void set_up_slot(struct gpa_rig *rig)
{
	map_slot(rig, SLOT_GPA);
}

static void make_read_only(struct gpa_rig *rig)
{
	shared_delete(rig->shared, REGION_SLOT);
	shared_add(rig->shared, REGION_SLOT, true, 0);
}

static void delete_slot(struct gpa_rig *rig)
{
	shared_delete(rig->shared, REGION_SLOT);
}

static void other_contents(struct gpa_rig *rig)
{
	shared_add(rig->shared, REGION_SLOT, false, 1);
}

static void back_again(struct gpa_rig *rig)
{
	shared_delete(rig->shared, REGION_SLOT);
	shared_add(rig->shared, REGION_SLOT, false, 0);
}

static void move_away(struct gpa_rig *rig)
{
	shared_move(rig->shared, REGION_SLOT, SLOT_MOVED_GPA);
}

static void move_back(struct gpa_rig *rig)
{
	shared_move(rig->shared, REGION_SLOT, SLOT_GPA);
}

static const struct gpa_phase slot_phases[] = {
	{ "there", NULL },
	{ "deleted", delete_slot },
	{ "other-contents", other_contents },
	{ "first-contents", back_again },
	{ "moved-away", move_away },
	{ "moved-back", move_back },
	{ "read-only", make_read_only },
	{ "writable", back_again },
	{ NULL, NULL },
};

static const struct gpa_phase read_only_phases[] = {
	{ "read-only", make_read_only },
	{ "again", NULL },
	{ NULL, NULL },
};

/* One large page over slots and what lies between them: the last page in, the first out. */
static void set_up_straddle(struct gpa_rig *rig)
{
	const u64 end = SLOT_GPA + SLOT_PAGES * PAGE;
	const u64 arena_end = ARENA_GPA + ARENA_PAGES * PAGE;
	u64 base = 0x3000000ull, size;

	if (paging(rig) == PAGING_NONE || !has_leaf(rig, 2))
		return;
	size = level_page_size(paging(rig), 2);
	map(rig, LEAVES, 2, base | FULL | PTE_PS);
	place(rig, LEAVES + arena_end - base - PAGE, "arena-last");
	place(rig, LEAVES + arena_end - base, "arena-behind");
	map(rig, LEAVES + 0x800000, 2, (SLOT_GPA & ~(size - 1)) | FULL | PTE_PS);
	base = LEAVES + 0x800000 - (SLOT_GPA & ~(size - 1));
	place(rig, base + end - PAGE, "slot-last");
	place(rig, base + end, "slot-behind");
	place(rig, base + SLOT_GPA, "slot-first");
	if (!has_leaf(rig, 3) || !code64(rig))
		return;
	map(rig, GIB(2), 3, FULL | PTE_PS);
	place(rig, GIB(2) + SLOT_GPA - PAGE, "leaf3,slot-before");
	place(rig, GIB(2) + SLOT_GPA, "leaf3,slot-first");
	place(rig, GIB(2) + end - PAGE, "leaf3,slot-last");
	place(rig, GIB(2) + end, "leaf3,slot-behind");
}

/* Slot page 8 + n is the table of level n; page 32 + n the data page behind it. */
static gpa_t slot_table(int level)
{
	return SLOT(8 + level);
}

/* Tables in a slot that will be read-only, paths through each level by A and D of the entry. */
static void map_read_only_tables(struct gpa_rig *rig, unsigned int nr_kinds)
{
	const enum paging_mode mode = paging(rig);
	const struct paging_format *f = &paging_formats[mode];
	static const struct {
		const char *name;
		u64 bits;
	} kinds[] = { { "a,d", FULL }, { "a", FULL & ~PTE_D }, { "clean", CLEAN } };
	unsigned int k;
	int level;

	for (level = 1; level < f->levels; level++) {
		const int shift = f->level[level].shift;
		gva_t first = level == 1 ? LEAVES : level == 2 ? GIB(2) : 1ull << f->level[level + 1].shift;

		if (first >> 32 && !code64(rig))
			continue;
		map(rig, first, level + 1, slot_table(level) | table_bits(mode, level + 1));
		for (k = 0; k < nr_kinds; k++) {
			/* The first one's offset is where a tagged page has code. */
			const u32 offset = DATA_FETCH_OFFSET + 0x10 * k;
			gva_t gva = first | (u64)(offset / f->entry_bytes) << shift;

			if (level > 1 && !has_leaf(rig, level)) {
				/* No leaf: the table of the next level is ordinary memory. */
				shared_put(rig->shared, slot_table(level) + offset,
					   TABLE(rig->nr_tables++) | kinds[k].bits, f->entry_bytes);
				map(rig, gva, 1, DATA(level * 4 + k) | FULL);
			} else if (level == 1) {
				map(rig, gva, 1, DATA(k) | kinds[k].bits);
			} else {
				map(rig, gva, level, BIG(0) | kinds[k].bits | PTE_PS);
			}
			place(rig, gva, "level%d,%s", level, kinds[k].name);
			place(rig, gva + offset, "level%d,%s,same-offset", level, kinds[k].name);
		}
	}
}

static void set_up_read_only_tables(struct gpa_rig *rig)
{
	map_read_only_tables(rig, 3);
}

/* The guest reads the tables themselves first: KVM then has them mapped, for reading. */
static void read_tables(struct gpa_rig *rig)
{
	struct seat_result r;
	int level;

	for (level = 1; level < 5; level++) {
		if (seat_enter(rig->seat, 0))
			shared_load_pdptrs(rig->shared, rig->seat);
		seat_run(rig->seat, SEAT_READ, LEAVES + 0x800000 + level * PAGE, 0, &r);
	}
}

static void set_up_read_only_tables_mapped(struct gpa_rig *rig)
{
	int level;

	map_read_only_tables(rig, 1);
	for (level = 1; level < 5 && rig->nr_places; level++)
		map(rig, LEAVES + 0x800000 + level * PAGE, 1, slot_table(level) | (FULL & ~PTE_W));
}

static void read_only_and_read(struct gpa_rig *rig)
{
	make_read_only(rig);
	read_tables(rig);
}

static const struct gpa_phase read_only_mapped_phases[] = {
	{ "read-only", read_only_and_read },
	{ NULL, NULL },
};

static const struct gpa_phase plain[] = { { "-", NULL }, { NULL, NULL } };

/* In the second round KVM remembers the last of the other places, and has entries for all. */
static const struct gpa_phase two_rounds[] = { { "first", NULL }, { "again", NULL }, { NULL, NULL } };

const struct gpa_scenario gpa_scenarios[] = {
	{ "hole", set_up_holes, plain, false, 0 },
	{ "straddle", set_up_straddle, plain, false, 0 },
	{ "read-only", set_up_slot, read_only_phases, false, 0 },
	{ "slot", set_up_slot, slot_phases, false, 0 },
	{ "table-hole", set_up_table_holes, plain, false, 0 },
	{ "table-read-only", set_up_read_only_tables, read_only_phases, false, 0 },
	{ "table-read-before", set_up_read_only_tables_mapped, read_only_mapped_phases, false, 0 },
	{ "pdpte-hole", set_up_pdpte_hole, plain, false, 0 },
	{ "cr3-hole", set_up_cr3_hole, plain, false, 0 },
	{ "beyond-host", set_up_beyond_host, two_rounds, true, WIDER },
};
const unsigned int nr_gpa_scenarios = ARRAY_SIZE(gpa_scenarios);
