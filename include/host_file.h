/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading small files of /proc, /sys and /dev, and CPUID.
 *
 * Nothing is written and nothing is opened for writing.  Whoever wants to play another host
 * (the suite's own tests) replaces open(), fopen(), opendir() and host_cpuid().
 */
#ifndef KMC_HOST_FILE_H
#define KMC_HOST_FILE_H

#include "types.h"

/* The first line of a file, without its newline; false if it cannot be read. */
bool host_read_line(const char *path, char *line, size_t size);

/* The first line that begins with this text, likewise. */
bool host_find_line(const char *path, const char *begin, char *line, size_t size);

/* "0-3,8" as the kernel writes lists of CPUs: calls back for each; false if it is no list. */
bool host_each_in_list(const char *list, void (*each)(void *context, unsigned int n),
		       void *context);

struct host_cpuid {
	u32 eax, ebx, ecx, edx;
};

/* CPUID of the CPU that runs this; all 0 for a leaf that it does not have. */
struct host_cpuid host_cpuid(u32 leaf, u32 subleaf);

/* An MSR through /dev/cpu/N/msr: 0 or errno.  EIO: the CPU does not have it. */
int host_msr_read(unsigned int cpu, u32 msr, u64 *value);

#endif
