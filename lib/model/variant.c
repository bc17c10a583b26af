// SPDX-License-Identifier: GPL-2.0-only
/* Entry variants: see include/variant.h. */
#include <stdio.h>
#include <string.h>

#include "variant.h"

/* Index bits of a level that code can reach; 0: only slot 0. */
static int reachable_bits(const struct table_shape *shape, int level)
{
	const struct paging_level *l = &paging_formats[shape->mode].level[level];

	if (l->shift >= shape->linear_bits)
		return 0;
	return l->shift + l->index_bits > shape->linear_bits ? shape->linear_bits - l->shift :
							       l->index_bits;
}

int shape_top_level(const struct table_shape *shape)
{
	int level = paging_formats[shape->mode].levels;

	while (level > 1 && !reachable_bits(shape, level))
		level--;
	return level;
}

unsigned int variant_first_slot(const struct table_shape *shape, int level)
{
	/* The agent's 8 MiB lie at linear address 0. */
	if (level != shape_top_level(shape))
		return 0;
	return shape->mode == PAGING_2LEVEL ? 2 : 1;
}

unsigned int variant_max(const struct table_shape *shape, int level)
{
	unsigned int slots = 1u << reachable_bits(shape, level);

	slots -= variant_first_slot(shape, level);
	return slots < MAX_VARIANTS ? slots : MAX_VARIANTS;
}

u64 variant_full(enum paging_mode mode, int level)
{
	return paging_formats[mode].level[level].register_entry ? PTE_P : VARIANT_FULL;
}

/*
 * Address bits are the target's, but where another page lies behind them: a 4-KByte
 * page has an alias for each bit from 32 up (to 47: hosts with 4-level TDP end there).
 */
static bool is_target_bit(enum paging_mode mode, int level, bool leaf, int bit,
			  const struct cpu_facts *cpu)
{
	const struct paging_format *f = &paging_formats[mode];

	if (bit < (leaf ? f->level[level].shift : 12))
		return false;
	if (bit < 32)
		return true;
	return bit < cpu->maxphyaddr && (level > 1 || bit > 47);
}

bool variant_moves_target(const struct table_shape *shape, int level, u64 bits,
			  const struct cpu_facts *cpu)
{
	bool leaf = entry_is_leaf(shape->mode, level, bits, shape->cr4_pse, cpu);
	int bit;

	/* An entry that ends the walk before its address counts may hold anything there. */
	if (!(bits & PTE_P))
		return false;
	for (bit = 12; bit < paging_formats[shape->mode].entry_bytes * 8; bit++)
		if (bits & BIT_ULL(bit) && is_target_bit(shape->mode, level, leaf, bit, cpu))
			return true;
	return false;
}

int variant_find(const struct variant_list *list, u64 bits)
{
	int i;

	for (i = 0; i < list->nr; i++)
		if (list->bits[i] == bits)
			return i;
	return -1;
}

static void add(struct variant_list *list, unsigned int max, u64 bits)
{
	if (list->nr < max && variant_find(list, bits) < 0)
		list->bits[list->nr++] = bits;
}

/* P=0 with all else set, and P=1 with every W/U/NX. */
static void add_rights(struct variant_list *list, unsigned int max, bool has_nx, u64 also)
{
	int i;

	for (i = 0; i < (has_nx ? 8 : 4); i++) {
		u64 bits = (VARIANT_FULL & ~(PTE_W | PTE_U)) | also;

		/* Clear rights first: i = 0 is the full variant. */
		bits |= i & 1 ? 0 : PTE_W;
		bits |= i & 2 ? 0 : PTE_U;
		bits |= i & 4 ? PTE_NX : 0;
		add(list, max, bits);
	}
}

static void add_singles(struct variant_list *list, unsigned int max, enum paging_mode mode,
			int level, u64 base, const struct cpu_facts *cpu)
{
	const struct paging_format *f = &paging_formats[mode];
	bool leaf = level == 1 || (base & PTE_PS && list->ps_is_page);
	int bit;

	for (bit = 1; bit < f->entry_bytes * 8; bit++) {
		if (is_target_bit(mode, level, leaf, bit, cpu))
			continue;
		/* PS makes another kind of entry: it has lists of its own. */
		if (bit == 7 && f->level[level].leaf > LEAF_ALWAYS)
			continue;
		add(list, max, base ^ BIT_ULL(bit));
	}
}

/* A bit that is reserved in such an entry, or 0. */
static u64 a_reserved_bit(enum paging_mode mode, bool large, const struct cpu_facts *cpu)
{
	if (large)
		return mode == PAGING_2LEVEL ? BIT_ULL(21) : BIT_ULL(13);
	if (mode == PAGING_2LEVEL)
		return 0;
	return cpu->maxphyaddr < 52 ? BIT_ULL(51) : mode == PAGING_PAE ? BIT_ULL(52) : 0;
}

static void add_combined(struct variant_list *list, unsigned int max, enum paging_mode mode,
			 u64 base, const struct cpu_facts *cpu)
{
	const struct paging_format *f = &paging_formats[mode];
	u64 reserved = a_reserved_bit(mode, base & PTE_PS && list->ps_is_page, cpu);
	static const u8 keys[] = { 1, 2, 3, 4, 8, 15 };
	unsigned int i, rights;

	/* Nothing accessed yet; not dirty yet; the same read-only and for the supervisor. */
	add(list, max, base & ~(PTE_A | PTE_D));
	add(list, max, base & ~(PTE_A | PTE_D | PTE_W));
	add(list, max, base & ~(PTE_A | PTE_D | PTE_U));
	add(list, max, base & ~(PTE_D | PTE_W));
	/* A reserved bit outranks missing rights; P = 0 outranks a reserved bit. */
	add(list, max, base | reserved);
	add(list, max, (base | reserved) & ~(PTE_W | PTE_U));
	add(list, max, (base | reserved) & ~(PTE_A | PTE_D));
	add(list, max, (base | reserved) & ~PTE_P);
	add(list, max, base & ~PTE_P);
	add(list, max, 0);
	if (f->entry_bytes == 8) {
		add(list, max, (base | reserved | PTE_NX) & ~PTE_W);
		add(list, max, base | BITS_ULL(58, 52));
	}
	if (!f->has_pk)
		return;
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		u64 key = (u64)keys[i] << PTE_PK_SHIFT;

		for (rights = 0; rights < 4; rights++)
			add(list, max, (base & ~(PTE_W | PTE_U)) | key | (rights & 1 ? PTE_W : 0) |
					       (rights & 2 ? PTE_U : 0));
		add(list, max, base | key | PTE_NX);
	}
}

