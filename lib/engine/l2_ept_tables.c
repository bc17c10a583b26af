// SPDX-License-Identifier: GPL-2.0-only
/* The EPT pages: see include/l2_ept.h. */
#include <stdlib.h>
#include <string.h>

#include "l2_ept_internal.h"
#include "test_assert.h"
#include "x86.h"

gpa_t l2_ept_page(struct l2_ept *e)
{
	gpa_t page = l1_nested_page(e->guest);

	memset(vm_gpa2hva(e->guest->vm, page), 0, 0x1000);
	return page;
}

void l2_ept_put(struct l2_ept *e, gpa_t table, u32 slot, u8 bytes, u64 entry)
{
	memcpy((u8 *)vm_gpa2hva(e->guest->vm, table) + slot * bytes, &entry, bytes);
}

u64 l2_ept_get(struct l2_ept *e, gpa_t table, u32 slot)
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
		l2_ept_put(e, d->page[level], slot + i, 8,
			   e->variants[level].bits[i] |
				   (maps_page(e, level, i) ? d->target & ~(page - 1) : below));
}

/* The agent's part: what L1's identity map has in its first PDPT. */
static void share_identity(struct l2_ept *e, gpa_t pdpt)
{
	const u64 root = l1_identity(e->guest, MODE_4LEVEL, 1) & BITS_ULL(51, 12);
	const gpa_t identity = l2_ept_get(e, root, 0) & BITS_ULL(51, 12);
	u32 i;

	for (i = 0; i < L2_EPT_LOW_SLOT; i++)
		l2_ept_put(e, pdpt, i, 8, l2_ept_get(e, identity, i));
}

static void make_dense(struct l2_ept *e, u8 target)
{
	struct ept_dense *d = &e->dense[target];
	const u64 full = e->variants[4].bits[0];
	u16 i;

	d->target = target ? l2_ept_page(e) : DATA_PAGE;
	for (i = 1; i <= 3; i++)
		d->page[i] = l2_ept_page(e);
	fill_level(e, d, 1, 0);
	l2_ept_put(e, d->page[1], L2_EPT_SPARE, 8,
		   e->variants[1].bits[0] | (target ? AGENT_PROBE : DATA_PAGE));
	fill_level(e, d, 2, 0);
	fill_level(e, d, 3, L2_EPT_FIRST_SLOT);
	l2_ept_put(e, d->page[3], L2_EPT_LOW_SLOT, 8, e->variants[3].bits[0] | d->page[2]);
	share_identity(e, d->page[3]);
	for (i = 0; i < (e->high ? e->variants[4].nr : 1); i++) {
		d->root[i] = l2_ept_page(e);
		l2_ept_put(e, d->root[i], 0, 8, full | d->page[3]);
		l2_ept_put(e, d->root[i], 1, 8, e->variants[4].bits[i] | d->page[3]);
	}
	if (!e->caps.walk_5)
		return;
	d->root5 = l2_ept_page(e);
	l2_ept_put(e, d->root5, 0, 8, full | d->root[0]);
}

static bool low_mode(const struct mmu_state *state)
{
	return state->mode == MODE_NOPG || state->mode == MODE_2LEVEL;
}

/* Modes in which the data page is reached by linear addresses that are L2-physical ones. */
bool l2_ept_flat_data(const struct mmu_state *state)
{
	return state->mode != MODE_4LEVEL;
}

bool l2_ept_gpa(const struct l2_ept *e, const struct mmu_state *state, u8 target,
		const struct ept_choice *choice, gpa_t *gpa)
{
	const u16 *v = choice->variant;
	const gpa_t t = e->dense[target].target;
	bool low = low_mode(state) || (!target && l2_ept_flat_data(state));
	int level;

	if ((v[4] && !e->high) || (low && (v[4] || v[3])))
		return false;
	*gpa = (v[4] ? L2_EPT_HIGH_BASE : 0) |
	       (low ? L2_EPT_LOW_BASE : (u64)(L2_EPT_FIRST_SLOT + v[3]) << 30);
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
	return gpa >= L2_EPT_LOW_BASE ? e->dense[target].target | (gpa & 0xfff) : gpa;
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

void l2_ept_require(struct guest *guest)
{
	const char *missing = l1_lacks(guest, true);

	TEST_REQUIRE(guest->cpu.vendor == VENDOR_INTEL, "this CPU has no EPT");
	TEST_REQUIRE(!missing, "%s", missing);
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
		TEST_ASSERT(e->variants[level].nr <= 512 - L2_EPT_FIRST_SLOT,
			    "%u variants of level %d", e->variants[level].nr, level);
	}
	l1_identity(guest, MODE_4LEVEL, 1);
	e->first = guest->l1->next_nested;
	for (target = 0; target < NR_L2_TARGETS; target++)
		make_dense(e, target);
	make_singles(e);
	l2_ept_make_l2(e);
	make_image(e);
	return e;
}

void l2_ept_free(struct l2_ept *e)
{
	if (!e)
		return;
	if (e->other)
		vm_free(e->other);
	free(e->single);
	free(e->image);
	free(e);
}
