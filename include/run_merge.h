/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several runs as one: the shards of a run, a run that was repeated in parts, or several hosts.
 *
 * Each subtest of a test on a host counts once; of several results the worst is kept, with its
 * failing cases.  Hosts are the same if their label and kernel (include/run_load.h), their CPU's
 * model, what it offers and how KVM is set up are.  The result is a summary as in
 * include/summary.h.  If there are several hosts, "hosts" has their cards, and each test and
 * failure has "host", its place in that list.  A card has "apart", what the host differs in, if
 * another one has the same label and kernel.  "missing" names the shards that no run has.
 */
#ifndef KMC_RUN_MERGE_H
#define KMC_RUN_MERGE_H

#include <jansson.h>

/* runs is a list of what run_load() gives; name becomes that of the merged run. */
json_t *runs_merge(const json_t *runs, const char *name);

#endif
