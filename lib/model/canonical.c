// SPDX-License-Identifier: GPL-2.0-only
/* Addresses at the bounds of canonical address space: see include/canonical.h. */
#include "canonical.h"

/* Keeps the list sorted. */
static unsigned int add(gva_t list[MAX_CANONICAL_ADDRESSES], unsigned int nr, gva_t gva)
{
	unsigned int at = 0, i;

	while (at < nr && list[at] < gva)
		at++;
	if (nr == MAX_CANONICAL_ADDRESSES || (at < nr && list[at] == gva))
		return nr;
	for (i = nr; i > at; i--)
		list[i] = list[i - 1];
	list[at] = gva;
	return nr + 1;
}

unsigned int canonical_addresses(gva_t list[MAX_CANONICAL_ADDRESSES])
{
	static const int around[] = { -0x1000, -0x10, -8, -7, -5, -4, -3, -2, -1,
				      0,       1,     4,  8,  0xff8, 0x1000 };
	static const u8 widths[] = { 48, 57 };
	unsigned int nr = 0, w, i;
	int bit;

	for (w = 0; w < ARRAY_SIZE(widths); w++) {
		/* The hole is [low, high). */
		const gva_t low = BIT_ULL(widths[w] - 1), high = -low;

		for (i = 0; i < ARRAY_SIZE(around); i++) {
			nr = add(list, nr, low + around[i]);
			nr = add(list, nr, high + around[i]);
		}
		for (bit = widths[w] - 1; bit < 64; bit++) {
			nr = add(list, nr, BIT_ULL(bit));
			nr = add(list, nr, ~BIT_ULL(bit) & ~0xfffull);
		}
	}
	/* The last bytes of all. */
	nr = add(list, nr, -4ull);
	return add(list, nr, -8ull);
}
