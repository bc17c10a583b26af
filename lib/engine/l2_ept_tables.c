// SPDX-License-Identifier: GPL-2.0-only
/* The EPT pages and L2's own tables: see include/l2_ept.h. */
#include <stdlib.h>
#include <string.h>

#include "l2_ept_internal.h"
#include "test_assert.h"
#include "x86.h"

/*
 * Slots of an EPT PDPT page.  The first map L1's memory one to one, for the agent; all below
 * LOW_SLOT + 1 can be reached by states whose physical addresses end at 4 GiB.
 */
#define LOW_SLOT 3
#define FIRST_SLOT 8
#define LOW_BASE ((u64)LOW_SLOT << 30)
#define HIGH_BASE BIT_ULL(39)

static gpa_t new_page(struct l2_ept *e)
{
	gpa_t page = e->guest->l1->next_nested;

	TEST_ASSERT(page < L1_NESTED_END, "no memory left for nested tables");
	e->guest->l1->next_nested += 0x1000;
	memset(vm_gpa2hva(e->guest->vm, page), 0, 0x1000);
	return page;
}

static void put(struct l2_ept *e, gpa_t table, u32 slot, u8 bytes, u64 entry)
{
	memcpy((u8 *)vm_gpa2hva(e->guest->vm, table) + slot * bytes, &entry, bytes);
}

static u64 get(struct l2_ept *e, gpa_t table, u32 slot)
{
	u64 entry;

	memcpy(&entry, (u8 *)vm_gpa2hva(e->guest->vm, table) + slot * 8, 8);
	return entry;
}

struct nested_tables l2_ept_tables(const struct l2_ept *e, u8 target, u16 top_variant, u8 levels,
				   bool ad)
{
	const struct ept_dense *d = &e->dense[target];

	return (struct nested_tables){
		.kind = NESTED_EPT,
		.caps = e->caps,
		.root = (levels == 5 ? d->root5 : d->root[top_variant]) | EPT_MT_WB |
			(u64)(levels - 1) << EPTP_PWL_SHIFT | (ad ? EPTP_AD : 0),
	};
}

/* Does a variant of this level map the page itself? */
static bool maps_page(const struct l2_ept *e, int level, u16 variant)
{
	const struct nested_tables t = l2_ept_tables(e, 0, 0, 4, false);

	return nested_entry_is_leaf(&t, level, e->variants[level].bits[variant], &e->guest->cpu);
}

/* Every variant of a level, from a slot on. */
static void fill_level(struct l2_ept *e, struct ept_dense *d, int level, u32 slot)
{
	u64 below = level > 1 ? d->page[level - 1] : 0;
	u64 page = BIT_ULL(12 + 9 * (level - 1));
	u16 i;

	for (i = 0; i < e->variants[level].nr; i++)
		put(e, d->page[level], slot + i, 8,
		    e->variants[level].bits[i] |
			    (maps_page(e, level, i) ? d->target & ~(page - 1) : below));
}

/* The agent's part: what L1's identity map has in its first PDPT. */
static void share_identity(struct l2_ept *e, gpa_t pdpt)
{
	const u64 root = l1_identity(e->guest, MODE_4LEVEL, 1) & BITS_ULL(51, 12);
	const gpa_t identity = get(e, root, 0) & BITS_ULL(51, 12);
	u32 i;

	for (i = 0; i < LOW_SLOT; i++)
		put(e, pdpt, i, 8, get(e, identity, i));
}

static void make_dense(struct l2_ept *e, u8 target)
{
	struct ept_dense *d = &e->dense[target];
	const u64 full = e->variants[4].bits[0];
	u16 i;

	d->target = target ? new_page(e) : DATA_PAGE;
	for (i = 1; i <= 3; i++)
		d->page[i] = new_page(e);
	fill_level(e, d, 1, 0);
	put(e, d->page[1], L2_EPT_SPARE, 8,
	    e->variants[1].bits[0] | (target ? AGENT_PROBE : DATA_PAGE));
	fill_level(e, d, 2, 0);
	fill_level(e, d, 3, FIRST_SLOT);
	put(e, d->page[3], LOW_SLOT, 8, e->variants[3].bits[0] | d->page[2]);
	share_identity(e, d->page[3]);
	for (i = 0; i < (e->high ? e->variants[4].nr : 1); i++) {
		d->root[i] = new_page(e);
		put(e, d->root[i], 0, 8, full | d->page[3]);
		put(e, d->root[i], 1, 8, e->variants[4].bits[i] | d->page[3]);
	}
	if (!e->caps.walk_5)
		return;
	d->root5 = new_page(e);
	put(e, d->root5, 0, 8, full | d->root[0]);
}

