// SPDX-License-Identifier: GPL-2.0-only
/*
 * role_refusal_test - illegal register combinations are refused and change nothing.
 *
 * Proves: from every paging mode, each bit position of CR0, CR3, CR4 and EFER, the
 * combinations that the manuals forbid, the control bits of features that CPUID hides, and
 * PDPTEs with reserved bits are refused (#GP(0), or an error of the ioctl), whether the guest
 * writes them or the VMM; and that registers and page walks afterwards are those of before.
 *
 * Would catch: a control bit that reaches a role although the guest's CPU does not have it,
 * long mode entered or left halfway, a refused write that was carried out in part.
 *
 * Needs: /dev/kvm.  Modes the CPU lacks are skipped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "refusal.h"
#include "report.h"

#define MAX_STATES (2 * NR_STATE_MODES)
#define MAX_SUBTESTS (NR_REFUSAL_WAYS * NR_STATE_MODES)

static const struct test_about about = {
	.name = "role_refusal_test",
	.proves = "illegal register combinations are refused and change nothing",
	.has_cases = true,
	.tags = "role,refusal,native",
};

/* Two states of each mode: no flag, and every flag that this CPU has. */
static struct mmu_state states[MAX_STATES];
static unsigned int nr_states, first_of_mode[NR_STATE_MODES + 1];
static struct refusal_rig *rig;
static struct test_options options;

struct part {
	char name[32];
	enum refusal_way way;
	enum state_mode mode;
};

static void find_states(void)
{
	struct vm *vm = vm_create_barebones();
	struct kvm_cpuid2 *cpuid = kvm_supported_cpuid(vm->kvm_fd);
	const struct cpu_facts cpu = cpuid_facts(cpuid);
	int mode, flag;

	for (mode = 0; mode < NR_STATE_MODES; mode++) {
		struct mmu_state all = { .mode = mode };

		first_of_mode[mode] = nr_states;
		if (state_missing(&all, &cpu))
			continue;
		states[nr_states++] = all;
		for (flag = 1; flag < 1 << NR_STATE_FLAGS; flag <<= 1) {
			const struct mmu_state one = { mode, flag };

			if ((state_modes[mode].used | state_modes[mode].ignored) & flag &&
			    !state_missing(&one, &cpu))
				all.flags |= flag;
		}
		if (all.flags)
			states[nr_states++] = all;
	}
	first_of_mode[NR_STATE_MODES] = nr_states;
	free(cpuid);
	vm_free(vm);
}

static void run_part(const struct subtest *self)
{
	const struct part *part = self->data;
	const char *lacks;
	unsigned int i, made = 0;

	if (!rig) {
		find_states();
		rig = refusal_rig_create(states, nr_states);
	}
	lacks = refusal_way_lacks(rig, part->way);
	TEST_REQUIRE(!lacks, "this host has no %s", lacks);
	TEST_REQUIRE(first_of_mode[part->mode] < first_of_mode[part->mode + 1],
		     "the CPU does not offer this mode");
	for (i = first_of_mode[part->mode]; i < first_of_mode[part->mode + 1]; i++)
		made += refusals_run(rig, part->way, i, options.case_id, options.after);
	TEST_REQUIRE(made || options.case_id, "the guest cannot run in this mode here");
	TEST_ASSERT(made, "there is no such case on this CPU, or none that --after names");
}

int main(int argc, char **argv)
{
	static struct part parts[MAX_SUBTESTS];
	static struct subtest subtests[MAX_SUBTESTS];
	unsigned int nr = 0;
	int way, mode, code;

	test_options_parse(&about, argc, argv, &options);
	for (way = 0; way < NR_REFUSAL_WAYS; way++) {
		for (mode = 0; mode < NR_STATE_MODES; mode++) {
			struct part *part = &parts[nr];

			*part = (struct part){ .way = way, .mode = mode };
			snprintf(part->name, sizeof(part->name), "%s/%s", refusal_ways[way].name,
				 state_modes[mode].name);
			if (options.case_id && !subtest_holds_case(part->name, options.case_id))
				continue;
			/* One case alone is the whole subtest. */
			subtests[nr++] = (struct subtest){ options.case_id ?: part->name, run_part,
							   part };
		}
	}
	if (!nr) {
		fprintf(stderr, "malformed case id '%s': WAY/MODE/FLAGS/CHANGE, see --list\n",
			options.case_id);
		return KSFT_USAGE;
	}
	code = report_run(&about, &options, subtests, nr);
	refusal_rig_free(rig);
	return code;
}
