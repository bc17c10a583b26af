// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx_host_test - is this host set up for TDX, and if not, what is to be changed?
 *
 * Proves: each step of setting a TDX host up has been made: CPU and BIOS as CPUID and MSRs show
 * them, what the kernel found at boot, kvm_intel's parameters, the TDX module, KVM's
 * capability, and what TDs run out of.  One subtest per step, in the order in which the steps
 * depend on each other; each says what was read, what that means and what to change.
 *
 * Would catch: each line of the table of symptoms in docs/tdx.md that shows before a TD is made
 * (the others are tdx_abi_test's), from BIOS switches to a TDX module that is too old.
 *
 * A host that is not a TDX host is skipped, with the reason: the CPU cannot do TDX, or nobody
 * has switched anything on.  From the first step that somebody has made a step that is missing
 * is a failure.
 *
 * Needs nothing; root and the module msr to see MSRs and the kernel's log.  Changes nothing, makes no VM.
 */
#include <stdio.h>

#include "report.h"
#include "tdx_host.h"
#include "test_assert.h"

static const struct test_about about = {
	.name = "tdx_host_test",
	.proves = "this host is set up for TDX, step by step, or what is to be changed",
	.tags = "tdx,host,no-kvm",
};

#define MAX_CHECKS 64

static struct tdx_host host;
static enum tdx_host_kind kind;
static char why[256];

/* Of a host that can be no TDX host, what was read is of interest, and not what to change. */
static void say(const struct tdx_finding *finding)
{
	report_note("  read:   %s", finding->read);
	if (kind == TDX_HOST_CANNOT)
		return;
	report_note("  means:  %s", finding->means);
	if (finding->change[0])
		report_note("  change: %s", finding->change);
}

static void require_tdx_host(void)
{
	TEST_REQUIRE(kind != TDX_HOST_CANNOT, "not a TDX host: %s", why);
	TEST_REQUIRE(kind != TDX_HOST_UNKNOWN, "cannot tell whether this is a TDX host: %s", why);
	TEST_REQUIRE(kind != TDX_HOST_UNUSED, "not set up as a TDX host: %s", why);
}

static void run_check(const struct subtest *self)
{
	const struct tdx_check *check = self->data;
	struct tdx_finding finding = {};
	struct case_failure failure = {
		.id = check->name,
		.expected = check->expected,
		.observed = finding.read,
		.rule = finding.change,
	};

	check->find(&host, &finding);
	report_note("%s", check->name);
	say(&finding);
	report_cases(1);
	require_tdx_host();
	if (finding.verdict == TDX_GOOD)
		return;
	TEST_REQUIRE(finding.verdict != TDX_CANNOT_TELL, "cannot tell: %s", finding.means);
	TEST_REQUIRE(finding.verdict != TDX_LATER, "not yet: %s", finding.means);
	report_failure(&failure);
}

/* The verdict on all of it comes first, as its subtest is the one to look at. */
static void run_kind(const struct subtest *self)
{
	(void)self;
	report_note("host: %s", why);
	report_cases(1);
	require_tdx_host();
}

int main(int argc, char **argv)
{
	struct subtest subtests[MAX_CHECKS + 1] = { { "host/kind", run_kind, NULL } };
	struct test_options options;
	unsigned int i;
	int code;

	test_options_parse(&about, argc, argv, &options);
	TEST_ASSERT(tdx_nr_checks <= MAX_CHECKS, "more than %u checks", MAX_CHECKS);
	for (i = 0; i < tdx_nr_checks; i++)
		subtests[i + 1] = (struct subtest){ tdx_checks[i].name, run_check, &tdx_checks[i] };
	tdx_host_read(&host);
	kind = tdx_host_kind(&host, why, sizeof(why));
	code = report_run(&about, &options, subtests, tdx_nr_checks + 1);
	tdx_host_free(&host);
	return code;
}
