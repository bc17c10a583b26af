// SPDX-License-Identifier: GPL-2.0-only
/* Page tables in guest memory: variant-dense test tables, and the agent's own. */
#include <string.h>

#include "guest.h"
#include "guest_internal.h"

static const struct {
	enum paging_mode mode;
	bool pse;
} areas[NR_TABLE_AREAS] = {
	[AREA_2LEVEL] = { PAGING_2LEVEL, false },
	[AREA_2LEVEL_PSE] = { PAGING_2LEVEL, true },
	[AREA_PAE] = { PAGING_PAE, false },
	[AREA_4LEVEL] = { PAGING_4LEVEL, false },
	[AREA_5LEVEL] = { PAGING_5LEVEL, false },
};

enum table_area state_area(const struct mmu_state *state)
{
	enum paging_mode mode = state_modes[state->mode].paging;
	bool pse = mode == PAGING_2LEVEL && state->flags & FLAG_PSE;
	int i;

	for (i = 0; i < NR_TABLE_AREAS; i++)
		if (areas[i].mode == mode && areas[i].pse == pse)
			return i;
	return 0;
}

static void put_entry(struct table_image *t, u32 table, u32 index, u64 entry)
{
	int bytes = paging_formats[t->mode].entry_bytes;

	memcpy(t->image + table + index * bytes, &entry, bytes);
}

/* Where a variant leads: its page, or the one table of the next level. */
static u64 variant_target(const struct table_image *t, int level, u64 bits,
			  const struct cpu_facts *cpu)
{
	if (!entry_is_leaf(t->mode, level, bits, t->pse, cpu))
		return t->base + AREA_TEST + (level - 2) * 0x1000;
	return level == 1 ? DATA_PAGE : level == 2 ? DATA_LARGE : DATA_HUGE;
}

static void write_test_tables(struct table_image *t, const struct cpu_facts *cpu)
{
	int level;
	u16 i;

	for (level = 1; level <= paging_formats[t->mode].levels; level++) {
		const struct variant_list *list = &t->variants[level];

		for (i = 0; i < list->nr; i++)
			put_entry(t, AREA_TEST + (level - 1) * 0x1000,
				  variant_first_slot(t->mode, level) + i,
				  list->bits[i] | variant_target(t, level, list->bits[i], cpu));
	}
}

/*
 * The agent's 8 MiB: 4 MiB of memory, mapped for the supervisor and again for user
 * code.  Tables lie behind each other from AREA_AGENT: PTs, then PD, then upwards.
 */
static void write_agent_tables(struct table_image *t)
{
	const struct paging_format *f = &paging_formats[t->mode];
	const u32 per_table = 0x1000 / f->entry_bytes;
	const u32 nr_pages = AGENT_LINEAR_END >> 12;
	u32 table = AREA_AGENT, next, i, nr, level;
	u32 top = AREA_TEST + (f->levels - 1) * 0x1000;

	for (i = 0; i < nr_pages; i++) {
		u64 entry = (u64)i << 12 | VARIANT_FULL;

		if (entry >= AGENT_USER_ALIAS)
			entry -= AGENT_USER_ALIAS;
		else
			entry &= ~PTE_U;
		put_entry(t, table + i / per_table * 0x1000, i % per_table, entry);
	}
	nr = nr_pages / per_table;
	for (level = 2; level <= f->levels; level++) {
		next = level == f->levels ? top : table + nr * 0x1000;
		for (i = 0; i < nr; i++)
			put_entry(t, next, i,
				  (t->base + table + i * 0x1000) | variant_full(t->mode, level));
		table = next;
		nr = 1;
	}
}

void tables_init(struct guest *guest, enum table_area area,
		 struct variant_list (*variants)[MAX_LEVELS + 1])
{
	struct table_image *t = &guest->area[area];
	int level;

	t->mode = areas[area].mode;
	t->pse = areas[area].pse;
	t->base = TABLE_AREAS + area * TABLE_AREA_SIZE;
	for (level = 1; level <= paging_formats[t->mode].levels; level++) {
		if (variants)
			t->variants[level] = variants[area][level];
		else
			variants_of(t->mode, level, &guest->cpu, &t->variants[level]);
	}
	write_test_tables(t, &guest->cpu);
	write_agent_tables(t);
	memcpy(t->image + AREA_COPY, t->image + AREA_TEST, MAX_LEVELS * 0x1000);
}

gva_t guest_gva(const struct guest *guest, enum table_area area, const u16 variant[MAX_LEVELS + 1],
		u32 offset)
{
	const struct table_image *t = &guest->area[area];
	const struct paging_format *f = &paging_formats[t->mode];
	gva_t gva = offset;
	int level;

	for (level = 1; level <= f->levels; level++)
		gva |= (u64)(variant_first_slot(t->mode, level) + variant[level])
		       << f->level[level].shift;
	if (f->linear_bits > 32)
		gva = (s64)(gva << (64 - f->linear_bits)) >> (64 - f->linear_bits);
	return gva;
}

/* Careful batches restore these levels; PDPTE registers are not memory. */
u32 tables_levels(const struct table_image *t, struct agent_level *levels)
{
	const struct paging_format *f = &paging_formats[t->mode];
	u32 nr = 0;
	int level;

	for (level = 1; level <= f->levels; level++) {
		if (f->level[level].register_entry)
			continue;
		levels[nr++] = (struct agent_level){
			.table = t->base + AREA_TEST + (level - 1) * 0x1000,
			.copy = t->base + AREA_COPY + (level - 1) * 0x1000,
			.shift = f->level[level].shift,
			.mask = (1u << f->level[level].index_bits) - 1,
			.words = f->entry_bytes / 4,
		};
	}
	return nr;
}
