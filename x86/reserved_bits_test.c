// SPDX-License-Identifier: GPL-2.0-only
/*
 * reserved_bits_test - reserved bits of PDPTEs that 32-bit code walks in long mode.
 *
 * Proves: each reserved bit of a PDPTE, table entry and 1-GByte page, ends an access of
 * compatibility-mode code with a reserved-bit fault, under 4-level and 5-level paging, NX on
 * and off.  walk_test tries every reserved bit of every other entry (tests/variant_test.c
 * checks that); of these tables 32-bit code reaches three slots only, so here every three
 * entries get a VM of their own.  A bad PDPTE of PAE paging is refused when CR3 is loaded
 * (role_refusal_test); a bad PML4E would take the agent itself away.
 *
 * Would catch: reserved-bit masks that depend on the code size, or are those of PAE paging.
 *
 * Needs: /dev/kvm.  Modes the CPU lacks are skipped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_run.h"
#include "report.h"

#define LEVEL 3
#define MAX_SLOTS 3

static struct test_about about = {
	.name = "reserved_bits_test",
	.proves = "reserved bits of PDPTEs end accesses of compatibility-mode code with #PF",
	.has_cases = true,
	.replays_all = true,
	.tags = "walk,native",
};

static const struct engine *engine;

/* Full entries with one reserved bit more; returns how many. */
static unsigned int reserved_entries(const struct cpu_facts *cpu, enum table_area area,
				     bool efer_nx, u64 bits[128])
{
	const struct table_shape *shape = area_shape(area);
	static const u64 full[] = { VARIANT_FULL, VARIANT_FULL | PTE_PS };
	unsigned int nr = 0, i;
	int bit;

	for (i = 0; i < ARRAY_SIZE(full); i++) {
		const bool leaf = entry_is_leaf(shape->mode, LEVEL, full[i], false, cpu);
		const u64 reserved = entry_reserved_bits(shape->mode, LEVEL, leaf, efer_nx, cpu);

		/* Where PS itself is reserved its other bits prove nothing. */
		if (reserved & full[i]) {
			bits[nr++] = full[i];
			continue;
		}
		for (bit = 0; bit < 64; bit++)
			if (reserved & BIT_ULL(bit))
				bits[nr++] = full[i] | BIT_ULL(bit);
	}
	return nr;
}

static struct guest *guest_with(enum table_area area, const u64 *bits, unsigned int nr)
{
	static struct variant_list lists[NR_TABLE_AREAS][MAX_LEVELS + 1];
	const enum paging_mode mode = area_shape(area)->mode;
	int level;

	memset(lists, 0, sizeof(lists));
	for (level = 1; level <= paging_formats[mode].levels; level++)
		lists[area][level] = (struct variant_list){ .nr = 1, .bits = { VARIANT_FULL } };
	memcpy(lists[area][LEVEL].bits, bits, nr * sizeof(*bits));
	lists[area][LEVEL].nr = nr;
	return guest_create(lists);
}

static void run_entries(const struct mmu_state *state, const u64 *bits, unsigned int nr)
{
	static const struct actor actors[] = { { 0, false }, { 3, false } };
	const enum table_area area = state_area(state);
	static u16 choice[MAX_SLOTS][MAX_LEVELS + 1];
	const struct plan plan = { .mode = area_shape(area)->mode, .nr = nr, .choice = choice };
	struct guest *guest = guest_with(area, bits, nr);
	unsigned int i;
	int access;

	for (i = 0; i < nr; i++)
		choice[i][LEVEL] = i;
	for (i = 0; i < ARRAY_SIZE(actors); i++)
		for (access = 0; access < NR_AGENT_ACCESSES; access++) {
			const struct agent_batch batch =
				engine_batch(engine, state, &actors[i], access, CARE_NONE);

			if (engine->unsupported(guest, &batch) || report_should_stop())
				continue;
			if (cases_probe(guest, engine, state, &actors[i], access, CARE_NONE))
				cases_run(guest, engine, state, &actors[i], access, CARE_NONE, &plan);
		}
	guest_free(guest);
}

static void run_state(const struct subtest *self)
{
	const struct mmu_state *state = self->data;
	struct vm *vm = vm_create_barebones();
	struct kvm_cpuid2 *cpuid = kvm_supported_cpuid(vm->kvm_fd);
	const struct cpu_facts cpu = cpuid_facts(cpuid);
	const char *missing = state_missing(state, &cpu);
	unsigned int nr, i;
	u64 bits[128];

	free(cpuid);
	vm_free(vm);
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	nr = reserved_entries(&cpu, state_area(state), state->flags & FLAG_NX, bits);
	for (i = 0; i < nr; i += MAX_SLOTS)
		run_entries(state, bits + i, nr - i < MAX_SLOTS ? nr - i : MAX_SLOTS);
}

int main(int argc, char **argv)
{
	static const struct mmu_state states[] = {
		{ MODE_COMPAT4, 0 },
		{ MODE_COMPAT4, FLAG_NX },
		{ MODE_COMPAT5, 0 },
		{ MODE_COMPAT5, FLAG_NX },
	};
	static char names[ARRAY_SIZE(states)][STATE_NAME_LEN];
	static struct subtest subtests[ARRAY_SIZE(states)];
	struct test_options options;
	unsigned int i;

	about.engines = engine_names();
	test_options_parse(&about, argc, argv, &options);
	engine = engine_find(options.engine ? options.engine : "native");
	if (options.case_id)
		return case_replay(&options);
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		state_name(&states[i], names[i]);
		subtests[i] = (struct subtest){ names[i], run_state, &states[i] };
	}
	return report_run(&about, &options, subtests, ARRAY_SIZE(states));
}
