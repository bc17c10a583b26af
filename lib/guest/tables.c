// SPDX-License-Identifier: GPL-2.0-only
/* Page tables in guest memory: variant-dense test tables, and the agent's own. */
#include <string.h>

#include "guest.h"
#include "guest_internal.h"

static const struct table_shape shapes[NR_TABLE_AREAS] = {
	[AREA_2LEVEL] = { PAGING_2LEVEL, false, 32 },
	[AREA_2LEVEL_PSE] = { PAGING_2LEVEL, true, 32 },
	[AREA_PAE] = { PAGING_PAE, false, 32 },
	[AREA_4LEVEL] = { PAGING_4LEVEL, false, 48 },
	[AREA_5LEVEL] = { PAGING_5LEVEL, false, 57 },
	[AREA_COMPAT4] = { PAGING_4LEVEL, false, 32 },
	[AREA_COMPAT5] = { PAGING_5LEVEL, false, 32 },
};

enum table_area state_area(const struct mmu_state *state)
{
	const struct state_mode_info *m = &state_modes[state->mode];
	bool pse = m->paging == PAGING_2LEVEL && state->flags & FLAG_PSE;
	u8 linear_bits = m->code64 ? paging_formats[m->paging].linear_bits : 32;
	int i;

	for (i = 0; i < NR_TABLE_AREAS; i++)
		if (shapes[i].mode == m->paging && shapes[i].cr4_pse == pse &&
		    shapes[i].linear_bits == linear_bits)
			return i;
	return 0;
}

bool states_share_tables(const struct mmu_state *a, const struct mmu_state *b)
{
	return state_modes[a->mode].paging != PAGING_NONE &&
	       state_modes[b->mode].paging != PAGING_NONE && state_area(a) == state_area(b);
}

const struct table_shape *area_shape(enum table_area area)
{
	return &shapes[area];
}

static void put_entry(struct table_image *t, u32 table, u32 index, u64 entry)
{
	int bytes = paging_formats[t->shape.mode].entry_bytes;

	memcpy(t->image + table + index * bytes, &entry, bytes);
}

/*
 * Where a variant leads: its page, or the one table of the next level.  Where 1-GByte pages
 * are not offered PS is reserved, and a CPU that does not mind is led to a page all the same.
 */
static u64 variant_target(const struct table_image *t, int level, u64 bits,
			  const struct cpu_facts *cpu)
{
	if (paging_formats[t->shape.mode].level[level].leaf == LEAF_PS_1G && bits & PTE_PS)
		return DATA_HUGE;
	if (!entry_is_leaf(t->shape.mode, level, bits, t->shape.cr4_pse, cpu))
		return t->base + AREA_TEST + (level - 2) * 0x1000;
	return level == 1 ? DATA_PAGE : level == 2 ? DATA_LARGE : DATA_HUGE;
}

static void write_test_entry(struct table_image *t, int level, u32 slot, u64 bits,
			     const struct cpu_facts *cpu)
{
	put_entry(t, AREA_TEST + (level - 1) * 0x1000, slot,
		  bits | variant_target(t, level, bits, cpu));
}

static void write_test_tables(struct table_image *t, const struct cpu_facts *cpu,
			      enum page_front front)
{
	unsigned int slot;
	int level;
	u64 last;
	u16 i;

	for (level = 1; level <= paging_formats[t->shape.mode].levels; level++) {
		const struct variant_list *list = &t->variants[level];

		for (i = 0; i < list->nr; i++)
			write_test_entry(t, level, variant_first_slot(&t->shape, level) + i,
					 list->bits[i], cpu);
		last = front ? front_last_entry(t, level, front, &slot) : 0;
		if (last)
			write_test_entry(t, level, slot, last, cpu);
	}
}

/*
 * The agent's 8 MiB: 4 MiB of memory, mapped for the supervisor and again for user
 * code.  Tables lie behind each other from AREA_AGENT, PTs first; from the level that
 * holds the first test variants upwards, the agent shares the test tables.  One page leads
 * to a hole in guest memory.
 */
