// SPDX-License-Identifier: GPL-2.0-only
/*
 * Code in front of a page: an instruction that begins before a page boundary and ends in the
 * page that is tested, so that whoever fetches it walks to that page.
 *
 * Each data page ends with a forced-emulation prefix and the first byte of "mov $tag, %eax";
 * the tag is what each data page begins with.  What lies before a test address depends on its
 * slots: with slots 0 below the level that deviates it is the slot before, and below that the
 * last slots.  So each variant gets a slot of its own that may be executed before it, and the
 * last slot of each table is such a one, too.
 */
#include <string.h>

#include "guest_internal.h"

static u64 front_entry(enum paging_mode mode, int level, enum page_front front)
{
	return variant_full(mode, level) & ~(front == FRONT_SUPERVISOR ? PTE_U : 0ull);
}

/* Slots of a table that its index reaches. */
static unsigned int slots_of(const struct table_shape *shape, int level)
{
	return 1u << paging_formats[shape->mode].level[level].index_bits;
}

void front_interleave(const struct table_shape *shape, int level, enum page_front front,
		      struct variant_list *list)
{
	const struct variant_list plain = *list;
	unsigned int max = variant_max(shape, level), i;

	/* All that are present can be executed, and there are few. */
	if (paging_formats[shape->mode].level[level].register_entry)
		return;
	if (max + variant_first_slot(shape, level) == slots_of(shape, level))
		max--;
	list->nr = 0;
	list->bits[list->nr++] = plain.bits[VARIANT_FULL_INDEX];
	for (i = 0; i < plain.nr && list->nr + 2u <= max; i++) {
		list->bits[list->nr++] = front_entry(shape->mode, level, front);
		list->bits[list->nr++] = plain.bits[i];
	}
	/* No products of rights here. */
	list->nr_rights = 1;
}

u64 front_last_entry(const struct table_image *t, int level, enum page_front front,
		     unsigned int *slot)
{
	*slot = slots_of(&t->shape, level) - 1;
	if (paging_formats[t->shape.mode].level[level].register_entry ||
	    variant_first_slot(&t->shape, level) + t->variants[level].nr > *slot)
		return 0;
	return front_entry(t->shape.mode, level, front);
}

void front_list(enum paging_mode mode, int level, enum page_front front, u64 entry,
		struct variant_list *list)
{
	u64 full = variant_full(mode, level);

	*list = (struct variant_list){ .bits = { full } };
	list->nr = 1;
	if (!paging_formats[mode].level[level].register_entry)
		list->bits[list->nr++] = front_entry(mode, level, front);
	list->bits[list->nr++] = entry;
}
