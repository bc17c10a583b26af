// SPDX-License-Identifier: GPL-2.0-only
/* Entry variants of nested tables: see include/nested_variant.h. */
#include <stdio.h>
#include <string.h>

#include "nested_variant.h"
#include "x86.h"

#define WB ((u64)EPT_MT_WB << EPT_MT_SHIFT)

static struct table_shape npt_shape(const struct nested_tables *tables)
{
	const struct nested_format *f = &nested_formats[nested_format_of(tables)];

	return (struct table_shape){ f->paging, tables->l1_cr4 & X86_CR4_PSE, f->gpa_bits };
}

static u64 ept_full(const struct nested_tables *tables, bool leaf)
{
	return EPT_RWX | EPT_A | (tables->mbec ? EPT_XU : 0) | (leaf ? WB | EPT_D : 0);
}

u64 nested_variant_full(const struct nested_tables *tables, int level)
{
	if (tables->kind == NESTED_EPT)
		return ept_full(tables, level == 1);
	return variant_full(npt_shape(tables).mode, level);
}

static void add(struct variant_list *list, u64 bits)
{
	if (list->nr < MAX_VARIANTS && variant_find(list, bits) < 0)
		list->bits[list->nr++] = bits;
}

/* Every value of R, W, X and, with MBEC, bit 10; 0 is not present. */
static void add_rights(struct variant_list *list, const struct nested_tables *tables, u64 full)
{
	unsigned int without;

	for (without = 0; without < (tables->mbec ? 16 : 8); without++)
		add(list, full & ~((without & 7) | (without & 8 ? EPT_XU : 0)));
}

/* Each bit that is not the target's, flipped; each memory type. */
static void add_singles(struct variant_list *list, const struct nested_tables *tables, int level,
			u64 full, bool leaf, const struct cpu_facts *cpu)
{
	u64 reserved = nested_reserved_bits(tables, level, leaf, cpu);
	unsigned int type;
	int bit;

	for (bit = 3; bit < 64; bit++) {
		/* PS makes another kind of entry where it can be a page's. */
		if (bit == 7 && level > 1 && !(reserved & EPT_PS))
			continue;
		if (bit >= 12 && bit < 52 && !(reserved & BIT_ULL(bit)))
			continue;
		add(list, full ^ BIT_ULL(bit));
	}
	for (type = 0; leaf && type < 8; type++)
		add(list, (full & ~EPT_MT) | (u64)type << EPT_MT_SHIFT);
}

/* Which check comes first, and what A and D do with the rights. */
static void add_combined(struct variant_list *list, const struct nested_tables *tables, int level,
			 u64 full, bool leaf, const struct cpu_facts *cpu)
{
	u64 reserved = nested_reserved_bits(tables, level, leaf, cpu);
	u64 one = reserved & -reserved; /* lowest; 0 at level 1 with MAXPHYADDR 52 */
	u64 bad_type = leaf ? EPT_MT : 0;

	add(list, full & ~(EPT_A | EPT_D));
	add(list, full & ~(EPT_A | EPT_D | EPT_W));
	add(list, full & ~(EPT_D | EPT_W));
	add(list, (full | one) & ~EPT_W);
	add(list, (full | one | bad_type) & ~(EPT_RWX | EPT_XU));
	add(list, (full | bad_type) & ~EPT_W);
	add(list, (full | one) & ~EPT_R);
	add(list, full | BITS_ULL(63, 52));
	add(list, ~BITS_ULL(51, 12) & ~(EPT_RWX | EPT_XU));
	add(list, 0);
}

static void ept_variants(const struct nested_tables *tables, int level, const struct cpu_facts *cpu,
			 struct variant_list *list)
{
	bool large = level > 1 && nested_entry_is_leaf(tables, level, EPT_PS, cpu);
	u64 full = ept_full(tables, level == 1), page = ept_full(tables, true) | EPT_PS;

	list->ps_is_page = large;
	add_rights(list, tables, full);
	if (large)
		add_rights(list, tables, page);
	list->nr_rights = list->nr;
	add_singles(list, tables, level, full, level == 1, cpu);
	add_combined(list, tables, level, full, level == 1, cpu);
	if (large) {
		add_singles(list, tables, level, page, true, cpu);
		add_combined(list, tables, level, page, true, cpu);
	}
}

void nested_variants_of(const struct nested_tables *tables, int level, const struct cpu_facts *cpu,
			struct variant_list *list)
{
	const enum nested_format_index format = nested_format_of(tables);
	const struct table_shape shape = npt_shape(tables);
	u64 reserved;
	int bit;

	if (tables->kind == NESTED_EPT) {
		memset(list, 0, sizeof(*list));
		ept_variants(tables, level, cpu, list);
		return;
	}
	variants_of(&shape, level, cpu, list);
	if (!nested_entry_is_pdpte(format, level))
		return;
	reserved = nested_reserved_bits(tables, level, false, cpu);
	for (bit = 0; bit < 64; bit++)
		if (reserved & BIT_ULL(bit))
			add(list, PTE_P | BIT_ULL(bit));
	add(list, reserved);
}