static void write_agent_tables(struct table_image *t)
{
	const struct paging_format *f = &paging_formats[t->shape.mode];
	const u32 per_table = 0x1000 / f->entry_bytes;
	const u32 nr_pages = AGENT_LINEAR_END >> 12;
	u32 table = AREA_AGENT, next, i, nr, level;
	u32 top = shape_top_level(&t->shape);

	for (i = 0; i < nr_pages; i++) {
		u64 entry = (u64)i << 12 | VARIANT_FULL;

		if (entry >= AGENT_USER_ALIAS)
			entry -= AGENT_USER_ALIAS;
		else
			entry &= ~PTE_U;
		if (entry >> 12 == AGENT_HOLE >> 12)
			entry += HOLE_GPA - AGENT_HOLE;
		put_entry(t, table + i / per_table * 0x1000, i % per_table, entry);
	}
	nr = nr_pages / per_table;
	for (level = 2; level <= f->levels; level++) {
		next = level >= top ? AREA_TEST + (level - 1) * 0x1000 : table + nr * 0x1000;
		for (i = 0; i < nr; i++)
			put_entry(t, next, i,
				  (t->base + table + i * 0x1000) | variant_full(t->shape.mode, level));
		table = next;
		nr = 1;
	}
}

void tables_init(struct guest *guest, enum table_area area,
		 struct variant_list (*variants)[MAX_LEVELS + 1])
{
	struct table_image *t = &guest->area[area];
	int level;

	t->shape = shapes[area];
	t->base = TABLE_AREAS + area * TABLE_AREA_SIZE;
	for (level = 1; level <= paging_formats[t->shape.mode].levels; level++) {
		if (variants)
			t->variants[level] = variants[area][level];
		else
			variants_of(&t->shape, level, &guest->cpu, &t->variants[level]);
		if (!variants && guest->front)
			front_interleave(&t->shape, level, guest->front, &t->variants[level]);
	}
	write_test_tables(t, &guest->cpu, guest->front);
	write_agent_tables(t);
	memcpy(t->image + AREA_COPY, t->image + AREA_TEST, MAX_LEVELS * 0x1000);
}

void guest_entries(const struct guest *guest, const struct mmu_state *state,
		   const u16 variant[MAX_LEVELS + 1], u64 entry[MAX_LEVELS + 1])
{
	const struct table_image *t = &guest->area[state_area(state)];
	int level;

	for (level = 1; level <= paging_formats[state_modes[state->mode].paging].levels; level++)
		entry[level] = t->variants[level].bits[variant[level]];
}

bool guest_choose(const struct guest *guest, const struct mmu_state *state,
		  const u64 entry[MAX_LEVELS + 1], u16 variant[MAX_LEVELS + 1])
{
	const struct table_image *t = &guest->area[state_area(state)];
	int level, i;

	for (level = 1; level <= paging_formats[state_modes[state->mode].paging].levels; level++) {
		i = variant_find(&t->variants[level], entry[level]);
		if (i < 0)
			return false;
		variant[level] = i;
	}
	return true;
}

gva_t guest_gva(const struct guest *guest, enum table_area area, const u16 variant[MAX_LEVELS + 1],
		u32 offset)
{
	const struct table_image *t = &guest->area[area];
	const struct paging_format *f = &paging_formats[t->shape.mode];
	int level, top = shape_top_level(&t->shape);
	gva_t gva = offset;

	/* Below the top level variants begin at slot 0. */
	gva |= (u64)variant_first_slot(&t->shape, top) << f->level[top].shift;
	for (level = 1; level <= f->levels; level++)
		gva += (u64)variant[level] << f->level[level].shift;
	if (t->shape.linear_bits > 32)
		gva = (s64)(gva << (64 - f->linear_bits)) >> (64 - f->linear_bits);
	return gva;
}

