// SPDX-License-Identifier: GPL-2.0-only
/* The role-driven walk of nested paging: see include/nested_role.h. */
#include <string.h>

#include "nested_role.h"
#include "x86.h"

/* PFERR_GUEST_FINAL_MASK, PFERR_GUEST_PAGE_MASK */
#define STAGE_FINAL NPF_FINAL
#define STAGE_TABLE NPF_WALK

struct role_walk {
	const struct nested_role_mmu *mmu;
	const struct cpu_facts *cpu;
	const struct nested_l2 *l2;
	u64 root;
	const struct phys_memory *memory;
	const struct walk_access *access;
	struct nested_result *result;
	struct phys_range entry[MAX_LEVELS]; /* what role_walk() may read of L2's tables */
	unsigned int entry_access[MAX_LEVELS];
	unsigned int nr_entries;
};

/* What the walk of one L2-physical address gave, besides exit and steps. */
struct role_translation {
	gpa_t gpa;
	u64 page_size;
	unsigned int pte_access;
};

static bool as_kvm(const struct nested_role_mmu *mmu, enum nested_deviation deviation)
{
	return mmu->deviations & 1u << deviation;
}

static bool have_ad(const struct nested_role_mmu *mmu)
{
	if (!RULE_HOLDS(NR_AD))
		return false;
	return mmu->kind == NESTED_NPT || !mmu->role.walk.ad_disabled;
}

/* FNAME(gpte_access) */
static unsigned int entry_access(const struct nested_role_mmu *mmu, u64 entry)
{
	bool has_nx = nested_formats[mmu->format].entry_bytes == 8;
	unsigned int acc = 0;

	if (mmu->kind == NESTED_EPT)
		return (entry & EPT_R ? NESTED_ACC_READ : 0) |
		       (entry & EPT_W ? NESTED_ACC_WRITE : 0) |
		       (entry & EPT_X ? NESTED_ACC_EXEC : 0) |
		       (entry & EPT_XU ? NESTED_ACC_USER_EXEC : 0);
	acc = entry & (PTE_P | PTE_W | PTE_U);
	return has_nx && entry & PTE_NX ? acc : acc | NESTED_ACC_EXEC;
}

/* The tail of FNAME(walk_addr_generic), and nested_ept_inject_page_fault(). */
static void ept_exit(const struct role_walk *w, u64 access, u32 pfec, unsigned int pte_access)
{
	const struct nested_role_mmu *mmu = w->mmu;
	const struct walk_result *page = &w->result->l2;
	struct nested_exit *exit = &w->result->exit;
	u64 qual = EPT_QUAL_GLA_VALID;

	exit->reason = NESTED_EXIT_EPT_MISCONFIG;
	if (pfec & PFERR_RSVD)
		return;
	exit->reason = NESTED_EXIT_EPT_VIOLATION;
	qual |= access & PFERR_WRITE ? EPT_QUAL_WRITE :
		access & PFERR_FETCH ? EPT_QUAL_FETCH :
				       EPT_QUAL_READ;
	if (access & STAGE_TABLE || as_kvm(mmu, NESTED_DEV_READ_WITH_ALL))
		qual |= EPT_QUAL_READ;
	if (access & STAGE_FINAL)
		qual |= EPT_QUAL_FINAL;
	if (RULE_HOLDS(NR_EXIT_QUAL))
		qual |= (pte_access & NESTED_ACC_READ ? EPT_R << EPT_QUAL_RIGHTS_SHIFT : 0) |
			(pte_access & NESTED_ACC_WRITE ? EPT_W << EPT_QUAL_RIGHTS_SHIFT : 0) |
			(pte_access & NESTED_ACC_EXEC ? EPT_X << EPT_QUAL_RIGHTS_SHIFT : 0);
	if (mmu->role.walk.cr4_smep && pte_access & NESTED_ACC_USER_EXEC)
		qual |= EPT_QUAL_XU;
	if (access & STAGE_FINAL && mmu->caps.advanced_info && !as_kvm(mmu, NESTED_DEV_NO_ADVANCED))
		qual |= (page->user ? EPT_QUAL_USER : 0) |
			(page->writable ? EPT_QUAL_WRITABLE : 0) |
			(page->executable ? 0 : EPT_QUAL_NX);
	if (w->l2->iret_unblocks_nmi && !as_kvm(mmu, NESTED_DEV_NMI_LOST))
		qual |= EPT_QUAL_NMI_UNBLOCK;
	exit->info = qual;
	exit->gva = w->l2->regs.cs_l ? w->access->gva : (u32)w->access->gva;
}

