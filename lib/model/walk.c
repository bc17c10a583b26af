// SPDX-License-Identifier: GPL-2.0-only
/*
 * The architecture walker.  Each function is one paragraph of the manuals; the
 * RULE_HOLDS() names lead to the sentence and section in walk_rules.def.
 */
#include <string.h>

#include "walk.h"
#include "x86.h"

const void *phys_memory_at(const struct phys_memory *memory, gpa_t gpa, u64 len)
{
	unsigned int i;

	for (i = 0; i < memory->nr; i++) {
		const struct phys_range *r = &memory->range[i];

		if (gpa >= r->gpa && gpa - r->gpa < r->size && len <= r->size - (gpa - r->gpa))
			return (const char *)r->host + (gpa - r->gpa);
	}
	return NULL;
}

/* SDM 3A 4.1.1 "Four paging modes". */
enum paging_mode paging_mode(u64 cr0, u64 cr4, u64 efer)
{
	if (!(cr0 & X86_CR0_PG))
		return PAGING_NONE;
	if (efer & X86_EFER_LMA)
		return cr4 & X86_CR4_LA57 && RULE_HOLDS(A_MODE_LA57) ? PAGING_5LEVEL :
								      PAGING_4LEVEL;
	return cr4 & X86_CR4_PAE || !RULE_HOLDS(A_MODE_PAE) ? PAGING_PAE : PAGING_2LEVEL;
}

/* The facts of one access that the rules ask for, worked out once. */
struct access_mode {
	bool user;     /* user-mode access (SDM 4.6.1) */
	bool write, fetch;
	bool wp, nx, smep, smap, pke;
	bool ac, implicit;
};

static struct access_mode access_mode(const struct walk_regs *regs, enum paging_mode mode,
				      const struct walk_access *access)
{
	return (struct access_mode){
		.user = access->cpl == 3 &&
			!(access->implicit && RULE_HOLDS(A_IMPLICIT_SUPERVISOR)),
		.write = access->kind == ACCESS_WRITE,
		.fetch = access->kind == ACCESS_FETCH,
		.wp = regs->cr0 & X86_CR0_WP,
		.nx = (regs->efer & X86_EFER_NX) && paging_formats[mode].has_nx,
		.smep = regs->cr4 & X86_CR4_SMEP,
		.smap = regs->cr4 & X86_CR4_SMAP,
		.pke = (regs->cr4 & X86_CR4_PKE) &&
		       (paging_formats[mode].has_pk || !RULE_HOLDS(A_PK_LMA)),
		.ac = access->ac,
		.implicit = access->implicit,
	};
}

/* SDM 3A 4.7 "Page-fault exceptions": the bits that describe the access. */
static u32 access_error_bits(const struct access_mode *m)
{
	u32 error = 0;

	if (m->write && RULE_HOLDS(A_ERR_W))
		error |= PFERR_WRITE;
	if (m->user && RULE_HOLDS(A_ERR_U))
		error |= PFERR_USER;
	if (m->fetch && (m->smep || m->nx || !RULE_HOLDS(A_ERR_ID)))
		error |= PFERR_FETCH;
	return error;
}

static void page_fault(struct walk_result *result, enum rule rule, const struct access_mode *m,
		       gva_t gva, u32 error)
{
	result->outcome = WALK_FAULT;
	result->rule = rule;
	result->vector = PF_VECTOR;
	result->error_code = error | access_error_bits(m);
	result->cr2 = gva;
}

/* SDM 3A 4.6.2 "Protection keys": does PKRU forbid this access to this page? */
static bool pkru_forbids(const struct walk_regs *regs, const struct access_mode *m,
			 const struct walk_result *page, enum rule *rule)
{
	bool ad = regs->pkru >> (2 * page->pkey) & 1;
	bool wd = regs->pkru >> (2 * page->pkey + 1) & 1;

	if (!m->pke || (!page->user && RULE_HOLDS(A_PK_USER_PAGE)) ||
	    (m->fetch && RULE_HOLDS(A_PK_FETCH)))
		return false;
	if (ad && RULE_HOLDS(A_PK_AD)) {
		*rule = RULE_A_PK_AD;
		return true;
	}
	if (wd && m->write && (m->user || m->wp) && RULE_HOLDS(A_PK_WD)) {
		*rule = RULE_A_PK_WD;
		return true;
	}
	return false;
}

