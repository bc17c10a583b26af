/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of bench. */
#ifndef KMC_BENCH_OPTIONS_H
#define KMC_BENCH_OPTIONS_H

#include <stdbool.h>

#define MAX_ROUNDS 999

struct bench_options {
	unsigned int rounds;
	const char *state; /* this one only, or NULL */
	bool whole;        /* nothing but a state as walk_test goes through it */
	const char *kut;   /* access_test.flat of kvm-unit-tests, or NULL */
};

/* Leaves what the line does not name as it is.  A bad option ends the process. */
void bench_options_parse(char **argv, struct bench_options *options);

#endif
