// SPDX-License-Identifier: GPL-2.0-only
/* The case generator: see include/plan.h. */
#include <stdlib.h>
#include <string.h>

#include "forecast.h"
#include "plan.h"
#include "test_assert.h"

struct builder {
	struct plan *plan;
	const struct variant_list *variants;
	u32 room;
};

/* Does this variant end the walk by mapping a page or by not being present? */
static bool ends_walk(const struct builder *b, int level, u16 variant)
{
	u64 bits = b->variants[level].bits[variant];

	return !(bits & PTE_P) || (bits & PTE_PS && b->variants[level].ps_is_page);
}

static void append(struct builder *b, const u16 choice[MAX_LEVELS + 1])
{
	struct plan *plan = b->plan;
	u16 *c;

	if (plan->nr == b->room) {
		b->room = b->room ? 2 * b->room : 1024;
		plan->choice = realloc(plan->choice, b->room * sizeof(*plan->choice));
		TEST_ASSERT(plan->choice, "out of memory");
	}
	c = plan->choice[plan->nr++];
	memcpy(c, choice, sizeof(*plan->choice));
	c[0] = 0;
}

/* Adds a choice; levels below the one that ends the walk are made full (no duplicates). */
static void add(struct builder *b, const u16 choice[MAX_LEVELS + 1])
{
	struct plan *plan = b->plan;
	int levels = paging_formats[plan->mode].levels, level;

	for (level = levels; level > 1; level--)
		if (ends_walk(b, level, choice[level]))
			break;
	while (--level >= 1)
		if (choice[level] != VARIANT_FULL_INDEX)
			return;
	append(b, choice);
}

/* Behind the first 4 KiB of a large page: see variant_piece(). */
static void add_pieces(struct builder *b)
{
	static const u64 also[] = { 0, BIT_ULL(12) /* PAT */ };
	int levels = paging_formats[b->plan->mode].levels, level, below;
	unsigned int i;

	for (level = 2; level <= levels; level++)
		for (i = 0; i < ARRAY_SIZE(also) && b->variants[level].ps_is_page; i++)
			for (below = 1; below < level; below++) {
				int v = variant_find(&b->variants[level],
						     VARIANT_FULL | PTE_PS | also[i]);
				u16 c[MAX_LEVELS + 1] = { 0 };

				if (v < 0)
					continue;
				c[level] = v;
				c[below] = variant_piece(&b->variants[below]);
				append(b, c);
			}
}

/* Every rights variant of two levels with each other, the rest full. */
static void add_rights_pairs(struct builder *b)
{
	int levels = paging_formats[b->plan->mode].levels, hi, lo;
	u16 i, j;

	for (hi = levels; hi > 1; hi--)
		for (lo = hi - 1; lo >= 1; lo--)
			for (i = 1; i < b->variants[hi].nr_rights; i++)
				for (j = 1; j < b->variants[lo].nr_rights; j++) {
					u16 c[MAX_LEVELS + 1] = { 0 };

					c[hi] = i;
					c[lo] = j;
					add(b, c);
				}
}

/* One right missing at a level, another one at a level below. */
static void add_single_pairs(struct builder *b)
{
	static const u64 changed[] = { PTE_P, PTE_W, PTE_U, PTE_NX, PTE_PS };
	int levels = paging_formats[b->plan->mode].levels, hi, lo;
	unsigned int i, j;

	for (hi = levels; hi > 1; hi--)
		for (lo = hi - 1; lo >= 1; lo--)
			for (i = 0; i < ARRAY_SIZE(changed); i++)
				for (j = 0; j < ARRAY_SIZE(changed); j++) {
					int v = variant_find(&b->variants[hi],
							     VARIANT_FULL ^ changed[i]);
					int w = variant_find(&b->variants[lo],
							     VARIANT_FULL ^ changed[j]);
					u16 c[MAX_LEVELS + 1] = { 0 };

					if (v < 0 || w < 0)
						continue;
					c[hi] = v;
					c[lo] = w;
					add(b, c);
				}
}

/* Slots as lib/guest/front.c lays them out. */
static void add_front(struct builder *b)
{
	int levels = paging_formats[b->plan->mode].levels, level;
	u16 i;

	for (level = 1; level <= levels; level++) {
		bool all = paging_formats[b->plan->mode].level[level].register_entry;

		for (i = all ? 1 : 2; i < b->variants[level].nr; i += all ? 1 : 2) {
			u16 c[MAX_LEVELS + 1] = { 0 };

			c[level] = i;
			add(b, c);
		}
	}
}

static void add_each_alone(struct builder *b)
{
	int levels = paging_formats[b->plan->mode].levels, level;
	u16 none[MAX_LEVELS + 1] = { 0 };
	u16 i;

	add(b, none);
	for (level = 1; level <= levels; level++)
		for (i = 1; i < b->variants[level].nr; i++) {
			u16 c[MAX_LEVELS + 1] = { 0 };

			c[level] = i;
			add(b, c);
		}
}

/* A deviation meets another cause of a fault above or below it: which one wins? */
static void add_in_context(struct builder *b)
{
	int levels = paging_formats[b->plan->mode].levels, level;
	u16 i;

	for (level = 1; level <= levels; level++) {
		int below = level > 1 ? variant_find(&b->variants[level - 1],
						     VARIANT_FULL & ~PTE_P) : -1;
		int above = level < levels ? variant_find(&b->variants[level + 1],
							  VARIANT_FULL & ~(PTE_W | PTE_U)) : -1;

		for (i = b->variants[level].nr_rights; i < b->variants[level].nr; i++) {
			u16 c[MAX_LEVELS + 1] = { 0 };

			c[level] = i;
			if (below >= 0) {
				c[level - 1] = below;
				add(b, c);
				c[level - 1] = 0;
			}
			if (above >= 0) {
				c[level + 1] = above;
				add(b, c);
			}
		}
	}
}