/* Returns false, for the caller to return. */
static bool exits(const struct role_walk *w, gpa_t gpa, u64 access, u32 pfec,
		  unsigned int pte_access)
{
	const struct nested_role_mmu *mmu = w->mmu;
	struct nested_result *r = w->result;
	struct nested_exit *exit = &r->exit;
	u64 stage = access & (STAGE_FINAL | STAGE_TABLE);

	r->outcome = NESTED_EXIT;
	*exit = (struct nested_exit){ .reason = NESTED_EXIT_NPF, .rule = RULE_NR_ACCESS };
	exit->gpa = as_kvm(mmu, NESTED_DEV_PAGE_ADDRESS) ? gpa & ~0xfffULL : gpa;
	if (mmu->kind == NESTED_EPT) {
		ept_exit(w, access, pfec, pte_access);
	} else {
		pfec |= access & (PFERR_WRITE | PFERR_USER);
		if (access & PFERR_FETCH && mmu->fetch_bit)
			pfec |= PFERR_FETCH;
		if (as_kvm(mmu, NESTED_DEV_STAGE_FINAL))
			stage = STAGE_FINAL;
		exit->info = pfec | stage;
	}
	r->rule = exit->rule;
	return false;
}

static bool is_present(const struct nested_role_mmu *mmu, u64 entry)
{
	if (mmu->kind == NESTED_NPT)
		return entry & PTE_P;
	return entry & (EPT_RWX | (mmu->role.walk.cr4_smep && RULE_HOLDS(NR_PRESENT) ? EPT_XU : 0));
}

static bool is_leaf(const struct role_walk *w, int level, u64 entry)
{
	const struct nested_role_mmu *mmu = w->mmu;

	if (mmu->kind == NESTED_NPT)
		return entry_is_leaf(nested_formats[mmu->format].paging, level, entry,
				     mmu->role.walk.cr4_pse, w->cpu);
	/* Where bit 7 is no page's it is reserved: the walk never gets further. */
	return level == 1 || (entry & EPT_PS && !(mmu->ept_reserved[1][level] & EPT_PS));
}

static bool is_reserved(const struct role_walk *w, const struct nested_step *s)
{
	const struct nested_role_mmu *mmu = w->mmu;
	const struct nested_format *f = &nested_formats[mmu->format];
	u64 e = s->entry, mt_xwr = e;

	if (mmu->kind == NESTED_NPT) {
		if (s->level == 3 && mmu->format == NESTED_FORMAT_NPT_PAE &&
		    as_kvm(mmu, NESTED_DEV_NPT_PDPTE_RSVD))
			return false;
		return e & entry_reserved_bits(f->paging, s->level, s->leaf, mmu->role.walk.efer_nx,
					       w->cpu) &&
		       RULE_HOLDS(NR_RSVD);
	}
	if (e & EPT_XU) /* __is_bad_mt_xwr(): it is for X, with MBEC or without */
		mt_xwr |= EPT_X;
	return (e & mmu->ept_reserved[!!(e & EPT_PS)][s->level] && RULE_HOLDS(NR_RSVD)) ||
	       mmu->bad_mt_xwr >> (mt_xwr & 0x3f) & 1;
}

static gpa_t address_of(const struct role_walk *w, const struct nested_step *s)
{
	const struct nested_format *f = &nested_formats[w->mmu->format];

	if (f->kind == NESTED_NPT)
		return entry_address(f->paging, s->level, s->leaf, s->entry, w->cpu);
	return s->entry & BITS_ULL(51, s->leaf ? f->level[s->level].shift : 12);
}

static gpa_t root_table(const struct role_walk *w)
{
	switch (w->mmu->format) {
	case NESTED_FORMAT_NPT_PAE:
		return w->root & BITS_ULL(31, 5);
	case NESTED_FORMAT_NPT_2LEVEL:
		return w->root & BITS_ULL(31, 12);
	default:
		return w->root & BITS_ULL(51, 12);
	}
}

