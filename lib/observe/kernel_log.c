// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading /dev/kmsg (Documentation/ABI/testing/dev-kmsg): one read() is one record, "level,sequence,
 * time,flags;text", followed by " KEY=value" lines.  Where a read() gives more, as from a file
 * in its place, that is no different: only lines count.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel_log.h"

#define MAX_LINES 200000

static bool add_line(struct kernel_log *log, const char *text)
{
	char **line;

	if (log->nr == MAX_LINES)
		return false;
	/* Room for a power of two of them. */
	if (!(log->nr & (log->nr - 1))) {
		line = realloc(log->line, (log->nr ? 2 * log->nr : 1) * sizeof(*line));
		if (!line)
			return false;
		log->line = line;
	}
	log->line[log->nr] = strdup(text);
	return log->line[log->nr] && ++log->nr;
}

static bool add_record(struct kernel_log *log, const char *record)
{
	unsigned long long sequence;
	const char *text = strchr(record, ';');

	if (record[0] == ' ' || !text || sscanf(record, "%*u,%llu,", &sequence) != 1)
		return true; /* a KEY=value of the record before */
	if (!log->nr)
		log->complete = !sequence;
	return add_line(log, text + 1);
}

static bool add_text(struct kernel_log *log, char *text)
{
	char *line, *state;

	for (line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		if (!add_record(log, line))
			return false;
	return true;
}

/* What a file in its place breaks off in the middle of a line is kept for the next read(). */
static int read_all(struct kernel_log *log, int fd)
{
	static char buffer[65536];
	size_t held = 0;
	ssize_t n;
	char *end;

	for (;;) {
		n = read(fd, buffer + held, sizeof(buffer) - 1 - held);
		if (n < 0 && (errno == EINTR || errno == EPIPE))
			continue; /* EPIPE: lines were overwritten; what follows is newer */
		if (n <= 0)
			return n < 0 && errno != EAGAIN ? errno : 0;
		held += n;
		buffer[held] = '\0';
		end = strrchr(buffer, '\n');
		if (!end) {
			if (held == sizeof(buffer) - 1)
				held = 0;
			continue;
		}
		*end++ = '\0';
		if (!add_text(log, buffer))
			return ENOMEM;
		held -= end - buffer;
		memmove(buffer, end, held);
	}
}

void kernel_log_read(struct kernel_log *log)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	memset(log, 0, sizeof(*log));
	if (fd < 0) {
		log->error = errno;
		return;
	}
	log->error = read_all(log, fd);
	close(fd);
}

void kernel_log_free(struct kernel_log *log)
{
	while (log->nr)
		free(log->line[--log->nr]);
	free(log->line);
	memset(log, 0, sizeof(*log));
}

static bool has(const struct kernel_log *log, unsigned int nr, const char *text,
		const char *and_text)
{
	return strcasestr(log->line[nr], text) &&
	       (!and_text || strcasestr(log->line[nr], and_text));
}

int kernel_log_first(const struct kernel_log *log, const char *text, const char *and_text)
{
	unsigned int i;

	for (i = 0; i < log->nr; i++)
		if (has(log, i, text, and_text))
			return i;
	return -1;
}

int kernel_log_last(const struct kernel_log *log, const char *text, const char *and_text)
{
	unsigned int i;

	for (i = log->nr; i-- > 0;)
		if (has(log, i, text, and_text))
			return i;
	return -1;
}
