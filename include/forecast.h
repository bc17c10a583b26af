/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the model says of every case of a batch, at the price of a few walks.
 *
 * How an access ends depends on what its translation gives (found, not present or reserved, at
 * which level, rights, key), and on the registers and the access; and translations that give the
 * same make one class.  So a plan's choices are walked once per reading of their tables (which
 * area, EFER.NX, CR4.PSE), whoever accesses them and whatever else the registers say; after that
 * each batch takes one walk() per class, with its own registers and access, for all cases of it.
 * What is a case's own, the page, CR2 and the bits A and D that were there before, is kept with
 * the case.  tests/forecast_test.c holds that against walk() for each case of every state.
 */
#ifndef KMC_FORECAST_H
#define KMC_FORECAST_H

#include "case.h"
#include "plan.h"
#include "x86.h"

#define NO_CLASS_OF_TRANSLATION 0xffff /* only walk() can tell */

struct forecast_case {
	u32 tag;       /* of the page that the translation leads to, if it does; 0 */
	u16 class;
	u16 page;      /* its index */
	u16 had;       /* A and D of the entries, in the form of agent_result.ad */
};

struct forecast {
	struct forecast *next;
	u64 guest;     /* guest.serial: of these tables... */
	enum table_area area;
	bool nx, pse;  /* ...read so */
	u32 nr;        /* of the plan's choices */
	struct forecast_case *cases;
	gva_t *gvas[NR_AGENT_ACCESSES]; /* made when first asked for */
	u16 nr_classes, nr_pages;
	u32 *classes, *example; /* what a class's translations give; one of its cases */
	u16 *like;     /* the first class that differs from it in A and D bits at most, or itself */
	gpa_t *pages;
	u32 *reached;  /* by so many cases, if they are allowed to */
};

/* How all cases of a class end. */
struct expectation {
	u32 status;     /* STATUS_DONE, STATUS_FAULT + PF_VECTOR; 0: ask walk() */
	u32 must, may;  /* A/D bits, of entries that do not have them yet */
	/* What agent_result holds: */
	u32 tag_mask;   /* of the value, if there is one... */
	u32 value_mask; /* ...which this says: ~0 or 0 */
	u64 head;       /* status and error code */
	u64 rip;        /* and, from the address itself: */
	u64 rip_mask;
};

/* Those of one batch. */
struct expectations {
	const struct forecast *forecast;
	const gva_t *gvas;
	struct expectation *of_class;
	u64 gva_mask;  /* of CR2 */
	bool ad;       /* of results, too */
};

/*
 * The forecast of a plan in a state with paging, made if there is none yet.  The plan keeps it
 * (plan_make(), plan_keep()), or else the caller frees it.
 */
struct forecast *forecast_of(const struct guest *guest, const struct mmu_state *state,
			     const struct plan *plan);
void forecast_free(struct forecast *forecast);
/* Linear address of each of its cases, as this access makes it. */
const gva_t *forecast_gvas(struct forecast *forecast, const struct guest *guest,
			   const struct plan *plan, enum agent_access access);

/*
 * Before a batch of writes.  On an emulated CPU whose stores take long beside code that ran: it
 * forgets the code of the pages that many cases store to.
 */
void forecast_prepare_writes(const struct forecast *forecast, struct guest *guest);

/*
 * Walks for each class; of_class is the caller's, for forecast->nr_classes of them.  batch->results
 * NULL: the results will be looked at where agent_results() has them.
 */
void forecast_expect(struct forecast *forecast, const struct guest *guest,
		     const struct plan *plan, const struct agent_batch *batch,
		     struct expectation *of_class, struct expectations *all);

/* The A/D bits that were to be set, and no others but those that may be? */
static inline bool forecast_ad_agrees(const struct expectation *e, u32 had, u32 ad)
{
	u32 must = e->must & ~had, may = e->may & ~had;

	return (ad & must) == must && !(ad & ~(must | may));
}

static inline u64 forecast_rip(const struct expectations *x, u32 i, const struct expectation *e)
{
	return e->rip ^ (x->gvas[i] & e->rip_mask);
}

/*
 * Did case i end as it should?  False means: not as simply as that, see outcome_matches().  A
 * completed access leaves an error code of 0, no RIP, and the address where CR2 goes.
 */
static inline bool forecast_agrees(const struct expectations *x, u32 i,
				   const struct agent_result *r)
{
	const struct forecast_case *c = &x->forecast->cases[i];
	const struct expectation *e = &x->of_class[c->class];
	u64 wrong;

	if (c->class == NO_CLASS_OF_TRANSLATION)
		return false;
	wrong = (r->status | (u64)r->error << 32) ^ e->head;
	wrong |= r->cr2 ^ (x->gvas[i] & x->gva_mask);
	wrong |= r->rip ^ forecast_rip(x, i, e);
	wrong |= (r->value ^ (c->tag & e->tag_mask)) & e->value_mask;
	return !wrong && (!x->ad || forecast_ad_agrees(e, c->had, r->ad));
}

/* A way in which a case of a class differed, and what the caller made of that. */
struct forecast_difference {
	bool valid;
	u16 had;
	u32 status, error, ad;
	u32 means;
};

/*
 * A page fault that is to come, and comes where it should, but with another error code or A/D
 * bits: does it differ as that one did?  outcome_class() then says the same of both.
 */
static inline bool forecast_differs_alike(const struct expectations *x, u32 i,
					  const struct agent_result *r,
					  const struct forecast_difference *d)
{
	const struct forecast_case *c = &x->forecast->cases[i];

	return d->valid && r->status == d->status && r->error == d->error && r->ad == d->ad &&
	       c->had == d->had && r->cr2 == (x->gvas[i] & x->gva_mask) && r->rip &&
	       r->rip == forecast_rip(x, i, &x->of_class[c->class]);
}

static inline void forecast_note_difference(const struct expectations *x, u32 i,
					    const struct agent_result *r, u32 means,
					    struct forecast_difference *d)
{
	const struct forecast_case *c = &x->forecast->cases[i];

	*d = (struct forecast_difference){
		.status = r->status, .error = r->error, .ad = r->ad, .had = c->had, .means = means,
	};
	d->valid = x->of_class[c->class].status == (STATUS_FAULT | PF_VECTOR) &&
		   (!r->status || r->status == (STATUS_FAULT | PF_VECTOR));
	d->valid = d->valid && forecast_differs_alike(x, i, r, d);
}

#endif
