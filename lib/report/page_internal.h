/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the page, each in a file of its own. */
#ifndef KMC_PAGE_INTERNAL_H
#define KMC_PAGE_INTERNAL_H

#include <jansson.h>
#include <stdio.h>

#include "markup.h"
#include "types.h"

struct page {
	FILE *to;
	const json_t *run;
	json_t *first_case; /* by page_key(): number of a subtest's first failing case in full */
	json_t *by_case;    /* failures and known failures by the case's id */
	json_t *shown;	    /* those cases, in the order of their numbers */
	long long not_shown;
};

enum outcome { OUTCOME_PASS, OUTCOME_KNOWN, OUTCOME_FAIL, OUTCOME_SKIP, OUTCOME_NONE, NR_OUTCOMES };

struct outcome_text {
	const char *name;   /* class in the style sheet, value in the filter */
	const char *symbol; /* for those who do not tell the colours apart */
	const char *word;
};

extern const struct outcome_text outcome_texts_of[NR_OUTCOMES];

/* Of a test or a subtest, by its "status". */
enum outcome outcome_of(const json_t *of);

#define PAGE_KEY_LEN 512
/* Names a subtest in first_case: test, host of a merged run, subtest. */
void page_key(const json_t *test, const char *name, const char *subtest, char key[PAGE_KEY_LEN]);
/* The number of its first case in full, counted from 1, or 0. */
long long page_first_case(const struct page *page, const json_t *test, const char *subtest);

/* A symbol with its word for those who hear the page. */
void page_symbol(const struct page *page, enum outcome outcome);

#define PAGE_NUMBER_LEN 32
/* "12,043,267": for those who read it. */
void page_number(long long n, char text[PAGE_NUMBER_LEN]);

/* What went wrong with a case, whichever it is: rule, expected, observed, test, a line each. */
void page_kind_key(const json_t *failure, char key[PAGE_KEY_LEN]);
/* The failing cases by what went wrong: many cases are of few kinds.  Nothing for a few cases. */
void page_kinds(const struct page *page);
/* One failing case in full, open or to be opened. */
void page_case(const struct page *page, const json_t *failure, long long number, bool open);
/* The tables of outcomes by mode and state, one or more for each test. */
void page_matrices(const struct page *page);
/* A plot of the subtests: time against number of cases. */
void page_growth(const struct page *page);
/* Another: cases per second against the number of vCPUs, where subtests tell both. */
void page_rates(const struct page *page);

#endif
