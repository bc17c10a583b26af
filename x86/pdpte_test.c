// SPDX-License-Identifier: GPL-2.0-only
/*
 * pdpte_test - the PDPTE registers of PAE paging are loaded when they must be, and only then.
 *
 * Proves: for each of the four PDPTEs and each reserved bit, with P=0 and P=1, what MOV to CR3,
 * CR0 and CR4, WRMSR of EFER, LMSW, INVLPG, KVM_SET_SREGS and KVM_SET_SREGS2 do after the PDPTE
 * was changed in memory: a load that must come comes or is refused with #GP(0), any other event
 * neither looks at memory nor fails; and the vCPU that KVM_GET_SREGS2 is copied to walks by the
 * registers, the one that KVM_GET_SREGS is copied to by memory.
 *
 * Would catch: CR4.SMAP or PKE loading PDPTEs (427890aff855, cb957adb4ea4), a load that KVM
 * leaves out, refused loads carried out in part, PDPTEs lost when KVM makes its roots anew.
 * Bad PDPTEs through KVM_SET_SREGS, all bits from all states: role_refusal_test.
 *
 * Needs: /dev/kvm and a guest that runs under PAE paging.
 */
#include <stdio.h>
#include <string.h>

#include "case.h"
#include "engine.h"
#include "pdpte_cases.h"
#include "report.h"

#define MAX_SUBTESTS 64

static const struct test_about about = {
	.name = "pdpte_test",
	.proves = "PDPTE registers are loaded when they must be, and only then",
	.has_cases = true,
	.tags = "pdpte,native",
};

static struct pdpte_rig *rig;
static struct test_options options;
static char runs[96]; /* why the guest does not run under PAE paging; "-" if it does */
static bool runs_elsewhere; /* with a PDPT at the start of a page */

/* As walk_test's guests: those that cannot run fail there. */
static bool agent_runs(void)
{
	const struct mmu_state pae = { .mode = MODE_PAE };
	const struct agent_batch like = engine_batch(&engine_native, &pae, &all_actors[0],
						     AGENT_READ, CARE_NONE);

	pdpte_rig_renew(rig);
	return !agent_probe(rig->guest, &like, agent_run);
}

/* Can the guest run there at all?  Where not, each subtest says so. */
static void probe(void)
{
	static const struct pdpte_event none = { .name = "probe", .from = MODE_PAE };
	struct pdpte_result result = { 0 };
	int err = pdpte_enter(rig, rig->guest->vcpu, &none);

	snprintf(runs, sizeof(runs), "-");
	if (err)
		snprintf(runs, sizeof(runs), "KVM_SET_SREGS: %s", strerror(err));
	else if (!pdpte_look(rig, rig->guest->vcpu, &none, &result))
		snprintf(runs, sizeof(runs), "%s", result.text);
	runs_elsewhere = strcmp(runs, "-") && agent_runs();
}

static void run_part(const struct subtest *self)
{
	const struct pdpte_event *event = self->data;
	const char *lacks;
	unsigned int made = 0, i;
	/* No control bit, and every one that PAE paging knows. */
	u8 flags[] = { 0, FLAG_WP | FLAG_NX | FLAG_PSE };

	if (!rig) {
		rig = pdpte_rig_create();
		probe();
	}
	TEST_ASSERT(!runs_elsewhere, "PDPTEs at %#llx: %s; at the start of a page the guest runs",
		    PDPTE_CR3, runs);
	TEST_REQUIRE(!strcmp(runs, "-"), "the guest cannot run under PAE paging here: %s", runs);
	lacks = pdpte_event_lacks(rig, event);
	TEST_REQUIRE(!lacks, "this host has no %s", lacks);
	if (rig->guest->cpu.smep)
		flags[1] |= FLAG_SMEP;
	if (rig->guest->cpu.smap)
		flags[1] |= FLAG_SMAP;
	if (!rig->guest->cpu.nx)
		flags[1] &= ~FLAG_NX;
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		made += pdpte_run(rig, event, flags[i], options.case_id);
	TEST_ASSERT(made, "there is no such case on this CPU");
}

int main(int argc, char **argv)
{
	static struct subtest subtests[MAX_SUBTESTS];
	unsigned int nr = 0, i;
	int code;

	test_options_parse(&about, argc, argv, &options);
	if (options.after) {
		fprintf(stderr, "%s: a case starts from its own state, there is no --after\n",
			about.name);
		return KSFT_USAGE;
	}
	for (i = 0; i < nr_pdpte_events && nr < MAX_SUBTESTS; i++) {
		const struct pdpte_event *event = &pdpte_events[i];

		if (options.case_id && !subtest_holds_case(event->name, options.case_id))
			continue;
		subtests[nr++] = (struct subtest){ event->name, run_part, event };
	}
	if (!nr) {
		fprintf(stderr, "malformed case id '%s': EVENT/STATE/CHANGE, see --list\n",
			options.case_id);
		return KSFT_USAGE;
	}
	code = report_run(&about, &options, subtests, nr);
	pdpte_rig_free(rig);
	return code;
}
