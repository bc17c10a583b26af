/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A replay: one case alone, told in full, as KTAP with one result.
 *
 * A case id that cannot be tried gets one line on stderr, no KTAP and KSFT_USAGE; whether it
 * can is known for sure only when there is a guest, so the head is printed late.
 */
#ifndef KMC_REPLAY_H
#define KMC_REPLAY_H

/* Prints KTAP's head, once: from here on something will be run. */
void replay_begin(void);

/*
 * Runs a replay in a scope of its own and prints its result, id.  replay returns an exit code
 * (KSFT_*), as does this.
 */
int replay_run(int (*replay)(const void *context), const void *context, const char *id);

#endif
