// SPDX-License-Identifier: GPL-2.0-only
/* Which writes are attempted: every bit position, and combinations that the manuals name. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "refusal.h"
#include "walk.h"
#include "x86.h"

#define CR0_BIT(n) BIT_ULL(n)
#define CR0_NW BIT_ULL(29)
#define CR0_CD BIT_ULL(30)
#define CR4_PCIDE BIT_ULL(17)

struct making {
	struct attempt_context *context;
	struct attempt *list;
	unsigned int nr;
};

static const struct legal_cpu *attempt_cpu(const struct making *m, const struct attempt *a)
{
	return a->hidden == NOTHING_HIDDEN ? m->context->cpu : &m->context->hidden[a->hidden];
}

static struct legal_verdict judge(const struct making *m, const struct attempt *a)
{
	const enum control_reg reg = refusal_ways[m->context->way].reg;
	struct legal_regs to = a->to;

	if (way_is_sregs(m->context->way))
		return legal_state(attempt_cpu(m, a), &to);
	return legal_write(attempt_cpu(m, a), &a->from, reg, *legal_reg(&to, reg), to.pdptes_bad);
}

static enum paging_mode mode_of(const struct legal_regs *r)
{
	return paging_mode(r->cr0, r->cr4, r->efer);
}

/* Would the guest's code not go on as it is behind this write? */
static bool leads_away(const struct attempt *a)
{
	return !(a->to.cr0 & X86_CR0_PE) || mode_of(&a->from) != mode_of(&a->to);
}

/* Must the vCPU run with EFER.LME=1 and CR4.PAE=0? */
static bool runs_without_pae(const struct attempt *a)
{
	bool to = a->verdict.legality == LEGAL && a->to.efer & X86_EFER_LME &&
		  !(a->to.cr4 & X86_CR4_PAE);

	return to || (a->from.efer & X86_EFER_LME && !(a->from.cr4 & X86_CR4_PAE));
}

static void add(struct making *m, const struct attempt *attempt, const char *fmt, ...)
	__printf(3, 4);

static void add(struct making *m, const struct attempt *attempt, const char *fmt, ...)
{
	const bool by_guest = refusal_ways[m->context->way].by_guest;
	struct attempt a = *attempt;
	va_list args;

	if (m->nr == MAX_ATTEMPTS || legal_state(attempt_cpu(m, &a), &a.from).legality != LEGAL)
		return;
	va_start(args, fmt);
	vsnprintf(a.name, sizeof(a.name), fmt, args);
	va_end(args);
	/* Entries of any other table at CR3 have R/W set, which a PDPTE reserves. */
	if (a.pdptes == PDPTES_NONE && mode_of(&a.to) == PAGING_PAE && mode_of(&a.from) != PAGING_PAE)
		a.to.pdptes_bad = true;
	a.verdict = judge(m, &a);
	if (by_guest && (a.verdict.legality == LEGAL || a.verdict.legality == OPEN) &&
	    leads_away(&a))
		return;
	if (by_guest && m->context->lme_needs_pae && runs_without_pae(&a)) {
		m->context->left_out++;
		return;
	}
	m->list[m->nr++] = a;
}

static struct attempt start(const struct making *m)
{
	return (struct attempt){
		.from = m->context->from,
		.to = m->context->from,
		.hidden = NOTHING_HIDDEN,
	};
}

/* "cr4.la57=1", or "la57=1" where it is clear which register is written. */
static void bit_text(const struct making *m, enum control_reg reg, u8 bit, bool value, char *text,
		     size_t len)
{
	const char *name = control_bit_name(reg, bit);
	int n = 0;

	if (way_is_sregs(m->context->way))
		n = snprintf(text, len, "%s.", control_reg_names[reg]);
	if (name)
		snprintf(text + n, len - n, "%s=%d", name, value);
	else
		snprintf(text + n, len - n, "b%u=%d", bit, value);
}

static bool writes(const struct making *m, enum control_reg reg)
{
	return way_is_sregs(m->context->way) || refusal_ways[m->context->way].reg == reg;
}

