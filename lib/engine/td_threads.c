// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several vCPUs of a TD that use and convert the same pages at once.  Which of them comes first
 * is not known, but each writes a word of its own in each page, and so it is known what it may
 * find there:
 * what it wrote last on that side, or 0 if the page has been elsewhere since, and then no more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "td_cases.h"
#include "td_internal.h"

#define NR_WORKERS TD_MAX_VCPUS
#define STRIDE (TD_PAGE_SIZE / NR_WORKERS) /* of their words in a page */
#define NR_PAGES 4
#define NR_ROUNDS 40
#define BATCH 24

static const u32 pages[NR_PAGES] = { 0, 1, 511, 512 };

struct worker {
	struct td_vcpu *v;
	u64 random, stamp;
	u64 last[2][NR_PAGES]; /* by side: what my word holds, unless it has been lost */
	u64 steps, exits, ve;
	u32 wrong_step;
	char expected[96], wrong[TD_OUTCOME_LEN + TD_STEP_LEN];
	pthread_t thread;
};

static gpa_t page_gpa(const struct worker *w, u32 page, bool shared)
{
	const gpa_t gpa = TD_TEST_GPA + pages[page] * TD_PAGE_SIZE;

	return shared ? tdx_gpa_to_shared(w->v->td->layout.gpaw, gpa) : gpa;
}

static struct td_step random_step(struct worker *w, u32 *page, bool *shared)
{
	const u64 r = td_random(&w->random);
	struct td_step step = { 0 };

	*page = r % NR_PAGES;
	*shared = r >> 8 & 1;
	step.gpa = page_gpa(w, *page, *shared);
	switch (r >> 16 & 7) {
	case 0:
		step.op = TD_MAP_GPA;
		/* Pages 0 and 1, or 511 and 512, together or alone. */
		step.size = (r >> 24 & 1 && !(*page & 1) ? 2 : 1) * TD_PAGE_SIZE;
		break;
	case 1:
		step.op = TD_ACCEPT;
		step.gpa = page_gpa(w, *page, false);
		step.size = TD_PAGE_SIZE;
		*shared = false;
		break;
	case 2:
	case 3:
	case 4:
		step.op = TD_WRITE;
		step.value = (u64)*shared << 63 | (u64)*page << 48 | (u64)w->v->id << 40 |
			     ++w->stamp;
		break;
	default:
		step.op = TD_READ;
		break;
	}
	if (step.op == TD_READ || step.op == TD_WRITE)
		step.gpa += w->v->id * STRIDE;
	return step;
}

/* All exits of an access are about its page and its side. */
static bool exits_fit(const struct worker *w, const struct td_step *step,
		      const struct td_outcome *o)
{
	const unsigned int gpaw = w->v->td->layout.gpaw;
	u8 i;

	for (i = 0; i < o->nr_exits; i++)
		if (o->exit[i].private != tdx_gpa_is_private(gpaw, step->gpa) ||
		    o->exit[i].kind != (step->op == TD_MAP_GPA ? TD_EXIT_MAP : TD_EXIT_FAULT) ||
		    o->exit[i].gpa != (tdx_gpa_to_private(gpaw, step->gpa) & ~0xfffull))
			return false;
	return true;
}

/* NULL, or what would have been right. */
static const char *judge(struct worker *w, const struct td_step *step, const struct td_seen *seen,
			 u32 page, bool shared)
{
	const struct td_outcome *o = &seen->outcome;
	u64 *last = &w->last[shared][page];

	if (seen->other[0] || !exits_fit(w, step, o))
		return "exits for this page and side alone";
	w->exits += o->nr_exits;
	switch (step->op) {
	case TD_MAP_GPA:
		return o->ending == TD_STATUS && !o->status && o->nr_exits ? NULL : "status=0";
	case TD_ACCEPT:
		if (o->ending == TD_STATUS && o->status == TDACCEPT_ALREADY)
			return NULL;
		*last = 0;
		return o->ending == TD_STATUS && !o->status ? NULL :
							      "status=0, or already accepted";
	default:
		break;
	}
	if (o->ending == TD_VE && !shared && o->gpa == (step->gpa & ~0xfffull)) {
		w->ve++;
		return NULL;
	}
	if (o->ending != TD_DONE)
		return "a value, or on the private side #VE";
	if (step->op == TD_WRITE)
		*last = step->value;
	if (o->value && o->value != *last)
		return "my last word on this side, or 0";
	*last = o->value;
	return NULL;
}