/* Not yet accessed on every set of levels, with each kind of page at the end. */
static void add_not_accessed(struct builder *b)
{
	static const u64 cleared[] = { 0, PTE_W, PTE_U };
	int levels = paging_formats[b->plan->mode].levels, level;
	unsigned int set, k;

	for (set = 1; set < 1u << levels; set++)
		for (k = 0; k < ARRAY_SIZE(cleared); k++) {
			u16 c[MAX_LEVELS + 1] = { 0 };

			for (level = 1; level <= levels; level++) {
				u64 bits = VARIANT_FULL;
				int i;

				if (set & 1u << (level - 1))
					bits &= ~(PTE_A | PTE_D);
				if (level == 1)
					bits &= ~cleared[k];
				i = variant_find(&b->variants[level], bits);
				c[level] = i < 0 ? VARIANT_FULL_INDEX : i;
			}
			add(b, c);
		}
}

static void add_walk(struct builder *b)
{
	add_each_alone(b);
	add_rights_pairs(b);
	add_in_context(b);
	add_pieces(b);
}

static bool is_fixed(const struct builder *b, const u16 choice[MAX_LEVELS + 1])
{
	const struct paging_format *f = &paging_formats[b->plan->mode];
	int level;

	for (level = 1; level <= f->levels; level++)
		if (!f->level[level].register_entry &&
		    ~b->variants[level].bits[choice[level]] & (PTE_A | PTE_D))
			return false;
	return true;
}

/* Those choices alone where no entry lacks A or D, or where one does. */
static void keep(const struct builder *b, bool fixed)
{
	struct plan *plan = b->plan;
	u32 i, n = 0;

	for (i = 0; i < plan->nr; i++)
		if (is_fixed(b, plan->choice[i]) == fixed)
			memmove(plan->choice[n++], plan->choice[i], sizeof(*plan->choice));
	plan->nr = n;
}

static void add_rights_product(struct builder *b, int level, u16 choice[MAX_LEVELS + 1])
{
	u16 i;

	if (!level) {
		add(b, choice);
		return;
	}
	for (i = 0; i < b->variants[level].nr_rights; i++) {
		choice[level] = i;
		add_rights_product(b, level - 1, choice);
	}
	choice[level] = 0;
}

static int compare_choices(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(u16[MAX_LEVELS + 1]));
}

static void remove_duplicates(struct plan *plan)
{
	u32 i, n = 0;

	qsort(plan->choice, plan->nr, sizeof(*plan->choice), compare_choices);
	for (i = 0; i < plan->nr; i++)
		if (!n || compare_choices(plan->choice[i], plan->choice[n - 1]))
			memmove(plan->choice[n++], plan->choice[i], sizeof(*plan->choice));
	plan->nr = n;
}

void plan_make(struct plan *plan, enum plan_kind kind, enum paging_mode mode,
	       const struct variant_list variants[MAX_LEVELS + 1])
{
	struct builder b = { .plan = plan, .variants = variants };
	u16 none[MAX_LEVELS + 1] = { 0 };

	*plan = (struct plan){ .mode = mode };
	switch (kind) {
	case PLAN_WALK:
	case PLAN_WALK_FIXED:
	case PLAN_WALK_CAREFUL:
		add_walk(&b);
		break;
	case PLAN_SINGLE:
	case PLAN_SINGLE_FIXED:
	case PLAN_UNFIXED:
	case PLAN_CAREFUL:
	case PLAN_CHANGING:
		add_each_alone(&b);
		break;
	case PLAN_EMULATION:
		add_each_alone(&b);
		add_single_pairs(&b);
		break;
	case PLAN_NOT_ACCESSED:
		add_not_accessed(&b);
		break;
	case PLAN_FRONT:
		add_front(&b);
		break;
	case PLAN_RIGHTS_PRODUCT:
		add_rights_product(&b, paging_formats[mode].levels, none);
		break;
	}
	if (kind == PLAN_WALK_FIXED || kind == PLAN_SINGLE_FIXED)
		keep(&b, true);
	if (kind == PLAN_UNFIXED || kind == PLAN_CHANGING)
		keep(&b, false);
	if (kind == PLAN_WALK_CAREFUL || kind == PLAN_CAREFUL || kind == PLAN_CHANGING)
		add_not_accessed(&b);
	remove_duplicates(plan);
	plan_keep(plan);
}

void plan_keep(struct plan *plan)
{
	plan->forecasts = calloc(1, sizeof(*plan->forecasts));
	TEST_ASSERT(plan->forecasts, "out of memory");
}

void plan_free(struct plan *plan)
{
	struct forecast *f, *next;

	for (f = plan->forecasts ? *plan->forecasts : NULL; f; f = next) {
		next = f->next;
		forecast_free(f);
	}
	free(plan->forecasts);
	free(plan->choice);
	*plan = (struct plan){ .mode = plan->mode };
}

const struct plan *plan_of(struct plan_set *set, const struct guest *guest, enum plan_kind kind,
			   enum table_area area)
{
	const struct table_image *t = &guest->area[area];
	struct plan *p = &set->plan[kind][area];

	if (!p->forecasts)
		plan_make(p, kind, t->shape.mode, t->variants);
	return p;
}

void plan_set_free(struct plan_set *set)
{
	int kind, area;

	for (kind = 0; kind < NR_PLAN_KINDS; kind++)
		for (area = 0; area < NR_TABLE_AREAS; area++)
			plan_free(&set->plan[kind][area]);
}
