// SPDX-License-Identifier: GPL-2.0-only
/*
 * crossing_test - accesses across a page boundary between two different permissions.
 *
 * Proves: where one half of an access may be made and the other may not, the fault names the
 * byte that failed and nothing is stored in the other half; REP MOVSB stops at that byte, with
 * all before it moved and RCX, RSI and RDI saying so; accessed and dirty bits are set where an
 * access was made.  By the guest's CPU and by KVM's emulator.
 *
 * Would catch: an emulator that stores the first half before it walks to the second, CR2 of the
 * wrong half, registers that run ahead of the memory, a repeated instruction that starts anew.
 *
 * Needs: /dev/kvm; for the emulator kvm.force_emulation_prefix.  A subtest is ENGINE/STATE.
 */
#include <stdio.h>
#include <string.h>

#include "crossing.h"
#include "report.h"

#define MAX_PARTS 128
#define NAME_LEN (STATE_NAME_LEN + 16)

static const struct test_about about = {
	.name = "crossing_test",
	.proves = "accesses across two pages of different rights fault whole and at the right byte",
	.tags = "walk,emulation,native",
};

struct part {
	char name[NAME_LEN];
	const struct engine *engine;
	struct mmu_state state;
};

static struct guest *guest;

static void run_part(const struct subtest *self)
{
	const struct part *part = self->data;
	const char *missing;

	if (!guest)
		guest = crossing_guest();
	missing = part->engine->host_lacks(guest);
	TEST_REQUIRE(!missing, "engine %s: %s", part->engine->name, missing);
	missing = state_missing(&part->state, &guest->cpu);
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	crossing_run(guest, part->engine, &part->state);
}

/* Which rights there are is walk_test's affair: here a few states of each mode will do. */
static bool is_wanted(const struct mmu_state *state)
{
	const u8 used = state_modes[state->mode].used;

	return state_modes[state->mode].paging != PAGING_NONE &&
	       (state->flags == 0 || state->flags == FLAG_WP || state->flags == used ||
		state->flags == (used & ~(FLAG_SMAP | FLAG_PKE)));
}

static unsigned int add_parts(struct part *parts, const struct engine *engine)
{
	struct mmu_state state;
	char name[STATE_NAME_LEN];
	unsigned int nr = 0, i;
	int mode;

	for (mode = 0; mode < NR_STATE_MODES; mode++)
		for (i = 0; state_nth(mode, i, &state); i++) {
			if (!is_wanted(&state))
				continue;
			state_name(&state, name);
			parts[nr] = (struct part){ .engine = engine, .state = state };
			snprintf(parts[nr].name, NAME_LEN, "%s/%s", engine->name, name);
			nr++;
		}
	return nr;
}

int main(int argc, char **argv)
{
	static struct part parts[MAX_PARTS];
	static struct subtest subtests[MAX_PARTS];
	struct test_options options;
	unsigned int nr, i;
	int code;

	test_options_parse(&about, argc, argv, &options);
	nr = add_parts(parts, &engine_native);
	nr += add_parts(&parts[nr], &engine_forced);
	for (i = 0; i < nr; i++)
		subtests[i] = (struct subtest){ parts[i].name, run_part, &parts[i] };
	code = report_run(&about, &options, subtests, nr);
	guest_free(guest);
	return code;
}
