// SPDX-License-Identifier: GPL-2.0-only
/*
 * One walk of the nested tables, L2-physical to L1-physical: see include/nested.h.  Each
 * function is one paragraph of the manuals; the RULE_HOLDS() names lead to the sentence and
 * section in nested_rules.def.
 */
#include <string.h>

#include "nested_translate.h"
#include "x86.h"

#define NPT_RIGHTS (PTE_W | PTE_U | PTE_NX)
#define EPT_RIGHTS (EPT_RWX | EPT_XU)

/* APM 15.25.6: EXITINFO1 and EXITINFO2. */
static enum nested_lookup_end npf(const struct nested_walk *w, const struct nested_lookup *l,
				  enum rule rule, u64 info, struct nested_exit *exit)
{
	*exit = (struct nested_exit){ .reason = NESTED_EXIT_NPF, .rule = rule, .gpa = l->gpa };
	if (l->write && RULE_HOLDS(N_NPF_RW))
		info |= PFERR_WRITE;
	if (RULE_HOLDS(N_NPF_US))
		info |= PFERR_USER;
	if (l->fetch && RULE_HOLDS(N_NPF_ID))
		info |= PFERR_FETCH;
	/* "Similar to a #PF error code", which has no I/D without NX: the text names no condition. */
	if (l->fetch && !(w->tables->l1_efer & X86_EFER_NX))
		exit->open |= PFERR_FETCH;
	if (!l->for_level && RULE_HOLDS(N_NPF_FINAL))
		info |= NPF_FINAL;
	if (l->for_level && RULE_HOLDS(N_NPF_WALK))
		info |= NPF_WALK;
	exit->info = info;
	return LOOKUP_EXIT;
}

/* SDM table 28-7, bits 2:0. */
static u64 qual_access(const struct nested_lookup *l)
{
	u64 qual = 0;

	if (!RULE_HOLDS(N_EPT_Q_ACCESS))
		return 0;
	if (l->read && (!l->write || RULE_HOLDS(N_EPT_Q_WALK_RW)))
		qual |= EPT_QUAL_READ;
	if (l->write)
		qual |= EPT_QUAL_WRITE;
	if (l->fetch)
		qual |= EPT_QUAL_FETCH;
	return qual;
}

/* SDM table 28-7, bits 11:9: what L2's tables say of the page. */
static u64 qual_advanced(const struct nested_walk *w)
{
	const struct walk_result *page = &w->result->l2;

	if (!RULE_HOLDS(N_EPT_Q_ADVANCED))
		return 0;
	return (page->user ? EPT_QUAL_USER : 0) | (page->writable ? EPT_QUAL_WRITABLE : 0) |
	       (page->executable ? 0 : EPT_QUAL_NX);
}

enum nested_lookup_end nested_ept_violation(const struct nested_walk *w,
					    const struct nested_lookup *l, enum rule rule,
					    u64 rights, struct nested_exit *exit)
{
	bool gla = !l->pdpte_load || !RULE_HOLDS(N_EPT_Q_GLA);
	bool final = gla && !l->for_level;
	u64 info = qual_access(l);

	*exit = (struct nested_exit){ .reason = NESTED_EXIT_EPT_VIOLATION,
				      .rule = rule,
				      .gpa = l->gpa };
	/* SDM 28.2.1: whether a read-modify-write sets bit 0, too, depends on the processor. */
	if (l->ad_update)
		exit->open |= EPT_QUAL_READ;
	if (RULE_HOLDS(N_EPT_Q_RIGHTS))
		info |= (rights & EPT_RWX) << EPT_QUAL_RIGHTS_SHIFT;
	if (!w->tables->mbec)
		exit->open |= EPT_QUAL_XU;
	else if (rights & EPT_XU && RULE_HOLDS(N_EPT_Q_XU))
		info |= EPT_QUAL_XU;
	if (gla) {
		info |= EPT_QUAL_GLA_VALID;
		exit->gva = w->access->gva;
		if (!w->l2->regs.cs_l && RULE_HOLDS(N_EPT_GLA_32))
			exit->gva = (u32)exit->gva;
	}
	if (final && RULE_HOLDS(N_EPT_Q_FINAL))
		info |= EPT_QUAL_FINAL;
	if (final && w->tables->caps.advanced_info)
		info |= qual_advanced(w);
	else
		exit->open |= EPT_QUAL_USER | EPT_QUAL_WRITABLE | EPT_QUAL_NX;
	if (w->l2->nmi_unblock_undefined)
		exit->open |= EPT_QUAL_NMI_UNBLOCK;
	else if (w->l2->iret_unblocks_nmi && RULE_HOLDS(N_EPT_Q_NMI))
		info |= EPT_QUAL_NMI_UNBLOCK;
	exit->info = info;
	return LOOKUP_EXIT;
}

