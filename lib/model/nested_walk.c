// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk of L2's tables and of the nested tables beneath them: see include/nested.h.
 *
 * L2's part is walk(), unchanged.  It is given a memory that holds just those entries
 * which the nested tables have translated so far; it says which one it lacks, that one is
 * translated and added, or the translation exits.
 */
#include <string.h>

#include "nested_translate.h"
#include "x86.h"

static bool ept_ad(const struct nested_tables *tables)
{
	return tables->root & EPTP_AD;
}

static void no_memory(struct nested_result *r)
{
	r->outcome = NESTED_NO_MEMORY;
	r->rule = RULE_N_NO_MEMORY;
}

static void exits(struct nested_result *r, const struct nested_exit *exit)
{
	r->outcome = NESTED_EXIT;
	r->rule = exit->rule;
	r->exit = *exit;
}

/* Makes the entry at an L2-physical address readable for walk(). */
static enum nested_lookup_end bring_entry(struct nested_walk *w, gpa_t gpa, u8 for_level, u8 bytes)
{
	struct nested_result *r = w->result;
	bool ept = w->tables->kind == NESTED_EPT;
	const struct nested_lookup l = {
		.gpa = gpa,
		.for_level = for_level,
		.read = ept ? RULE_HOLDS(N_EPT_WALK_READ) : !RULE_HOLDS(N_NPT_WALK_WRITE),
		.write = ept ? ept_ad(w->tables) && RULE_HOLDS(N_EPT_WALK_WRITE) :
			       RULE_HOLDS(N_NPT_WALK_WRITE),
	};
	struct nested_translation t;
	enum nested_lookup_end end = nested_translate(w, &l, &t);
	const void *host;

	if (end == LOOKUP_EXIT)
		exits(r, &t.exit);
	if (end != LOOKUP_OK)
		return end;
	host = phys_memory_at(w->memory, t.gpa, bytes);
	if (!host) {
		r->gpa = t.gpa;
		return LOOKUP_NO_MEMORY;
	}
	w->entry_rights[w->nr_entries] = t.rights;
	w->entry[w->nr_entries++] = (struct phys_range){ gpa, bytes, host };
	return LOOKUP_OK;
}

/* APM 15.25.10: the PDPTE of a PAE guest is read when it is needed. */
static enum nested_lookup_end bring_pdpte(struct nested_walk *w, struct walk_regs *regs, gpa_t *gpa)
{
	unsigned int i = level_index(PAGING_PAE, 3, (u32)w->access->gva);
	enum nested_lookup_end end;

	*gpa = (regs->cr3 & BITS_ULL(31, 5)) + 8 * i;
	end = bring_entry(w, *gpa, 3, 8);
	if (end == LOOKUP_OK)
		memcpy(&regs->pdptr[i], w->entry[--w->nr_entries].host, 8);
	return end;
}

/* The walk ended by an exit: what it may have set in the entries of L2's that it read. */
static void l2_may_set(struct walk_result *l2, enum paging_mode mode, unsigned int nr)
{
	unsigned int i;

	l2->nr_steps = nr;
	for (i = 0; i < nr; i++) {
		struct walk_step *s = &l2->step[i];
		bool pdpte = paging_formats[mode].level[s->level].register_entry;

		s->must_set = 0;
		s->may_set = pdpte ? 0 : PTE_A;
	}
}

/* L2's walk, with every table brought in: LOOKUP_OK when walk() came to an end. */
static enum nested_lookup_end walk_l2(struct nested_walk *w)
{
	struct walk_result *l2 = &w->result->l2;
	struct walk_regs regs = w->l2->regs;
	enum paging_mode mode = paging_mode(regs.cr0, regs.cr4, regs.efer);
	bool on_demand = mode == PAGING_PAE && w->tables->kind == NESTED_NPT &&
			 RULE_HOLDS(N_L2_PDPTE);
	enum nested_lookup_end end = LOOKUP_OK;
	gpa_t pdpte_gpa = 0;

	l2->nr_steps = 0;
	if (on_demand)
		end = bring_pdpte(w, &regs, &pdpte_gpa);
	while (end == LOOKUP_OK) {
		const struct phys_memory seen = { w->entry, w->nr_entries };
		unsigned int read;

		walk(w->cpu, &regs, &seen, w->access, l2);
		if (on_demand)
			l2->step[0].entry_gpa = pdpte_gpa;
		if (l2->outcome != WALK_NO_MEMORY)
			return LOOKUP_OK;
		read = l2->nr_steps - 1;
		end = bring_entry(w, l2->gpa, l2->step[read].level,
				  paging_formats[mode].entry_bytes);
		if (end == LOOKUP_EXIT)
			l2_may_set(l2, mode, read);
	}
	return end;
}

/* SDM 29.3.3.2, no A/D flags for EPT: where A or D are to be set, L2's table must be writable. */
static void ad_update_exits(struct nested_walk *w)
{
	struct nested_result *r = w->result;
	unsigned int i, k;

	if (w->tables->kind != NESTED_EPT || ept_ad(w->tables) || !RULE_HOLDS(N_EPT_AD_UPDATE))
		return;
	for (i = 0; i < r->l2.nr_steps; i++) {
		const struct walk_step *s = &r->l2.step[i];
		const struct nested_lookup l = {
			.gpa = s->entry_gpa, .for_level = s->level, .write = true, .ad_update = true
		};

		if (!((s->must_set | s->may_set) & ~s->entry))
			continue;
		for (k = 0; k < w->nr_entries && w->entry[k].gpa != s->entry_gpa; k++)
			;
		if (k < w->nr_entries && !(w->entry_rights[k] & EPT_W))
			nested_ept_violation(w, &l, RULE_N_EPT_AD_UPDATE, w->entry_rights[k],
					     &r->also[r->nr_also++]);
	}
}