void variants_of(const struct table_shape *shape, int level, const struct cpu_facts *cpu,
		 struct variant_list *list)
{
	enum paging_mode mode = shape->mode;
	const struct paging_format *f = &paging_formats[mode];
	const struct paging_level *l = &f->level[level];
	unsigned int max = variant_max(shape, level);
	bool has_ps = l->leaf > LEAF_ALWAYS;

	memset(list, 0, sizeof(*list));
	list->ps_is_page = has_ps && entry_is_leaf(mode, level, PTE_PS, shape->cr4_pse, cpu);
	if (l->register_entry) {
		/* Three slots; reserved bits are refused when the registers are loaded. */
		add(list, max, PTE_P);
		add(list, max, PTE_P | PTE_PWT | PTE_PCD | BITS_ULL(11, 9));
		add(list, max, 0);
		list->nr_rights = list->nr;
		return;
	}
	add_rights(list, max, f->has_nx, 0);
	if (has_ps)
		add_rights(list, max, f->has_nx, PTE_PS);
	add(list, max, VARIANT_FULL & ~PTE_P);
	list->nr_rights = list->nr;
	add_singles(list, max, mode, level, VARIANT_FULL, cpu);
	add_combined(list, max, mode, VARIANT_FULL, cpu);
	if (has_ps) {
		add_singles(list, max, mode, level, VARIANT_FULL | PTE_PS, cpu);
		add_combined(list, max, mode, VARIANT_FULL | PTE_PS, cpu);
	} else if (level > 1) {
		add(list, max, VARIANT_FULL | PTE_PS); /* reserved at the top levels */
	}
}

/* Ids are made for each case that differs, of which there may be 100,000: no printf() per bit. */
static int append_word(char text[VARIANT_TEXT_LEN], int n, const char *word)
{
	if (n && n < VARIANT_TEXT_LEN - 1)
		text[n++] = ',';
	while (*word && n < VARIANT_TEXT_LEN - 1)
		text[n++] = *word++;
	text[n] = '\0';
	return n;
}

void variant_text(enum paging_mode mode, int level, u64 bits, char text[VARIANT_TEXT_LEN])
{
	const u64 key = paging_formats[mode].has_pk ? PTE_PK : 0;
	bool leaf = level == 1 || bits & PTE_PS;
	u64 left = bits;
	int n = 0;

	while (left) {
		int bit = __builtin_ctzll(left);
		const char *name = entry_bit_name(mode, level, leaf, bit);
		char word[8];

		if (BIT_ULL(bit) & key)
			snprintf(word, sizeof(word), "pk%d", (int)((bits & key) >> PTE_PK_SHIFT));
		else if (!name)
			snprintf(word, sizeof(word), "b%d", bit);
		n = append_word(text, n, name && !(BIT_ULL(bit) & key) ? name : word);
		left &= ~(BIT_ULL(bit) & key ? key : BIT_ULL(bit));
	}
	if (!n)
		append_word(text, 0, "0");
}

static const char *parse_bit(enum paging_mode mode, int level, bool leaf, const char *word,
			     u64 *bits)
{
	int key, end = 0, bit;

	if (paging_formats[mode].has_pk && sscanf(word, "pk%2d%n", &key, &end) == 1 && !word[end]) {
		if (key < 1 || key > 15)
			return "a protection key is pk1 to pk15";
		if (*bits & PTE_PK)
			return "a protection key is named twice";
		*bits |= (u64)key << PTE_PK_SHIFT;
		return NULL;
	}
	bit = entry_bit_by_name(mode, level, leaf, word);
	if (bit < 0)
		return "unknown entry bit (p w u pwt pcd a d ps g pat nx pk1..pk15, or bN)";
	if (paging_formats[mode].has_pk && BIT_ULL(bit) & PTE_PK)
		return "bits 59 to 62 are written pk1 to pk15";
	if (*bits & BIT_ULL(bit))
		return "an entry bit is named twice";
	*bits |= BIT_ULL(bit);
	return NULL;
}

const char *variant_parse(enum paging_mode mode, int level, const char *text, size_t len,
			  u64 *bits)
{
	char word[VARIANT_TEXT_LEN], *next = word, *one;
	const char *error;
	bool leaf;

	*bits = 0;
	if (len >= sizeof(word))
		return "entry text is too long";
	if (memchr(text, ' ', len) || memchr(text, '+', len) || memchr(text, '-', len))
		return "entry bits are separated by single commas, without blanks or signs";
	memcpy(word, text, len);
	word[len] = 0;
	if (!strcmp(word, "0"))
		return NULL;
	/* Whether bit 12 is PAT depends on PS, wherever in the text it stands. */
	leaf = level == 1 || strstr(word, ",ps") || !strncmp(word, "ps", 2);
	while ((one = strsep(&next, ","))) {
		error = parse_bit(mode, level, leaf, one, bits);
		if (error)
			return error;
	}
	return NULL;
}
