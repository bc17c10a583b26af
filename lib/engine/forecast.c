// SPDX-License-Identifier: GPL-2.0-only
/* The model's answers to whole batches: see include/forecast.h. */
#include <stdlib.h>

#include "compare.h"
#include "forecast.h"
#include "test_assert.h"
#include "x86.h"

/*
 * Nothing else than this of a translation says how an access to it ends.  Of a key it is what PKRU
 * says of it, and that is the same in all states of long mode.  How long the path is says where A
 * and D are set, no more.
 */
#define CLASS_KNOWN 1u
#define CLASS_PAGE 2u
#define CLASS_RSVD 4u
#define CLASS_STEP 8u /* times their number */
#define CLASS_STEPS (7 * CLASS_STEP)

static u32 class_of(const struct walk_result *r, u32 pkru)
{
	/* A page was found: what else is in r tells how this one access ends. */
	const bool page = r->page_size;

	if (r->outcome == WALK_NO_MEMORY || (r->outcome == WALK_FAULT && r->vector != PF_VECTOR))
		return 0;
	return CLASS_KNOWN | (page ? CLASS_PAGE : 0) | (r->rule == RULE_A_RSVD ? CLASS_RSVD : 0) |
	       r->nr_steps * CLASS_STEP |
	       (page ? r->writable << 8 | r->user << 9 | r->executable << 10 |
		       (pkru >> 2 * r->pkey & 3) << 11 : 0);
}

static u16 find_class(struct forecast *f, u32 class, u32 i)
{
	u16 k;

	if (!class)
		return NO_CLASS_OF_TRANSLATION;
	for (k = 0; k < f->nr_classes; k++)
		if (f->classes[k] == class)
			return k;
	while (f->like[k] < k && (f->classes[f->like[k]] ^ class) & ~CLASS_STEPS)
		f->like[k]++;
	f->classes[k] = class;
	f->example[k] = i;
	f->nr_classes++;
	return k;
}

static u16 find_page(struct forecast *f, gpa_t page)
{
	u16 k;

	for (k = 0; k < f->nr_pages; k++)
		if (f->pages[k] == page)
			return k;
	f->pages[k] = page;
	f->nr_pages++;
	return k;
}

/* A and D of the entries on the way, and which of them some bits of a step would be. */
static u32 step_bits(const struct walk_step *s, enum paging_mode mode, u64 bits)
{
	if (paging_formats[mode].level[s->level].register_entry)
		return 0;
	return (bits >> 5 & 3) << 2 * (s->level - 1); /* PTE_A is bit 5 */
}

static void look_at(struct forecast *f, const struct guest *guest, const struct mmu_state *state,
		    const struct plan *plan, u32 i)
{
	const struct walk_regs regs = guest_walk_regs(guest, state);
	const struct walk_access read = { .gva = f->gvas[AGENT_READ][i] };
	struct forecast_case *c = &f->cases[i];
	struct walk_result r;
	int k;

	walk(&guest->cpu, &regs, &guest->memory, &read, &r);
	c->class = find_class(f, class_of(&r, regs.pkru), i);
	if (c->class == NO_CLASS_OF_TRANSLATION)
		return;
	if (r.page_size) {
		c->page = find_page(f, r.gpa & ~0xfffull);
		c->tag = guest_page_tag(r.gpa);
		f->reached[c->page]++;
	}
	for (k = 0; k < r.nr_steps; k++)
		c->had |= step_bits(&r.step[k], plan->mode, r.step[k].entry);
}

static struct forecast *forecast_make(const struct guest *guest, const struct mmu_state *state,
				      const struct plan *plan)
{
	struct forecast *f = zeroed(1, sizeof(*f));
	u32 i;

	f->guest = guest->serial;
	f->area = state_area(state);
	f->nr = plan->nr;
	f->cases = zeroed(f->nr, sizeof(*f->cases));
	f->classes = zeroed(f->nr, sizeof(*f->classes));
	f->example = zeroed(f->nr, sizeof(*f->example));
	f->like = zeroed(f->nr, sizeof(*f->like));
	f->pages = zeroed(f->nr, sizeof(*f->pages));
	f->reached = zeroed(f->nr, sizeof(*f->reached));
	forecast_gvas(f, guest, plan, AGENT_READ);
	for (i = 0; i < f->nr; i++)
		look_at(f, guest, state, plan, i);
	return f;
}

struct forecast *forecast_of(const struct guest *guest, const struct mmu_state *state,
			     const struct plan *plan)
{
	const bool nx = state->flags & FLAG_NX, pse = state->flags & FLAG_PSE;
	struct forecast **at = plan->forecasts, *f;

	for (f = at ? *at : NULL; f; f = f->next)
		if (f->guest == guest->serial && f->area == state_area(state) && f->nx == nx &&
		    f->pse == pse && f->nr == plan->nr)
			return f;
	f = forecast_make(guest, state, plan);
	f->nx = nx;
	f->pse = pse;
	if (at) {
		f->next = *at;
		*at = f;
	}
	return f;
}

