/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The results file of a test binary: one JSON object per line.
 *
 * Lines are handed to the kernel at once, so that a crash of the test loses none,
 * and to the disk by results_sync(), so that a crash of the host loses little.
 */
#ifndef KMC_RESULTS_FILE_H
#define KMC_RESULTS_FILE_H

#include <jansson.h>

#include "types.h"

/* Empties or creates the file; false with errno if it cannot be written. */
bool results_open(const char *path);
/* Can results_open() work?  Changes no existing content. */
bool results_writable(const char *path);

/* Writes one event; the reference is stolen.  Does nothing while no file is open. */
void results_write(json_t *event);
void results_sync(void);
/* False if something could not be written; stderr has had one line about it. */
bool results_close(void);

/* A JSON string of any bytes: those that are not UTF-8 become '?'. */
json_t *json_text(const char *text);

#endif