static void work(struct worker *w)
{
	struct td_step steps[BATCH];
	struct td_seen seen[BATCH];
	u32 page[BATCH], round, i, done;
	bool shared[BATCH];
	const char *right;
	int n;

	for (round = 0; round < NR_ROUNDS && !w->wrong[0]; round++) {
		for (i = 0; i < BATCH; i++)
			steps[i] = random_step(w, &page[i], &shared[i]);
		done = td_guest_run(w->v, steps, BATCH, seen);
		for (i = 0; i < done && !w->wrong[0]; i++, w->steps++) {
			right = judge(w, &steps[i], &seen[i], page[i], shared[i]);
			if (!right)
				continue;
			w->wrong_step = w->steps;
			snprintf(w->expected, sizeof(w->expected), "%s", right);
			n = snprintf(w->wrong, sizeof(w->wrong), "vcpu %u: ", w->v->id);
			td_step_text(&steps[i], w->wrong + n);
			strcat(w->wrong, ": ");
			td_seen_text(&seen[i], w->wrong + strlen(w->wrong));
		}
	}
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct test_scope scope;

	if (setjmp(*test_scope_enter(&scope)) == 0)
		work(w);
	else
		snprintf(w->wrong, sizeof(w->wrong), "vcpu %u: %.300s", w->v->id, scope.message);
	test_scope_leave(&scope);
	return NULL;
}

/* All is quiet: each page is as the VMM has it, and every word its owner's last, or 0. */
static void look_around(const struct td_part *part, struct td_guest *td, struct worker *workers,
			const struct td_choice *choice)
{
	char text[TD_OUTCOME_LEN];
	u32 page, i;

	for (page = 0; page < NR_PAGES; page++)
		for (i = 0; i < NR_WORKERS; i++) {
			const bool shared = !td->private[pages[page]];
			const u64 last = workers[i].last[shared][page];
			struct td_step step = { .op = TD_READ };
			struct td_seen seen;

			step.gpa = page_gpa(&workers[0], page, shared) + i * STRIDE;
			td_guest_run(&td->cpu[0], &step, 1, &seen);
			report_cases(1);
			if (!seen.other[0] && !seen.outcome.nr_exits &&
			    (seen.outcome.ending == TD_DONE ?
				     !seen.outcome.value || seen.outcome.value == last :
				     !shared && seen.outcome.ending == TD_VE))
				continue;
			td_seen_text(&seen, text);
			td_case_failed(part, "threads", page, "td-shared",
				       "the owner's last word, or 0", text, choice);
			return;
		}
}

static void run_workers(const struct td_part *part, struct td_guest *td,
			const struct td_choice *choice)
{
	static struct worker workers[NR_WORKERS];
	u64 steps = 0, exits = 0, ve = 0;
	bool good = true;
	u32 i;
	int err;

	memset(workers, 0, sizeof(workers));
	for (i = 0; i < NR_WORKERS; i++) {
		workers[i].v = &td->cpu[i];
		workers[i].random = (choice->seed + i) * 0x9e3779b97f4a7c15ull | 1;
		err = pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]);
		TEST_ASSERT(!err, "pthread_create: %s", strerror(err));
	}
	for (i = 0; i < NR_WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		steps += workers[i].steps;
		exits += workers[i].exits;
		ve += workers[i].ve;
		if (!workers[i].wrong[0])
			continue;
		good = false;
		td_case_failed(part, "threads", workers[i].wrong_step, "td-fault",
			       workers[i].expected, workers[i].wrong, choice);
	}
	report_cases(steps);
	if (good)
		look_around(part, td, workers, choice);
	report_note("%u vCPUs: %llu steps, %llu exits, %llu #VEs", NR_WORKERS,
		    (unsigned long long)steps, (unsigned long long)exits, (unsigned long long)ve);
}

u64 td_threads(const struct td_part *part, const struct td_layout *layout,
	       const struct td_choice *choice)
{
	struct td_guest *td = td_guest_create(part->kind, layout, NR_WORKERS);
	struct test_scope scope;
	enum test_end how;

	how = setjmp(*test_scope_enter(&scope));
	if (!how) {
		run_workers(part, td, choice);
		test_scope_leave(&scope);
	}
	return td_guest_end(td, how, &scope);
}
