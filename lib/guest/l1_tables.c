// SPDX-License-Identifier: GPL-2.0-only
/* Identity maps for L1: of its own linear addresses, and of L2's physical ones. */
#include <string.h>

#include "l1_internal.h"
#include "test_assert.h"

static gpa_t new_table(struct l1_map *map)
{
	gpa_t table = *map->next;

	TEST_ASSERT(table < map->end, "no memory left for L1's tables");
	*map->next += 0x1000;
	memset(vm_gpa2hva(map->guest->vm, table), 0, 0x1000);
	return table;
}

void l1_map_begin(struct l1_map *map)
{
	map->root = new_table(map);
}

static u8 *entry_at(const struct l1_map *map, gpa_t table, int level, gpa_t gpa)
{
	return (u8 *)vm_gpa2hva(map->guest->vm, table) +
	       level_index(map->mode, level, gpa) * paging_formats[map->mode].entry_bytes;
}

static void map_page(struct l1_map *map, gpa_t gpa, int page_level)
{
	const struct paging_format *f = &paging_formats[map->mode];
	gpa_t table = map->root;
	u64 entry;
	int level;

	for (level = f->levels; level > page_level; level--) {
		u8 *at = entry_at(map, table, level, gpa);

		entry = 0;
		memcpy(&entry, at, f->entry_bytes);
		if (!entry) {
			entry = new_table(map) | map->full(map->mode, level, false);
			memcpy(at, &entry, f->entry_bytes);
		}
		table = entry & BITS_ULL(51, 12);
	}
	entry = gpa | map->full(map->mode, level, true);
	memcpy(entry_at(map, table, level, gpa), &entry, f->entry_bytes);
}

void l1_map_range(struct l1_map *map, gpa_t gpa, u64 size, int page_level)
{
	const struct paging_format *f = &paging_formats[map->mode];
	gpa_t end = gpa + size;

	while (gpa < end) {
		int level = page_level;
		u64 page;

		while (level > 1 && (f->level[level].leaf == LEAF_NEVER || level > f->levels))
			level--;
		page = level_page_size(map->mode, level);
		gpa &= ~(page - 1);
		map_page(map, gpa, level);
		gpa += page;
	}
}
