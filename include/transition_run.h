/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test of transitions: the paths it takes, between which states.  Its subtests are states/MODE,
 * which has what goes wrong in a state that KVM_SET_SREGS enters, and PATH/MODE or PATH/MODE-MODE:
 * all pairs within a mode, or between two.
 */
#ifndef KMC_TRANSITION_RUN_H
#define KMC_TRANSITION_RUN_H

#include "transition.h"

struct transition_test {
	struct test_about about; /* name, what it proves, tags: the rest is filled in */
	const struct transition_path *const *paths;
	/* NULL: all states; or which of them. */
	bool (*wanted)(const struct mmu_state *state);
};

/* The test's main(). */
int transition_test_main(const struct transition_test *test, int argc, char **argv);

#endif