static void translate_final(struct nested_walk *w)
{
	struct nested_result *r = w->result;
	const struct nested_lookup l = {
		.gpa = r->l2.gpa,
		.read = w->access->kind == ACCESS_READ,
		.write = w->access->kind == ACCESS_WRITE,
		.fetch = w->access->kind == ACCESS_FETCH,
		.user_page = r->l2.user,
	};
	struct nested_translation t;
	enum nested_lookup_end end = nested_translate(w, &l, &t);

	if (end == LOOKUP_NO_MEMORY) {
		no_memory(r);
	} else if (end == LOOKUP_EXIT) {
		exits(r, &t.exit);
	} else {
		r->outcome = NESTED_OK;
		r->rule = r->l2.rule;
		r->gpa = t.gpa;
		r->page_size = t.page_size;
	}
}

/* L2's tables allow the access: now its own update of them, and the page itself. */
static void finish(struct nested_walk *w)
{
	struct nested_result *r = w->result;
	struct nested_exit first;
	unsigned int i;

	ad_update_exits(w);
	translate_final(w);
	if (r->nr_also && r->outcome != NESTED_NO_MEMORY) {
		/* The manuals do not say which comes first; the update is part of the walk. */
		first = r->also[0];
		r->nr_also--;
		memmove(r->also, r->also + 1, r->nr_also * sizeof(first));
		if (r->outcome == NESTED_EXIT)
			r->also[r->nr_also++] = r->exit;
		exits(r, &first);
	}
	for (i = 0; r->outcome == NESTED_EXIT && i < r->l2.nr_steps; i++) {
		r->l2.step[i].may_set = r->l2.step[i].must_set;
		r->l2.step[i].must_set = 0;
	}
}

static bool rights_fault(const struct walk_result *l2)
{
	return l2->vector == PF_VECTOR && l2->error_code & PFERR_PRESENT &&
	       !(l2->error_code & PFERR_RSVD);
}

static void start(struct nested_result *result)
{
	result->nr_steps = 0;
	result->nr_also = 0;
	result->gpa = 0;
	result->page_size = 0;
}

void nested_walk(const struct cpu_facts *cpu, const struct nested_l2 *l2,
		 const struct nested_tables *tables, const struct phys_memory *memory,
		 const struct walk_access *access, struct nested_result *result)
{
	struct nested_walk w = { .cpu = cpu,
				 .l2 = l2,
				 .tables = tables,
				 .memory = memory,
				 .access = access,
				 .result = result };

	start(result);
	switch (walk_l2(&w)) {
	case LOOKUP_NO_MEMORY:
		no_memory(result);
		return;
	case LOOKUP_EXIT:
		ad_update_exits(&w);
		return;
	case LOOKUP_OK:
		break;
	}
	if (result->l2.outcome == WALK_OK) {
		finish(&w);
		return;
	}
	if (!RULE_HOLDS(N_ORDER_FINAL) && rights_fault(&result->l2)) {
		translate_final(&w);
		if (result->outcome != NESTED_OK)
			return;
	}
	result->outcome = NESTED_FAULT;
	result->rule = result->l2.rule;
	ad_update_exits(&w);
}

void nested_load_pdptrs(const struct cpu_facts *cpu, const struct nested_l2 *l2,
			const struct nested_tables *tables, const struct phys_memory *memory,
			u64 cr3, u64 pdptr[4], struct nested_result *result)
{
	static const struct walk_access none;
	struct nested_walk w = { .cpu = cpu,
				 .l2 = l2,
				 .tables = tables,
				 .memory = memory,
				 .access = &none,
				 .result = result };
	const struct nested_lookup l = {
		.gpa = cr3 & BITS_ULL(31, 5),
		.for_level = 3,
		.read = true,
		.write = !RULE_HOLDS(N_EPT_PDPTE_READ),
		.pdpte_load = true,
	};
	struct nested_translation t;
	struct phys_range four;

	start(result);
	result->l2.nr_steps = 0;
	result->outcome = NESTED_OK;
	result->rule = RULE_N_ALLOWED;
	if (tables->kind == NESTED_NPT)
		return;
	switch (nested_translate(&w, &l, &t)) {
	case LOOKUP_NO_MEMORY:
		no_memory(result);
		return;
	case LOOKUP_EXIT:
		exits(result, &t.exit);
		return;
	case LOOKUP_OK:
		break;
	}
	four = (struct phys_range){ l.gpa, 32, phys_memory_at(memory, t.gpa, 32) };
	result->gpa = t.gpa;
	if (!four.host) {
		no_memory(result);
	} else if (!walk_load_pdptrs(cpu, cr3, &(struct phys_memory){ &four, 1 }, pdptr)) {
		result->outcome = NESTED_FAULT;
		result->rule = result->l2.rule = RULE_A_RSVD;
		result->l2.outcome = WALK_FAULT;
		result->l2.vector = GP_VECTOR;
		result->l2.error_code = 0;
	}
}

bool nested_exit_matches(const struct nested_exit *expected, const struct nested_exit *seen)
{
	if (expected->reason != seen->reason || expected->gpa != seen->gpa ||
	    (expected->info ^ seen->info) & ~expected->open)
		return false;
	return expected->reason != NESTED_EXIT_EPT_VIOLATION ||
	       !(expected->info & EPT_QUAL_GLA_VALID) || expected->gva == seen->gva;
}

bool nested_result_allows_exit(const struct nested_result *result, const struct nested_exit *seen)
{
	unsigned int i;

	if (result->outcome == NESTED_EXIT && nested_exit_matches(&result->exit, seen))
		return true;
	for (i = 0; i < result->nr_also; i++)
		if (nested_exit_matches(&result->also[i], seen))
			return true;
	return false;
}
