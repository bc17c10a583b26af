/* SPDX-License-Identifier: GPL-2.0-only */
/* Some cases of one state, actor and access, and how long they take made in three ways. */
#ifndef KMC_BENCH_SERIES_H
#define KMC_BENCH_SERIES_H

#include "case_run.h"
#include "options.h"

/*
 * A bare loop of the same accesses, with a handler that only skips the access; the agent alone;
 * the whole flow of a test.
 */
enum what { FLOOR, AGENT, FLOW, NR_WHATS };

extern struct bench_options options;
extern struct guest *guest;

/* One row of the table. */
struct series {
	const char *name;
	const struct engine *engine;
	struct mmu_state state;
	struct actor actor;
	enum agent_access access;
	enum agent_care care;
	bool has_limit;
	bool repeated;        /* up to a batch of BATCH_SECONDS; else as long as the plan is */
	bool only_faults, only_ok;
	struct plan plan;     /* its cases, none of which differs from the model */
	gva_t *gvas;          /* the same, as addresses */
	double seconds[NR_WHATS][MAX_ROUNDS];
};

double now(void); /* seconds, monotonic */
double median_of(const double *values, unsigned int nr);
struct agent_batch series_batch(const struct series *s);
/* How long the series takes, once. */
double time_one(const struct series *s, enum what what);
/*
 * The cases of the plan that the series wants.  A case that differs from the model here (a
 * known defect of this host) is left out, and counted: what it costs to report one is not
 * measured.
 */
u32 choose_cases(struct series *s, const struct plan *plan);
void series_free(struct series *s);

#endif
