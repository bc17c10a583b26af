// SPDX-License-Identifier: GPL-2.0-only
/* Scenarios of shared tables, step by step; see include/mixed_role.h. */
#include <numa.h>
#include <numaif.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mixed_role.h"
#include "report.h"

#define MAX_GVAS 16

/* splitmix64: any generator will do that is the same everywhere. */
u64 mixed_random(struct mixed *m)
{
	u64 z = m->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void mixed_step_text(const struct mixed_step *step, char text[MIXED_STEP_TEXT_LEN])
{
	static const char *const names[NR_MIXED_OPS] = {
		"PUT", "SET", "STORE", "INVLPG", "FLUSH", "CR3", "PGE", "PCIDE", "INVPCID", "ROOT",
		"LOOK", "TOUCH", "DELETE", "ADD", "MOVE", "LOG", "CHECK_LOG", "DROP", "MIGRATE",
	};

	snprintf(text, MIXED_STEP_TEXT_LEN, "%s vcpu %#x, %#llx, %#llx", names[step->op], step->seat,
		 (unsigned long long)step->gpa, (unsigned long long)step->value);
}

bool mixed_wants(struct mixed *m, const char *id)
{
	if (!m->choice.only)
		return true;
	if (strcmp(id, m->choice.only))
		return false;
	return m->reached = true;
}

bool mixed_should_stop(const struct mixed *m)
{
	return m->reached || report_should_stop();
}

/* ".../NAME/step4/round0...", or "NAME/..." where it is no access that is wrong. */
bool mixed_holds_case(const struct mixed_scenario *scenario, const char *id)
{
	size_t len = strlen(scenario->name);
	const char *p = id;

	while (p) {
		if (!strncmp(p, scenario->name, len) && p[len] == '/')
			return true;
		p = strchr(p, '/');
		p = p ? p + 1 : NULL;
	}
	return false;
}

/* A case that is no access; of one that is replayed both texts are told. */
static void fail(struct mixed *m, const struct case_failure *f)
{
	if (!mixed_wants(m, f->id))
		return;
	if (m->choice.only)
		report_note("expected  %s\nobserved  %s", f->expected, f->observed);
	report_failure(f);
}

void mixed_failure(struct mixed *m, const char *what, const char *expected, const char *observed)
{
	char id[192];
	struct case_failure f = { .id = id, .expected = expected, .observed = observed };

	snprintf(id, sizeof(id), "%s/%s/step%u/round%u", m->scenario->name, what, m->step, m->round);
	m->failed++;
	fail(m, &f);
}

/*
 * Roles
 */

/* A role that the agent cannot run in is one failing case, and the others go on. */
static bool role_usable(struct mixed *m, struct seat *seat, const char *state)
{
	const char *missing = state_missing(&seat->state, &m->shared->guest->cpu);
	char id[128];
	struct case_failure f = { .id = id, .expected = "agent runs" };
	u8 cpl;

	if (missing) {
		report_note("vcpu %u, %s: the CPU offers no %s", seat->nr, state, missing);
		return false;
	}
	for (cpl = 0; cpl <= 3; cpl += 3) {
		shared_clean_pdptes(m->shared);
		f.observed = seat_probe(seat, cpl);
		report_cases(1);
		snprintf(id, sizeof(id), "%s/cpl%u/read/%s/vcpu%u", state, cpl, m->scenario->name,
			 seat->nr);
		if (f.observed)
			fail(m, &f);
		else if (m->choice.only)
			mixed_wants(m, id);
		if (f.observed)
			return false;
	}
	return true;
}

static void assign_roles(struct mixed *m)
{
	struct shared_tables *s = m->shared;
	const struct mixed_role *role = m->scenario->role;
	unsigned int i;

	for (i = 0; i < MAX_SEATS && role[i].state; i++) {
		struct mmu_state state;
		const char *wrong = state_parse(role[i].state, strlen(role[i].state), &state);

		TEST_ASSERT(!wrong, "state %s: %s", role[i].state, wrong);
		if (i == s->nr_seats)
			shared_add_seat(s);
		seat_assign(&s->seat[i], &state, shared_root(&state, role[i].set));
	}
	for (; i < s->nr_seats; i++)
		s->usable[i] = false;
}

void mixed_begin(struct mixed *m, struct shared_tables *shared,
		 const struct mixed_scenario *scenario, const struct mixed_choice *choice)
{
	unsigned int i, usable = 0, nr = 0;
	const char *p;

	*m = (struct mixed){ .shared = shared, .scenario = scenario, .choice = *choice,
			     .random = choice->seed };
	/* A scenario's choices depend on no other's. */
	for (p = scenario->name; *p; p++)
		m->random = m->random * 31 + *p;
	shared_reset(shared);
	TEST_REQUIRE(!scenario->pcid || mixed_offers_pcid(shared->guest), "the CPU offers no PCID, or no INVPCID");
	assign_roles(m);
	for (i = 0; i < MAX_SEATS && scenario->role[i].state; i++, nr++)
		usable += shared->usable[i] =
			role_usable(m, &shared->seat[i], scenario->role[i].state);
	TEST_REQUIRE(usable >= 2 || m->reached, "only %u of %u roles can run here", usable, nr);
}

/* The vCPU of that number, or another one where it cannot run. */
static struct seat *seat_of(struct mixed *m, u8 nr)
{
	struct shared_tables *s = m->shared;

	while (nr >= s->nr_seats || !s->usable[nr])
		nr = (nr + 1u) % s->nr_seats;
	return &s->seat[nr];
}

/*
 * Looking
 */
struct look {
	struct seat *seat;
	gva_t gva;
	u8 cpl;
	enum seat_op op;
};

static u32 all_looks(struct mixed *m, u8 mask, struct look *looks)
{
	static const u32 offset[] = {
		[SEAT_READ] = DATA_READ_OFFSET,
		[SEAT_FETCH] = DATA_FETCH_OFFSET,
		[SEAT_STORE] = DATA_WRITE_OFFSET,
	};
	u32 nr = 0, i, pass, op;

	for (i = 0; i < m->shared->nr_seats; i++) {
		struct seat *seat = &m->shared->seat[i];
		bool code64 = state_modes[seat->state.mode].code64;
		/* As it is first: KVM_SET_SREGS may drop just what would have been wrong. */
		u8 cpl = seat->entered ? seat->cpl : 0;
		const gva_t *gva;

		if (!(mask & 1 << i) || !m->shared->usable[i])
			continue;
		for (pass = 0; pass < 2; pass++, cpl = 3 - cpl)
			for (gva = m->scenario->gvas; *gva; gva++)
				for (op = SEAT_READ; op <= SEAT_STORE; op++)
					if (code64 || *gva >> 32 == 0)
						looks[nr++] = (struct look){
							seat, *gva + offset[op], cpl, op };
	}
	return nr;
}

static void shuffle(struct mixed *m, struct look *looks, u32 nr)
{
	u32 i, k;

	for (i = nr; i > 1; i--) {
		struct look last = looks[i - 1];

		k = mixed_random(m) % i;
		looks[i - 1] = looks[k];
		looks[k] = last;
	}
}

static void look(struct mixed *m, u8 mask)
{
	static struct look looks[MAX_SEATS * MAX_GVAS * 6];
	u32 nr = all_looks(m, mask, looks), i;

	if (m->round)
		shuffle(m, looks, nr);
	for (i = 0; i < nr && !mixed_should_stop(m); i++)
		mixed_access(m, looks[i].seat, looks[i].cpl, looks[i].op, looks[i].gva,
			     0x10000000 + m->stored++, true);
}

static void touch(struct mixed *m, u8 mask)
{
	unsigned int i;
	const gva_t *gva;

	for (i = 0; i < m->shared->nr_seats; i++) {
		struct seat *seat = &m->shared->seat[i];

		for (gva = m->scenario->gvas; *gva; gva++)
			if (mask & 1 << i && m->shared->usable[i] &&
			    (state_modes[seat->state.mode].code64 || *gva >> 32 == 0))
				mixed_access(m, seat, seat->entered ? seat->cpl : 0, SEAT_READ, *gva,
					     0, false);
	}
}

/*
 * Steps
 */

/* In 32-bit code an 8-byte entry is two stores; the half with P must be the last or first. */
static void set_entry(struct mixed *m, const struct mixed_step *step)
{
	struct seat *seat = seat_of(m, step->seat);
	gva_t gva = SHARED_WINDOW + (step->gpa - ARENA_GPA);
	bool present = step->value & PTE_P;

	if (step->size == 4) {
		mixed_access(m, seat, 0, SEAT_STORE, gva, step->value, true);
	} else if (state_modes[seat->state.mode].code64) {
		mixed_access(m, seat, 0, SEAT_STORE_WIDE, gva, step->value, true);
	} else {
		mixed_access(m, seat, 0, SEAT_STORE, gva + (present ? 4 : 0),
			     present ? step->value >> 32 : (u32)step->value, true);
		mixed_access(m, seat, 0, SEAT_STORE, gva + (present ? 0 : 4),
			     present ? (u32)step->value : step->value >> 32, true);
	}
}

/* KVM_SET_SREGS comes with the next operation; a new CR3 needs no other flush. */
static void change_root(struct shared_tables *s, u8 mask, u8 set)
{
	unsigned int i;

	for (i = 0; i < s->nr_seats; i++)
		if (mask & 1 << i)
			seat_assign(&s->seat[i], &s->seat[i].state,
				    shared_root(&s->seat[i].state, set));
}

/*
 * Pages that were written must be in the log.  Pages that nobody went near must not.  In
 * between are those that were read or walked: KVM may map them writable then, and logs that.
 * Where tables were edited it may do so for all that they map, when it synchronizes its copy
 * of them (mapped): then only pages that were never used must not be there.
 */
static void check_log(struct mixed *m, enum shared_region region, bool mapped)
{
	struct shared_mem *mem = &m->shared->mem[region];
	u64 log[REGION_MAX_PAGES / 64];
	unsigned int i, read = 0;
	char page[32];

	shared_read_log(m->shared, region, log);
	for (i = 0; i < mem->size >> 12; i++) {
		bool logged = log[i / 64] >> i % 64 & 1;
		bool must = mem->must_dirty[i / 64] >> i % 64 & 1;
		bool may = (mapped ? mem->used : mem->may_dirty)[i / 64] >> i % 64 & 1;

		report_cases(1);
		snprintf(page, sizeof(page), "page-%#llx",
			 (unsigned long long)mem->gpa + i * 0x1000ull);
		if (must && !logged)
			mixed_failure(m, page, "dirty", "clean");
		else if (logged && !must && !may)
			mixed_failure(m, page, "clean", "dirty");
		read += logged && !must;
	}
	if (read)
		report_note("step %u: %u pages of %s that nobody wrote are in the dirty log",
			    m->step, read, mem->name);
	memset(mem->must_dirty, 0, sizeof(mem->must_dirty));
	memset(mem->may_dirty, 0, sizeof(mem->may_dirty));
}

static void migrate(struct mixed *m, gpa_t gpa)
{
	void *page = shared_host(m->shared, gpa);
	int node, status = -1;
	long err;

	TEST_REQUIRE(numa_available() >= 0 && numa_num_configured_nodes() > 1,
		     "the host has one NUMA node: pages cannot migrate");
	err = numa_move_pages(0, 1, &page, NULL, &status, 0);
	TEST_ASSERT(!err && status >= 0, "the page at %#llx is on no node", (unsigned long long)gpa);
	for (node = 0; node == status || !numa_bitmask_isbitset(numa_all_nodes_ptr, node); node++)
		;
	err = numa_move_pages(0, 1, &page, &node, &status, MPOL_MF_MOVE);
	TEST_ASSERT(!err && status == node, "the page at %#llx did not move to node %d: %d",
		    (unsigned long long)gpa, node, status);
}

void mixed_do(struct mixed *m, const struct mixed_step *step)
{
	struct shared_tables *s = m->shared;

	switch (step->op) {
	case MIXED_PUT:
		shared_put(s, step->gpa, step->value, step->size);
		break;
	case MIXED_SET:
		set_entry(m, step);
		break;
	case MIXED_STORE:
		mixed_access(m, seat_of(m, step->seat), 0, SEAT_STORE_WIDE, step->gpa, step->value,
			     true);
		break;
	case MIXED_INVLPG:
	case MIXED_FLUSH:
	case MIXED_CR3:
	case MIXED_PGE:
	case MIXED_PCIDE:
	case MIXED_INVPCID:
		mixed_flush(m, step);
		break;
	case MIXED_ROOT:
		change_root(s, step->seat, step->value);
		break;
	case MIXED_LOOK:
		look(m, step->seat);
		break;
	case MIXED_TOUCH:
		touch(m, step->seat);
		break;
	case MIXED_DELETE:
		shared_delete(s, step->value);
		break;
	case MIXED_ADD:
		shared_add(s, step->value, step->size, step->gpa);
		break;
	case MIXED_MOVE:
		shared_move(s, step->value, step->gpa);
		break;
	case MIXED_LOG:
		shared_log(s, step->value, step->gpa);
		break;
	case MIXED_CHECK_LOG:
		check_log(m, step->value, step->gpa);
		break;
	case MIXED_DROP:
		shared_drop(s, step->gpa);
		break;
	case MIXED_MIGRATE:
		migrate(m, step->gpa);
		break;
	}
}

void mixed_begin_round(struct mixed *m)
{
	shared_reset(m->shared);
	assign_roles(m);
}

/* After a mismatch memory is what nobody can tell: it was reported already. */
void mixed_end_round(struct mixed *m)
{
	char expected[64], observed[64];
	gpa_t gpa;

	if (m->failed || !shared_memory_differs(m->shared, &gpa))
		return;
	snprintf(expected, sizeof(expected), "byte %#x at %#llx", *shared_copy(m->shared, gpa),
		 (unsigned long long)gpa);
	snprintf(observed, sizeof(observed), "byte %#x", *shared_host(m->shared, gpa));
	mixed_failure(m, "memory", expected, observed);
}

bool mixed_opted_in(void)
{
	const char *dangerous = getenv("KMC_DANGEROUS");

	return dangerous && !strcmp(dangerous, "1");
}

void mixed_run(struct shared_tables *shared, const struct mixed_scenario *scenario,
	       const struct mixed_choice *choice)
{
	struct mixed m;

	TEST_REQUIRE(!scenario->opt_in || mixed_opted_in(),
		     "%s: only with KMC_DANGEROUS=1 in the environment", scenario->opt_in);
	mixed_begin(&m, shared, scenario, choice);
	while (!mixed_should_stop(&m)) {
		mixed_begin_round(&m);
		for (m.step = 0; m.step < scenario->nr_steps && !mixed_should_stop(&m); m.step++)
			mixed_do(&m, &scenario->steps[m.step]);
		m.step = scenario->nr_steps - 1;
		if (!mixed_should_stop(&m))
			mixed_end_round(&m);
		if (++m.round >= scenario->rounds)
			break;
	}
	/* What is no access begins with the scenario's name and shows only when it is wrong. */
	TEST_ASSERT(!choice->only || m.reached ||
			    !strncmp(choice->only, scenario->name, strlen(scenario->name)),
		    "there is no such case here");
}
