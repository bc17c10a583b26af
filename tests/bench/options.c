// SPDX-License-Identifier: GPL-2.0-only
/* The command line of bench. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "mmu_state.h"
#include "test_assert.h"

static void usage(unsigned int rounds)
{
	printf("Usage: bench [--rounds N] [--state STATE] [--whole] [--kut FILE] [--help]\n"
	       "Cases per second of each engine, and the ratio to a bare loop of the same accesses in\n"
	       "the same guest (the floor).\n"
	       "  --rounds N     rounds of each measurement, 1 to %d (%d)\n"
	       "  --state STATE  this state only, e.g. 4level/wp,nx\n"
	       "  --whole        only one state as walk_test goes through it\n"
	       "  --kut FILE     access_test.flat of kvm-unit-tests: its checks per second here, too\n"
	       "  --help         this text\n"
	       "Exit status: 0 measured, 1 something failed, 2 bad option, 4 no usable /dev/kvm.\n",
	       MAX_ROUNDS, rounds);
}

static _Noreturn void bad_usage(const char *what, const char *word, const char *why)
{
	fprintf(stderr, "bench: %s '%s'%s (see --help)\n", what, word, why);
	exit(KSFT_USAGE);
}

/* The value of --name VALUE or --name=VALUE, or NULL when arg is another option. */
static const char *value_of(const char *name, char **argv, int *i)
{
	size_t len = strlen(name);

	if (strncmp(argv[*i], name, len))
		return NULL;
	if (argv[*i][len] == '=')
		return argv[*i] + len + 1;
	if (argv[*i][len])
		return NULL;
	if (!argv[*i + 1])
		bad_usage("option", name, " needs a value");
	return argv[++*i];
}

void bench_options_parse(char **argv, struct bench_options *options)
{
	struct mmu_state state;
	const char *value, *error;
	char *end;
	int i;

	for (i = 1; argv[i]; i++) {
		if (!strcmp(argv[i], "--help")) {
			usage(options->rounds);
			exit(0);
		} else if (!strcmp(argv[i], "--whole")) {
			options->whole = true;
		} else if ((value = value_of("--rounds", argv, &i))) {
			options->rounds = strtoul(value, &end, 10);
			if (*value < '0' || *value > '9' || *end || options->rounds < 1 ||
			    options->rounds > MAX_ROUNDS)
				bad_usage("--rounds", value, ": not a number from 1 to 999");
		} else if ((value = value_of("--state", argv, &i))) {
			error = state_parse(value, strlen(value), &state);
			if (error || state_modes[state.mode].paging == PAGING_NONE)
				bad_usage("--state", value, error ? ": no such state" :
								    ": no paging, nothing to measure");
			options->state = value;
		} else if ((value = value_of("--kut", argv, &i))) {
			options->kut = value;
		} else {
			bad_usage("unknown option", argv[i], "");
		}
	}
}
