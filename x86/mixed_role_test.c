// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several vCPUs of one VM, in different roles, share one set of page tables, and the VMM
 * changes things under them.  Each scenario is data: roles, addresses, steps; to add one,
 * write its steps (mixed_tables.h, mixed_pcids.h, mixed_memslots.h) and a row in scenarios[].
 * include/mixed_role.h says what steps there are, include/shared_tables.h what memory.
 */
#include <stdio.h>

#include "mixed_memslots.h"
#include "mixed_pcids.h"
#include "mixed_role.h"
#include "mixed_tables.h"
#include "mixed_threads.h"
#include "report.h"

static const struct test_about about = {
	.name = "mixed_role_test",
	.proves = "vCPUs of one VM that walk the same tables in different roles see what the manuals say,\n"
		  "also while tables are edited and memory is moved, logged and dropped.  Scenarios that may\n"
		  "take an unfixed host down run with KMC_DANGEROUS=1 in the environment only.",
	.has_cases = true,
	.seeded = true,
	.tags = "mixed,kvm",
};

#define GVAS(...) (const gva_t[]){ __VA_ARGS__, 0 }
#define ROLES(...) { __VA_ARGS__ }
#define R(state) { state, 0 }
#define R_OTHER_ROOT(state) { state, 1 }

#define SLOT_GVAS GVAS(0x40001000, 0x40002000, 0x40003000, 0x40004000)
#define ALL_FORMATS ROLES(R("2level/wp"), R("pae/wp,nx"), R("4level/wp,nx"), R("4level/nx"), \
			  R("compat4/wp,nx"), R("5level/wp,nx"))