static bool read_entry(const struct role_walk *w, struct nested_step *s)
{
	int bytes = nested_formats[w->mmu->format].entry_bytes;
	const void *p = phys_memory_at(w->memory, s->entry_gpa, bytes);

	s->entry = 0;
	if (!p) {
		w->result->outcome = NESTED_NO_MEMORY;
		w->result->rule = RULE_N_NO_MEMORY;
		w->result->gpa = s->entry_gpa;
		return false;
	}
	memcpy(&s->entry, p, bytes);
	return true;
}

/* FNAME(update_accessed_dirty_bits) */
static void update_accessed_dirty(const struct role_walk *w, unsigned int first, bool write)
{
	struct nested_result *r = w->result;
	u64 a = w->mmu->kind == NESTED_EPT ? EPT_A : PTE_A;
	u64 d = w->mmu->kind == NESTED_EPT ? EPT_D : PTE_D;
	unsigned int i;

	for (i = first; have_ad(w->mmu) && i < r->nr_steps; i++) {
		struct nested_step *s = &r->step[i];

		if (w->mmu->format == NESTED_FORMAT_NPT_PAE && s->level == 3)
			continue;
		s->must_set = a | (s->leaf && write ? d : 0);
	}
}

/* FNAME(walk_addr_generic) for ngpa_walk: false after an exit, or with a table out of memory. */
static bool walk_nested(const struct role_walk *w, u8 for_level, gpa_t gpa, u64 access,
			struct role_translation *t)
{
	const struct nested_role_mmu *mmu = w->mmu;
	const struct nested_format *f = &nested_formats[mmu->format];
	struct nested_result *r = w->result;
	unsigned int first = r->nr_steps, pte_access = 0xf;
	gpa_t table = root_table(w);
	int level = f->levels;
	struct nested_step *s;

	if (gpa >> f->gpa_bits && !as_kvm(mmu, NESTED_DEV_GPA_TRUNCATED))
		return exits(w, gpa, access, 0, 0);
	do {
		bool pdpte = mmu->format == NESTED_FORMAT_NPT_PAE && level == 3;

		s = &r->step[r->nr_steps++];
		*s = (struct nested_step){ .for_level = for_level, .level = level };
		s->entry_gpa = nested_entry_gpa(mmu->format, level, table, gpa);
		if (!read_entry(w, s))
			return false;
		s->leaf = is_leaf(w, level, s->entry);
		if (!pdpte && (RULE_HOLDS(NR_ACCESS) || s->leaf))
			pte_access = entry_access(mmu, s->entry) &
				     (RULE_HOLDS(NR_ACCESS) ? pte_access : 0xf);
		if (!is_present(mmu, s->entry))
			return exits(w, gpa, access, 0, pte_access);
		if (is_reserved(w, s))
			return exits(w, gpa, access, PFERR_PRESENT | PFERR_RSVD, pte_access);
		table = address_of(w, s);
	} while (!s->leaf && level-- > 1);

	if (mmu->permissions[(access & 0x1f) >> 1] >> pte_access & 1)
		return exits(w, gpa, access, PFERR_PRESENT, pte_access);
	update_accessed_dirty(w, first, access & PFERR_WRITE);
	t->page_size = nested_page_size(mmu->format, level);
	t->gpa = table | (gpa & (t->page_size - 1));
	t->pte_access = pte_access;
	return true;
}

/* kvm_translate_gpa() of an entry of L2's tables. */
static bool bring_entry(struct role_walk *w, gpa_t gpa, u8 for_level, u8 bytes)
{
	const struct nested_role_mmu *mmu = w->mmu;
	u64 access = RULE_HOLDS(NR_STAGE) ? STAGE_TABLE : STAGE_FINAL;
	struct role_translation t;
	const void *host;

	if (mmu->kind == NESTED_NPT && RULE_HOLDS(NR_NESTED_USER))
		access |= PFERR_USER;
	if ((mmu->kind == NESTED_NPT || have_ad(mmu) || as_kvm(mmu, NESTED_DEV_WALK_WRITES)) &&
	    RULE_HOLDS(NR_NESTED_WRITE))
		access |= PFERR_WRITE;
	if (!walk_nested(w, for_level, gpa, access, &t))
		return false;
	host = phys_memory_at(w->memory, t.gpa, bytes);
	if (!host) {
		w->result->outcome = NESTED_NO_MEMORY;
		w->result->gpa = t.gpa;
		return false;
	}
	w->entry_access[w->nr_entries] = t.pte_access;
	w->entry[w->nr_entries++] = (struct phys_range){ gpa, bytes, host };
	return true;
}