/* SDM 3A 4.6.1, supervisor-mode accesses. Returns the rule that forbids, or RULE_A_ALLOWED. */
static enum rule supervisor_forbidden(const struct access_mode *m, const struct walk_result *page)
{
	if (m->fetch) {
		if (page->user && m->smep && RULE_HOLDS(A_SMEP))
			return RULE_A_SMEP;
		if (!page->executable && RULE_HOLDS(A_FETCH_NX))
			return RULE_A_FETCH_NX;
		return RULE_A_ALLOWED;
	}
	if (page->user && m->smap && RULE_HOLDS(A_SMAP)) {
		if (m->implicit && RULE_HOLDS(A_SMAP_IMPLICIT))
			return RULE_A_SMAP_IMPLICIT;
		if (!m->ac || !RULE_HOLDS(A_SMAP_AC))
			return RULE_A_SMAP;
	}
	if (m->write && !page->writable && m->wp && RULE_HOLDS(A_SUPERVISOR_WRITE_WP))
		return RULE_A_SUPERVISOR_WRITE_WP;
	return RULE_A_ALLOWED;
}

/* SDM 3A 4.6.1, user-mode accesses. */
static enum rule user_forbidden(const struct access_mode *m, const struct walk_result *page)
{
	if (!page->user && RULE_HOLDS(A_USER_SUPERVISOR))
		return RULE_A_USER_SUPERVISOR;
	if (m->write && !page->writable && RULE_HOLDS(A_USER_WRITE))
		return RULE_A_USER_WRITE;
	if (m->fetch && !page->executable && RULE_HOLDS(A_FETCH_NX))
		return RULE_A_FETCH_NX;
	return RULE_A_ALLOWED;
}

/* SDM 3A 4.6: all access rights of a translation that was found. */
static void check_rights(const struct walk_regs *regs, const struct access_mode *m, gva_t gva,
			 struct walk_result *result)
{
	enum rule pk_rule = RULE_A_ALLOWED;
	bool pk = pkru_forbids(regs, m, result, &pk_rule);
	enum rule rule = m->user ? user_forbidden(m, result) : supervisor_forbidden(m, result);
	u32 error = PFERR_PRESENT;

	if (pk && RULE_HOLDS(A_ERR_PK))
		error |= PFERR_PK;
	if (rule == RULE_A_ALLOWED)
		rule = pk_rule;
	if (rule == RULE_A_ALLOWED) {
		result->outcome = WALK_OK;
		result->rule = RULE_A_ALLOWED;
	} else {
		page_fault(result, rule, m, gva, error);
	}
}

/*
 * SDM 3A 4.8, APM2 5.4.2.  A completed access sets A everywhere and D where the
 * page is mapped.  After a fault the manuals leave A open in the entries that were
 * used, and forbid any write to the entry that was not present or had a reserved
 * bit set; D is set by a write only, and a write that faulted did not happen.
 */
void walk_accessed_dirty(struct walk_result *result, enum paging_mode mode, enum access_kind kind)
{
	int i;

	for (i = 0; i < result->nr_steps; i++) {
		struct walk_step *s = &result->step[i];
		bool last = i == result->nr_steps - 1;
		bool not_used = last && result->outcome == WALK_FAULT &&
				(!(result->error_code & PFERR_PRESENT) ||
				 (result->error_code & PFERR_RSVD));

		s->must_set = s->may_set = 0;
		if (paging_formats[mode].level[s->level].register_entry || not_used)
			continue;
		if (result->outcome == WALK_OK) {
			if (RULE_HOLDS(A_ACCESSED))
				s->must_set |= PTE_A;
			if (s->leaf && kind == ACCESS_WRITE && RULE_HOLDS(A_DIRTY))
				s->must_set |= PTE_D;
		} else {
			s->may_set = PTE_A;
		}
	}
}

static bool read_entry(const struct phys_memory *memory, gpa_t gpa, int bytes, u64 *entry)
{
	const void *p = phys_memory_at(memory, gpa, bytes);

	*entry = 0;
	if (p && bytes == 8)
		memcpy(entry, p, 8);
	else if (p) /* two copies of known size: one of unknown size takes longer than the walk */
		memcpy(entry, p, 4);
	return p;
}

