// SPDX-License-Identifier: GPL-2.0-only
/* vCPUs in threads while the VMM works on a slot; see include/mixed_threads.h. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mixed_threads.h"
#include "report.h"

#define NR_THREADS 4
#define NR_CHANGES 150
#define PAUSE_US 1000
#define NR_PAGES 3 /* of the slot; behind them comes a page that stays */
#define FIRST_GVA 0x40001000ull

struct worker {
	struct seat *seat;
	u8 cpl;
	u32 tag[NR_PAGES + 1][2]; /* what each page holds, by contents */
	gpa_t gpa[NR_PAGES + 1];
	volatile bool *stop;
	pthread_rwlock_t *guests; /* read: one is running; written: none may */
	u64 accesses, exits;
	char wrong[320];          /* the first wrong outcome, or why the thread ended */
	pthread_t thread;
};

/* The slot's pages are right with either contents, and as a hole. */
static bool outcome_allowed(const struct worker *w, u32 page, enum seat_op op,
			    const struct seat_result *r)
{
	if (r->status != STATUS_DONE)
		return false;
	if (r->nr_mmio)
		return page < NR_PAGES && (r->mmio_gpa & ~0xfffull) == w->gpa[page];
	return op == SEAT_STORE || r->value == w->tag[page][0] || r->value == w->tag[page][1];
}

static void work_on(struct worker *w, u32 page, enum seat_op op)
{
	static const u32 offset[] = {
		[SEAT_READ] = DATA_READ_OFFSET,
		[SEAT_FETCH] = DATA_FETCH_OFFSET,
		[SEAT_STORE] = DATA_WRITE_OFFSET,
	};
	gva_t gva = FIRST_GVA + page * 0x1000 + offset[op];
	struct seat_result r;

	pthread_rwlock_rdlock(w->guests);
	seat_run(w->seat, op, gva, 0x20000000 + (u32)w->accesses, &r);
	pthread_rwlock_unlock(w->guests);
	w->accesses++;
	w->exits += r.nr_mmio;
	if (!outcome_allowed(w, page, op, &r))
		snprintf(w->wrong, sizeof(w->wrong),
			 "cpl%u/%s/%#llx: status %#x error %#x value %#x cr2 %#llx rip %#llx mmio %u %#llx",
			 w->cpl, seat_op_names[op], (unsigned long long)gva, r.status, r.error,
			 r.value, (unsigned long long)r.cr2, (unsigned long long)r.rip, r.nr_mmio,
			 (unsigned long long)r.mmio_gpa);
}

