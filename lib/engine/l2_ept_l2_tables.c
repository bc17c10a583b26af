// SPDX-License-Identifier: GPL-2.0-only
/* L2's own tables, which lead to the addresses under test: see include/l2_ept.h. */
#include <string.h>

#include "l2_ept_internal.h"
#include "test_assert.h"
#include "x86.h"

void l2_varied_levels(const struct mmu_state *state, u8 target, int *top, int *leaf)
{
	static const u8 data_leaf[NR_STATE_MODES] = {
		[MODE_2LEVEL] = 2,
		[MODE_PAE] = 2,
		[MODE_4LEVEL] = 3,
		[MODE_COMPAT4] = 3,
	};

	*leaf = target ? target : data_leaf[state->mode];
	*top = !target && state->mode == MODE_4LEVEL ? 4 : 0;
}

bool l2_has_target(const struct mmu_state *state, u8 target)
{
	switch (state->mode) {
	case MODE_NOPG:
		return !target;
	case MODE_2LEVEL:
	case MODE_PAE:
	case MODE_COMPAT4:
		return target <= 1;
	case MODE_4LEVEL:
		return target <= MAX_L2_TABLE;
	default:
		return false;
	}
}

static void add_variant(struct l2_tables *t, u64 top, u64 leaf)
{
	int i;

	for (i = 0; i < t->nr_variants; i++)
		if (t->variant[i].top == top && t->variant[i].leaf == leaf)
			return;
	TEST_ASSERT(i < MAX_L2_VARIANTS, "more than %d variants of L2's entries", i);
	t->variant[t->nr_variants++] = (struct l2_variant){ top, leaf };
}

static void make_variants(struct l2_ept *e, const struct mmu_state *state, u8 target,
			  struct l2_tables *t)
{
	const enum paging_mode mode = state_modes[state->mode].paging;
	int top, leaf;
	u64 full, above, rsvd;

	l2_varied_levels(state, target, &top, &leaf);
	if (!leaf) {
		add_variant(t, 0, 0);
		return;
	}
	full = variant_full(mode, leaf) | (target ? 0 : PTE_PS);
	above = top ? variant_full(mode, top) : 0;
	rsvd = entry_reserved_bits(mode, leaf, !target || leaf == 1, true, &e->guest->cpu);
	add_variant(t, above, full);
	add_variant(t, above, full & ~PTE_P);
	add_variant(t, above, full & ~PTE_W);
	add_variant(t, above, full & ~PTE_U);
	if (paging_formats[mode].has_nx)
		add_variant(t, above, full | PTE_NX);
	add_variant(t, above, full & ~PTE_D);
	add_variant(t, above, full & ~(PTE_A | PTE_D));
	add_variant(t, above, full | (rsvd & -rsvd));
	if (top) {
		add_variant(t, above & ~PTE_P, full);
		add_variant(t, above & ~PTE_W, full);
		add_variant(t, above & ~(PTE_A | PTE_D), full & ~(PTE_A | PTE_D));
	}
}

/* L2's root with the agent's entries: those of the tables that the guest has anyway. */
static gpa_t new_root(struct l2_ept *e, const struct mmu_state *state, u64 pdptr[4])
{
	const struct table_image *a = &e->guest->area[state_area(state)];
	const struct paging_format *f = &paging_formats[a->shape.mode];
	gpa_t page = l2_ept_page(e), theirs = a->base + AREA_TEST + (f->levels - 1) * 0x1000;
	u32 nr = state->mode == MODE_2LEVEL ? AGENT_LINEAR_END >> 22 : 1;

	memcpy(vm_gpa2hva(e->guest->vm, page), vm_gpa2hva(e->guest->vm, theirs),
	       nr * f->entry_bytes);
	pdptr[0] = l2_ept_get(e, page, 0);
	return page;
}

/* A table whose slots map L2's memory one to one in large pages. */
static gpa_t flat_table(struct l2_ept *e, enum paging_mode mode, int level, u64 bits, gpa_t from)
{
	const u8 bytes = paging_formats[mode].entry_bytes;
	const u64 size = level_page_size(mode, level);
	gpa_t page = l2_ept_page(e);
	u32 i;

	for (i = 0; i < 0x1000u / bytes; i++)
		l2_ept_put(e, page, i, bytes, bits | (from + i * size));
	return page;
}

