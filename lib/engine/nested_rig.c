// SPDX-License-Identifier: GPL-2.0-only
/* The tables of nested cases, L1's and L2's: see include/nested_case.h. */
#include <stdlib.h>
#include <string.h>

#include "l1.h"
#include "nested_case.h"
#include "test_assert.h"
#include "x86.h"

/*
 * Where the variants are in L2-physical memory: the one slot of the top level that is left,
 * or, for an L2 with 32-bit addresses, the fourth GiB, where level 2 begins.
 */
#define HIGH_WINDOW BIT_ULL(39)
#define LOW_WINDOW 0xc0000000ull
#define LOW_SLOT 3
/* 32-bit nested tables have no room of their own: from this slot of the page directory. */
#define FIRST_SLOT_2LEVEL 512
#define MAX_ROOTS 256

/* One side: what is behind the leaves is a page, or a table of L2's. */
struct side {
	gpa_t table[4];         /* dense tables of levels 1 to 3 */
	gpa_t low;              /* copy of the identity map's first PDPT, with the low window */
	gpa_t root[MAX_ROOTS];  /* by variant of the top level */
};

struct table_set {
	bool ready;
	struct nested_tables like;
	gpa_t identity;
	struct variant_list variants[MAX_LEVELS + 1];
	struct side side[2];
};

struct nested_rig {
	struct guest *guest;
	struct vm *other; /* once there is one */
	u8 *image; /* GUEST_RAM_SIZE bytes, as the host wrote them */
	/* By address: A and D that walks must have set in the entry there, and may have. */
	u8 *must, *may;
	struct phys_range range;
	struct phys_memory memory;
	struct table_set set[NR_STATE_MODES][2]; /* by L1's mode, CR4.PSE (2-level only) */
};

struct guest *nested_rig_guest(struct nested_rig *rig)
{
	return rig->guest;
}

const struct phys_memory *nested_rig_memory(const struct nested_rig *rig)
{
	return &rig->memory;
}

struct nested_rig *nested_rig_create(void)
{
	struct nested_rig *rig = calloc(1, sizeof(*rig));

	TEST_ASSERT(rig, "out of memory");
	rig->image = calloc(1, GUEST_RAM_SIZE);
	rig->must = calloc(1, GUEST_RAM_SIZE);
	rig->may = calloc(1, GUEST_RAM_SIZE);
	TEST_ASSERT(rig->image && rig->must && rig->may, "out of memory");
	rig->guest = guest_create(NULL);
	memcpy(rig->image, vm_gpa2hva(rig->guest->vm, 0), GUEST_RAM_SIZE);
	rig->range = (struct phys_range){ 0, GUEST_RAM_SIZE, rig->image };
	rig->memory = (struct phys_memory){ &rig->range, 1 };
	return rig;
}

void nested_rig_free(struct nested_rig *rig)
{
	if (!rig)
		return;
	if (rig->other)
		vm_free(rig->other);
	guest_free(rig->guest);
	free(rig->image);
	free(rig->must);
	free(rig->may);
	free(rig);
}

struct vcpu *nested_rig_other(struct nested_rig *rig)
{
	if (!rig->other) {
		rig->other = vm_create_sharing(rig->guest->vm);
		vm_vcpu_add(rig->other, 0);
	}
	return rig->other->vcpus;
}

void nested_rig_require(struct nested_rig *rig, const struct mmu_state *l1,
			const struct mmu_state *l2)
{
	const char *missing;

	TEST_REQUIRE(rig->guest->cpu.vendor == VENDOR_AMD, "this CPU has no NPT");
	missing = l1_lacks(rig->guest, true);
	TEST_REQUIRE(!missing, "%s", missing);
	missing = state_missing(l1, &rig->guest->cpu);
	if (!missing && l2)
		missing = state_missing(l2, &rig->guest->cpu);
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
}

struct nested_tables nested_tables_of(const struct mmu_state *l1, u64 root)
{
	const struct role_regs r = state_regs(l1);

	return (struct nested_tables){
		.kind = NESTED_NPT,
		.root = root,
		.l1_cr4 = r.cr4,
		.l1_efer = r.efer,
	};
}

int nested_top_level(const struct mmu_state *l1)
{
	int levels = paging_formats[state_modes[l1->mode].paging].levels;

	return levels > 4 ? 4 : levels;
}

/* To the guest, and to what the model walks. */
static void put(struct nested_rig *rig, gpa_t gpa, const void *from, u32 bytes)
{
	memcpy(vm_gpa2hva(rig->guest->vm, gpa), from, bytes);
	memcpy(rig->image + gpa, from, bytes);
}

void nested_rig_copy(struct nested_rig *rig, gpa_t to, gpa_t from, u32 bytes)
{
	put(rig, to, rig->image + from, bytes);
}

static void put_entry(struct nested_rig *rig, enum paging_mode mode, gpa_t table, u32 index,
		      u64 entry)
{
	int bytes = paging_formats[mode].entry_bytes;

	put(rig, table + index * bytes, &entry, bytes);
}

