// SPDX-License-Identifier: GPL-2.0-only
/* The PDPTE registers: see include/pdpte.h. */
#include <stdio.h>

#include "pdpte.h"
#include "x86.h"

#define CR4_DE BIT_ULL(3)

#define LOADS "SDM 3A 4.4.1; APM2 15.25.10"
#define DOCUMENTED "api.rst KVM_SET_SREGS2, __set_sregs_common(); SDM 3A 4.4.1"

const struct pdpte_event pdpte_events[] = {
	{ "mov-cr3", MODE_PAE, BY_CR3, 0, 0, true, 0, LOADS },
	{ "cr0-pg", MODE_NOPG, BY_CR0, 0, X86_CR0_PG, true, 0, LOADS },
	{ "cr0-cd", MODE_PAE, BY_CR0, 0, X86_CR0_CD, true, 0, LOADS },
	{ "cr0-nw", MODE_PAE, BY_CR0, X86_CR0_CD, X86_CR0_NW, true, 0, LOADS },
	{ "cr0-cd-nw", MODE_PAE, BY_CR0, 0, X86_CR0_CD | X86_CR0_NW, true, 0, LOADS },
	{ "cr4-pae", MODE_2LEVEL, BY_CR4, 0, X86_CR4_PAE, true, 0, LOADS },
	{ "cr4-pge", MODE_PAE, BY_CR4, 0, X86_CR4_PGE, true, 0, LOADS },
	{ "cr4-pse", MODE_PAE, BY_CR4, 0, X86_CR4_PSE, true, 0, LOADS },
	{ "cr4-smep", MODE_PAE, BY_CR4, 0, X86_CR4_SMEP, true, 0, LOADS },
	{ "cr0-same", MODE_PAE, BY_CR0, 0, 0, false, 0, LOADS },
	{ "cr0-wp", MODE_PAE, BY_CR0, 0, X86_CR0_WP, false, 0, LOADS },
	{ "cr0-am", MODE_PAE, BY_CR0, 0, X86_CR0_AM, false, 0, LOADS },
	{ "lmsw", MODE_PAE, BY_LMSW, 0, X86_CR0_MP, false, 0, LOADS },
	{ "cr4-same", MODE_PAE, BY_CR4, 0, 0, false, 0, LOADS },
	{ "cr4-de", MODE_PAE, BY_CR4, 0, CR4_DE, false, 0, LOADS },
	{ "cr4-smap", MODE_PAE, BY_CR4, 0, X86_CR4_SMAP, false, 0, LOADS },
	{ "cr4-pke", MODE_PAE, BY_CR4, 0, X86_CR4_PKE, false, 0, LOADS },
	{ "efer-nx", MODE_PAE, BY_EFER, 0, X86_EFER_NX, false, 0, LOADS },
	{ "invlpg", MODE_PAE, BY_INVLPG, 0, 0, false, 0, LOADS },
	{ "run", MODE_PAE, BY_API, 0, 0, false, API_RUN, LOADS },
	{ "memslot", MODE_PAE, BY_API, 0, 0, false, API_MEMSLOT, LOADS },
	{ "sregs", MODE_PAE, BY_API, 0, 0, true, API_SREGS, DOCUMENTED },
	{ "sregs2", MODE_PAE, BY_API, 0, 0, true, API_SREGS2, DOCUMENTED },
	{ "sregs2-given", MODE_PAE, BY_API, 0, 0, true, API_SREGS2_GIVEN, DOCUMENTED },
	{ "copy-sregs", MODE_PAE, BY_API, 0, 0, true, API_COPY_SREGS, DOCUMENTED },
	{ "copy-sregs2", MODE_PAE, BY_API, 0, 0, false, API_COPY_SREGS2, DOCUMENTED },
};
const unsigned int nr_pdpte_events = ARRAY_SIZE(pdpte_events);

const char *const pdpte_rule_names[] = {
	[PDPTE_LOADED] = "loaded",
	[PDPTE_REFUSED] = "refused",
	[PDPTE_KEPT] = "kept",
	[PDPTE_EITHER] = "loaded or kept",
	[PDPTE_OPEN] = "loaded, kept or refused",
};

u64 pdpte_reserved(const struct cpu_facts *cpu)
{
	return entry_reserved_bits(PAGING_PAE, 3, false, true, cpu);
}

u64 pdpte_changed(const struct pdpte_case *c, u64 good, u64 other)
{
	switch (c->change) {
	case CHANGE_OTHER:
		return other;
	case CHANGE_ABSENT:
		return good & ~PTE_P;
	case CHANGE_BIT:
		return other | BIT_ULL(c->bit);
	default:
		return (good & ~PTE_P) | BIT_ULL(c->bit);
	}
}

enum pdpte_rule pdpte_outcome(const struct cpu_facts *cpu, bool on_demand,
			      const struct pdpte_case *c, u64 value)
{
	const bool bad = value & PTE_P && value & pdpte_reserved(cpu);

	if (on_demand) {
		if (bad && c->event->loads)
			return PDPTE_OPEN;
		/* Paging comes into use, or every translation is dropped. */
		return c->event->by == BY_CR3 || c->event->from != MODE_PAE ? PDPTE_LOADED :
									     PDPTE_EITHER;
	}
	if (!c->event->loads)
		return PDPTE_KEPT;
	return bad ? PDPTE_REFUSED : PDPTE_LOADED;
}

bool pdpte_fatal(const struct cpu_facts *cpu, bool on_demand, const struct pdpte_case *c, u64 value)
{
	const bool bad = value & PTE_P && value & pdpte_reserved(cpu);

	if (c->entry || (value & PTE_P && !bad))
		return false;
	return on_demand || (c->event->loads && !bad);
}

bool pdpte_case_nth(const struct cpu_facts *cpu, const struct pdpte_event *event, unsigned int n,
		    struct pdpte_case *c)
{
	const u64 reserved = pdpte_reserved(cpu);
	int change, bit;
	u8 entry;

	for (entry = 0; entry < 4; entry++) {
		for (change = CHANGE_OTHER; change <= CHANGE_ABSENT_BIT; change++) {
			const bool one = change == CHANGE_OTHER || change == CHANGE_ABSENT;

			for (bit = 0; bit < (one ? 1 : 64); bit++) {
				if ((!one && !(reserved & BIT_ULL(bit))) || n--)
					continue;
				*c = (struct pdpte_case){ event, entry, change, bit };
				return true;
			}
		}
	}
	return false;
}

void pdpte_case_text(const struct pdpte_case *c, char text[PDPTE_CASE_TEXT_LEN])
{
	static const char *const names[] = { "other", "p=0", "", "p=0," };
	int n = snprintf(text, PDPTE_CASE_TEXT_LEN, "pdpte%u,%s", c->entry, names[c->change]);

	if (c->change == CHANGE_BIT || c->change == CHANGE_ABSENT_BIT)
		snprintf(text + n, PDPTE_CASE_TEXT_LEN - n, "b%u=1", c->bit);
}
