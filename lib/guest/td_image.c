// SPDX-License-Identifier: GPL-2.0-only
/* What a TD is started with: see include/td_payload.h. */
#include <string.h>

#include "page_table.h"
#include "td_payload.h"
#include "x86.h"

extern const u8 td_code_start[], td_code_end[], td_stubs[];

/* Views of test memory, one GByte of linear addresses each. */
enum view {
	VIEW_PRIVATE,
	VIEW_SHARED,
	VIEW_ODD, /* slots for (side, address bit), see odd_slot() */
	NR_VIEWS,
};
#define VIEW_SIZE 0x40000000ull
#define VIEWS_GVA VIEW_SIZE /* below: the TD's own memory */
/* Where views begin under 5-level paging: reached by no 4-level address. */
#define VIEWS_LA57 (3ull << 48)

/* Pages of tables. */
enum table {
	TABLE_PML5,
	TABLE_PML4,
	TABLE_PDPT,
	TABLE_PD_LOW,
	TABLE_PD,                       /* one per view... */
	TABLE_PT = TABLE_PD + NR_VIEWS, /* ...and two for each of its 4-MByte test memories */
	NR_TABLES = TABLE_PT + 2 * NR_VIEWS,
};

#define RIGHTS (PTE_P | PTE_W)

static u64 page_size(const struct td_layout *l)
{
	return l->large ? 0x200000 : 0x1000;
}

static gva_t view_gva(const struct td_layout *l, enum view view)
{
	return (l->levels == 5 ? VIEWS_LA57 : 0) + VIEWS_GVA + view * VIEW_SIZE;
}

/* Address bit b of the first page, on the private or the shared side. */
static u32 odd_slot(bool shared, int bit)
{
	return (shared ? 64 : 0) + bit;
}

static gpa_t odd_gpa(const struct td_layout *l, u32 slot)
{
	const gpa_t gpa = slot < 64 ? TD_TEST_GPA : tdx_gpa_to_shared(l->gpaw, TD_TEST_GPA);

	return gpa ^ BIT_ULL(slot % 64);
}

/* The odd address bits: of a page's number, in an entry's address field. */
static bool odd_bit(const struct td_layout *l, int bit)
{
	return BIT_ULL(bit) >= page_size(l) && bit < 52;
}

gva_t td_gva(const struct td_layout *l, gpa_t gpa)
{
	const gpa_t bare = tdx_gpa_to_private(l->gpaw, gpa);
	int bit;

	if (bare >= TD_TEST_GPA && bare - TD_TEST_GPA < TD_TEST_SIZE)
		return view_gva(l, bare == gpa ? VIEW_PRIVATE : VIEW_SHARED) + bare - TD_TEST_GPA;
	for (bit = 0; bit < 64; bit++) {
		const u64 within = page_size(l) - 1;
		const bool shared = !tdx_gpa_is_private(l->gpaw, gpa);
		const u32 slot = odd_slot(shared, bit);

		if (odd_bit(l, bit) && odd_gpa(l, slot) == (gpa & ~within))
			return view_gva(l, VIEW_ODD) + slot * page_size(l) + (gpa & within);
	}
	return 0;
}

gpa_t td_gva_to_gpa(const struct td_layout *l, gva_t gva)
{
	const u64 offset = gva - view_gva(l, 0);
	const u64 within = offset % VIEW_SIZE;

	switch (offset / VIEW_SIZE) {
	case VIEW_PRIVATE:
		return within < TD_TEST_SIZE ? TD_TEST_GPA + within : ~0ull;
	case VIEW_SHARED:
		return within < TD_TEST_SIZE ? tdx_gpa_to_shared(l->gpaw, TD_TEST_GPA + within) :
					       ~0ull;
	case VIEW_ODD:
		if (within / page_size(l) < 128)
			return odd_gpa(l, within / page_size(l)) + within % page_size(l);
		return ~0ull;
	default:
		return ~0ull;
	}
}

static u64 *table(u8 *low, u32 nr)
{
	return (u64 *)(low + TD_TABLES_GPA + nr * 0x1000);
}

static u64 table_entry(u32 nr)
{
	return (TD_TABLES_GPA + nr * 0x1000) | RIGHTS;
}

/* An entry that maps a page: shared memory is never code. */
static u64 leaf(const struct td_layout *l, gpa_t gpa, bool large, bool code)
{
	code &= tdx_gpa_is_private(l->gpaw, gpa);
	return gpa | RIGHTS | (large ? PTE_PS : 0) | (code ? 0 : PTE_NX);
}

