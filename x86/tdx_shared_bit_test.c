// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx_shared_bit_test - the bit of an address that says whose memory it is.
 *
 * Proves: in a TD, through tables that carry the shared bit, with pages of 4 KBytes and 2 MBytes,
 * 4 and 5 levels, at both widths of guest-physical addresses: private and shared accesses meet the
 * memory of their side and no other; MapGPA and accepting convert what was asked for, all of it
 * or up to where the VMM said, and what was on the other side is lost; an access on the wrong
 * side is
 * a KVM_EXIT_MEMORY_FAULT with the right address and flag, one to a page that was not accepted
 * a #VE; addresses that are too wide, or have the other width's bit, end as they must; status words
 * and R11 of calls that are refused; several vCPUs that convert the same pages at once; shared
 * memory is never executed.
 *
 * Would catch: contents that survive a conversion or show up on the other side, stale translations
 * of a page that was converted, pages next to a converted one that change, a fault reported with
 * the shared bit or for the wrong side, a conversion that stops half-way without saying so.
 *
 * Needs: for "td" a TDX host; for "emulated-td", an ordinary VM that is made to behave like a TD
 * (include/td_guest.h), /dev/kvm and as many address bits, which nested paging takes from the
 * CPU; for
 * "emulated-td-memfd" KVM_X86_SW_PROTECTED_VM, too.  What emulated TDs show is not TDX's.
 */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "td_cases.h"

static const struct test_about about = {
	.name = "tdx_shared_bit_test",
	.proves = "the shared bit says which memory an access meets, before and after conversions",
	.has_cases = true,
	.seeded = true,
	.tags = "tdx,memslots,kvm",
};

static struct td_choice choice = { .seed = 1 };

static void run_part(const struct subtest *self)
{
	td_cases_run(self->data, &choice);
}

int main(int argc, char **argv)
{
	static struct td_part parts[TD_NR_PARTS];
	static struct subtest subtests[TD_NR_PARTS];
	struct test_options options;
	u32 nr_parts, nr = 0, i;

	test_options_parse(&about, argc, argv, &options);
	if (options.shuffle)
		choice.seed = options.seed;
	choice.only = options.case_id;
	nr_parts = td_parts(parts);
	for (i = 0; i < nr_parts; i++)
		if (!options.case_id || td_case_exists(&parts[i], options.case_id))
			subtests[nr++] = (struct subtest){ parts[i].name, run_part, &parts[i] };
	if (!nr || options.after) {
		fprintf(stderr,
			nr ? "%s: a case starts from a TD of its own, there is no --after\n" :
			     "%s: malformed case id: KIND/GPAW/LEVELS/PAGE/STORY/STEP, see --list\n",
			about.name);
		return KSFT_USAGE;
	}
	return report_run(&about, &options, subtests, nr);
}