static bool low_mode(const struct mmu_state *state)
{
	return state->mode == MODE_NOPG || state->mode == MODE_2LEVEL;
}

/* Modes in which the data page is reached by linear addresses that are L2-physical ones. */
static bool flat_data(const struct mmu_state *state)
{
	return state->mode != MODE_4LEVEL;
}

bool l2_ept_gpa(const struct l2_ept *e, const struct mmu_state *state, u8 target,
		const struct ept_choice *choice, gpa_t *gpa)
{
	const u16 *v = choice->variant;
	const gpa_t t = e->dense[target].target;
	bool low = low_mode(state) || (!target && flat_data(state));
	int level;

	if ((v[4] && !e->high) || (low && (v[4] || v[3])))
		return false;
	*gpa = (v[4] ? HIGH_BASE : 0) | (low ? LOW_BASE : (u64)(FIRST_SLOT + v[3]) << 30);
	for (level = 3; level >= 1; level--) {
		u64 page = BIT_ULL(12 + 9 * (level - 1));

		if (level < 3)
			*gpa |= (u64)v[level] << (12 + 9 * (level - 1));
		if (!maps_page(e, level, v[level]))
			continue;
		*gpa |= t & (page - 1);
		break;
	}
	return true;
}

gpa_t l2_ept_behind(const struct l2_ept *e, u8 target, gpa_t gpa)
{
	return gpa >= LOW_BASE ? e->dense[target].target | (gpa & 0xfff) : gpa;
}

void l2_varied_levels(const struct mmu_state *state, u8 target, int *top, int *leaf)
{
	static const u8 data_leaf[NR_STATE_MODES] = {
		[MODE_2LEVEL] = 2, [MODE_PAE] = 2, [MODE_4LEVEL] = 3, [MODE_COMPAT4] = 3,
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
	gpa_t page = new_page(e), theirs = a->base + AREA_TEST + (f->levels - 1) * 0x1000;
	u32 nr = state->mode == MODE_2LEVEL ? AGENT_LINEAR_END >> 22 : 1;

	memcpy(vm_gpa2hva(e->guest->vm, page), vm_gpa2hva(e->guest->vm, theirs),
	       nr * f->entry_bytes);
	pdptr[0] = get(e, page, 0);
	return page;
}

/* A table whose slots map L2's memory one to one in large pages. */
static gpa_t flat_table(struct l2_ept *e, enum paging_mode mode, int level, u64 bits, gpa_t from)
{
	const u8 bytes = paging_formats[mode].entry_bytes;
	const u64 size = level_page_size(mode, level);
	gpa_t page = new_page(e);
	u32 i;

	for (i = 0; i < 0x1000u / bytes; i++)
		put(e, page, i, bytes, bits | (from + i * size));
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
			put(e, root, 1 + 2 * i + half, 8,
			    t->variant[i].top | flat_table(e, PAGING_4LEVEL, 3, t->variant[i].leaf,
							   half ? HIGH_BASE : 0));
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
			table = flat_table(e, PAGING_PAE, 2, leaf, LOW_BASE);
			t->pdptr[i][LOW_SLOT] = table | PTE_P;
			put(e, root, LOW_SLOT, 8, table | PTE_P);
		} else if (state->mode == MODE_COMPAT4) {
			/* Slot 0 of the PML4 leads to the agent's PDPT: a copy of that, and a page. */
			gpa_t theirs = get(e, root, 0) & BITS_ULL(51, 12);

			table = new_page(e);
			put(e, table, 0, 8, get(e, theirs, 0));
			put(e, table, LOW_SLOT, 8, leaf | LOW_BASE);
			put(e, root, 0, 8, VARIANT_FULL | table);
		} else {
			for (k = 0x300; k < 0x400; k++)
				put(e, root, k, 4, leaf | (u64)k << 22);
		}
	}
}

