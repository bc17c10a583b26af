// SPDX-License-Identifier: GPL-2.0-only
/*
 * The agent's batches when an access leaves memory: an exit that nobody answers, for MMIO or
 * string I/O, is the result of the case that made it, and its neighbours get their own.  A hang ends
 * its batch; what hangs as another did takes less time, and what no longer does completes.  Entries
 * that change are told of the cases whose they are.
 * Skipped where there is no KVM.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "guest.h"
#include "test_assert.h"

static const gva_t gvas[] = {
	DATA_PAGE, 0xd0000000, DATA_LARGE, 0xd0001000, DATA_LARGE + 0x5000, DATA_HUGE,
};

static bool is_mmio(gva_t gva)
{
	return gva >> 28 == 0xd;
}

static void run(bool careful)
{
	struct agent_result results[ARRAY_SIZE(gvas)];
	struct guest *guest = guest_create(NULL);
	const struct agent_batch batch = {
		.state = { .mode = MODE_NOPG },
		.access = AGENT_READ,
		.careful = careful,
		.gvas = gvas,
		.nr = ARRAY_SIZE(gvas),
		.results = results,
	};
	unsigned int i;

	agent_run(guest, &batch);
	for (i = 0; i < ARRAY_SIZE(gvas); i++) {
		const struct agent_result *r = &results[i];

		if (is_mmio(gvas[i]))
			TEST_ASSERT(r->status == (STATUS_EXIT | KVM_EXIT_MMIO) && r->cr2 == gvas[i],
				    "case %u: status %#x", i, r->status);
		else
			TEST_ASSERT(r->status == STATUS_DONE &&
					    r->value == agent_tag(AGENT_READ, gvas[i]),
				    "case %u: status %#x value %#x", i, r->status, r->value);
	}
	TEST_ASSERT(!guest_check_memory(guest, &batch.state), "%s",
		    guest_check_memory(guest, &batch.state));
	guest_free(guest);
}

/* An engine that answers every other case only: the rest has not been what it expects. */
static bool answer_some(struct guest *guest, const struct agent_batch *batch, u32 i, u32 exit)
{
	(void)batch;
	return exit == KVM_EXIT_IO && guest->vcpu->run->io.port == AGENT_STRING_PORT && i % 2;
}

static void settle_nothing(struct guest *guest, const struct agent_batch *batch,
			   struct agent_result *results, u32 first, u32 end)
{
	(void)guest, (void)batch, (void)results, (void)first, (void)end;
}

static void run_string(bool careful)
{
	static const gva_t pages[] = { DATA_PAGE, DATA_LARGE, DATA_HUGE, DATA_LARGE + 0x1000 };
	static const struct agent_service service = { answer_some, settle_nothing };
	const u64 detail = AGENT_STRING_PORT | 4 << 16 | KVM_EXIT_IO_OUT << 24;
	struct agent_result results[ARRAY_SIZE(pages)];
	struct guest *guest = guest_create(NULL);
	const struct agent_batch batch = {
		.state = { .mode = MODE_NOPG },
		.access = AGENT_READ,
		.via = VIA_STRING,
		.careful = careful,
		.service = &service,
		.gvas = pages,
		.nr = ARRAY_SIZE(pages),
		.results = results,
	};
	unsigned int i;

	agent_run(guest, &batch);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		const struct agent_result *r = &results[i];

		if (i % 2)
			TEST_ASSERT(r->status == STATUS_DONE, "case %u: status %#x", i, r->status);
		else
			TEST_ASSERT(r->status == (STATUS_EXIT | KVM_EXIT_IO) && r->cr2 == detail,
				    "case %u: status %#x detail %#llx", i, r->status,
				    (unsigned long long)r->cr2);
	}
	guest_free(guest);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void run_hang(bool careful)
{
	static const gva_t pages[] = { DATA_PAGE + DATA_FETCH_OFFSET, DATA_LARGE + DATA_FETCH_OFFSET,
				       DATA_HUGE + DATA_FETCH_OFFSET };
	static const u8 jump_to_itself[] = { 0xeb, 0xfe };
	struct agent_result results[ARRAY_SIZE(pages)];
	struct guest *guest = guest_create(NULL);
	const struct agent_batch batch = {
		.state = { .mode = MODE_NOPG },
		.access = AGENT_FETCH,
		.careful = careful,
		.gvas = pages,
		.nr = ARRAY_SIZE(pages),
		.results = results,
	};
	double start, seconds[2];
	u8 *code = vm_gpa2hva(guest->vm, pages[1]), good[sizeof(jump_to_itself)];
	unsigned int i;

	memcpy(good, code, sizeof(good));
	memcpy(code, jump_to_itself, sizeof(good));
	for (i = 0; i < 2; i++) {
		start = cpu_seconds();
		agent_run(guest, &batch);
		seconds[i] = cpu_seconds() - start;
		TEST_ASSERT(results[0].status == STATUS_DONE &&
				    results[1].status == (STATUS_EXIT | VCPU_TIMEOUT) &&
				    results[2].status == STATUS_NOT_RUN, "status %#x %#x %#x",
			    results[0].status, results[1].status, results[2].status);
	}
	TEST_ASSERT(seconds[1] < seconds[0] / 2, "%f s, and again %f s", seconds[0], seconds[1]);
	memcpy(code, good, sizeof(good));
	agent_run(guest, &batch);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		TEST_ASSERT(results[i].status == STATUS_DONE, "case %u: status %#x", i,
			    results[i].status);
	guest_free(guest);
}