static enum nested_lookup_end ept_misconfig(const struct nested_lookup *l, enum rule rule,
					    struct nested_exit *exit)
{
	*exit = (struct nested_exit){
		.reason = NESTED_EXIT_EPT_MISCONFIG, .rule = rule, .open = ~0ULL, .gpa = l->gpa
	};
	return LOOKUP_EXIT;
}

/* SDM 29.3.3.1: the rule by which a present entry is misconfigured, or RULE_N_ALLOWED. */
static enum rule ept_misconfigured(const struct nested_walk *w, const struct nested_step *s)
{
	const struct nested_tables *t = w->tables;
	u64 e = s->entry, type = (e & EPT_MT) >> EPT_MT_SHIFT;

	if (!(e & EPT_R)) {
		if (e & EPT_W && RULE_HOLDS(N_EPT_WRITE_ONLY))
			return RULE_N_EPT_WRITE_ONLY;
		if (e & EPT_X && !t->caps.execonly && RULE_HOLDS(N_EPT_EXECONLY))
			return RULE_N_EPT_EXECONLY;
		if (e & EPT_XU && t->mbec && !t->caps.execonly && RULE_HOLDS(N_EPT_EXECONLY_XU))
			return RULE_N_EPT_EXECONLY_XU;
	}
	if (e & nested_reserved_bits(t, s->level, s->leaf, w->cpu) && RULE_HOLDS(N_EPT_RSVD))
		return RULE_N_EPT_RSVD;
	if (s->leaf && (type == 2 || type == 3 || type == 7) && RULE_HOLDS(N_EPT_MEMTYPE))
		return RULE_N_EPT_MEMTYPE;
	return RULE_N_ALLOWED;
}

/* SDM 29.3.3.3 step 1: may the walk go on with this entry? */
static enum nested_lookup_end ept_check_entry(const struct nested_walk *w,
					      const struct nested_lookup *l,
					      const struct nested_step *s, u64 rights,
					      struct nested_exit *exit)
{
	u64 present = EPT_RWX;
	enum rule rule;

	if (w->tables->mbec && RULE_HOLDS(N_EPT_PRESENT_XU))
		present |= EPT_XU;
	if (!(s->entry & present) && RULE_HOLDS(N_EPT_PRESENT))
		return nested_ept_violation(w, l, RULE_N_EPT_PRESENT, rights, exit);
	rule = ept_misconfigured(w, s);
	if (rule != RULE_N_ALLOWED)
		return ept_misconfig(l, rule, exit);
	return LOOKUP_OK;
}

/* APM 15.25.6: the same of an NPT entry. */
static enum nested_lookup_end npt_check_entry(const struct nested_walk *w,
					      const struct nested_lookup *l,
					      const struct nested_step *s, struct nested_exit *exit)
{
	if (!(s->entry & PTE_P) && RULE_HOLDS(N_NPT_PRESENT))
		return npf(w, l, RULE_N_NPT_PRESENT, 0, exit);
	if (s->entry & nested_reserved_bits(w->tables, s->level, s->leaf, w->cpu) &&
	    RULE_HOLDS(N_NPT_RSVD))
		return npf(w, l, RULE_N_NPT_RSVD, PFERR_PRESENT | PFERR_RSVD, exit);
	return LOOKUP_OK;
}

/* SDM 29.3.3.2 */
static enum nested_lookup_end ept_check_rights(const struct nested_walk *w,
					       const struct nested_lookup *l, u64 rights,
					       struct nested_exit *exit)
{
	bool by_page = w->tables->mbec && l->user_page && RULE_HOLDS(N_EPT_FETCH_USER);
	enum rule rule = RULE_N_ALLOWED;

	if (l->read && !(rights & EPT_R) && RULE_HOLDS(N_EPT_READ))
		rule = RULE_N_EPT_READ;
	else if (l->write && !(rights & EPT_W) && RULE_HOLDS(N_EPT_WRITE))
		rule = RULE_N_EPT_WRITE;
	else if (l->fetch && by_page && !(rights & EPT_XU))
		rule = RULE_N_EPT_FETCH_USER;
	else if (l->fetch && !by_page && !(rights & EPT_X) && RULE_HOLDS(N_EPT_FETCH))
		rule = RULE_N_EPT_FETCH;
	return rule == RULE_N_ALLOWED ? LOOKUP_OK : nested_ept_violation(w, l, rule, rights, exit);
}

/* APM 15.25.5 */
static enum nested_lookup_end npt_check_rights(const struct nested_walk *w,
					       const struct nested_lookup *l, u64 rights,
					       struct nested_exit *exit)
{
	enum rule rule = RULE_N_ALLOWED;

	if (!(rights & PTE_U) && RULE_HOLDS(N_NPT_USER))
		rule = RULE_N_NPT_USER;
	else if (l->write && !(rights & PTE_W) && RULE_HOLDS(N_NPT_WRITE))
		rule = RULE_N_NPT_WRITE;
	else if (l->fetch && !(rights & PTE_NX) && w->tables->l1_efer & X86_EFER_NX &&
		 RULE_HOLDS(N_NPT_FETCH))
		rule = RULE_N_NPT_FETCH;
	return rule == RULE_N_ALLOWED ? LOOKUP_OK : npf(w, l, rule, PFERR_PRESENT, exit);
}