static void make_data(struct l2_ept *e, const struct mmu_state *state, struct l2_tables *t)
{
	if (state->mode == MODE_NOPG)
		return;
	if (flat_data(state))
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
		gpa_t page = new_page(e);

		put(e, page, 0, paging_formats[mode].entry_bytes, VARIANT_FULL | table);
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
		put(e, e->dense[target].target, state->mode * MAX_L2_VARIANTS + i, f->entry_bytes,
		    t->variant[i].leaf | below);
	parent = root;
	for (level = f->levels; level > target + 1; level--) {
		gpa_t page = new_page(e);
		u32 slot = level == 4 && state->mode == MODE_COMPAT4 ? 0 : 1;

		if (!slot)
			put(e, page, 0, 8, get(e, get(e, root, 0) & BITS_ULL(51, 12), 0));
		put(e, parent, slot, f->entry_bytes, page | variant_full(mode, level));
		if (level == 3 && mode == PAGING_PAE)
			t->pdptr[0][1] = page | PTE_P;
		parent = page;
	}
	for (i = 0; i < l2_ept_nr_singles(e, state, target); i++) {
		gpa_t gpa;

		if (l2_ept_gpa(e, state, target, &e->single[i], &gpa))
			put(e, parent, parent_slot(target, i), f->entry_bytes,
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
	if (!target && flat_data(state))
		return gpa | offset;
	if (!target)
		gva = (u64)(1 + 2 * l2_variant + !!(gpa & HIGH_BASE)) << 39 |
		      (gpa & (HIGH_BASE - 1));
	else
		gva = parent_base(state, target) +
		      ((u64)parent_slot(target, single) << f->level[target + 1].shift) +
		      ((u64)(state->mode * MAX_L2_VARIANTS + l2_variant) << f->level[target].shift);
	if (state_modes[state->mode].code64)
		gva = (s64)(gva << (64 - f->linear_bits)) >> (64 - f->linear_bits);
	return gva | offset;
}

/* Every variant of a level, the others full. */
static void make_singles(struct l2_ept *e)
{
	u32 nr = 1;
	int level;
	u16 i;

	for (level = 1; level <= 4; level++)
		nr += e->variants[level].nr - 1;
	e->single = calloc(nr, sizeof(*e->single));
	TEST_ASSERT(e->single, "out of memory");
	e->nr_singles = 1;
	for (level = 1; level <= 4; level++)
		for (i = 1; i < e->variants[level].nr; i++) {
			if (level == 4 && !e->high)
				break;
			e->single[e->nr_singles++].variant[level] = i;
		}
}

static void make_l2(struct l2_ept *e)
{
	static const struct mmu_state states[] = {
		{ MODE_NOPG, 0 }, { MODE_2LEVEL, FLAG_PSE }, { MODE_PAE, 0 },
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

/* The model walks a copy: the guest's own gets A and D bits. */
static void make_image(struct l2_ept *e)
{
	const gpa_t first = L1_NESTED, end = e->guest->l1->next_nested;
	int i;

	e->image = malloc(end - first);
	TEST_ASSERT(e->image, "out of memory");
	memcpy(e->image, vm_gpa2hva(e->guest->vm, first), end - first);
	for (i = 0; i < NR_TABLE_AREAS; i++)
		e->range[i] = e->guest->range[i];
	e->range[i++] = (struct phys_range){ first, end - first, e->image };
	e->memory = (struct phys_memory){ e->range, i };
}

struct l2_ept *l2_ept_create(struct guest *guest)
{
	struct l2_ept *e = calloc(1, sizeof(*e));
	struct nested_tables any;
	int level;
	u8 target;

	TEST_ASSERT(e, "out of memory");
	e->guest = guest;
	e->caps = l1_ept_caps(guest);
	e->high = guest->cpu.maxphyaddr > 39;
	any = l2_ept_tables(e, 0, 0, 4, false);
	for (level = 1; level <= 4; level++) {
		nested_variants_of(&any, level, &guest->cpu, &e->variants[level]);
		TEST_ASSERT(e->variants[level].nr <= 512 - FIRST_SLOT, "%u variants of level %d",
			    e->variants[level].nr, level);
	}
	l1_identity(guest, MODE_4LEVEL, 1);
	e->first = guest->l1->next_nested;
	for (target = 0; target < NR_L2_TARGETS; target++)
		make_dense(e, target);
	make_singles(e);
	make_l2(e);
	make_image(e);
	return e;
}

void l2_ept_free(struct l2_ept *e)
{
	if (!e)
		return;
	free(e->single);
	free(e->image);
	free(e);
}
