// SPDX-License-Identifier: GPL-2.0-only
/* The results file: JSON lines that survive the test, and soon the host. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "results_file.h"

static int results = -1;
static char *results_path;
static bool results_failed;

static void give_up(void)
{
	fprintf(stderr, "cannot write results to %s: %s\n", results_path, strerror(errno));
	close(results);
	results = -1;
	results_failed = true;
}

bool results_open(const char *path)
{
	results_failed = false;
	results = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (results < 0)
		return false;
	results_path = strdup(path);
	return true;
}

bool results_writable(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool write_all(const char *text, size_t size)
{
	ssize_t done;

	while (size) {
		done = write(results, text, size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		text += done;
		size -= done;
	}
	return true;
}

void results_write(json_t *event)
{
	char *text;
	size_t size;

	if (results >= 0) {
		text = json_dumps(event, JSON_COMPACT);
		if (!text) {
			errno = ENOMEM;
			give_up();
		} else {
			/* The newline in the same write: a line is whole or visibly cut. */
			size = strlen(text);
			text[size] = '\n';
			if (!write_all(text, size + 1))
				give_up();
		}
		free(text);
	}
	json_decref(event);
}

void results_sync(void)
{
	/* Pipes and the like cannot be synced and need not be. */
	if (results >= 0 && fdatasync(results) && errno != EINVAL && errno != EROFS)
		give_up();
}

bool results_close(void)
{
	if (results >= 0) {
		results_sync();
		if (results >= 0 && close(results)) {
			fprintf(stderr, "cannot write results to %s: %s\n", results_path,
				strerror(errno));
			results_failed = true;
		}
		results = -1;
	}
	free(results_path);
	results_path = NULL;
	return !results_failed;
}

json_t *json_text(const char *text)
{
	json_t *value = json_string(text);
	char *copy, *at;

	if (value)
		return value;
	copy = strdup(text ? text : "");
	if (!copy)
		return json_null();
	for (at = copy; *at; at++)
		if (*at & 0x80)
			*at = '?';
	value = json_string(copy);
	free(copy);
	return value;
}
