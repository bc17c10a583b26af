/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results of nested walks as text:
 *   ok final+0x128                    the L1-physical page reached
 *   #PF(0x7)  #GP(0x0)                a fault in L2
 *   npf 0x100000007 at final+0x128    EXITINFO1, EXITINFO2 by position: "pt2" is L2's table
 *   violation 0x18a ?0xe40 at ...     exit qualification, and bits that are open
 *   misconfig at pt4+0x10
 * with " also ..." for exits that may come instead, " l2:1ad,4a" for what is newly set in
 * L2's entries, " nested:f1ad,24a" in nested ones (position, level).
 */
#ifndef KMC_NESTED_TEXT_H
#define KMC_NESTED_TEXT_H

#include <stdio.h>

#include "nested_world.h"

#define NESTED_TEXT_LEN 512

static inline int put_gpa(const struct world *w, gpa_t gpa, char *text)
{
	unsigned int p;

	for (p = 1; p < NR_POSITIONS; p++) {
		if ((gpa & ~(PAGE - 1)) != world_gpa(w, p))
			continue;
		if (p == FINAL)
			return sprintf(text, "final+0x%llx", (unsigned long long)(gpa % PAGE));
		return sprintf(text, "pt%u+0x%llx", p, (unsigned long long)(gpa % PAGE));
	}
	return sprintf(text, "0x%llx", (unsigned long long)gpa);
}

static inline int put_exit(const struct world *w, const struct nested_exit *e, char *text)
{
	static const char *const names[] = { "npf", "violation", "misconfig" };
	int n = sprintf(text, "%s", names[e->reason]);

	if (e->reason != NESTED_EXIT_EPT_MISCONFIG)
		n += sprintf(text + n, " 0x%llx", (unsigned long long)e->info);
	if (e->reason != NESTED_EXIT_EPT_MISCONFIG && e->open)
		n += sprintf(text + n, " ?0x%llx", (unsigned long long)e->open);
	n += sprintf(text + n, " at ");
	n += put_gpa(w, e->gpa, text + n);
	if (e->info & EPT_QUAL_GLA_VALID && e->reason == NESTED_EXIT_EPT_VIOLATION &&
	    e->gva != w->gva)
		n += sprintf(text + n, " gla=0x%llx", (unsigned long long)e->gva);
	return n;
}

static inline int put_sets(const struct world *w, const struct nested_result *r, char *text)
{
	bool ept = w->config.tables.kind == NESTED_EPT;
	const char *before = " l2:";
	int i, n = 0;

	for (i = 0; r->outcome == NESTED_OK && i < r->l2.nr_steps; i++) {
		u64 set = r->l2.step[i].must_set & ~r->l2.step[i].entry;

		if (set)
			n += sprintf(text + n, "%s%d%s%s", before, r->l2.step[i].level,
				     set & PTE_A ? "a" : "", set & PTE_D ? "d" : "");
		before = set ? "," : before;
	}
	before = " nested:";
	for (i = 0; i < r->nr_steps; i++) {
		const struct nested_step *s = &r->step[i];
		u64 set = s->must_set & ~s->entry;

		if (set)
			n += sprintf(text + n, "%s%c%d%s%s", before,
				     s->for_level ? '0' + s->for_level : 'f', s->level,
				     set & (ept ? EPT_A : PTE_A) ? "a" : "",
				     set & (ept ? EPT_D : PTE_D) ? "d" : "");
		before = set ? "," : before;
	}
	return n;
}

static inline void nested_text(const struct world *w, const struct nested_result *r, char *text)
{
	int i, n = 0;

	text[0] = 0;
	switch (r->outcome) {
	case NESTED_OK:
		n = sprintf(text, "ok ");
		n += put_gpa(w, world_gpa(w, r->gpa >> 12 & 7) | (r->gpa % PAGE), text + n);
		break;
	case NESTED_FAULT:
		n = sprintf(text, "#%s(0x%x)", r->l2.vector == PF_VECTOR ? "PF" : "GP",
			    r->l2.error_code);
		break;
	case NESTED_EXIT:
		n = put_exit(w, &r->exit, text);
		break;
	case NESTED_NO_MEMORY:
		n = sprintf(text, "no memory");
		break;
	}
	for (i = 0; i < r->nr_also; i++) {
		n += sprintf(text + n, " also ");
		n += put_exit(w, &r->also[i], text + n);
	}
	put_sets(w, r, text + n);
}

#endif
