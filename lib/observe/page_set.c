// SPDX-License-Identifier: GPL-2.0-only
/* Sets of (gfn, role word): open addressing, at most half full. */
#include <stdlib.h>
#include <string.h>

#include "role_watch.h"
#include "test_assert.h"

#define FIRST_SIZE 256

static struct page_key *find(const struct page_set *set, u64 gfn, u32 word)
{
	u64 hash = (gfn ^ (u64)word << 32) * 0x9e3779b97f4a7c15ull;
	u32 i = hash >> 40;

	for (;; i++) {
		struct page_key *key = &set->slot[i & (set->size - 1)];

		if (!key->used || (key->gfn == gfn && key->word == word))
			return key;
	}
}

bool page_set_has(const struct page_set *set, u64 gfn, u32 word)
{
	return set->size && find(set, gfn, word)->used;
}

static void grow(struct page_set *set)
{
	struct page_set old = *set;
	u32 i;

	set->size = old.size ? old.size * 2 : FIRST_SIZE;
	set->slot = calloc(set->size, sizeof(*set->slot));
	TEST_ASSERT(set->slot, "out of memory");
	for (i = 0; i < old.size; i++)
		if (old.slot[i].used)
			*find(set, old.slot[i].gfn, old.slot[i].word) = old.slot[i];
	free(old.slot);
}

bool page_set_add(struct page_set *set, u64 gfn, u32 word)
{
	struct page_key *key;

	if (2 * set->nr >= set->size)
		grow(set);
	key = find(set, gfn, word);
	if (key->used)
		return false;
	*key = (struct page_key){ gfn, word, true };
	set->nr++;
	return true;
}

void page_set_clear(struct page_set *set)
{
	if (set->size)
		memset(set->slot, 0, set->size * sizeof(*set->slot));
	set->nr = 0;
}

void page_set_free(struct page_set *set)
{
	free(set->slot);
	*set = (struct page_set){ 0 };
}
