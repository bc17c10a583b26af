// SPDX-License-Identifier: GPL-2.0-only
/* Steps of the stories that are written down: see include/td_cases.h. */
#include <string.h>

#include "td_cases.h"

/* An address: offset in test memory, and with which bits. */
#define PRIVATE(offset) (offset)
#define SHARED(offset) (BIT_ULL(63) | (offset))
#define ABSOLUTE(gpa) (BIT_ULL(62) | (gpa))
#define PAGE(n) ((n) * 0x1000ull)
#define WORD(n) ((n) * (u64)TD_WORD_STRIDE)

#define READ(gpa) { TD_READ, gpa, 0, 0 }
#define WRITE(gpa, value) { TD_WRITE, gpa, 0, value }
#define FETCH(gpa) { TD_FETCH, gpa, 0, 0 }
#define VMM_READ(gpa) { TD_VMM_READ, gpa, 0, 0 }
#define VMM_WRITE(gpa, value) { TD_VMM_WRITE, gpa, 0, value }
#define MAP(gpa, size) { TD_MAP_GPA, gpa, size, 0 }
#define ACCEPT(gpa) { TD_ACCEPT, gpa, TD_PAGE_SIZE, 0 }
#define ACCEPT_LARGE(gpa) { TD_ACCEPT, gpa, TD_LARGE_SIZE, 0 }
#define RETRY_AT(part) { TD_RETRY_AT, 0, part, 0 }

static const struct td_step private[] = {
	ACCEPT(PAGE(0)), READ(PAGE(0)), WRITE(PAGE(0), 0x1111), READ(PAGE(0)),
	WRITE(PAGE(0) + WORD(1), TD_CODE(0xabcdef)), FETCH(PAGE(0) + WORD(1)), READ(PAGE(0)),
	ACCEPT(PAGE(1)), READ(PAGE(1)), WRITE(PAGE(1), 0x2222), READ(PAGE(0)),
	ACCEPT(PAGE(511)), WRITE(PAGE(511) + WORD(3), 0x3333), READ(PAGE(511) + WORD(3)),
	ACCEPT(PAGE(512)), WRITE(PAGE(512), 0x4444), READ(PAGE(512)), READ(PAGE(511) + WORD(3)),
	ACCEPT(PAGE(1023)), WRITE(PAGE(1023), TD_CODE(0x77)), FETCH(PAGE(1023)), READ(PAGE(1)),
};

static const struct td_step shared[] = {
	MAP(SHARED(PAGE(0)), PAGE(2)), READ(SHARED(PAGE(0))), WRITE(SHARED(PAGE(0)), 0x51),
	READ(SHARED(PAGE(0))), VMM_READ(SHARED(PAGE(0))),
	VMM_WRITE(SHARED(PAGE(0) + WORD(2)), 0x52),
	READ(SHARED(PAGE(0) + WORD(2))), READ(SHARED(PAGE(1))),
	WRITE(SHARED(PAGE(1) + WORD(3)), 0x53),
	VMM_READ(SHARED(PAGE(1) + WORD(3))), FETCH(SHARED(PAGE(0))),
	VMM_WRITE(SHARED(PAGE(1)), TD_CODE(5)), READ(SHARED(PAGE(1))), FETCH(SHARED(PAGE(1))),
	MAP(SHARED(PAGE(512)), PAGE(512)), WRITE(SHARED(PAGE(1023)), 0x54),
	VMM_READ(SHARED(PAGE(1023))),
};

/* Shared memory is never executed, in whatever state the page is. */
static const struct td_step no_fetch[] = {
	FETCH(SHARED(PAGE(3))), ACCEPT(PAGE(3)), WRITE(PAGE(3), TD_CODE(1)), FETCH(PAGE(3)),
	FETCH(SHARED(PAGE(3))), READ(PAGE(3)), MAP(SHARED(PAGE(3)), PAGE(1)),
	FETCH(SHARED(PAGE(3))),
	WRITE(SHARED(PAGE(3)), TD_CODE(2)), FETCH(SHARED(PAGE(3))), VMM_READ(SHARED(PAGE(3))),
	MAP(PAGE(3), PAGE(1)), FETCH(SHARED(PAGE(3))), FETCH(PAGE(3)),
};