void forecast_free(struct forecast *f)
{
	int access;

	if (!f)
		return;
	for (access = 0; access < NR_AGENT_ACCESSES; access++)
		free(f->gvas[access]);
	free(f->cases);
	free(f->classes);
	free(f->example);
	free(f->like);
	free(f->pages);
	free(f->reached);
	free(f);
}

const gva_t *forecast_gvas(struct forecast *f, const struct guest *guest, const struct plan *plan,
			   enum agent_access access)
{
	gva_t *gvas = f->gvas[access];
	u32 i;

	if (gvas)
		return gvas;
	f->gvas[access] = gvas = zeroed(f->nr, sizeof(*gvas));
	for (i = 0; i < f->nr; i++)
		gvas[i] = guest_gva(guest, f->area, plan->choice[i], agent_access_offset(access));
	return gvas;
}

/* A page's code is worth as much as so many stores beside it. */
#define MANY_STORES 32

void forecast_prepare_writes(const struct forecast *f, struct guest *guest)
{
	u16 k;

	for (k = 0; guest->stores_meet_code && k < f->nr_pages; k++)
		if (f->reached[k] >= MANY_STORES)
			guest_forget_code(guest, f->pages[k]);
}

/* What the result of such an access holds, in memory of the guest or as agent_run() passes it on. */
static void expect_result(const struct guest *guest, const struct walk_regs *regs,
			  const struct agent_batch *batch, gva_t gva, struct expectation *e)
{
	const struct test_case tc = { batch->state, batch->actor, batch->access, { 0 } };
	const struct walk_access access = case_access(&tc, gva);
	const bool in_place = !batch->results;
	struct walk_result r;

	walk(&guest->cpu, regs, &guest->memory, &access, &r);
	*e = (struct expectation){ .head = ~0ull };
	if (r.outcome == WALK_OK) {
		e->status = STATUS_DONE;
		e->head = in_place ? 0 : STATUS_DONE;
		e->tag_mask = batch->access == AGENT_LDT ? 0xfffff : ~0u;
		e->value_mask = ~0u;
	} else if (r.outcome == WALK_FAULT && r.vector == PF_VECTOR) {
		e->status = STATUS_FAULT | PF_VECTOR;
		e->head = (in_place && !batch->careful ? 0 : e->status) | (u64)r.error_code << 32;
		if (batch->access == AGENT_FETCH && batch->via == VIA_NATIVE)
			e->rip_mask = ~0ull;
		else
			e->rip = agent_fault_rip(batch, 0);
	}
}

/* A/D bits for a path as long as the class's, which ends as e says. */
static void expect_ad(const struct agent_batch *batch, u32 class, struct expectation *e)
{
	const struct test_case tc = { batch->state, batch->actor, batch->access, { 0 } };
	const enum paging_mode mode = state_modes[batch->state.mode].paging;
	struct walk_result r;
	int i;

	r.outcome = e->status == STATUS_DONE ? WALK_OK : WALK_FAULT;
	r.error_code = e->head >> 32;
	r.nr_steps = (class & CLASS_STEPS) / CLASS_STEP;
	for (i = 0; i < r.nr_steps; i++) {
		r.step[i].level = paging_formats[mode].levels - i;
		r.step[i].leaf = class & CLASS_PAGE && i == r.nr_steps - 1;
	}
	walk_accessed_dirty(&r, mode, case_access(&tc, 0).kind);
	e->must = e->may = 0;
	for (i = 0; i < r.nr_steps; i++) {
		e->must |= step_bits(&r.step[i], mode, r.step[i].must_set);
		e->may |= step_bits(&r.step[i], mode, r.step[i].may_set);
	}
}

void forecast_expect(struct forecast *f, const struct guest *guest, const struct plan *plan,
		     const struct agent_batch *batch, struct expectation *of_class,
		     struct expectations *all)
{
	const struct walk_regs regs = guest_walk_regs(guest, &batch->state);
	const gva_t *gvas = forecast_gvas(f, guest, plan, batch->access);
	u16 k;

	*all = (struct expectations){
		.forecast = f,
		.gvas = gvas,
		.of_class = of_class,
		/* Outside 64-bit mode linear addresses have 32 bits. */
		.gva_mask = state_modes[batch->state.mode].code64 ? ~0ull : ~0u,
		.ad = agent_reports_ad(batch),
	};
	for (k = 0; k < f->nr_classes; k++) {
		if (f->like[k] < k)
			of_class[k] = of_class[f->like[k]];
		else
			expect_result(guest, &regs, batch, gvas[f->example[k]], &of_class[k]);
		if (all->ad)
			expect_ad(batch, f->classes[k], &of_class[k]);
	}
}