/* A fresh page, as a copy of another or, with 0, empty. */
static gpa_t new_page(struct nested_rig *rig, gpa_t copy_of)
{
	static const u8 empty[0x1000];
	gpa_t page = l1_nested_page(rig->guest);

	put(rig, page, copy_of ? rig->image + copy_of : empty, 0x1000);
	return page;
}

static u64 leaf_target(int level, bool table)
{
	if (table)
		return L1_L2_TARGET;
	return level == 1 ? DATA_PAGE : level == 2 ? DATA_LARGE : DATA_HUGE;
}

/* A variant, with where it leads to: a page, or the one table of the next level. */
static u64 variant_entry(const struct nested_rig *rig, const struct table_set *set, int level,
			 u16 variant, bool table)
{
	u64 bits = set->variants[level].bits[variant];

	if (nested_entry_is_leaf(&set->like, level, bits, &rig->guest->cpu))
		return bits | leaf_target(level, table);
	return bits | set->side[table].table[level - 1];
}

/* Levels that have a dense page; in 2-level tables that is the root itself. */
static void write_dense(struct nested_rig *rig, struct table_set *set, enum paging_mode mode,
			bool table)
{
	int top = mode == PAGING_2LEVEL ? 2 : paging_formats[mode].levels > 4 ? 4 :
		  paging_formats[mode].levels, level;
	u16 i;

	for (level = 1; level < top; level++) {
		set->side[table].table[level] = new_page(rig, 0);
		for (i = 0; i < set->variants[level].nr; i++)
			put_entry(rig, mode, set->side[table].table[level], i,
				  variant_entry(rig, set, level, i, table));
	}
}

static gpa_t entry_target(const struct nested_rig *rig, gpa_t table, u32 index)
{
	u64 entry;

	memcpy(&entry, rig->image + table + 8 * index, sizeof(entry));
	return entry & BITS_ULL(51, 12);
}

static void write_low_window(struct nested_rig *rig, struct table_set *set, enum paging_mode mode,
			     bool table)
{
	gpa_t pml4 = set->identity;

	if (mode == PAGING_5LEVEL)
		pml4 = entry_target(rig, pml4, 0);
	set->side[table].low = new_page(rig, entry_target(rig, pml4, 0));
	put_entry(rig, mode, set->side[table].low, LOW_SLOT,
		  set->side[table].table[2] | variant_full(mode, 3));
}

static gpa_t make_root(struct nested_rig *rig, struct table_set *set, enum paging_mode mode,
		       bool table, u16 top)
{
	gpa_t root = new_page(rig, set->identity), pml4 = root;
	u16 i;

	switch (mode) {
	case PAGING_2LEVEL:
		for (i = 0; i < set->variants[2].nr; i++)
			put_entry(rig, mode, root, FIRST_SLOT_2LEVEL + i,
				  variant_entry(rig, set, 2, i, table));
		return root;
	case PAGING_PAE:
		put_entry(rig, mode, root, LOW_SLOT, variant_entry(rig, set, 3, top, table));
		return root;
	case PAGING_5LEVEL:
		pml4 = new_page(rig, entry_target(rig, set->identity, 0));
		put_entry(rig, mode, root, 0, pml4 | variant_full(mode, 5));
		/* fall through */
	default:
		put_entry(rig, mode, pml4, 0, set->side[table].low | variant_full(mode, 4));
		put_entry(rig, mode, pml4, 1, variant_entry(rig, set, 4, top, table));
		return root;
	}
}

static struct table_set *set_of(struct nested_rig *rig, const struct mmu_state *l1)
{
	enum paging_mode mode = state_modes[l1->mode].paging;
	bool pse = mode == PAGING_2LEVEL && l1->flags & FLAG_PSE;
	struct table_set *set = &rig->set[l1->mode][pse];
	int level, table;
	gpa_t page;

	if (set->ready)
		return set;
	set->ready = true;
	set->like = nested_tables_of(l1, 0);
	for (level = 1; level <= nested_top_level(l1); level++)
		nested_variants_of(&set->like, level, &rig->guest->cpu, &set->variants[level]);
	set->identity = l1_identity(rig->guest, l1->mode, 1);
	/* The identity map's tables came to the guest alone. */
	for (page = L1_NESTED; page < L1_NESTED_END; page += 0x1000)
		if (!memcmp(rig->image + page, rig->image + L1_SCRATCH, 0x1000))
			memcpy(rig->image + page, vm_gpa2hva(rig->guest->vm, page), 0x1000);
	for (table = 0; table < 2; table++) {
		write_dense(rig, set, mode, table);
		if (paging_formats[mode].levels > 3)
			write_low_window(rig, set, mode, table);
	}
	return set;
}

const struct variant_list *nested_rig_variants(struct nested_rig *rig, const struct mmu_state *l1,
					       int level)
{
	return &set_of(rig, l1)->variants[level];
}

