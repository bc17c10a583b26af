// SPDX-License-Identifier: GPL-2.0-only
/*
 * parallel_test - the same accesses in one, two and four VMs at a time.
 *
 * Proves: what an access comes to in a VM does not depend on what the vCPUs of other VMs do at the
 * same time: every outcome is what it was in the first VM, alone (which of them are right is for
 * walk_test to say).
 *
 * Would catch: state of KVM's MMU that VMs share by mistake, pages of the MMU's caches that are used
 * twice, a counter or a list changed without its lock.
 *
 * The report draws how many accesses there are per second against how many vCPUs make them.  Each VM
 * has a process of its own, as with --jobs.
 *
 * Needs: /dev/kvm.  Where there are fewer CPUs than VMs they take turns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "plan.h"
#include "report.h"

#define MAX_VMS 4
#define MAX_PARTS 16
#define SECONDS 1.0 /* that one vCPU is busy alone */
#define MAX_PASSES 4096
#define START_SECONDS 60

static const struct test_about about = {
	.name = "parallel_test",
	.proves = "the same accesses come to the same in several VMs at a time",
	.tags = "walk,native,vcpus",
};

/* A batch of each actor, access and way. */
struct part {
	struct agent_batch batch;
	struct plan plan;
	gva_t *gvas;
};

/* What one VM's process says; the memory is shared. */
struct said {
	u64 cases, differing;
	double seconds;
	char message[256];   /* of an assertion, or about the first that differs */
	int end;             /* enum test_end, or 0 */
};

static struct shared {
	u32 ready, go;
	u32 passes;          /* 0: not known yet */
	struct mmu_state state;
	struct said said[MAX_VMS];
	struct agent_result alone[MAX_PARTS][2 * MAX_VARIANTS];
} *shared;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* The first state in which the agent can read. */
static void choose_state(struct guest *guest)
{
	static const char *const names[] = { "4level/wp,nx", "pae/wp,nx", "2level/wp" };
	const char *broken = NULL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct agent_batch read;

		state_parse(names[i], strlen(names[i]), &shared->state);
		read = engine_batch(&engine_native, &shared->state, &(struct actor){ 0 },
				    AGENT_READ, CARE_NONE);
		if (state_missing(&shared->state, &guest->cpu))
			continue;
		broken = agent_probe(guest, &read, agent_run);
		if (!broken)
			return;
	}
	TEST_REQUIRE(false, "the agent cannot run here: %s", broken ? broken : "no state for it");
}

static void make_part(struct guest *guest, struct part *p, u8 cpl, enum agent_access access,
		      bool careful)
{
	const struct mmu_state *state = &shared->state;
	const struct table_image *t = &guest->area[state_area(state)];
	u32 i;

	p->batch = engine_batch(&engine_native, state, &(struct actor){ .cpl = cpl }, access,
				careful ? CARE_EACH : CARE_NONE);
	plan_make(&p->plan, careful ? PLAN_CAREFUL : PLAN_SINGLE, t->shape.mode, t->variants);
	p->batch.nr = p->plan.nr < ARRAY_SIZE(shared->alone[0]) ? p->plan.nr :
								  ARRAY_SIZE(shared->alone[0]);
	p->gvas = calloc(p->batch.nr, sizeof(*p->gvas));
	p->batch.results = calloc(p->batch.nr, sizeof(*p->batch.results));
	TEST_ASSERT(p->gvas && p->batch.results, "out of memory");
	for (i = 0; i < p->batch.nr; i++)
		p->gvas[i] = guest_gva(guest, state_area(state), p->plan.choice[i],
				       agent_access_offset(access));
	p->batch.gvas = p->gvas;
}

static unsigned int make_parts(struct guest *guest, struct part *parts)
{
	unsigned int nr = 0;
	int access, careful;
	u8 cpl;

	for (cpl = 0; cpl <= 3; cpl += 3)
		for (access = AGENT_READ; access <= AGENT_FETCH; access++)
			for (careful = 0; careful <= 1; careful++)
				make_part(guest, &parts[nr++], cpl, access, careful);
	return nr;
}

/* What a fault leaves of a value, and no fault of the rest, says nothing. */
static bool same_outcome(const struct agent_result *a, const struct agent_result *b)
{
	if (a->status != b->status || a->ad != b->ad)
		return false;
	if (a->status == STATUS_DONE)
		return a->value == b->value;
	return a->error == b->error && a->cr2 == b->cr2 && a->rip == b->rip;
}

static void compare_part(const struct part *p, const struct agent_result *alone, struct said *said)
{
	u32 i;

	for (i = 0; i < p->batch.nr; i++) {
		const struct agent_result *r = &p->batch.results[i];

		if (same_outcome(r, &alone[i]) || said->differing++)
			continue;
		snprintf(said->message, sizeof(said->message),
			 "%s %s at %#llx: status %#x error %#x value %#x ad %#x, alone %#x %#x %#x %#x",
			 p->batch.careful ? "careful" : "fast",
			 agent_access_names[p->batch.access], (unsigned long long)p->gvas[i],
			 r->status, r->error, r->value, r->ad, alone[i].status, alone[i].error,
			 alone[i].value, alone[i].ad);
	}
	said->cases += p->batch.nr;
}

