/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Assertions that end the running subtest, by name, and nothing else.
 *
 * lib/vmm/ sits below lib/report/ and must not call it, so a failed assertion
 * only fills the innermost scope and jumps to it; the report layer opens a
 * scope around each subtest and turns what comes back into a result.  Without a
 * scope (a tool, set-up before the first subtest) the message goes to stderr
 * and the process exits: 1 for a failure, 4 for an unmet requirement.
 */
#ifndef KMC_TEST_ASSERT_H
#define KMC_TEST_ASSERT_H

#include <setjmp.h>

#include "types.h"

#define KSFT_PASS 0
#define KSFT_FAIL 1
#define KSFT_USAGE 2 /* bad option, malformed case id, unreadable input */
#define KSFT_SKIP 4

enum test_end {
	TEST_END_FAIL = 1, /* an assertion did not hold */
	TEST_END_SKIP,     /* the host lacks something the subtest needs */
};

struct test_scope {
	jmp_buf jump;
	struct test_scope *outer;
	char message[1024];
};

/*
 * Usage: struct test_scope scope;
 *        switch (setjmp(*test_scope_enter(&scope))) { case 0: body(); break; ... }
 *        test_scope_leave(&scope);
 * setjmp() returns an enum test_end when the body was ended.
 */
jmp_buf *test_scope_enter(struct test_scope *scope);
void test_scope_leave(struct test_scope *scope);

_Noreturn void test_end(enum test_end how, const char *file, int line,
			const char *fmt, ...) __printf(4, 5);

/* Ends the outer scope as this one was ended: for who has to clean up in between. */
_Noreturn void test_end_again(enum test_end how, const struct test_scope *ended);

/* calloc(), also of none, that ends the subtest where there is no memory. */
void *zeroed(size_t nr, size_t size);

#define TEST_ASSERT(cond, fmt, ...)                                              \
	do {                                                                     \
		if (!(cond))                                                     \
			test_end(TEST_END_FAIL, __FILE__, __LINE__,              \
				 "assertion '%s' failed: " fmt, #cond,           \
				 ##__VA_ARGS__);                                 \
	} while (0)

#define TEST_FAIL(fmt, ...) \
	test_end(TEST_END_FAIL, __FILE__, __LINE__, fmt, ##__VA_ARGS__)

/* Skip unless cond holds; the text says what the host lacks. */
#define TEST_REQUIRE(cond, fmt, ...)                                       \
	do {                                                               \
		if (!(cond))                                               \
			test_end(TEST_END_SKIP, __FILE__, __LINE__, fmt,   \
				 ##__VA_ARGS__);                           \
	} while (0)

#endif