static bool walk_l2(struct role_walk *w)
{
	const struct nested_role_mmu *mmu = w->mmu;
	struct walk_result *l2 = &w->result->l2;
	struct walk_regs regs = w->l2->regs;
	bool on_demand = mmu->kind == NESTED_NPT && mmu->l2.mode == PAGING_PAE &&
			 !as_kvm(mmu, NESTED_DEV_L2_PDPTE_CACHED);
	unsigned int i = (u32)w->access->gva >> 30;
	gpa_t pdpte_gpa = (regs.cr3 & BITS_ULL(31, 5)) + 8 * i;

	if (on_demand) {
		if (!bring_entry(w, pdpte_gpa, 3, 8))
			return false;
		memcpy(&regs.pdptr[i], w->entry[--w->nr_entries].host, 8);
	}
	for (;;) {
		const struct phys_memory seen = { w->entry, w->nr_entries };

		role_walk(&mmu->l2, w->cpu, &regs, &seen, w->access, l2);
		if (on_demand)
			l2->step[0].entry_gpa = pdpte_gpa;
		if (l2->outcome != WALK_NO_MEMORY)
			return true;
		if (!bring_entry(w, l2->gpa, l2->step[l2->nr_steps - 1].level,
				 paging_formats[mmu->l2.mode].entry_bytes))
			return false;
	}
}

/* L2's A and D, set after the final address is translated: true, or an exit. */
static bool update_l2(struct role_walk *w)
{
	struct walk_result *l2 = &w->result->l2;
	unsigned int i, k;

	if (w->mmu->kind != NESTED_EPT || !w->mmu->role.walk.ad_disabled)
		return true;
	for (i = 0; i < l2->nr_steps; i++) {
		if (!(l2->step[i].must_set & ~l2->step[i].entry))
			continue;
		for (k = 0; k < w->nr_entries && w->entry[k].gpa != l2->step[i].entry_gpa; k++)
			;
		/* pte_writable says what the memslot allows, not what L1's entry does. */
		if (k < w->nr_entries && !(w->entry_access[k] & NESTED_ACC_WRITE))
			return exits(w, l2->step[i].entry_gpa, PFERR_WRITE | STAGE_TABLE, 0,
				     w->entry_access[k]);
	}
	return true;
}

void nested_role_walk(const struct nested_role_mmu *mmu, const struct cpu_facts *cpu,
		      const struct nested_l2 *l2, u64 root, const struct phys_memory *memory,
		      const struct walk_access *access, struct nested_result *result)
{
	struct role_walk w = { .mmu = mmu,
			       .cpu = cpu,
			       .l2 = l2,
			       .root = root,
			       .memory = memory,
			       .access = access,
			       .result = result };
	struct role_translation t;
	u64 nested_access = RULE_HOLDS(NR_STAGE) ? STAGE_FINAL : STAGE_TABLE;

	result->nr_steps = result->nr_also = 0;
	result->gpa = result->page_size = 0;
	result->l2.nr_steps = 0;
	if (!walk_l2(&w))
		return;
	if (result->l2.outcome == WALK_FAULT) {
		result->outcome = NESTED_FAULT;
		result->rule = result->l2.rule;
		return;
	}
	if (access->kind == ACCESS_WRITE)
		nested_access |= PFERR_WRITE;
	if (access->kind == ACCESS_FETCH)
		nested_access |= PFERR_FETCH;
	/* svm_translate_nested_gpa(), vmx_translate_nested_gpa() */
	if ((mmu->kind == NESTED_NPT || result->l2.user) && RULE_HOLDS(NR_NESTED_USER))
		nested_access |= PFERR_USER;
	if (!walk_nested(&w, 0, result->l2.gpa, nested_access, &t) || !update_l2(&w))
		return;
	result->outcome = NESTED_OK;
	result->rule = result->l2.rule;
	result->gpa = t.gpa;
	result->page_size = t.page_size;
}
