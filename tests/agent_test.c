// SPDX-License-Identifier: GPL-2.0-only
/*
 * The agent's batches when an access leaves memory: an MMIO exit is the result of the case
 * that made it, and its neighbours get their own.  Skipped where there is no KVM.
 */
#include <stdio.h>

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

int main(void)
{
	static const char *const names[] = { "fast batch", "careful batch" };
	volatile int careful, failed = 0;

	printf("KTAP version 1\n1..2\n");
	for (careful = 0; careful <= 1; careful++) {
		struct test_scope scope;
		const char *name = names[careful];

		switch (setjmp(*test_scope_enter(&scope))) {
		case 0:
			run(careful);
			printf("ok %d MMIO in a %s\n", careful + 1, name);
			break;
		case TEST_END_SKIP:
			printf("ok %d MMIO in a %s # SKIP %s\n", careful + 1, name, scope.message);
			break;
		default:
			printf("# %s\nnot ok %d MMIO in a %s\n", scope.message, careful + 1, name);
			failed = 1;
			break;
		}
		test_scope_leave(&scope);
	}
	return failed ? KSFT_FAIL : KSFT_PASS;
}