/* 4 levels: one PML4 for all; a slot per variant and half of memory, each with 1-GByte pages. */
static void make_data_4level(struct l2_ept *e, const struct mmu_state *state, struct l2_tables *t)
{
	gpa_t root = new_root(e, state, t->pdptr[0]);
	int i, half;

	for (i = 0; i < t->nr_variants; i++) {
		t->cr3[i] = root;
		for (half = 0; half <= e->high; half++)
			l2_ept_put(e, root, 1 + 2 * i + half, 8,
				   t->variant[i].top |
					   flat_table(e, PAGING_4LEVEL, 3, t->variant[i].leaf,
						      half ? L2_EPT_HIGH_BASE : 0));
	}
}

/* Modes of 32-bit linear addresses: a root per variant, with the last GByte mapped to itself. */
static void make_data_flat(struct l2_ept *e, const struct mmu_state *state, struct l2_tables *t)
{
	int i, k;

	for (i = 0; i < t->nr_variants; i++) {
		u64 leaf = t->variant[i].leaf;
		gpa_t table, root = new_root(e, state, t->pdptr[i]);

		t->cr3[i] = root;
		if (state->mode == MODE_PAE) {
			table = flat_table(e, PAGING_PAE, 2, leaf, L2_EPT_LOW_BASE);
			t->pdptr[i][L2_EPT_LOW_SLOT] = table | PTE_P;
			l2_ept_put(e, root, L2_EPT_LOW_SLOT, 8, table | PTE_P);
		} else if (state->mode == MODE_COMPAT4) {
			/* Slot 0 of the PML4 leads to the agent's PDPT: a copy of that, and a page. */
			gpa_t theirs = l2_ept_get(e, root, 0) & BITS_ULL(51, 12);

			table = l2_ept_page(e);
			l2_ept_put(e, table, 0, 8, l2_ept_get(e, theirs, 0));
			l2_ept_put(e, table, L2_EPT_LOW_SLOT, 8, leaf | L2_EPT_LOW_BASE);
			l2_ept_put(e, root, 0, 8, VARIANT_FULL | table);
		} else {
			for (k = 0x300; k < 0x400; k++)
				l2_ept_put(e, root, k, 4, leaf | (u64)k << 22);
		}
	}
}

static void make_data(struct l2_ept *e, const struct mmu_state *state, struct l2_tables *t)
{
	if (state->mode == MODE_NOPG)
		return;
	if (l2_ept_flat_data(state))
		make_data_flat(e, state, t);
	else
		make_data_4level(e, state, t);
}

/* The chain of good tables below a level that ends at the data page: what an entry holds. */
static gpa_t good_chain(struct l2_ept *e, enum paging_mode mode, int level)
{
	gpa_t table = DATA_PAGE;
	int l;

	for (l = 1; l < level; l++) {
		gpa_t page = l2_ept_page(e);

		l2_ept_put(e, page, 0, paging_formats[mode].entry_bytes, VARIANT_FULL | table);
		table = page;
	}
	return table;
}

/* The slot of the parent table that leads to single number i; the agent's come first. */
static u32 parent_slot(u8 target, u32 single)
{
	return target == MAX_L2_TABLE ? 1 + single : 8 + single;
}

static u32 parent_slots(enum paging_mode mode)
{
	return 0x1000u / paging_formats[mode].entry_bytes;
}

/*
 * A table of L2's at the addresses under test: its page holds the variants, each of which
 * leads on to the data page; its parent has a slot for each single choice.
 */
static void make_table(struct l2_ept *e, const struct mmu_state *state, u8 target,
		       struct l2_tables *t)
{
	const enum paging_mode mode = state_modes[state->mode].paging;
	const struct paging_format *f = &paging_formats[mode];
	gpa_t below = good_chain(e, mode, target), parent, root = new_root(e, state, t->pdptr[0]);
	u32 i;
	int level;