/* One bit at a time.  Address bits of CR3 lead somewhere else: see pdptes() and narrow(). */
static void every_bit(struct making *m, enum control_reg reg)
{
	const struct attempt_context *c = m->context;
	bool wide = c->from.cs_l || !refusal_ways[c->way].by_guest || reg == REG_EFER;
	char text[24];
	int bit;

	for (bit = 0; bit < (wide ? 64 : 32); bit++) {
		struct attempt a = start(m);
		u64 *to = legal_reg(&a.to, reg);

		if (reg == REG_CR3 && bit >= 5 && bit < c->cpu->maxphyaddr &&
		    !(bit < 12 && mode_of(&c->from) != PAGING_PAE))
			continue;
		/* ET as KVM_SET_SREGS gives it means nothing to anybody. */
		if (reg == REG_CR0 && way_is_sregs(c->way) && BIT_ULL(bit) == X86_CR0_ET)
			continue;
		*to ^= BIT_ULL(bit);
		bit_text(m, reg, bit, *to >> bit & 1, text, sizeof(text));
		add(m, &a, "%s", text);
	}
}

/* Each bit that CPUID offers, on a vCPU where it does not. */
static void every_hidden_bit(struct making *m, enum control_reg reg)
{
	unsigned int i, k;
	char text[24];

	for (i = 0; i < nr_control_bits; i++) {
		const struct control_bit *b = &control_bits[i];
		struct attempt a = start(m);
		u64 *to = legal_reg(&a.to, reg);

		for (k = 0; k < i; k++)
			if (control_bits[k].reg == b->reg && control_bits[k].bit == b->bit)
				break;
		if (b->reg != reg || k < i || !m->context->can_hide[i] || *to & BIT_ULL(b->bit))
			continue;
		a.hidden = i;
		*to |= BIT_ULL(b->bit);
		bit_text(m, reg, b->bit, true, text, sizeof(text));
		add(m, &a, "%s,cpuid-without-%s", text, b->name);
	}
}

static void combinations(struct making *m)
{
	struct attempt a = start(m);
	const char *cr0 = way_is_sregs(m->context->way) ? "cr0." : "";
	const char *efer = way_is_sregs(m->context->way) ? "efer." : "";

	if (writes(m, REG_CR0)) {
		a.to.cr0 |= CR0_CD | CR0_NW;
		add(m, &a, "%snw=1,cd=1", cr0);
		a = start(m);
		a.to.cr0 = (a.to.cr0 | X86_CR0_PG) & ~(u64)X86_CR0_PE;
		if (!(a.from.cr0 & X86_CR0_PG))
			add(m, &a, "%spg=1,pe=0", cr0);
		a = start(m);
		a.to.cr0 |= CR0_NW | CR0_BIT(35);
		add(m, &a, "%snw=1,b35=1", cr0);
	}
	if (writes(m, REG_EFER) && (efer[0] || m->context->from.cr0 & X86_CR0_PG)) {
		a = start(m);
		a.to.efer ^= X86_EFER_LME | X86_EFER_LMA;
		add(m, &a, "%slme=%d,lma=%d", efer, !!(a.to.efer & X86_EFER_LME),
		    !!(a.to.efer & X86_EFER_LMA));
	}
	if (way_is_sregs(m->context->way)) {
		a = start(m);
		a.to.cs_l = !a.to.cs_l;
		add(m, &a, "cs.l=%d", a.to.cs_l);
		/* Long mode's bits without paging, and long mode without PAE. */
		a = start(m);
		a.to.cr0 &= ~(u64)X86_CR0_PG;
		if (a.from.efer & X86_EFER_LMA)
			add(m, &a, "cr0.pg=0,efer.lma=1");
		a = start(m);
		a.to.cr4 &= ~(u64)X86_CR4_PAE;
		a.to.efer |= X86_EFER_LME | X86_EFER_LMA;
		if (a.from.cr0 & X86_CR0_PG && !(a.from.efer & X86_EFER_LMA))
			add(m, &a, "cr4.pae=0,efer.lme=1,lma=1");
	}
}

