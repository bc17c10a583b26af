/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run as JUnit XML, for CI systems that show such files.
 *
 * A test is a <testsuite>, a subtest a <testcase>.  What failed has a <failure> with its first
 * failing cases and their replay commands, what was skipped a <skipped> with the reason.  A test
 * that crashed or did not finish has a test case of its own with an <error>.
 */
#ifndef KMC_JUNIT_H
#define KMC_JUNIT_H

#include <jansson.h>
#include <stdio.h>

/* run is what run_load() gives. */
void junit_write(const json_t *run, FILE *to);

#endif
