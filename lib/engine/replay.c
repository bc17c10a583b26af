// SPDX-License-Identifier: GPL-2.0-only
/* How every replay begins and ends: see include/replay.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "replay.h"
#include "test_assert.h"

void replay_begin(void)
{
	static bool printed;

	if (!printed)
		printf("KTAP version 1\n1..1\n");
	printed = true;
}

static void print_result(int code, const char *id, const char *message)
{
	replay_begin();
	if (code == KSFT_SKIP) {
		printf("ok 1 %s # SKIP %s\n", id, message);
		return;
	}
	if (message[0])
		printf("# %s\n", message);
	printf("%sok 1 %s\n", code == KSFT_PASS ? "" : "not ", id);
}

int replay_run(int (*replay)(const void *context), const void *context, const char *id)
{
	struct test_scope scope;
	int code;

	switch (setjmp(*test_scope_enter(&scope))) {
	case 0:
		code = replay(context);
		break;
	case TEST_END_SKIP:
		code = KSFT_SKIP;
		break;
	default:
		code = KSFT_FAIL;
		break;
	}
	test_scope_leave(&scope);
	if (code != KSFT_USAGE)
		print_result(code, id, scope.message);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "cannot write the output: %s\n", strerror(errno));
		return KSFT_FAIL;
	}
	return code;
}
