/* SPDX-License-Identifier: GPL-2.0-only */
/* The command that runs one failing case alone. */
#ifndef KMC_REPLAY_COMMAND_H
#define KMC_REPLAY_COMMAND_H

#include "report.h"

/* As a shell reads it; the caller frees it.  NULL when out of memory. */
char *replay_command(const struct test_about *about, const struct test_options *options,
		     const struct subtest *subtest, const struct case_failure *failure);

#endif
