/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's log, as /dev/kmsg has it: lines without time and level, oldest first.
 */
#ifndef KMC_KERNEL_LOG_H
#define KMC_KERNEL_LOG_H

#include "types.h"

struct kernel_log {
	char **line;
	unsigned int nr;
	bool complete; /* its first line is the first since boot */
	int error;     /* errno: it could not be read; lines may be missing */
};

void kernel_log_read(struct kernel_log *log);
void kernel_log_free(struct kernel_log *log);

/* The number of the first or the last line with all these texts, upper and lower case alike; -1: none. */
int kernel_log_first(const struct kernel_log *log, const char *text, const char *and_text);
int kernel_log_last(const struct kernel_log *log, const char *text, const char *and_text);

#endif