static const struct td_step there_and_back[] = {
	ACCEPT(PAGE(0)), WRITE(PAGE(0), 0xa1), WRITE(PAGE(0) + WORD(3), TD_CODE(9)),
	FETCH(PAGE(0) + WORD(3)),
	MAP(SHARED(PAGE(0)), PAGE(1)), READ(SHARED(PAGE(0))), READ(SHARED(PAGE(0) + WORD(3))),
	WRITE(SHARED(PAGE(0)), 0xa2), VMM_READ(SHARED(PAGE(0))),
	MAP(PAGE(0), PAGE(1)), READ(PAGE(0)), ACCEPT(PAGE(0)), READ(PAGE(0)),
	READ(PAGE(0) + WORD(3)),
	WRITE(PAGE(0), 0xa3), MAP(SHARED(PAGE(0)), PAGE(1)), READ(SHARED(PAGE(0))),
	MAP(PAGE(0), PAGE(1)), ACCEPT(PAGE(0)), READ(PAGE(0)),
	/* Neighbours keep what they have. */
	ACCEPT(PAGE(1)), WRITE(PAGE(1), 0xb1), WRITE(PAGE(0), 0xb0), MAP(SHARED(PAGE(1)), PAGE(1)),
	READ(PAGE(0)), WRITE(SHARED(PAGE(1)), 0xb2), MAP(SHARED(PAGE(0)), PAGE(1)),
	READ(SHARED(PAGE(1))), MAP(PAGE(0), PAGE(1)), READ(SHARED(PAGE(1))),
	/* What is already so stays so. */
	MAP(SHARED(PAGE(1)), PAGE(1)), READ(SHARED(PAGE(1))), ACCEPT(PAGE(0)), WRITE(PAGE(0), 0xb3),
	MAP(PAGE(0), PAGE(1)), READ(PAGE(0)),
};

static const struct td_step pending[] = {
	READ(PAGE(7)), WRITE(PAGE(7), 1), FETCH(PAGE(7)), READ(PAGE(7) + WORD(3)), READ(PAGE(600)),
	ACCEPT(PAGE(7)), READ(PAGE(7)), READ(PAGE(8)), ACCEPT(PAGE(7)), WRITE(PAGE(7), 0x71),
	ACCEPT(PAGE(7)), READ(PAGE(7)),
	/* A size that is not the mapping's, on a pending page and on an accepted one. */
	ACCEPT_LARGE(PAGE(512)), READ(PAGE(512)), READ(PAGE(513)), ACCEPT(PAGE(512)),
	READ(PAGE(512)),
	/* What cannot be accepted. */
	ACCEPT(SHARED(PAGE(9))), READ(PAGE(9)), ACCEPT(ABSOLUTE(BIT_ULL(52) | TD_TEST_GPA)),
	ACCEPT(ABSOLUTE(BIT_ULL(60) | TD_TEST_GPA)), READ(PAGE(7)),
};

/* Conversions that nobody asked for but by an access. */
static const struct td_step by_access[] = {
	READ(SHARED(PAGE(0))), WRITE(SHARED(PAGE(0)), 0xc1), READ(SHARED(PAGE(0))),
	READ(PAGE(0)), ACCEPT(PAGE(0)), READ(PAGE(0)), WRITE(PAGE(0), 0xc2),
	WRITE(SHARED(PAGE(0) + WORD(1)), 0xc3), READ(SHARED(PAGE(0))),
	VMM_READ(SHARED(PAGE(0) + WORD(1))),
	WRITE(PAGE(0), 0xc4), READ(PAGE(0)), WRITE(SHARED(PAGE(0)), 0xc5), FETCH(PAGE(0)),
	READ(SHARED(PAGE(0))), ACCEPT(PAGE(0)), READ(PAGE(0)), READ(PAGE(1)),
	READ(SHARED(PAGE(1023))), READ(PAGE(1022)), READ(PAGE(1023)),
};

static const struct td_step ranges[] = {
	MAP(SHARED(PAGE(0)), PAGE(1024)), READ(SHARED(PAGE(0))), WRITE(SHARED(PAGE(1023)), 0xd1),
	MAP(PAGE(511), PAGE(2)), READ(PAGE(511)), READ(PAGE(512)), READ(SHARED(PAGE(510))),
	READ(SHARED(PAGE(513))), READ(SHARED(PAGE(1023))), MAP(PAGE(1), PAGE(1023)),
	READ(PAGE(1023)),
	READ(SHARED(PAGE(0))), ACCEPT(PAGE(600)), WRITE(PAGE(600), 0xd2), MAP(PAGE(0), PAGE(1024)),
	READ(PAGE(600)), READ(PAGE(0)),
	/*
	 * The VMM wants to go on later: at once, or behind the first part; the rest is asked for.
	 */
	RETRY_AT(0), MAP(SHARED(PAGE(0)), PAGE(1024)), READ(PAGE(0)),
	RETRY_AT(1), MAP(SHARED(PAGE(0)), PAGE(1024)), READ(SHARED(PAGE(0))), READ(PAGE(600)),
	READ(PAGE(512)), MAP(SHARED(PAGE(512)), PAGE(512)), READ(SHARED(PAGE(600))),
	RETRY_AT(1), MAP(PAGE(100), PAGE(700)), READ(PAGE(611)), READ(SHARED(PAGE(612))),
	MAP(PAGE(612), PAGE(188)), READ(PAGE(799)), READ(SHARED(PAGE(800))),
};

