// SPDX-License-Identifier: GPL-2.0-only
/* Small files, lists of CPUs, MSRs. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host_file.h"

#define MAX_LISTED 8192

bool host_find_line(const char *path, const char *begin, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, size, file))
		found = !strncmp(line, begin, strlen(begin));
	fclose(file);
	if (found)
		line[strcspn(line, "\n")] = '\0';
	return found;
}

bool host_read_line(const char *path, char *line, size_t size)
{
	return host_find_line(path, "", line, size);
}

bool host_each_in_list(const char *list, void (*each)(void *context, unsigned int n),
		       void *context)
{
	unsigned long first, last;
	char *end;

	while (isdigit((unsigned char)*list)) {
		first = last = strtoul(list, &end, 10);
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return false;
			last = strtoul(end + 1, &end, 10);
		}
		if (last < first || last >= MAX_LISTED)
			return false;
		for (; first <= last; first++)
			each(context, first);
		list = *end == ',' ? end + 1 : end;
	}
	return !*list;
}

int host_msr_read(unsigned int cpu, u32 msr, u64 *value)
{
	char path[64];
	ssize_t n;
	int fd, err;

	snprintf(path, sizeof(path), "/dev/cpu/%u/msr", cpu);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	n = pread(fd, value, sizeof(*value), msr);
	err = n == sizeof(*value) ? 0 : n < 0 ? errno : EIO;
	close(fd);
	return err;
}