/* Bits that an entry takes from what those above it give. */
static u64 rights_of(enum nested_format_index format, const struct nested_step *s)
{
	const struct nested_format *f = &nested_formats[format];

	if (f->kind == NESTED_EPT)
		return s->entry & EPT_RIGHTS;
	if (nested_entry_is_pdpte(format, s->level))
		return NPT_RIGHTS;
	if (!paging_formats[f->paging].has_nx)
		return (s->entry & NPT_RIGHTS) | PTE_NX;
	return (s->entry ^ PTE_NX) & NPT_RIGHTS;
}

/*
 * SDM 29.3.5, APM 15.25.5: what a walk that ended sets in the entries it used.  After an
 * exit A is left open in those that were good; the manuals allow no D where nothing was
 * written.
 */
static void accessed_dirty(const struct nested_walk *w, unsigned int first,
			   const struct nested_lookup *l, enum nested_lookup_end end,
			   bool last_used)
{
	struct nested_result *r = w->result;
	unsigned int i;

	for (i = first; i < r->nr_steps; i++) {
		struct nested_step *s = &r->step[i];
		u64 a = nested_accessed_bit(w->tables, s->level);

		if (end == LOOKUP_OK) {
			s->must_set = a;
			if (s->leaf && l->write)
				s->must_set |= nested_dirty_bit(w->tables, s->level);
		} else if (end == LOOKUP_EXIT && (last_used || i != r->nr_steps - 1u)) {
			s->may_set = a;
		}
	}
}

static bool read_entry(const struct phys_memory *memory, gpa_t gpa, int bytes, u64 *entry)
{
	const void *p = phys_memory_at(memory, gpa, bytes);

	*entry = 0;
	if (p)
		memcpy(entry, p, bytes);
	return p;
}

/* Down to the entry that maps the address.  *last_used: the last one read was good. */
static enum nested_lookup_end find_nested_page(const struct nested_walk *w,
					       const struct nested_lookup *l,
					       struct nested_translation *t, bool *last_used)
{
	const enum nested_format_index format = nested_format_of(w->tables);
	const struct nested_format *f = &nested_formats[format];
	struct nested_result *r = w->result;
	gpa_t table = nested_root_table(w->tables);
	int level;

	for (level = f->levels;; level--) {
		struct nested_step *s = &r->step[r->nr_steps++];
		enum nested_lookup_end end;

		*s = (struct nested_step){ .for_level = l->for_level, .level = level };
		s->entry_gpa = nested_entry_gpa(format, level, table, l->gpa);
		if (!read_entry(w->memory, s->entry_gpa, f->entry_bytes, &s->entry)) {
			r->gpa = s->entry_gpa;
			return LOOKUP_NO_MEMORY;
		}
		s->leaf = nested_entry_is_leaf(w->tables, level, s->entry, w->cpu);
		if (RULE_HOLDS(N_COMBINE))
			t->rights &= rights_of(format, s);
		else if (s->leaf)
			t->rights = rights_of(format, s);
		end = f->kind == NESTED_EPT ? ept_check_entry(w, l, s, t->rights, &t->exit) :
					      npt_check_entry(w, l, s, &t->exit);
		if (end != LOOKUP_OK)
			return end;
		table = nested_entry_address(w->tables, level, s->leaf, s->entry, w->cpu);
		if (s->leaf || level == 1)
			break;
	}
	*last_used = true;
	t->page_size = nested_page_size(format, level);
	t->gpa = table | (l->gpa & (t->page_size - 1));
	return f->kind == NESTED_EPT ? ept_check_rights(w, l, t->rights, &t->exit) :
				       npt_check_rights(w, l, t->rights, &t->exit);
}

enum nested_lookup_end nested_translate(const struct nested_walk *w, const struct nested_lookup *l,
					struct nested_translation *t)
{
	u8 bits = nested_formats[nested_format_of(w->tables)].gpa_bits;
	unsigned int first = w->result->nr_steps;
	bool last_used = false;
	enum nested_lookup_end end;

	t->rights = w->tables->kind == NESTED_EPT ? EPT_RIGHTS : NPT_RIGHTS;
	if (l->gpa >> bits && RULE_HOLDS(N_GPA_WIDTH)) {
		if (w->tables->kind == NESTED_EPT)
			return nested_ept_violation(w, l, RULE_N_GPA_WIDTH, 0, &t->exit);
		end = npf(w, l, RULE_N_GPA_WIDTH, 0, &t->exit);
		t->exit.open |= PFERR_PRESENT | PFERR_RSVD;
		return end;
	}
	end = find_nested_page(w, l, t, &last_used);
	accessed_dirty(w, first, l, end, last_used);
	return end;
}