/* Rules that need more than one register to be as they are, for the guest to break. */
static void prepared(struct making *m)
{
	const struct attempt_context *c = m->context;
	struct attempt a = start(m);
	int bit;

	if (c->way == WAY_MOV_CR0 && c->state.mode == MODE_NOPG) {
		a.from.efer |= X86_EFER_LME;
		a.to.efer |= X86_EFER_LME;
		a.to.cr0 |= X86_CR0_PG;
		add(m, &a, "pg=1,with-lme");
	}
	if (c->way == WAY_MOV_CR0 && c->from.efer & X86_EFER_LMA) {
		a.from.cr4 |= CR4_PCIDE;
		a.to.cr4 |= CR4_PCIDE;
		a.to.cr0 &= ~(u64)X86_CR0_PG;
		add(m, &a, "pg=0,with-pcide");
	}
	/* A PCID in bits 11:0, and all that is no address bit. */
	for (bit = 0; bit < 64 && c->way == WAY_MOV_CR3; bit++) {
		if (bit >= 12 && bit < c->cpu->maxphyaddr)
			continue;
		a = start(m);
		a.from.cr4 |= CR4_PCIDE;
		a.to.cr4 |= CR4_PCIDE;
		a.to.cr3 |= BIT_ULL(bit);
		if (c->from.cs_l)
			add(m, &a, "b%d=1,with-pcide", bit);
	}
	for (bit = 0; bit < 12 && c->way == WAY_MOV_CR4 && c->from.efer & X86_EFER_LMA; bit++) {
		a = start(m);
		a.from.cr3 |= BIT_ULL(bit);
		a.to.cr3 |= BIT_ULL(bit);
		a.to.cr4 |= CR4_PCIDE;
		add(m, &a, "pcide=1,with-cr3.b%d", bit);
	}
}

/* Address bits of CR3, and of PDPTEs, that a CPU with a smaller MAXPHYADDR does not have. */
static void narrow(struct making *m)
{
	const struct attempt_context *c = m->context;
	const char *reg = way_is_sregs(c->way) ? "cr3." : "";
	const bool wide = c->from.cs_l || way_is_sregs(c->way);
	unsigned int i;
	int bit;

	for (bit = NARROW_WIDTH; bit < c->cpu->maxphyaddr && writes(m, REG_CR3); bit++) {
		struct attempt a = start(m);

		a.hidden = NARROW_CPU;
		a.to.cr3 |= BIT_ULL(bit);
		if (wide && c->can_hide[NARROW_CPU])
			add(m, &a, "%sb%d=1,cpuid-with-phys%d", reg, bit, NARROW_WIDTH);
		a = start(m);
		a.hidden = NARROW_CPU;
		a.pdptes = PDPTES_AT_CR3;
		a.to.cr3 = REFUSAL_PDPT;
		a.to.pdptes_bad = true;
		memcpy(a.pdpte, c->pdpte, sizeof(a.pdpte));
		a.pdpte[2] |= PTE_P | BIT_ULL(bit);
		if (c->state.mode == MODE_PAE && c->can_hide[NARROW_CPU])
			add(m, &a, "pdpte2.b%d=1,cpuid-with-phys%d", bit, NARROW_WIDTH);
	}
	/* LAM's bits of CR3, where CPUID does not offer it. */
	for (i = 0; i < nr_control_bits && writes(m, REG_CR3); i++) {
		for (bit = 61; bit <= 62 && !strcmp(control_bits[i].name, "lam-sup"); bit++) {
			struct attempt a = start(m);

			a.hidden = i;
			a.to.cr3 |= BIT_ULL(bit);
			if (wide && c->can_hide[i])
				add(m, &a, "%sb%d=1,cpuid-without-lam-sup", reg, bit);
		}
	}
}

/* Under PAE paging bits 11:5 of CR3 are address bits, too (SDM 3A 4.4.1): one table at each. */
static void pdpt_offsets(struct making *m)
{
	struct attempt a = start(m);
	int bit;

	a.pdptes = PDPTES_AT_CR3;
	memcpy(a.pdpte, m->context->pdpte, sizeof(a.pdpte));
	for (bit = 5; bit <= 12; bit++) {
		/* At last in the last 32 bytes of the page. */
		a.to.cr3 = REFUSAL_PDPT | (bit < 12 ? BIT_ULL(bit) : 0xfe0);
		add(m, &a, "%spdpt=%#x", way_is_sregs(m->context->way) ? "cr3." : "",
		    (u32)a.to.cr3 & 0xfff);
	}
}