/* Walks the tables down to the page. Returns false when the walk ended early. */
static bool find_page(const struct cpu_facts *cpu, const struct walk_regs *regs,
		      const struct phys_memory *memory, enum paging_mode mode,
		      const struct access_mode *m, gva_t gva, struct walk_result *result)
{
	const struct paging_format *f = &paging_formats[mode];
	bool pse = regs->cr4 & X86_CR4_PSE;
	bool efer_nx = regs->efer & X86_EFER_NX;
	gpa_t table = regs->cr3 & (f->entry_bytes == 8 ? BITS_ULL(51, 12) : BITS_ULL(31, 12));
	int level;

	result->writable = result->user = result->executable = true;
	for (level = f->levels; level >= 1; level--) {
		const struct paging_level *l = &f->level[level];
		struct walk_step *s = &result->step[result->nr_steps++];

		*s = (struct walk_step){ .level = level };
		if (l->register_entry) {
			s->entry = regs->pdptr[level_index(mode, level, gva)];
			s->entry_gpa = 0;
		} else {
			s->entry_gpa = table + (u64)level_index(mode, level, gva) * f->entry_bytes;
			if (!read_entry(memory, s->entry_gpa, f->entry_bytes, &s->entry)) {
				result->outcome = WALK_NO_MEMORY;
				result->rule = RULE_A_NO_MEMORY;
				result->gpa = s->entry_gpa;
				return false;
			}
		}
		s->leaf = entry_is_leaf(mode, level, s->entry, pse, cpu);
		if (!(s->entry & PTE_P) && RULE_HOLDS(A_PRESENT)) {
			page_fault(result, RULE_A_PRESENT, m, gva, 0);
			return false;
		}
		if (s->entry & entry_reserved_bits(mode, level, s->leaf, efer_nx, cpu) &&
		    RULE_HOLDS(A_RSVD)) {
			page_fault(result, RULE_A_RSVD, m, gva, PFERR_PRESENT | PFERR_RSVD);
			return false;
		}
		if (!l->register_entry) {
			if (!(s->entry & PTE_W) && RULE_HOLDS(A_COMBINE_W))
				result->writable = false;
			if (!(s->entry & PTE_U) && RULE_HOLDS(A_COMBINE_U))
				result->user = false;
			if (m->nx && s->entry & PTE_NX && RULE_HOLDS(A_COMBINE_NX))
				result->executable = false;
		}
		table = entry_address(mode, level, s->leaf, s->entry, cpu);
		if (s->leaf)
			break;
	}
	result->page_size = level_page_size(mode, level);
	result->gpa = table | (gva & (result->page_size - 1));
	if (f->has_pk)
		result->pkey = (result->step[result->nr_steps - 1].entry & PTE_PK) >> PTE_PK_SHIFT;
	return true;
}

/* SDM vol. 1 3.3.7.1, APM2 5.3.1: false if the access ends here, with #GP(0) or #SS(0). */
static bool check_canonical(enum paging_mode mode, const struct walk_access *access,
			    struct walk_result *result)
{
	const int bits = RULE_HOLDS(A_CANONICAL_57) ? paging_formats[mode].linear_bits : 48;
	const gva_t last = access->gva + (access->size ? access->size - 1 : 0);

	if (!RULE_HOLDS(A_CANONICAL) ||
	    (is_canonical(access->gva, bits) &&
	     (is_canonical(last, bits) || !RULE_HOLDS(A_CANONICAL_BYTES))))
		return true;
	result->outcome = WALK_FAULT;
	result->rule = RULE_A_CANONICAL;
	result->vector = GP_VECTOR;
	result->error_code = 0;
	if (access->stack && RULE_HOLDS(A_CANONICAL_STACK)) {
		result->rule = RULE_A_CANONICAL_STACK;
		result->vector = SS_VECTOR;
	}
	return false;
}

void walk(const struct cpu_facts *cpu, const struct walk_regs *regs,
	  const struct phys_memory *memory, const struct walk_access *access,
	  struct walk_result *result)
{
	enum paging_mode mode = paging_mode(regs->cr0, regs->cr4, regs->efer);
	struct access_mode m = access_mode(regs, mode, access);
	gva_t gva = access->gva;

	result->nr_steps = 0;
	result->pkey = 0;
	result->page_size = 0;
	if (!regs->cs_l)
		gva = (u32)gva; /* SDM 3A 3.3.1: 32-bit linear addresses outside 64-bit mode */
	else if (!check_canonical(mode, access, result))
		return;
	if (mode == PAGING_NONE && RULE_HOLDS(A_PG0)) {
		result->outcome = WALK_OK;
		result->rule = RULE_A_PG0;
		result->gpa = gva;
		result->writable = result->user = result->executable = true;
		return;
	}
	if (find_page(cpu, regs, memory, mode, &m, gva, result))
		check_rights(regs, &m, gva, result);
	if (result->outcome != WALK_NO_MEMORY)
		walk_accessed_dirty(result, mode, access->kind);
}

bool walk_load_pdptrs(const struct cpu_facts *cpu, u64 cr3, const struct phys_memory *memory,
		      u64 pdptr[4])
{
	gpa_t table = cr3 & BITS_ULL(31, 5);
	bool good = true;
	int i;

	for (i = 0; i < 4; i++) {
		if (!read_entry(memory, table + 8 * i, 8, &pdptr[i]))
			return false;
		if (pdptr[i] & PTE_P &&
		    pdptr[i] & entry_reserved_bits(PAGING_PAE, 3, false, true, cpu))
			good = false;
	}
	return good;
}