	/* One target page serves all modes: each has its own stretch of slots. */
	for (i = 0; i < t->nr_variants; i++)
		l2_ept_put(e, e->dense[target].target, state->mode * MAX_L2_VARIANTS + i,
			   f->entry_bytes, t->variant[i].leaf | below);
	parent = root;
	for (level = f->levels; level > target + 1; level--) {
		gpa_t page = l2_ept_page(e);
		u32 slot = level == 4 && state->mode == MODE_COMPAT4 ? 0 : 1;

		if (!slot)
			l2_ept_put(e, page, 0, 8,
				   l2_ept_get(e, l2_ept_get(e, root, 0) & BITS_ULL(51, 12), 0));
		l2_ept_put(e, parent, slot, f->entry_bytes, page | variant_full(mode, level));
		if (level == 3 && mode == PAGING_PAE)
			t->pdptr[0][1] = page | PTE_P;
		parent = page;
	}
	for (i = 0; i < l2_ept_nr_singles(e, state, target); i++) {
		gpa_t gpa;

		if (l2_ept_gpa(e, state, target, &e->single[i], &gpa))
			l2_ept_put(e, parent, parent_slot(target, i), f->entry_bytes,
				   gpa | variant_full(mode, target + 1));
	}
	for (i = 1; i < t->nr_variants; i++) {
		t->cr3[i] = root;
		memcpy(t->pdptr[i], t->pdptr[0], sizeof(t->pdptr[0]));
	}
	t->cr3[0] = root;
}

u32 l2_ept_nr_singles(const struct l2_ept *e, const struct mmu_state *state, u8 target)
{
	u32 room;

	if (!target)
		return e->nr_singles;
	room = parent_slots(state_modes[state->mode].paging) - parent_slot(target, 0);
	return e->nr_singles < room ? e->nr_singles : room;
}

/* Linear address at which a table's parent begins. */
static gva_t parent_base(const struct mmu_state *state, u8 target)
{
	switch (state->mode) {
	case MODE_4LEVEL:
		return target == 3 ? 0 : target == 2 ? BIT_ULL(39) : BIT_ULL(39) | BIT_ULL(30);
	case MODE_COMPAT4:
	case MODE_PAE:
		return BIT_ULL(30);
	default:
		return 0;
	}
}

gva_t l2_ept_gva(const struct l2_ept *e, const struct mmu_state *state, u8 target, u8 l2_variant,
		 gpa_t gpa, u32 single, u32 offset)
{
	const enum paging_mode mode = state_modes[state->mode].paging;
	const struct paging_format *f = &paging_formats[mode];
	gva_t gva;

	(void)e;
	if (!target && l2_ept_flat_data(state))
		return gpa | offset;
	if (!target)
		gva = (u64)(1 + 2 * l2_variant + !!(gpa & L2_EPT_HIGH_BASE)) << 39 |
		      (gpa & (L2_EPT_HIGH_BASE - 1));
	else
		gva = parent_base(state, target) +
		      ((u64)parent_slot(target, single) << f->level[target + 1].shift) +
		      ((u64)(state->mode * MAX_L2_VARIANTS + l2_variant) << f->level[target].shift);
	if (state_modes[state->mode].code64)
		gva = (s64)(gva << (64 - f->linear_bits)) >> (64 - f->linear_bits);
	return gva | offset;
}

void l2_ept_make_l2(struct l2_ept *e)
{
	static const struct mmu_state states[] = {
		{ MODE_NOPG, 0 },   { MODE_2LEVEL, FLAG_PSE }, { MODE_PAE, 0 },
		{ MODE_4LEVEL, 0 }, { MODE_COMPAT4, 0 },
	};
	unsigned int i;
	u8 target;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		for (target = 0; target < NR_L2_TARGETS; target++) {
			struct l2_tables *t = &e->l2[states[i].mode][target];

			if (!l2_has_target(&states[i], target))
				continue;
			make_variants(e, &states[i], target, t);
			if (target)
				make_table(e, &states[i], target, t);
			else
				make_data(e, &states[i], t);
			t->made = true;
		}
}