bool nested_variant_moves_target(const struct nested_tables *tables, int level, u64 bits,
				 const struct cpu_facts *cpu)
{
	const struct table_shape shape = npt_shape(tables);
	u64 present = EPT_RWX | (tables->mbec ? EPT_XU : 0);
	bool leaf;

	if (tables->kind == NESTED_NPT)
		return variant_moves_target(&shape, level, bits, cpu);
	leaf = nested_entry_is_leaf(tables, level, bits, cpu);
	/* An entry that is not good ends the walk before its address counts. */
	return bits & present && !(bits & nested_reserved_bits(tables, level, leaf, cpu)) &&
	       bits & BITS_ULL(51, 12);
}

static const struct {
	u8 bit;
	const char *name;
} ept_names[] = {
	{ 0, "r" }, { 1, "w" }, { 2, "x" }, { 6, "ipat" }, { 7, "ps" },
	{ 8, "a" }, { 9, "d" }, { 10, "xu" }, { 63, "sve" },
};

static const char *ept_bit_name(int bit)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ept_names); i++)
		if (ept_names[i].bit == bit)
			return ept_names[i].name;
	return NULL;
}

/* Bits 5:3 are a memory type only where a page is mapped; above they have no name. */
static bool has_memory_type(int level, u64 bits)
{
	return level == 1 || (level <= 3 && bits & EPT_PS);
}

void nested_variant_text(const struct nested_tables *tables, int level, u64 bits,
			 char text[VARIANT_TEXT_LEN])
{
	bool type = has_memory_type(level, bits);
	int n = 0, bit;

	if (tables->kind == NESTED_NPT) {
		variant_text(npt_shape(tables).mode, level, bits, text);
		return;
	}
	text[0] = 0;
	for (bit = 0; bit < 64 && n < VARIANT_TEXT_LEN; bit++) {
		const char *name = ept_bit_name(bit), *comma = n ? "," : "";

		if (bit == EPT_MT_SHIFT && type && bits & EPT_MT)
			n += snprintf(text + n, VARIANT_TEXT_LEN - n, "%smt%d", comma,
				      (int)((bits & EPT_MT) >> EPT_MT_SHIFT));
		if (!(bits & BIT_ULL(bit)) || (type && BIT_ULL(bit) & EPT_MT))
			continue;
		if (name)
			n += snprintf(text + n, VARIANT_TEXT_LEN - n, "%s%s", comma, name);
		else
			n += snprintf(text + n, VARIANT_TEXT_LEN - n, "%sb%d", comma, bit);
	}
	if (!n)
		snprintf(text, VARIANT_TEXT_LEN, "0");
}

/* The bits that one word names, or 0. */
static u64 ept_word(const char *word, bool type)
{
	int number, end = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ept_names); i++)
		if (!strcmp(word, ept_names[i].name))
			return BIT_ULL(ept_names[i].bit);
	if (type && sscanf(word, "mt%1d%n", &number, &end) == 1 && !word[end] && number >= 1 &&
	    number <= 7)
		return (u64)number << EPT_MT_SHIFT;
	if (sscanf(word, "b%2d%n", &number, &end) == 1 && !word[end] && number >= 0 &&
	    number < 64 && !ept_bit_name(number) && !(type && BIT_ULL(number) & EPT_MT))
		return BIT_ULL(number);
	return 0;
}

const char *nested_variant_parse(const struct nested_tables *tables, int level, const char *text,
				 size_t len, u64 *bits)
{
	char word[VARIANT_TEXT_LEN], *next = word, *one;
	bool type;
	u64 more;

	if (tables->kind == NESTED_NPT)
		return variant_parse(npt_shape(tables).mode, level, text, len, bits);
	*bits = 0;
	if (len >= sizeof(word))
		return "entry text is too long";
	if (memchr(text, ' ', len) || memchr(text, '+', len) || memchr(text, '-', len))
		return "entry bits are separated by single commas, without blanks or signs";
	memcpy(word, text, len);
	word[len] = 0;
	if (!strcmp(word, "0"))
		return NULL;
	/* Whether bits 5:3 are a memory type depends on PS, wherever in the text it stands. */
	type = has_memory_type(level, strstr(word, ",ps") || !strncmp(word, "ps", 2) ? EPT_PS : 0);
	while ((one = strsep(&next, ","))) {
		more = ept_word(one, type);
		if (!more)
			return "unknown entry bit (r w x xu mt1..mt7 ipat ps a d sve, or bN)";
		if (*bits & more)
			return "an entry bit is named twice";
		*bits |= more;
	}
	return NULL;
}