/* The first VM, alone: what all others are compared with, and how much is to be done. */
static void be_first(struct guest *guest, const struct part *parts, unsigned int nr)
{
	double start = 0;
	unsigned int pass, i;

	for (pass = 0; pass < 2; pass++) {
		start = now();
		for (i = 0; i < nr; i++) {
			agent_run(guest, &parts[i].batch);
			memcpy(shared->alone[i], parts[i].batch.results,
			       parts[i].batch.nr * sizeof(*parts[i].batch.results));
		}
	}
	shared->passes = 1 + SECONDS / (now() - start);
	if (shared->passes > MAX_PASSES)
		shared->passes = MAX_PASSES;
}

static void be_one_of(struct guest *guest, const struct part *parts, unsigned int nr,
		      unsigned int vms, struct said *said)
{
	double start = now();
	unsigned int i;
	u32 pass;

	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) < vms) {
		TEST_ASSERT(now() - start < START_SECONDS, "the other VMs have not started");
		usleep(1000);
	}
	start = now();
	/* One that differs is enough: it may be a hang, and all others, too. */
	for (pass = 0; pass < shared->passes && !said->differing; pass++)
		for (i = 0; i < nr && !said->differing; i++) {
			agent_run(guest, &parts[i].batch);
			compare_part(&parts[i], shared->alone[i], said);
		}
	said->seconds = now() - start;
}

/* A VM of its own in a process of its own; vms: 0 for the first. */
static _Noreturn void be_vm(unsigned int vms, struct said *said)
{
	static struct part parts[MAX_PARTS];
	struct test_scope scope;
	struct guest *guest;
	unsigned int nr;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	said->end = setjmp(*test_scope_enter(&scope));
	if (said->end) {
		snprintf(said->message, sizeof(said->message), "%.200s", scope.message);
		/* The others must not wait for this one. */
		__atomic_add_fetch(&shared->ready, MAX_VMS, __ATOMIC_SEQ_CST);
		_exit(KSFT_FAIL);
	}
	guest = guest_create(NULL);
	if (!vms)
		choose_state(guest);
	nr = make_parts(guest, parts);
	if (vms)
		be_one_of(guest, parts, nr, vms, said);
	else
		be_first(guest, parts, nr);
	_exit(KSFT_PASS);
}

static void run_vms(unsigned int vms)
{
	const unsigned int nr = vms ? vms : 1;
	pid_t pids[MAX_VMS];
	unsigned int i;
	int status;

	memset(shared->said, 0, sizeof(shared->said));
	shared->ready = 0;
	fflush(stdout);
	for (i = 0; i < nr; i++) {
		pids[i] = fork();
		TEST_ASSERT(pids[i] >= 0, "VM %u of %u cannot be started", i + 1, nr);
		if (!pids[i])
			be_vm(vms, &shared->said[i]);
	}
	for (i = 0; i < nr; i++) {
		const struct said *said = &shared->said[i];

		TEST_ASSERT(waitpid(pids[i], &status, 0) == pids[i], "VM %u of %u is lost", i + 1, nr);
		TEST_REQUIRE(said->end != TEST_END_SKIP, "%s", said->message);
		TEST_ASSERT(!status && !said->end, "VM %u of %u: %s (wait status %#x)", i + 1, nr,
			    said->message, status);
	}
}

static void prepare(void)
{
	if (shared && shared->passes)
		return;
	if (!shared)
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(shared != MAP_FAILED, "out of memory");
	run_vms(0);
}

static void run_subtest(const struct subtest *self)
{
	const unsigned int vms = *(const unsigned int *)self->data;
	double seconds = 0;
	u64 cases = 0;
	unsigned int i;

	prepare();
	run_vms(vms);
	for (i = 0; i < vms; i++) {
		cases += shared->said[i].cases;
		if (shared->said[i].seconds > seconds)
			seconds = shared->said[i].seconds;
	}
	report_cases(cases);
	report_rate(vms, cases / seconds);
	report_note("%u at a time: %.0f accesses per second", vms, cases / seconds);
	for (i = 0; i < vms; i++)
		TEST_ASSERT(!shared->said[i].differing, "VM %u of %u: %llu accesses differ, the first: %s",
			    i + 1, vms, (unsigned long long)shared->said[i].differing,
			    shared->said[i].message);
}

int main(int argc, char **argv)
{
	static const unsigned int vms[] = { 1, 2, MAX_VMS };
	static const struct subtest subtests[] = {
		{ "vcpus-1", run_subtest, &vms[0] },
		{ "vcpus-2", run_subtest, &vms[1] },
		{ "vcpus-4", run_subtest, &vms[2] },
	};
	struct test_options options;

	test_options_parse(&about, argc, argv, &options);
	return report_run(&about, &options, subtests, ARRAY_SIZE(subtests));
}