static const struct mixed_scenario scenarios[] = {
	{ "two-formats", ALL_FORMATS,
	  GVAS(0x40001000, 0x40002000, 0x40003000, 0x40004000, 0x40006000),
	  MIXED_STEPS(two_formats), .rounds = 3 },
	{ "one-page-every-level",
	  ROLES(R("4level/wp,nx"), R("4level/nx"), R("pae/wp,nx"), R("2level/wp")),
	  GVAS(0x40005000, 0x4000a000, 0x80a05000, RECURSIVE(1, 5, 5, 5)),
	  MIXED_STEPS(one_page_every_level), .rounds = 4 },
	{ "shared-pd",
	  ROLES(R("4level/wp,nx"), R("4level/nx"), R("4level/wp,smep,nx"),
		R("4level/smep,smap,nx"), R("compat4/wp,smap,nx")),
	  GVAS(0x40001000, 0x40002000, 0x40003000, 0x40201000, 0x80001000, 0x80002000, 0x80201000,
	       0xc0001000, 0xc0002000, RECURSIVE(1, 0, 0, 1), RECURSIVE(1, 0, 0, 2)),
	  MIXED_STEPS(shared_pd), .rounds = 4 },
	{ "two-roots",
	  ROLES(R("4level/wp,nx"), R_OTHER_ROOT("4level/wp,nx"), R("pae/wp,nx"),
		R_OTHER_ROOT("pae/wp,nx"), R("4level/nx"), R_OTHER_ROOT("4level/nx")),
	  GVAS(0x40001000, 0x40002000), MIXED_STEPS(two_roots), .rounds = 6 },
	{ "shared-pt-2level",
	  ROLES(R("2level/-"), R("2level/wp"), R("2level/smep"), R("2level/wp,smap")),
	  GVAS(0x40001000, 0x40002000, 0x40003000, 0x40201000, 0x40202000, 0x40401000, 0x40602000,
	       0x80001000, 0x80201000, 0xc0002000, 0xc0201000),
	  MIXED_STEPS(shared_pt_2level), .rounds = 4 },
	{ "pse-on-and-off", ROLES(R("2level/wp,pse"), R("2level/wp"), R("2level/pse")),
	  GVAS(0x40001000, 0x40201000, 0x80001000, 0x80201000), MIXED_STEPS(pse_on_and_off), .rounds = 4 },
	{ "smep-without-wp",
	  ROLES(R("4level/smep"), R("4level/wp,smep"), R("4level/-"), R("pae/smep"), R("2level/smep"),
		R("4level/smep,smap"), R("2level/-")),
	  GVAS(0x40001000, 0x40002000, 0x40003000), MIXED_STEPS(smep_without_wp), .rounds = 8 },
	{ "nx-on-and-off",
	  ROLES(R("4level/wp,nx"), R("4level/wp"), R("pae/wp"), R("pae/wp,nx")),
	  GVAS(0x40001000, 0x40002000), MIXED_STEPS(nx_on_and_off), .rounds = 4 },
	{ "recursive-pml4", ROLES(R("4level/wp,nx"), R("4level/nx"), R("4level/wp,smep,nx")),
	  GVAS(0x40001000, 0x40002000, 0x40003000, RECURSIVE(2, 0, 1, 0), RECURSIVE(2, 2, 2, 2)),
	  MIXED_STEPS(recursive_pml4), .rounds = 4 },
	{ "recursive-pd", ROLES(R("2level/wp"), R("2level/-"), R("pae/wp"), R("pae/-")),
	  GVAS(0x40001000, 0x80100000, 0x80200000, 0x40800000, 0x40804000),
	  MIXED_STEPS(recursive_pd), .rounds = 4 },
	{ "edits", ALL_FORMATS, GVAS(0x40001000, 0x40002000, 0x40004000), MIXED_STEPS(edits), .rounds = 4 },
	{ "in-step-again", ROLES(R("4level/wp,nx"), R("pae/wp,nx"), R("2level/wp"), R("2level/wp")),
	  GVAS(0x40001000, 0x40002000, 0x40201000, 0x40202000), MIXED_STEPS(in_step_again), .rounds = 4 },
	{ "flushed-by-pge", ROLES(R("4level/wp,nx"), R("pae/wp,nx"), R("2level/wp")),
	  GVAS(0x40001000, 0x40002000), MIXED_STEPS(flushed_by_pge), .rounds = 4 },
	{ "cr3-and-back",
	  ROLES(R("4level/wp,nx"), R("pae/wp,nx"), R("2level/wp"), R("5level/wp,nx")),
	  GVAS(0x40001000, 0x40002000), MIXED_STEPS(cr3_and_back), .rounds = 4 },
	{ "pcids", ROLES(R("4level/wp,nx"), R("4level/nx"), R("4level/wp,smep,nx"), R("5level/wp,nx")),
	  GVAS(0x40001000, 0x40002000, 0x40003000), MIXED_STEPS(pcids), .rounds = 4, .pcid = true },
	{ "clean-large-page", ROLES(R("4level/wp,nx"), R("pae/wp,nx"), R("2level/wp,pse")),
	  GVAS(0x40401000, 0x40801000), MIXED_STEPS(clean_large_page), .rounds = 4 },
	{ "page-of-entries", ROLES(R("4level/wp,nx"), R("pae/wp,nx"), R("2level/wp,pse")),
	  GVAS(0x40400000, 0x40401000, 0x40402000, 0x40403000, 0x40801000, 0x40802000, 0x40804000),
	  MIXED_STEPS(page_of_entries), .rounds = 4 },
	{ "other-root",
	  ROLES(R("4level/wp,nx"), R_OTHER_ROOT("4level/wp,nx"), R("pae/wp,nx"),
		R_OTHER_ROOT("pae/wp,nx")),
	  GVAS(0x40001000, 0x40002000), MIXED_STEPS(other_root), .rounds = 4 },
	{ "relink", ALL_FORMATS, GVAS(0x40001000, 0x40002000, 0x40004000), MIXED_STEPS(relink), .rounds = 4 },
	{ "slot-contents", ALL_FORMATS, SLOT_GVAS, MIXED_STEPS(slot_contents), .rounds = 2 },
	{ "slot-readonly", ALL_FORMATS, SLOT_GVAS, MIXED_STEPS(slot_readonly), .rounds = 2 },
	{ "slot-with-tables", ALL_FORMATS, GVAS(0x40002000, 0x40004000, 0x40008000),
	  MIXED_STEPS(slot_with_tables), .rounds = 2 },
	{ "dirty-log", ALL_FORMATS, SLOT_GVAS, MIXED_STEPS(dirty_log), .rounds = 2 },
	{ "dirty-log-of-tables", ALL_FORMATS, SLOT_GVAS, MIXED_STEPS(dirty_log_of_tables), .rounds = 2 },
	{ "dropped-pages", ALL_FORMATS, SLOT_GVAS, MIXED_STEPS(dropped_pages), .rounds = 2 },
	{ "migrated-pages", ALL_FORMATS, SLOT_GVAS, MIXED_STEPS(migrated_pages), .rounds = 2 },
	{ "page-sizes",
	  ROLES(R("4level/wp,nx"), R("4level/nx"), R("pae/wp,nx"), R("2level/wp,pse")),
	  GVAS(0x40000000, 0x40001000, 0x40200000, 0x40600000, 0x80000000, 0x80001000, 0x80200000,
	       0x801ff000, 0x80400000, 0x80401000, 0x805ff000),
	  MIXED_STEPS(page_sizes), .rounds = 2 },
	{ "slot-end",
	  ROLES(R("4level/wp,nx"), R("4level/nx"), R("pae/wp,nx"), R("2level/wp,pse")),
	  GVAS(0x40000000, 0x40100000, 0x40200000, 0x40300000), MIXED_STEPS(slot_end), .rounds = 4 },
	{ "rewritten-parent", ROLES(R("4level/wp,nx"), R("4level/nx"), R("pae/wp,nx")),
	  GVAS(0x40211000, 0x40611000), MIXED_STEPS(rewritten_parent), .rounds = 2 },
	{ "rewritten-pde", ROLES(R("4level/wp,nx"), R("4level/nx"), R("pae/wp,nx")),
	  GVAS(0x40002000), MIXED_STEPS(rewritten_pde), .rounds = 4,
	  .opt_in = "a host that lacks the fix uses freed memory" },
	{ "mmio-over-mapping", ROLES(R("4level/wp,nx"), R("pae/wp,nx")), GVAS(0x40002000),
	  MIXED_STEPS(mmio_over_mapping), .rounds = 2,
	  .opt_in = "a host that lacks the fix goes down" },
};

