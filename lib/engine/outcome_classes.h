/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ways to differ.  On some hosts 100,000 cases differ alike and one known issue covers them all: then
 * texts are made for one of them, and of the others nothing is left but to count them.
 */
#ifndef KMC_OUTCOME_CLASSES_H
#define KMC_OUTCOME_CLASSES_H

#include "compare.h"

#define MAX_CLASSES 64
#define NO_CLASS MAX_CLASSES

/* All zero: none seen so far.  Of one engine and one guest. */
struct outcome_classes {
	u32 nr;
	struct {
		struct outcome_class class;
		bool asked;
		int issue; /* that covers every case of the class, or -1: that depends on the case */
	} list[MAX_CLASSES];
};

/* The class of a case that differs, or NO_CLASS. */
u32 outcome_class_find(struct outcome_classes *classes, const struct comparison *c);
/* Has one more failing case of this class been counted, and is nothing else to be done with it? */
bool outcome_class_counted(const struct outcome_classes *classes, u32 class);
/* The same, now that the texts are there: asks who covers them. */
bool outcome_class_known(struct outcome_classes *classes, u32 class, const char *expected,
			 const char *observed, const char *engine);

#endif
