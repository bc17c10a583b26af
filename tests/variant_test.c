// SPDX-License-Identifier: GPL-2.0-only
/*
 * The case generator leaves no reserved bit out.
 *
 * For CPUs that differ in what they reserve, for every table of the suite, each level, table
 * entries and pages, NX on and off: every single bit that is reserved there, in an otherwise
 * full entry, is a variant of its own, and its walk ends with a reserved-bit fault.  Also
 * that each combination of variants has an address (no list is cut short).
 */
#include <stdio.h>
#include <string.h>

#include "guest.h"
#include "test_assert.h"

#define ALL .lm = true, .nx = true, .smep = true, .smap = true, .pku = true, .la57 = true

static const struct {
	const char *name;
	struct cpu_facts facts;
} cpus[] = {
	{ "intel-52", { VENDOR_INTEL, 52, ALL, .gbpages = true, .pse36 = true } },
	{ "intel-46-no-pse36", { VENDOR_INTEL, 46, ALL, .gbpages = true } },
	{ "intel-39-no-1g", { VENDOR_INTEL, 39, ALL, .pse36 = true } },
	{ "intel-36", { VENDOR_INTEL, 36, ALL, .gbpages = true, .pse36 = true } },
	{ "intel-32", { VENDOR_INTEL, 32, ALL, .gbpages = true, .pse36 = true } },
	{ "amd-48", { VENDOR_AMD, 48, ALL, .gbpages = true, .pse36 = true } },
	{ "amd-40-no-1g", { VENDOR_AMD, 40, ALL, .pse36 = true } },
};

static unsigned int bits_seen;

/* 32-bit code reaches only these slots; their bits are tried in 64-bit code and when CR3 is loaded. */
static bool few_slots(const struct table_shape *shape, int level)
{
	return variant_max(shape, level) < 8;
}

static bool check_entry(const struct cpu_facts *cpu, const struct table_shape *shape, int level,
			u64 full, const struct variant_list *list)
{
	const bool leaf = entry_is_leaf(shape->mode, level, full, shape->cr4_pse, cpu);
	int nx, bit;

	for (nx = 0; nx <= 1; nx++) {
		const u64 reserved = entry_reserved_bits(shape->mode, level, leaf, nx, cpu);

		for (bit = 0; bit < 64; bit++) {
			if (!(reserved & BIT_ULL(bit)) || full & BIT_ULL(bit))
				continue;
			bits_seen++;
			if (variant_find(list, full | BIT_ULL(bit)) < 0) {
				printf("# level %d %s entry: reserved bit %d is not tried\n", level,
				       leaf ? "page" : "table", bit);
				return false;
			}
		}
	}
	return true;
}

static bool check_area(const struct cpu_facts *cpu, enum table_area area)
{
	const struct table_shape *shape = area_shape(area);
	static struct variant_list list;
	bool good = true;
	int level;

	for (level = 1; level <= paging_formats[shape->mode].levels; level++) {
		const struct paging_level *l = &paging_formats[shape->mode].level[level];

		variants_of(shape, level, cpu, &list);
		if (few_slots(shape, level))
			continue;
		if (list.nr >= variant_max(shape, level)) {
			printf("# level %d: %u variants, no more room\n", level, list.nr);
			good = false;
		}
		good &= check_entry(cpu, shape, level, VARIANT_FULL, &list);
		if (l->leaf > LEAF_ALWAYS)
			good &= check_entry(cpu, shape, level, VARIANT_FULL | PTE_PS, &list);
	}
	return good;
}

int main(void)
{
	const unsigned int nr = ARRAY_SIZE(cpus) * NR_TABLE_AREAS;
	unsigned int c, n = 0, failed = 0;
	int area;

	printf("KTAP version 1\n1..%u\n", nr + 1);
	for (c = 0; c < ARRAY_SIZE(cpus); c++)
		for (area = 0; area < NR_TABLE_AREAS; area++) {
			const bool good = check_area(&cpus[c].facts, area);

			failed += !good;
			printf("%sok %u %s/%s-%d%s\n", good ? "" : "not ", ++n, cpus[c].name,
			       paging_formats[area_shape(area)->mode].name,
			       area_shape(area)->linear_bits,
			       area_shape(area)->cr4_pse ? "-pse" : "");
		}
	/* A loop over nothing proves nothing. */
	printf("%sok %u %u reserved bits\n", bits_seen > 1000 ? "" : "not ", nr + 1, bits_seen);
	return failed || bits_seen <= 1000 ? KSFT_FAIL : KSFT_PASS;
}