/* Careful batches restore these levels; PDPTE registers are not memory. */
u32 tables_levels(const struct table_image *t, struct agent_level *levels)
{
	const struct paging_format *f = &paging_formats[t->shape.mode];
	u32 nr = 0;
	int level;

	for (level = 1; level <= f->levels; level++) {
		if (f->level[level].register_entry)
			continue;
		levels[nr++] = (struct agent_level){
			.table = t->base + AREA_TEST + (level - 1) * 0x1000,
			.shift = f->level[level].shift - (f->entry_bytes == 8 ? 3 : 2),
			.mask = ((1u << f->level[level].index_bits) - 1) * f->entry_bytes,
			.words = f->entry_bytes / 4,
		};
	}
	return nr;
}

/* The tables of an area, one per level: as the guest has them, and as the host wrote them. */
struct both_tables {
	u32 nr, bytes; /* of an entry */
	struct agent_level level[MAX_LEVELS];
	u8 *now[MAX_LEVELS];
	const u8 *image[MAX_LEVELS];
};

static void both_tables(const struct guest *guest, const struct mmu_state *state,
			struct both_tables *b)
{
	const struct table_image *t = &guest->area[state_area(state)];
	u32 i;

	*b = (struct both_tables){ .bytes = paging_formats[t->shape.mode].entry_bytes };
	if (state_modes[state->mode].paging != PAGING_NONE)
		b->nr = tables_levels(t, b->level);
	for (i = 0; i < b->nr; i++) {
		b->now[i] = vm_gpa2hva(guest->vm, b->level[i].table);
		b->image[i] = t->image + (b->level[i].table - t->base);
	}
}

/* Where the entry of an address is in its table. */
static u32 entry_at(const struct both_tables *b, u32 i, gva_t gva)
{
	return gva >> b->level[i].shift & b->level[i].mask;
}

static u64 read_entry(const struct both_tables *b, const u8 *at)
{
	u64 entry = 0;

	if (b->bytes == 8)
		memcpy(&entry, at, 8);
	else
		memcpy(&entry, at, 4);
	return entry;
}

static u32 path_ad(const struct both_tables *b, gva_t gva)
{
	u32 i, ad = 0;

	for (i = 0; i < b->nr; i++) {
		const u32 at = entry_at(b, i, gva);
		const u64 changed = read_entry(b, b->now[i] + at) ^ read_entry(b, b->image[i] + at);

		if (!changed)
			continue;
		ad |= (changed >> 5 & 3) << 2 * i;
		if (changed & ~(u64)(PTE_A | PTE_D))
			ad |= AD_CORRUPT;
	}
	return ad;
}

void guest_restore_path(struct guest *guest, const struct mmu_state *state, gva_t gva)
{
	struct both_tables b;
	u32 i;

	both_tables(guest, state, &b);
	for (i = 0; i < b.nr; i++) {
		const u32 at = entry_at(&b, i, gva);

		memcpy(b.now[i] + at, b.image[i] + at, b.bytes);
	}
}

u32 guest_path_ad(const struct guest *guest, const struct mmu_state *state, gva_t gva)
{
	struct both_tables b;

	both_tables(guest, state, &b);
	return path_ad(&b, gva);
}

bool guest_path_fixed(const struct guest *guest, const struct mmu_state *state, gva_t gva)
{
	const u64 both = PTE_A | PTE_D;
	struct both_tables b;
	u64 all = both;
	u32 i;

	both_tables(guest, state, &b);
	for (i = 0; i < b.nr; i++)
		all &= read_entry(&b, b.image[i] + entry_at(&b, i, gva));
	return all == both;
}

void tables_tell_ad(const struct guest *guest, const struct agent_batch *batch,
		    struct agent_result *results)
{
	struct both_tables b;
	u32 i, ad;

	both_tables(guest, &batch->state, &b);
	for (i = 0; i < batch->nr; i++) {
		ad = path_ad(&b, batch->gvas[i]);
		if (ad)
			results[i].ad = ad;
	}
}
