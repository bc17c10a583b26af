// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that cannot be made gives back what there was of it already.
 *
 * Would catch: a VM, its memory or its files left behind by an assertion in guest_create(),
 * which a test that goes on with a new guest would pile up.  Needs /dev/kvm; what memory is
 * left behind shows only where this is built with sanitizers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "guest.h"
#include "test_assert.h"

/* The two lowest file descriptors that are free: a VM takes them, a vCPU is one too many. */
struct free_fds {
	int first, second;
};

static struct free_fds free_fds(void)
{
	struct free_fds free;

	free.first = dup(STDOUT_FILENO);
	free.second = dup(STDOUT_FILENO);
	close(free.first);
	close(free.second);
	return free;
}

/* NULL, or what is wrong. */
static const char *try_to_create(const struct free_fds *before)
{
	struct test_scope scope;
	struct free_fds after;

	switch (setjmp(*test_scope_enter(&scope))) {
	case 0:
		guest_free(guest_create(NULL));
		test_scope_leave(&scope);
		return "it was made with no file descriptor left for its vCPU";
	case TEST_END_SKIP:
		printf("1..1\nok 1 - guest_create() # SKIP %s\n", scope.message);
		exit(KSFT_SKIP);
	default:
		break;
	}
	printf("# %s\n", scope.message);
	if (!strstr(scope.message, "KVM_CREATE_VCPU"))
		return "another assertion failed";
	after = free_fds();
	if (after.first != before->first || after.second != before->second)
		return "files are left open";
	return NULL;
}

int main(void)
{
	const struct free_fds fds = free_fds();
	struct rlimit limit = { fds.second + 1, 0 };
	const char *wrong;

	puts("KTAP version 1");
	limit.rlim_max = limit.rlim_cur;
	setrlimit(RLIMIT_NOFILE, &limit);
	wrong = try_to_create(&fds);
	if (wrong)
		printf("# %s\n", wrong);
	printf("1..1\n%sok 1 - what guest_create() had is given back\n", wrong ? "not " : "");
	return wrong ? KSFT_FAIL : KSFT_PASS;
}
