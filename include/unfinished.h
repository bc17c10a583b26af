/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs that did not finish: their runner was killed, or the host went down.
 *
 * Such a run folder has a run.jsonl, no summary.json, and no runner any more.  The
 * runner names itself in run.jsonl by process id, the time that process began and
 * the boot, so that a run that still goes on is never mistaken for a dead one.
 */
#ifndef KMC_UNFINISHED_H
#define KMC_UNFINISHED_H

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

/* {"pid", "start", "boot"} of a running process, for the "run" event. */
json_t *process_identity(pid_t pid);

/*
 * Looks through a results folder.  Each unfinished run gets its line on to, what is
 * left of its tests is killed, and its summary is written from what was kept.
 */
void finish_unfinished_runs(const char *results_dir, FILE *to);

#endif