/* What is wrong with entries when all of a batch is over is told, of each case. */
static void run_behind(bool careful)
{
	const struct mmu_state state = { .mode = MODE_4LEVEL };
	const u16 choices[][MAX_LEVELS + 1] = { { 0, 1 }, { 0, 2 }, { 0, 3 } };
	struct agent_result results[ARRAY_SIZE(choices)];
	struct guest *guest = guest_create(NULL);
	u64 *level1 = vm_gpa2hva(guest->vm, guest->area[AREA_4LEVEL].base + AREA_TEST);
	gva_t pages[ARRAY_SIZE(choices)];
	struct agent_batch batch = {
		.state = state,
		.access = AGENT_READ,
		.ad_behind = true,
		.gvas = pages,
		.nr = ARRAY_SIZE(choices),
		.results = results,
	};
	unsigned int i;

	(void)careful;
	for (i = 0; i < batch.nr; i++) {
		pages[i] = guest_gva(guest, AREA_4LEVEL, choices[i], 0);
		TEST_ASSERT(guest_path_fixed(guest, &state, pages[i]), "variant %u", i + 1);
	}
	agent_run(guest, &batch);
	for (i = 0; i < batch.nr; i++)
		TEST_ASSERT(!results[i].ad, "case %u: A/D %#x", i, results[i].ad);
	/* As if the access had done it: a read leaves D alone. */
	level1[2] ^= PTE_D;
	level1[3] ^= BIT_ULL(9);
	agent_run(guest, &batch);
	TEST_ASSERT(!results[0].ad && results[1].ad == 2 && results[2].ad == AD_CORRUPT,
		    "A/D %#x %#x %#x", results[0].ad, results[1].ad, results[2].ad);
	guest_free(guest);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(bool careful);
		bool careful;
	} tests[] = {
		{ "MMIO in a fast batch", run, false },
		{ "MMIO in a careful batch", run, true },
		{ "string I/O in a fast batch", run_string, false },
		{ "string I/O in a careful batch", run_string, true },
		{ "a hang in a fast batch", run_hang, false },
		{ "a hang in a careful batch", run_hang, true },
		{ "entries looked at behind a batch", run_behind, false },
	};
	volatile unsigned int i, failed = 0;

	printf("KTAP version 1\n1..%zu\n", ARRAY_SIZE(tests));
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		struct test_scope scope;

		switch (setjmp(*test_scope_enter(&scope))) {
		case 0:
			tests[i].run(tests[i].careful);
			printf("ok %u %s\n", i + 1, tests[i].name);
			break;
		case TEST_END_SKIP:
			printf("ok %u %s # SKIP %s\n", i + 1, tests[i].name, scope.message);
			break;
		default:
			printf("# %s\nnot ok %u %s\n", scope.message, i + 1, tests[i].name);
			failed = 1;
			break;
		}
		test_scope_leave(&scope);
	}
	return failed ? KSFT_FAIL : KSFT_PASS;
}
