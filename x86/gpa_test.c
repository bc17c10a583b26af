// SPDX-License-Identifier: GPL-2.0-only
/*
 * gpa_test - what guest-physical addresses lead to.
 *
 * Proves: in every paging mode, at CPL 0 and 3, a translation to an address without a memslot
 * ends in one KVM_EXIT_MMIO with the right address, size, direction and data; page tables or a
 * CR3 in such a place end as page faults or a shutdown; read-only memslots can be read, run and
 * walked through, and a write to one is the VMM's; a large page over a slot's end gives memory
 * up to there and MMIO behind; and a slot that goes, comes back, moves or changes its contents
 * takes every translation with it.  A CPU offered more physical-address bits than the host has finds
 * no memory there either.
 *
 * Would catch: an MMIO exit for a page-table walk or with the address of another access, a
 * large mapping that reaches over the end of a slot, stale translations of a deleted slot, a
 * vCPU that faults on a read-only table for ever, A and D bits written to read-only memory, an
 * address that loses the bits the host has not.
 *
 * Needs: /dev/kvm.  Modes the CPU lacks are skipped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpa_cases.h"
#include "report.h"

#define MAX_SUBTESTS 128

static const struct test_about about = {
	.name = "gpa_test",
	.proves = "translations to memory, to read-only memory and to none end as they must",
	.has_cases = true,
	.tags = "gpa,memslots,native",
};

static struct gpa_rig rig;
static struct test_options options;

struct part {
	char name[48];
	const struct gpa_scenario *scenario;
	enum state_mode mode;
};

static void run_part(const struct subtest *self)
{
	const struct part *part = self->data;
	const struct mmu_state state = gpa_state(part->mode);
	struct vm *vm = vm_create_barebones();
	struct kvm_cpuid2 *cpuid = kvm_supported_cpuid(vm->kvm_fd);
	const struct cpu_facts cpu = cpuid_facts(cpuid);
	const char *lacks = state_missing(&state, &cpu);
	unsigned int made;

	free(cpuid);
	vm_free(vm);
	TEST_REQUIRE(!lacks, "the CPU has no %s", lacks);
	made = gpa_run(&rig, part->scenario, part->mode, options.case_id);
	TEST_REQUIRE(made || options.case_id, "this mode has nothing of the kind");
	TEST_ASSERT(made, "there is no such case on this CPU");
}

int main(int argc, char **argv)
{
	static struct part parts[MAX_SUBTESTS];
	static struct subtest subtests[MAX_SUBTESTS];
	unsigned int nr = 0, s;
	int mode, code;

	test_options_parse(&about, argc, argv, &options);
	if (options.after) {
		fprintf(stderr, "%s: a case starts from a VM of its own, there is no --after\n",
			about.name);
		return KSFT_USAGE;
	}
	for (s = 0; s < nr_gpa_scenarios; s++) {
		for (mode = 0; mode < NR_STATE_MODES && nr < MAX_SUBTESTS; mode++) {
			struct part *part = &parts[nr];

			*part = (struct part){ .scenario = &gpa_scenarios[s], .mode = mode };
			snprintf(part->name, sizeof(part->name), "%s/%s", gpa_scenarios[s].name,
				 state_modes[mode].name);
			if (options.case_id && !subtest_holds_case(part->name, options.case_id))
				continue;
			subtests[nr++] = (struct subtest){ part->name, run_part, part };
		}
	}
	if (!nr) {
		fprintf(stderr, "malformed case id '%s': SCENARIO/MODE/PLACE/PHASE/CPL/OPERATION, see --list\n", options.case_id);
		return KSFT_USAGE;
	}
	code = report_run(&about, &options, subtests, nr);
	shared_free(rig.shared);
	return code;
}
