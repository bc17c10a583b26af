/* SPDX-License-Identifier: GPL-2.0-only */
/* --seeded, of tests that break the model's rules in turn where they are built to do so. */
#ifndef KMC_SEEDED_H
#define KMC_SEEDED_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Was it given?  Anything else, or a build without -DSEEDED_FAULTS, ends the process. */
static inline bool seeded_asked_for(int argc, char **argv)
{
	bool asked = argc == 2 && !strcmp(argv[1], "--seeded");

	if (argc > 1 && !asked) {
		fprintf(stderr, "%s: unknown option '%s'; known: --seeded\n", argv[0], argv[1]);
		exit(2);
	}
#ifndef SEEDED_FAULTS
	if (asked) {
		fprintf(stderr, "%s: built without -DSEEDED_FAULTS\n", argv[0]);
		exit(2);
	}
#endif
	return asked;
}

#endif
