// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a TD is started with (include/td_payload.h), looked at without running it: the
 * architecture walker goes through its tables from every linear address that td_gva() names and
 * must
 * come out where it says, at each width, with 4 and 5 levels, with pages of 4 KBytes and 2 MBytes;
 * what is shared can never be executed, and td_image_is_safe() notices if it can.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "td_image_walk.h"

static u8 low[TD_LOW_SIZE] __attribute__((aligned(4096)));
static u8 reset[4096];
static unsigned int number, failed;

static void result(bool good, const char *what, const struct td_layout *l)
{
	failed += !good;
	printf("%sok %u gpaw%u/%ulevel/%s %s\n", good ? "" : "not ", ++number, l->gpaw, l->levels,
	       l->large ? "2m" : "4k", what);
}

/* One address that the TD can reach: there, and what may be done with it. */
static bool leads_there(const struct td_layout *l, gpa_t gpa)
{
	const gva_t gva = td_gva(l, gpa);
	const struct walk_result r = td_image_walk(low, l->gpaw, gva, ACCESS_WRITE);
	const struct walk_result fetch = td_image_walk(low, l->gpaw, gva, ACCESS_FETCH);
	const bool in_test = (gpa & ~(1ull << (l->gpaw - 1))) - TD_TEST_GPA < TD_TEST_SIZE;
	const bool code = in_test && !(gpa >> (l->gpaw - 1) & 1);

	if (!gva || td_gva_to_gpa(l, gva) != gpa || gva >> 56 ||
	    (gva >> 47 != 0) != (l->levels == 5))
		return false;
	if (gpa >> l->gpaw)
		return r.outcome == WALK_FAULT &&
		       r.error_code == (PFERR_PRESENT | PFERR_WRITE | PFERR_RSVD);
	return r.outcome == WALK_OK && r.gpa == gpa &&
	       r.page_size == (l->large ? 0x200000 : 0x1000) && (fetch.outcome == WALK_OK) == code;
}

static bool all_test_memory(const struct td_layout *l)
{
	u64 offset;

	for (offset = 0; offset < TD_TEST_SIZE; offset += 0x400)
		if (!leads_there(l, TD_TEST_GPA + offset) ||
		    !leads_there(l, TD_TEST_GPA + offset + (1ull << (l->gpaw - 1))))
			return false;
	return true;
}

static bool all_bits(const struct td_layout *l)
{
	const gpa_t shared = TD_TEST_GPA | 1ull << (l->gpaw - 1);
	int bit;

	for (bit = l->large ? 21 : 12; bit < 52; bit++)
		if (!leads_there(l, TD_TEST_GPA ^ 1ull << bit) ||
		    !leads_there(l, shared ^ 1ull << bit))
			return false;
	return true;
}

/* The code runs where it lies, and finds its mailbox on the shared side. */
static bool own_memory(const struct td_layout *l)
{
	const struct walk_result code = td_image_walk(low, l->gpaw, TD_CODE_GPA, ACCESS_FETCH);
	const struct walk_result box = td_image_walk(low, l->gpaw, TD_MAILBOX_GPA, ACCESS_WRITE);
	u32 distance;

	memcpy(&distance, reset + 0xff1, sizeof(distance));
	return code.outcome == WALK_OK && code.gpa == TD_CODE_GPA && box.outcome == WALK_OK &&
	       box.gpa == (TD_MAILBOX_GPA | 1ull << (l->gpaw - 1)) &&
	       td_image_walk(low, l->gpaw, TD_MAILBOX_GPA, ACCESS_FETCH).outcome == WALK_FAULT &&
	       reset[0xff0] == 0xe9 && (u32)(0xfffffff5u + distance) == TD_CODE_GPA;
}

/* Each entry that maps shared memory, made executable in turn. */
static bool danger_is_seen(const struct td_layout *l)
{
	u64 *entry = (u64 *)(low + TD_TABLES_GPA);
	u32 i, nr = 0;

	if (!td_image_is_safe(l, low))
		return false;
	for (i = 0; i < (TD_STACKS_GPA - TD_TABLES_GPA) / 8; i++) {
		if (!(entry[i] & PTE_P) || !(entry[i] >> (l->gpaw - 1) & 1))
			continue;
		nr++;
		entry[i] ^= PTE_NX;
		if (td_image_is_safe(l, low))
			return false;
		entry[i] ^= PTE_NX;
	}
	return nr > 2;
}

int main(void)
{
	static const unsigned int gpaws[] = { 52, 48, 40 };
	struct td_layout l;
	u32 i;

	printf("KTAP version 1\n1..%zu\n", ARRAY_SIZE(gpaws) * 4 * 4);
	for (i = 0; i < ARRAY_SIZE(gpaws) * 4; i++) {
		l = (struct td_layout){ gpaws[i / 4], 4 + (i & 1), i & 2 };
		memset(low, 0, sizeof(low));
		memset(reset, 0, sizeof(reset));
		td_image_write(&l, low, reset);
		result(all_test_memory(&l), "test memory, both sides", &l);
		result(all_bits(&l), "one address bit changed", &l);
		result(own_memory(&l), "the TD's own memory", &l);
		result(danger_is_seen(&l), "shared memory is no code", &l);
	}
	return failed != 0;
}
