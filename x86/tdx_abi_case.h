/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of tdx_abi_test share: one call is one case, and its errno is what is compared. */
#ifndef TDX_ABI_CASE_H
#define TDX_ABI_CASE_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "tdx_td.h"

/* Instead of an errno: the call is made and noted, and nothing is expected. */
#define ANYTHING (-1)
/* Not made: it reaches the TDX module in a state that KVM holds for a bug of its own, or needs what is not there. */
#define NOT_MADE (-2)

#define PAGE 0x1000ull

static inline const char *error_text(int error)
{
	return !error                 ? "ok" :
	       error == ANYTHING      ? "anything" :
	       strerrorname_np(error) ?:
					"unknown errno";
}

/*
 * Compares; second: another errno that is as right, or the same again.  True if it is as
 * expected, and so the TD is still in the state that the table says.
 */
static inline bool check_errno(const struct subtest *self, const char *name, int expected,
			       int second, int observed)
{
	char id[160], want[64];
	struct case_failure failure = {
		.id = id,
		.expected = want,
		.observed = error_text(observed),
		.rule = "tdx-abi",
	};

	report_cases(1);
	snprintf(id, sizeof(id), "%s/%s", self->name, name);
	if (expected == ANYTHING) {
		report_note("%s: %s", id, error_text(observed));
		return true;
	}
	if (observed == expected || observed == second)
		return true;
	snprintf(want, sizeof(want), "%s", error_text(expected));
	if (second != expected)
		snprintf(want + strlen(want), sizeof(want) - strlen(want), " or %s",
			 error_text(second));
	report_failure(&failure);
	return false;
}

/* The same for numbers. */
static inline void check_number(const struct subtest *self, const char *name, u64 expected,
				u64 observed)
{
	char id[160], want[32], got[32];
	struct case_failure failure = {
		.id = id, .expected = want, .observed = got, .rule = "tdx-abi"
	};

	report_cases(1);
	if (observed == expected)
		return;
	snprintf(id, sizeof(id), "%s/%s", self->name, name);
	snprintf(want, sizeof(want), "%#llx", (unsigned long long)expected);
	snprintf(got, sizeof(got), "%#llx", (unsigned long long)observed);
	report_failure(&failure);
}

#endif
