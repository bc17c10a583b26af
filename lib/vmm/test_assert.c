// SPDX-License-Identifier: GPL-2.0-only
/* The stack of assertion scopes, and the jump out of a failed one. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "test_assert.h"

/* Per thread: a watchdog thread must never jump onto the subtest's stack. */
static __thread struct test_scope *innermost;

jmp_buf *test_scope_enter(struct test_scope *scope)
{
	scope->outer = innermost;
	scope->message[0] = '\0';
	innermost = scope;
	return &scope->jump;
}

void test_scope_leave(struct test_scope *scope)
{
	innermost = scope->outer;
}

static _Noreturn void end_innermost(enum test_end how, const char *message)
{
	struct test_scope *scope = innermost;

	if (!scope) {
		fflush(stdout);
		fprintf(stderr, "%s: %s\n", how == TEST_END_SKIP ? "skip" : "fail", message);
		exit(how == TEST_END_SKIP ? KSFT_SKIP : KSFT_FAIL);
	}

	/*
	 * Closed before the jump: an assertion that fails while this end is being
	 * handled belongs to the outer scope, and must not come back here for ever.
	 */
	innermost = scope->outer;
	snprintf(scope->message, sizeof(scope->message), "%s", message);
	longjmp(scope->jump, how);
}

void test_end(enum test_end how, const char *file, int line, const char *fmt, ...)
{
	char message[sizeof(innermost->message)];
	int used = 0;
	va_list args;

	/* A skip names what the host lacks: where the suite asked is no news. */
	if (how == TEST_END_FAIL)
		used = snprintf(message, sizeof(message), "%s:%d: ", file, line);
	if (used < 0 || (size_t)used >= sizeof(message))
		used = 0;
	va_start(args, fmt);
	vsnprintf(message + used, sizeof(message) - used, fmt, args);
	va_end(args);
	end_innermost(how, message);
}

void test_end_again(enum test_end how, const struct test_scope *ended)
{
	end_innermost(how, ended->message);
}

void *zeroed(size_t nr, size_t size)
{
	void *p = calloc(nr + 1, size);

	TEST_ASSERT(p, "out of memory");
	return p;
}