static void map(const struct td_layout *l, u8 *low, enum view view, u32 page, gpa_t gpa)
{
	const u32 pt = TABLE_PT + 2 * view + page / 512;

	if (l->large) {
		table(low, TABLE_PD + view)[page] = leaf(l, gpa, true, view == VIEW_PRIVATE);
		return;
	}
	table(low, TABLE_PD + view)[page / 512] = table_entry(pt);
	table(low, pt)[page % 512] = leaf(l, gpa, false, view == VIEW_PRIVATE);
}

static void write_tables(const struct td_layout *l, u8 *low)
{
	u32 page, slot, view;

	table(low, TABLE_PML5)[0] = table(low, TABLE_PML5)[VIEWS_LA57 >> 48] =
		table_entry(TABLE_PML4);
	table(low, TABLE_PML4)[0] = table_entry(TABLE_PDPT);
	table(low, TABLE_PDPT)[0] = table_entry(TABLE_PD_LOW);
	table(low, TABLE_PD_LOW)[0] = leaf(l, 0, true, true);
	table(low, TABLE_PD_LOW)[TD_MAILBOX_GPA >> 21] =
		leaf(l, tdx_gpa_to_shared(l->gpaw, TD_MAILBOX_GPA), true, false);
	for (view = 0; view < NR_VIEWS; view++)
		table(low, TABLE_PDPT)[(VIEWS_GVA + view * VIEW_SIZE) >> 30] =
			table_entry(TABLE_PD + view);
	for (page = 0; page < TD_TEST_SIZE / page_size(l); page++) {
		const gpa_t gpa = TD_TEST_GPA + page * page_size(l);

		map(l, low, VIEW_PRIVATE, page, gpa);
		map(l, low, VIEW_SHARED, page, tdx_gpa_to_shared(l->gpaw, gpa));
	}
	for (slot = 0; slot < 128; slot++)
		if (odd_bit(l, slot % 64))
			map(l, low, VIEW_ODD, slot, odd_gpa(l, slot));
}

static void write_descriptor_register(u8 *to, u16 limit, u64 base)
{
	memcpy(to, &limit, sizeof(limit));
	memcpy(to + sizeof(limit), &base, sizeof(base));
}

/* Flat segments (SDM 3A 3.4.5); 64-bit interrupt gates (6.14.1). */
static void write_descriptors(u8 *low, struct td_params *params)
{
	static const u64 gdt[] = { [TD_SEL_CODE64 / 8] = 0x00af9b000000ffff,
				   [TD_SEL_CODE32 / 8] = 0x00cf9b000000ffff,
				   [TD_SEL_DATA / 8] = 0x00cf93000000ffff };
	u64 *idt = (u64 *)(low + TD_IDT_GPA);
	u32 vector;

	memcpy(low + TD_GDT_GPA, gdt, sizeof(gdt));
	for (vector = 0; vector < 32; vector++) {
		const u64 stub = TD_CODE_GPA + (td_stubs - td_code_start) + vector * 16;

		idt[2 * vector] = (stub & 0xffff) | TD_SEL_CODE64 << 16 | 0x8e00ull << 32 |
				  (stub >> 16) << 48;
	}
	write_descriptor_register(params->gdtr, sizeof(gdt) - 1, TD_GDT_GPA);
	write_descriptor_register(params->idtr, 32 * 16 - 1, TD_IDT_GPA);
}

void td_image_write(const struct td_layout *l, u8 *low, u8 *reset)
{
	struct td_params *params = (struct td_params *)(low + TD_PARAMS_GPA);
	/* jmp to the code, in 32-bit mode, from 16 bytes below 4 GBytes */
	const u32 distance = TD_CODE_GPA - (TD_RESET_GPA + 0xff0 + 5);

	params->cr3 = TD_TABLES_GPA + (l->levels == 5 ? TABLE_PML5 : TABLE_PML4) * 0x1000;
	params->cr4 = X86_CR4_PAE | (l->levels == 5 ? X86_CR4_LA57 : 0);
	params->mailbox = TD_MAILBOX_GPA;
	memcpy(low + TD_CODE_GPA, td_code_start, td_code_end - td_code_start);
	write_descriptors(low, params);
	write_tables(l, low);
	reset[0xff0] = 0xe9;
	memcpy(reset + 0xff1, &distance, sizeof(distance));
}

bool td_image_is_safe(const struct td_layout *l, const u8 *low)
{
	const u64 *entry = (const u64 *)(low + TD_TABLES_GPA);
	u32 i;

	for (i = 0; i < NR_TABLES * 512; i++)
		if (entry[i] & PTE_P && !tdx_gpa_is_private(l->gpaw, entry[i]) &&
		    !(entry[i] & PTE_NX))
			return false;
	return true;
}