/* Entries of tables that everyone walks, picked by --seed; see mixed_random_edits(). */
static const struct mixed_scenario random_edits = {
	"random-edits", ALL_FORMATS, GVAS(0x40001000, 0x40002000, 0x40004000, 0x80001000, 0x80002000),
	.rounds = 40,
};

static struct shared_tables *shared;
static struct mixed_choice choice = { .seed = 1 };

static struct shared_tables *get_shared(void)
{
	if (!shared)
		shared = shared_create();
	report_note("seed %llu", (unsigned long long)choice.seed);
	return shared;
}

static void run_scenario(const struct subtest *self)
{
	mixed_run(get_shared(), self->data, &choice);
}

static void run_random(const struct subtest *self)
{
	mixed_random_edits(get_shared(), self->data, &choice);
}

static void run_threads(const struct subtest *self)
{
	bool race = self->data == &mixed_threads_scenarios[1];

	/* Known: docs/findings.md, "A memslot added while a vCPU faults there". */
	TEST_REQUIRE(!race || mixed_opted_in(), "the kernel of this host may warn: only with KMC_DANGEROUS=1 in the environment");
	mixed_threads(get_shared(), race, &choice);
}

#define NR_SUBTESTS (ARRAY_SIZE(scenarios) + 3)

/* All, or that of the one case. */
static unsigned int list_subtests(struct subtest subtests[NR_SUBTESTS])
{
	unsigned int i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(scenarios); i++)
		subtests[nr++] = (struct subtest){ scenarios[i].name, run_scenario, &scenarios[i] };
	subtests[nr++] = (struct subtest){ random_edits.name, run_random, &random_edits };
	for (i = 0; i < ARRAY_SIZE(mixed_threads_scenarios); i++)
		subtests[nr++] = (struct subtest){ mixed_threads_scenarios[i].name, run_threads,
						   &mixed_threads_scenarios[i] };
	for (i = 0; choice.only && i < nr; i++) {
		if (!mixed_holds_case(subtests[i].data, choice.only))
			continue;
		subtests[0] = subtests[i];
		subtests[0].name = choice.only;
		return 1;
	}
	return choice.only ? 0 : nr;
}

int main(int argc, char **argv)
{
	static struct subtest subtests[NR_SUBTESTS];
	struct test_options options;
	unsigned int nr;
	int code;

	test_options_parse(&about, argc, argv, &options);
	if (options.shuffle)
		choice.seed = options.seed;
	choice.only = options.case_id;
	nr = list_subtests(subtests);
	if (!nr || options.after) {
		fprintf(stderr, nr ? "%s: a scenario needs no --after: '%s'\n" :
				     "%s: malformed case id '%s': names no scenario, see --list\n",
			about.name, nr ? options.after : options.case_id);
		return KSFT_USAGE;
	}
	code = report_run(&about, &options, subtests, nr);
	shared_free(shared);
	return code;
}