static const struct td_step operands[] = {
	MAP(PAGE(0), 0), MAP(SHARED(PAGE(0)), 0), MAP(PAGE(0) + 8, PAGE(1)), MAP(PAGE(0), 0x800),
	MAP(SHARED(PAGE(0) + 0xfff), PAGE(1)),
	MAP(SHARED(PAGE(0)), PAGE(1) + 1), MAP(PAGE(0), ~0ull << 12),
	MAP(ABSOLUTE(BIT_ULL(52)), PAGE(1)), MAP(ABSOLUTE(BIT_ULL(52) | 1), PAGE(1)),
	MAP(ABSOLUTE(BIT_ULL(61) | TD_TEST_GPA), PAGE(1)), MAP(ABSOLUTE(BITS_ULL(51, 12)), PAGE(2)),
	/* Memory there is none: before and behind, and half of it. */
	MAP(ABSOLUTE(TD_TEST_GPA - PAGE(1)), PAGE(1)),
	MAP(PAGE(1024), PAGE(1)), MAP(PAGE(1023), PAGE(2)),
	MAP(SHARED(PAGE(1023)), PAGE(2)), READ(PAGE(1023)), READ(PAGE(0)),
};

static u32 copy(const struct td_layout *l, const struct td_step *from, u32 nr,
		struct td_step *steps)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		steps[i] = from[i];
		if (from[i].op == TD_RETRY_AT)
			continue;
		if (from[i].gpa & BIT_ULL(62))
			steps[i].gpa = from[i].gpa & ~BIT_ULL(62);
		else if (from[i].gpa & BIT_ULL(63))
			steps[i].gpa = TD_TEST_GPA +
				       tdx_gpa_to_shared(l->gpaw, from[i].gpa & ~BIT_ULL(63));
		else
			steps[i].gpa = TD_TEST_GPA + from[i].gpa;
	}
	return nr;
}

#define WRITTEN(array)                                                                             \
	static u32 array##_steps(const struct td_layout *l, u64 seed, u32 nr, struct td_step *steps) \
	{                                                                                          \
		(void)seed;                                                                        \
		(void)nr;                                                                          \
		return copy(l, array, ARRAY_SIZE(array), steps);                                   \
	}
WRITTEN(private)
WRITTEN(shared)
WRITTEN(no_fetch)
WRITTEN(there_and_back)
WRITTEN(pending)
WRITTEN(by_access)
WRITTEN(ranges)
WRITTEN(operands)

/* MapGPA over the shared bit: from the last private page to the first shared one. */
static u32 straddle_steps(const struct td_layout *l, u64 seed, u32 nr, struct td_step *steps)
{
	const gpa_t bit = tdx_shared_bit(l->gpaw);
	const struct td_step all[] = {
		MAP(bit - PAGE(1), PAGE(2)), MAP(bit - 1, PAGE(1)), MAP(TD_TEST_GPA, bit),
		MAP(bit | TD_TEST_GPA, bit), MAP(bit | TD_TEST_GPA, BIT_ULL(52)), READ(TD_TEST_GPA),
	};

	(void)seed;
	(void)nr;
	memcpy(steps, all, sizeof(all));
	return ARRAY_SIZE(all);
}

/*
 * The first page's address with one bit changed, on either side: another page, the other side, a
 * place without memory, or too wide.  Private ones without memory end a TD, so each bit is one.
 */
#define FIRST_BIT 12
#define LAST_BIT 51
#define NR_BITS (LAST_BIT - FIRST_BIT + 1)

static u32 one_bit_steps(const struct td_layout *l, u64 seed, u32 nr, struct td_step *steps)
{
	const gpa_t changed = BIT_ULL(nr);
	const struct td_step all[] = {
		ACCEPT(TD_TEST_GPA), WRITE(TD_TEST_GPA, 0xe1),
		READ(tdx_gpa_to_shared(l->gpaw, TD_TEST_GPA) ^ changed),
		WRITE(tdx_gpa_to_shared(l->gpaw, TD_TEST_GPA) ^ changed, 0xe2),
		READ(TD_TEST_GPA ^ changed), WRITE(TD_TEST_GPA ^ changed, 0xe3),
		READ(tdx_gpa_to_shared(l->gpaw, TD_TEST_GPA) ^ changed), READ(TD_TEST_GPA),
	};

	(void)seed;
	if (l->large && changed < TD_LARGE_SIZE)
		return 0;
	memcpy(steps, all, sizeof(all));
	return ARRAY_SIZE(all);
}

const struct td_story td_stories[] = {
	{ "private", private_steps, 1, 0 },
	{ "shared", shared_steps, 1, 0 },
	{ "no-fetch-from-shared", no_fetch_steps, 1, 0 },
	{ "there-and-back", there_and_back_steps, 1, 0 },
	{ "pending", pending_steps, 1, 0 },
	{ "by-access", by_access_steps, 1, 0 },
	{ "ranges", ranges_steps, 1, 0 },
	{ "operands", operands_steps, 1, 0 },
	{ "straddle", straddle_steps, 1, 0 },
	{ "one-bit", one_bit_steps, NR_BITS, FIRST_BIT },
	{ "random", td_random_steps, 4, 1 },
};
const u32 nr_td_stories = ARRAY_SIZE(td_stories);
