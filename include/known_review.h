/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What became of the known issues in a set of runs: a test tells which entries matched nothing in
 * its own run (include/known_issues.h), this tells it of all runs on all hosts together.
 */
#ifndef KMC_KNOWN_REVIEW_H
#define KMC_KNOWN_REVIEW_H

#include <jansson.h>
#include <stdio.h>

#include "known_issues.h"

/*
 * runs is a list that runs_load() gave.  Prints a line for each entry that is expired, that
 * covered no case although its hosts and tests are there, or whose hosts or tests are not.
 * False if one of the first two was found.
 */
bool known_issues_review(struct known_issues *issues, const json_t *runs, FILE *to);

#endif