static void work(struct worker *w)
{
	u32 page;

	seat_enter(w->seat, w->cpl);
	while (!*w->stop && !w->wrong[0]) {
		for (page = 0; page <= NR_PAGES && !w->wrong[0]; page++) {
			work_on(w, page, SEAT_READ);
			/* Code in a hole is nothing that KVM can run. */
			if (page == NR_PAGES && !w->wrong[0])
				work_on(w, page, SEAT_FETCH);
			if (!w->wrong[0])
				work_on(w, page, SEAT_STORE);
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
		snprintf(w->wrong, sizeof(w->wrong), "%.300s", scope.message);
	test_scope_leave(&scope);
	return NULL;
}

/* Everything that needs no flush by the guest. */
static void change(struct shared_tables *s, u32 i, pthread_rwlock_t *guests, bool race)
{
	u64 log[REGION_MAX_PAGES / 64];

	switch (i % 6) {
	case 0:
		shared_log(s, REGION_SLOT, true);
		break;
	case 1:
		shared_log(s, REGION_ARENA, i % 12 == 1);
		break;
	case 2:
		shared_read_log(s, REGION_SLOT, log);
		break;
	case 3:
		shared_log(s, REGION_SLOT, false);
		break;
	case 4:
		shared_delete(s, REGION_SLOT);
		break;
	case 5:
		if (!race)
			pthread_rwlock_wrlock(guests);
		shared_add(s, REGION_SLOT, false, i / 6 % 2);
		if (!race)
			pthread_rwlock_unlock(guests);
		break;
	}
}

static const char *const states[NR_THREADS] = { "4level/wp,nx", "4level/nx", "pae/wp,nx",
						"2level/wp" };
static const gva_t gvas[] = { FIRST_GVA, 0 };
#define ROLES { { states[0], 0 }, { states[1], 0 }, { states[2], 0 }, { states[3], 0 } }
const struct mixed_scenario mixed_threads_scenarios[2] = {
	{ .name = "threads", .role = ROLES, .gvas = gvas },
	{ .name = "threads-adding-slots", .role = ROLES, .gvas = gvas },
};

static void map(struct shared_tables *s, struct worker *w)
{
	static const struct mixed_step tables[] = {
		PUT4(ROOT_PD(0), 0x100, TABLE(2) | E_RW),
		MAP_PD_AND_PT,
	};
	u32 page, b, i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		shared_put(s, tables[i].gpa, tables[i].value, tables[i].size);
	for (page = 0; page <= NR_PAGES; page++) {
		gpa_t gpa = page < NR_PAGES ? SLOT(page) : DATA(0);
		struct shared_mem *m = shared_mem_at(s, gpa);

		shared_put(s, TABLE(0) + 8 * (page + 1), gpa | E_RW, 8);
		shared_put(s, TABLE(2) + 4 * (page + 1), gpa | E_RW, 4);
		w->gpa[page] = gpa;
		for (b = 0; b < 2; b++)
			memcpy(&w->tag[page][b], (m->copy[b] ?: m->copy[0]) + (gpa - m->gpa), 4);
	}
}

/* Readers come all the time: one who waits for none must come first. */
static void guests_init(pthread_rwlock_t *guests)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(guests, &attr);
	pthread_rwlockattr_destroy(&attr);
}

void mixed_threads(struct shared_tables *shared, bool race, const struct mixed_choice *choice)
{
	static struct worker workers[NR_THREADS];
	struct worker tags = { 0 };
	volatile bool stop = false;
	pthread_rwlock_t guests;
	char observed[400];
	u64 accesses = 0, exits = 0;
	struct mixed m;
	u32 i, n, nr = 0;

	mixed_begin(&m, shared, &mixed_threads_scenarios[race], choice);
	if (m.reached)
		return;
	mixed_begin_round(&m);
	map(shared, &tags);
	shared_clean_pdptes(shared);
	guests_init(&guests);
	for (i = 0; i < NR_THREADS; i++) {
		if (!shared->usable[i])
			continue;
		workers[nr] = tags;
		workers[nr].seat = &shared->seat[i];
		workers[nr].cpl = i & 1 ? 3 : 0;
		workers[nr].stop = &stop;
		workers[nr].guests = &guests;
		n = pthread_create(&workers[nr].thread, NULL, worker_main, &workers[nr]);
		TEST_ASSERT(!n, "pthread_create: %s", strerror(n));
		nr++;
	}
	for (i = 0; i < NR_CHANGES; i++) {
		change(shared, i, &guests, race);
		usleep(PAUSE_US);
	}
	stop = true;
	for (i = 0; i < nr; i++) {
		pthread_join(workers[i].thread, NULL);
		accesses += workers[i].accesses;
		exits += workers[i].exits;
		if (workers[i].wrong[0]) {
			snprintf(observed, sizeof(observed), "%s: %s", states[workers[i].seat->nr],
				 workers[i].wrong);
			mixed_failure(&m, "outcome", "right before or after", observed);
		}
	}
	pthread_rwlock_destroy(&guests);
	report_cases(accesses);
	report_note("%u changes during %llu accesses, of which %llu met no memory", NR_CHANGES,
		    (unsigned long long)accesses, (unsigned long long)exits);
}
