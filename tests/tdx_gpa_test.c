// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shared bit (include/tdx_gpa.h): the properties that it must have, for each of the 64 bits
 * of an address, alone and on other addresses, for both widths and for a VM that is no TD.  No
 * KVM is involved.
 */
#include <stdio.h>

#include "tdx_gpa.h"

#define NR_RANDOM 100000

static unsigned int number, failed;

static void result(bool good, const char *what, unsigned int gpaw)
{
	failed += !good;
	printf("%sok %u gpaw%u %s\n", good ? "" : "not ", ++number, gpaw, what);
}

/* xorshift64*: any generator will do that sets every bit. */
static u64 next_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/* What holds for any address of a TD; written from the definition, not with the functions. */
static bool holds_in_td(unsigned int gpaw, unsigned int bit, gpa_t gpa)
{
	const bool set = gpa >> bit & 1;
	const gpa_t shared = tdx_gpa_to_shared(gpaw, gpa), private = tdx_gpa_to_private(gpaw, gpa);

	return tdx_gpa_is_private(gpaw, gpa) == !set &&
	       !tdx_gpa_is_private(gpaw, shared) && tdx_gpa_is_private(gpaw, private) &&
	       /* nothing else changes, and the two differ by the bit */
	       (shared ^ private) == 1ull << bit && (set ? shared : private) == gpa &&
	       /* there and back, and twice is once */
	       tdx_gpa_to_private(gpaw, shared) == private &&
	       tdx_gpa_to_shared(gpaw, private) == shared &&
	       tdx_gpa_to_shared(gpaw, shared) == shared &&
	       tdx_gpa_to_private(gpaw, private) == private &&
	       tdx_gpa_too_wide(gpaw, gpa) == (gpa > (1ull << (bit + 1)) - 1);
}

static bool holds_elsewhere(unsigned int gpaw, unsigned int bit, gpa_t gpa)
{
	(void)bit;
	return tdx_gpa_to_shared(gpaw, gpa) == gpa && tdx_gpa_to_private(gpaw, gpa) == gpa &&
	       !tdx_gpa_is_private(gpaw, gpa) && !tdx_gpa_too_wide(gpaw, gpa);
}

static bool each_bit(bool (*holds)(unsigned int, unsigned int, gpa_t), unsigned int gpaw,
		     unsigned int shared_bit)
{
	static const gpa_t bases[] = {
		0, 0x1000, ~0ull, 0x000fffffffffffffull, 1ull << 47, 1ull << 51,
	};
	unsigned int bit, i;

	for (bit = 0; bit < 64; bit++)
		for (i = 0; i < ARRAY_SIZE(bases); i++)
			if (!holds(gpaw, shared_bit, bases[i] ^ 1ull << bit))
				return false;
	for (i = 0; i < ARRAY_SIZE(bases); i++)
		if (!holds(gpaw, shared_bit, bases[i]))
			return false;
	return true;
}

static bool each_random(bool (*holds)(unsigned int, unsigned int, gpa_t), unsigned int gpaw,
			unsigned int shared_bit)
{
	u64 state = 0x9e3779b97f4a7c15ull;
	unsigned int i;

	for (i = 0; i < NR_RANDOM; i++)
		if (!holds(gpaw, shared_bit, next_random(&state)))
			return false;
	return true;
}

/* Only one bit of all decides, and it is the one that the specification names. */
static bool one_bit_decides(unsigned int gpaw, unsigned int shared_bit)
{
	unsigned int bit;

	for (bit = 0; bit < 64; bit++)
		if (tdx_gpa_is_private(gpaw, 1ull << bit) == (bit == shared_bit))
			return false;
	return tdx_shared_bit(gpaw) == 1ull << shared_bit;
}

static bool only_two_widths(void)
{
	unsigned int width;

	for (width = 0; width < 64; width++)
		if (tdx_gpaw_legal(width) != (width == 48 || width == 52))
			return false;
	return true;
}

/* An address that is shared at one width is not for that at the other. */
static bool widths_differ(void)
{
	const gpa_t bit47 = 0x0000800000000000ull, bit51 = 0x0008000000000000ull;

	return tdx_gpa_is_private(52, bit47) && !tdx_gpa_is_private(48, bit47) &&
	       tdx_gpa_is_private(48, bit51) && !tdx_gpa_is_private(52, bit51) &&
	       tdx_gpa_too_wide(48, bit51) && !tdx_gpa_too_wide(52, bit51);
}

int main(void)
{
	static const struct {
		unsigned int gpaw, bit;
	} widths[] = { { 48, 47 }, { 52, 51 } };
	unsigned int i;

	printf("KTAP version 1\n1..%zu\n", 3 * ARRAY_SIZE(widths) + 2 + 3);
	for (i = 0; i < ARRAY_SIZE(widths); i++) {
		const unsigned int gpaw = widths[i].gpaw, bit = widths[i].bit;

		result(one_bit_decides(gpaw, bit), "one bit decides", gpaw);
		result(each_bit(holds_in_td, gpaw, bit), "each bit", gpaw);
		result(each_random(holds_in_td, gpaw, bit), "random addresses", gpaw);
	}
	result(each_bit(holds_elsewhere, TDX_NO_TD, 0), "no TD: each bit", TDX_NO_TD);
	result(each_random(holds_elsewhere, TDX_NO_TD, 0), "no TD: random addresses", TDX_NO_TD);
	result(tdx_shared_bit(TDX_NO_TD) == 0, "no TD: no bit", TDX_NO_TD);
	result(only_two_widths(), "48 and 52 are the widths", TDX_NO_TD);
	result(widths_differ(), "the widths' bits differ", TDX_NO_TD);
	return failed != 0;
}