/* A PDPTE with one more bit, loaded by this change. */
static void one_pdpte(struct making *m, struct attempt *a, const char *by)
{
	const u64 reserved = entry_reserved_bits(PAGING_PAE, 3, false, true,
						 &(struct cpu_facts){
							 .maxphyaddr = m->context->cpu->maxphyaddr });
	const bool by_guest = refusal_ways[m->context->way].by_guest;
	int entry, bit;

	/* A CPU that looks at them on demand does not get far with a bad one for the guest's code. */
	for (entry = by_guest && m->context->cpu->pdptes_on_demand; entry < 4; entry++) {
		for (bit = 0; bit < 64; bit++) {
			if (!(reserved & BIT_ULL(bit)))
				continue;
			memcpy(a->pdpte, m->context->pdpte, sizeof(a->pdpte));
			a->pdpte[entry] |= PTE_P | BIT_ULL(bit);
			a->to.pdptes_bad = true;
			add(m, a, "%spdpte%d.b%d=1", by, entry, bit);
		}
	}
	/* Where P is 0 nothing is reserved. */
	memcpy(a->pdpte, m->context->pdpte, sizeof(a->pdpte));
	a->pdpte[3] = reserved;
	a->to.pdptes_bad = false;
	add(m, a, "%spdpte3=not-present", by);
}

static void pdptes(struct making *m)
{
	const struct attempt_context *c = m->context;
	const bool nopg = c->state.mode == MODE_NOPG, pae = c->state.mode == MODE_PAE;
	/* With nested paging by AMD the CPU reads them all the time. */
	const bool change = !c->cpu->pdptes_on_demand;
	struct attempt a = start(m);

	if (!nopg && !pae)
		return;
	if (way_is_sregs(c->way) || (c->way == WAY_MOV_CR3 && pae)) {
		a.pdptes = PDPTES_AT_CR3;
		a.to.cr3 = REFUSAL_PDPT;
		if (nopg) {
			a.to.cr0 |= X86_CR0_PG;
			a.to.cr4 |= X86_CR4_PAE;
		}
		one_pdpte(m, &a, nopg ? "cr0.pg=1,cr4.pae=1," : "");
	}
	if (c->way == WAY_SREGS2 && pae) {
		a = start(m);
		a.pdptes = PDPTES_GIVEN;
		one_pdpte(m, &a, "given-");
	}
	if (c->way == WAY_MOV_CR0 && nopg) {
		a.pdptes = PDPTES_AT_CR3;
		a.from.cr3 = a.to.cr3 = REFUSAL_PDPT;
		a.from.cr4 |= X86_CR4_PAE;
		a.to.cr4 |= X86_CR4_PAE;
		a.to.cr0 |= X86_CR0_PG;
		one_pdpte(m, &a, "pg=1,with-pae,");
	}
	if (!pae || !change)
		return;
	a = start(m);
	a.pdptes = PDPTES_CHANGED;
	a.from.cr3 = a.to.cr3 = REFUSAL_PDPT;
	if (c->way == WAY_MOV_CR0) {
		a.to.cr0 |= CR0_CD;
		one_pdpte(m, &a, "cd=1,");
	}
	if (c->way == WAY_MOV_CR4) {
		a.to.cr4 ^= X86_CR4_PGE;
		one_pdpte(m, &a, "pge=1,");
		a.to.cr4 = a.from.cr4 ^ X86_CR4_PSE;
		one_pdpte(m, &a, a.to.cr4 & X86_CR4_PSE ? "pse=1," : "pse=0,");
		a.to.cr4 = a.from.cr4 ^ X86_CR4_SMEP;
		if (c->cpu->cr4 & X86_CR4_SMEP)
			one_pdpte(m, &a, a.to.cr4 & X86_CR4_SMEP ? "smep=1," : "smep=0,");
	}
}

unsigned int attempts_make(struct attempt_context *context, struct attempt list[MAX_ATTEMPTS])
{
	struct making m = { context, list, 0 };
	enum control_reg reg;

	context->left_out = 0;
	for (reg = 0; reg < NR_CONTROL_REGS; reg++) {
		if (!writes(&m, reg))
			continue;
		every_bit(&m, reg);
		every_hidden_bit(&m, reg);
	}
	combinations(&m);
	prepared(&m);
	pdptes(&m);
	narrow(&m);
	if (context->state.mode == MODE_PAE && writes(&m, REG_CR3))
		pdpt_offsets(&m);
	return m.nr;
}