u64 nested_rig_root(struct nested_rig *rig, const struct mmu_state *l1, bool table, u16 top)
{
	struct table_set *set = set_of(rig, l1);
	enum paging_mode mode = state_modes[l1->mode].paging;
	gpa_t *root = &set->side[table].root[mode == PAGING_2LEVEL ? 0 : top];

	TEST_ASSERT(top < MAX_ROOTS, "variant %u of the top level", top);
	if (!*root)
		*root = make_root(rig, set, mode, table, top);
	return *root;
}

gpa_t nested_rig_gpa(const struct nested_case *like, const struct nested_choice *choice)
{
	enum paging_mode l1 = state_modes[like->l1.mode].paging;
	enum paging_mode l2 = state_modes[like->l2.mode].paging;
	const u16 *v = choice->variant;

	if (l1 == PAGING_2LEVEL)
		return (u64)(FIRST_SLOT_2LEVEL + v[2]) << 22 | (u64)v[1] << 12;
	if (l1 == PAGING_PAE)
		return LOW_WINDOW | (u64)v[2] << 21 | (u64)v[1] << 12;
	if (l2 != PAGING_NONE && l2 != PAGING_2LEVEL)
		return HIGH_WINDOW | (u64)v[3] << 30 | (u64)v[2] << 21 | (u64)v[1] << 12;
	return v[3] || v[4] ? 0 : LOW_WINDOW | (u64)v[2] << 21 | (u64)v[1] << 12;
}

/* The agent's own linear addresses end below; its tables have these slots free. */
static gva_t free_linear(enum paging_mode l2)
{
	return l2 == PAGING_2LEVEL ? 0xc0000000 : 0x1000000;
}

/* L2's page-directory entry for this address. */
static gpa_t l2_pde(const struct nested_rig *rig, const struct mmu_state *l2, gva_t gva)
{
	const struct walk_regs regs = guest_walk_regs(rig->guest, l2);
	enum paging_mode mode = state_modes[l2->mode].paging;
	const struct paging_format *f = &paging_formats[mode];
	gpa_t table = regs.cr3;
	u64 entry = 0;
	int level;

	for (level = f->levels; level > 2; level--) {
		memcpy(&entry, rig->image + table + level_index(mode, level, gva) * 8, 8);
		table = entry & BITS_ULL(51, 12);
	}
	return table + level_index(mode, 2, gva) * f->entry_bytes;
}

gva_t nested_rig_map(struct nested_rig *rig, const struct nested_case *like, u32 i, gpa_t gpa)
{
	enum paging_mode mode = state_modes[like->l2.mode].paging;
	const struct paging_format *f = &paging_formats[mode];
	gva_t gva = free_linear(mode);
	u64 entry = gpa | VARIANT_FULL, pde;
	gpa_t pt = L1_L2_TABLES;
	u32 k;

	if (mode == PAGING_NONE)
		return gpa;
	if (like->table) {
		gva += (u64)i << f->level[2].shift;
		put(rig, l2_pde(rig, &like->l2, gva), &entry, f->entry_bytes);
		/* What the nested tables lead to is a table all of whose entries are full. */
		entry = DATA_PAGE | VARIANT_FULL;
		for (k = 0; k < 8; k += f->entry_bytes)
			put(rig, L1_L2_TARGET + k, &entry, f->entry_bytes);
		return gva;
	}
	gva += (u64)i << 12;
	pt += (i >> f->level[1].index_bits) * 0x1000;
	put_entry(rig, mode, pt, level_index(mode, 1, gva), entry);
	pde = pt | VARIANT_FULL;
	put(rig, l2_pde(rig, &like->l2, gva), &pde, f->entry_bytes);
	return gva;
}

void nested_rig_note_ad(struct nested_rig *rig, const struct nested_result *result, bool known)
{
	int i;

	for (i = 0; i < result->nr_steps; i++) {
		const struct nested_step *s = &result->step[i];

		if (s->entry_gpa >= GUEST_RAM_SIZE)
			continue;
		if (known)
			rig->must[s->entry_gpa] |= s->must_set;
		rig->may[s->entry_gpa] |= s->must_set | s->may_set;
	}
}

const struct nested_step *nested_rig_wrong_ad(struct nested_rig *rig,
					      const struct nested_result *result, u8 *expected,
					      u8 *observed)
{
	const u8 *ram = vm_gpa2hva(rig->guest->vm, 0);
	int i;

	for (i = 0; i < result->nr_steps; i++) {
		const gpa_t at = result->step[i].entry_gpa;

		if (at >= GUEST_RAM_SIZE)
			continue;
		*expected = (rig->image[at] | rig->must[at]) & (PTE_A | PTE_D);
		*observed = ram[at] & (PTE_A | PTE_D);
		if (!(*expected & ~*observed) && !(*observed & ~(*expected | rig->may[at])))
			continue;
		/* Once is enough. */
		rig->must[at] &= *observed;
		rig->may[at] |= *observed;
		return &result->step[i];
	}
	return NULL;
}
