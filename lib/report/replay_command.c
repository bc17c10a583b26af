// SPDX-License-Identifier: GPL-2.0-only
/* The command that runs one failing case alone. */
#include <stdio.h>
#include <string.h>

#include "replay_command.h"

/* Appends a word as a shell reads it back. */
static void append_quoted(FILE *to, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";

	if (*word && strspn(word, plain) == strlen(word)) {
		fputs(word, to);
		return;
	}
	fputc('\'', to);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", to);
		else
			fputc(*word, to);
	}
	fputc('\'', to);
}

static void append_option(FILE *to, const char *option, const char *value)
{
	fputs(option, to);
	append_quoted(to, value);
}

char *replay_command(const struct test_about *about, const struct test_options *options,
		     const struct subtest *subtest, const struct case_failure *failure)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	const char *engine = failure->engine ? failure->engine : options->engine;

	if (!to)
		return NULL;
	append_quoted(to, options->replay ? options->replay : about->name);
	/* What is replayed without a word about it is replayed natively. */
	if (engine && about->engines && strcmp(engine, "native"))
		append_option(to, " --engine ", engine);
	if (!about->has_cases) {
		append_option(to, " --filter ", subtest->name);
	} else {
		append_option(to, " --case ", failure->id);
		if (failure->after)
			append_option(to, " --after ", failure->after);
		if (failure->after && failure->from)
			append_option(to, ":", failure->from);
		if (failure->after && failure->path)
			append_option(to, " --path ", failure->path);
	}
	if (about->seeded && options->shuffle)
		fprintf(to, " --seed %llu", (unsigned long long)options->seed);
	fclose(to);
	return text;
}
