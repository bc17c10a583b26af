// SPDX-License-Identifier: GPL-2.0-only
/* Tables that an L1 edits: see include/nested_edit.h. */
#include <string.h>

#include "l1.h"
#include "nested_edit_internal.h"
#include "test_assert.h"
#include "x86.h"

static enum paging_mode format(const struct mmu_state *l1)
{
	return state_modes[l1->mode].paging;
}

static u8 *image_at(struct nested_edits *e, gpa_t gpa)
{
	return &e->image[0][gpa - SCRIPT_TABLES];
}

/* By the host, before KVM knows the table: to the guest and to the image. */
static void put(struct nested_edits *e, gpa_t gpa, const void *from, u32 bytes)
{
	memcpy(vm_gpa2hva(e->guest->vm, gpa), from, bytes);
	memcpy(image_at(e, gpa), from, bytes);
}

static gpa_t new_table(struct nested_edits *e, gpa_t copy_of)
{
	static const u8 empty[0x1000];
	gpa_t page = SCRIPT_TABLES + e->nr_tables++ * 0x1000;

	TEST_ASSERT(e->nr_tables <= MAX_TABLES, "no memory for tables");
	put(e, page, copy_of ? vm_gpa2hva(e->guest->vm, copy_of) : empty, 0x1000);
	return page;
}

static gpa_t entry_at(const struct mmu_state *l1, int level, gpa_t table)
{
	enum paging_mode mode = format(l1);

	return table + level_index(mode, level, WINDOW) * paging_formats[mode].entry_bytes;
}

static void put_entry(struct stage *s, int level, gpa_t table, u64 entry)
{
	put(s->e, entry_at(s->l1, level, table), &entry,
	    paging_formats[format(s->l1)].entry_bytes);
}

static gpa_t next_of(const struct stage *s, int level, gpa_t table)
{
	u64 entry = 0;

	memcpy(&entry, vm_gpa2hva(s->e->guest->vm, entry_at(s->l1, level, table)),
	       paging_formats[format(s->l1)].entry_bytes);
	return entry & BITS_ULL(51, 12);
}

/* One root, down to its table of the highest level edited; a copy of the identity map's. */
static void make_root(struct stage *s, int r)
{
	struct mode_tables *t = s->t;
	gpa_t table = nested_rig_root(s->e->rig, s->l1, false, 0), copy, above = 0;
	int level;

	for (level = paging_formats[format(s->l1)].levels; level >= t->top; level--) {
		copy = new_table(s->e, table);
		if (above)
			put_entry(s, level + 1, above,
				  copy | nested_variant_full(&s->tables, level + 1));
		else
			t->root[r] = copy;
		above = copy;
		table = level > t->top ? next_of(s, level, copy) : 0;
	}
	t->table[r][t->top] = above;
}

static gpa_t page_behind(int level, bool moved)
{
	if (level == 1)
		return moved ? DATA_LARGE + 0x1000 : DATA_PAGE;
	return level == 2 ? DATA_LARGE : DATA_HUGE;
}

static bool has_rights(const struct stage *s, int level)
{
	return !(format(s->l1) == PAGING_PAE && level == 3);
}

u64 nested_edit_content(const struct stage *s, int level, enum content what, bool second_root)
{
	u64 full = nested_variant_full(&s->tables, level);
	u64 low = level > 1 ? s->t->table[0][level - 1] : page_behind(1, false);

	if (second_root && has_rights(s, level))
		full &= ~PTE_W;
	switch (what) {
	case NOT_PRESENT:
		return (full | low) & ~PTE_P;
	case READ_ONLY:
		return (full | low) & ~PTE_W;
	case SUPERVISOR:
		return (full | low) & ~PTE_U;
	case NO_EXECUTE:
		return full | low | PTE_NX;
	case RESERVED:
		return full | low | BIT_ULL(51);
	case FRESH:
		return (full | low) & ~(PTE_A | PTE_D);
	case MOVED:
		return full | (level > 1 ? s->t->other[level - 1] : page_behind(1, true));
	case LARGE:
		/* Without CR4.PSE the bit is ignored. */
		if (format(s->l1) == PAGING_2LEVEL && !(s->l1->flags & FLAG_PSE))
			return full | low | PTE_PS;
		return full | page_behind(level, false) | PTE_PS;
	default:
		return full | low;
	}
}

bool nested_edit_can_be(const struct stage *s, int level, enum content what)
{
	bool wide = format(s->l1) != PAGING_2LEVEL;

	switch (what) {
	case NO_EXECUTE:
		return wide && has_rights(s, level);
	/* KVM warns about such a PDPTE, docs/findings.md. */
	case RESERVED:
		return wide && has_rights(s, level) && s->e->guest->cpu.maxphyaddr <= 51;
	case LARGE:
		return level > 1 && has_rights(s, level);
	case READ_ONLY:
	case SUPERVISOR:
	case FRESH:
		return has_rights(s, level);
	default:
		return true;
	}
}

/* The entry of a level in the table that root r has there. */
gpa_t nested_edit_entry(const struct stage *s, int level, int r)
{
	return entry_at(s->l1, level, s->t->table[level == s->t->top ? r : 0][level]);
}

void nested_edit_make_tables(struct stage *s)
{
	struct mode_tables *t = s->t;
	int level, r;

	if (t->ready)
		return;
	t->ready = true;
	t->top = format(s->l1) == PAGING_2LEVEL ? 2 : 3;
	for (level = 1; level < t->top; level++) {
		t->table[0][level] = t->table[1][level] = new_table(s->e, 0);
		t->other[level] = new_table(s->e, 0);
		put_entry(s, level, t->other[level],
			  nested_variant_full(&s->tables, level) |
				  (level > 1 ? t->other[level - 1] : DATA_LARGE + 0x2000));
		put_entry(s, level, t->table[0][level], nested_edit_content(s, level, FULL, false));
	}
	for (r = 0; r < NR_ROOTS; r++) {
		make_root(s, r);
		put_entry(s, t->top, t->table[r][t->top], nested_edit_content(s, t->top, FULL, r));
	}
}
