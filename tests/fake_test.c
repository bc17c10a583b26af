// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test that does what it is told, for the suite's tests of runner and report.
 *
 * It is called by the name of the file it is run as.  The environment variable
 * FAKE_<name>, or else FAKE_PLAN, lists its subtests: "a=pass:10 b=fail:2 c=hang".
 * A number behind the colon is a count of cases, of ms for slow and nap.
 */
#define _GNU_SOURCE /* program_invocation_short_name */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

#define MAX_SUBTESTS 256

static json_t *fake_detail(const void *context)
{
	return json_pack("{s:i}", "number", *(const unsigned int *)context);
}

static const char *engine; /* --engine */

static void fail_cases(const char *subtest, unsigned int nr, const char *expected,
		       const char *observed)
{
	struct case_failure failure = { .expected = expected, .observed = observed };
	char id[128];

	report_engine(engine ? engine : "native");
	failure.rule = "fake_rule";
	for (unsigned int i = 0; i < nr && !report_should_stop(); i++) {
		snprintf(id, sizeof(id), "%s/case-%u", subtest, i);
		failure.id = id;
		failure.engine = engine;
		failure.detail = fake_detail;
		failure.context = &i;
		report_failure(&failure);
	}
}

static void leave_orphan(void)
{
	/* Ignores SIGTERM and outlives its parent: only a kill of the whole group ends it. */
	if (!fork()) {
		signal(SIGTERM, SIG_IGN);
		sleep(300);
		_exit(0);
	}
}

static void run_fake(const struct subtest *self)
{
	const char *does = self->data, *colon = strchr(does, ':');
	unsigned int n = colon ? atoi(colon + 1) : 1;
	size_t length = colon ? (size_t)(colon - does) : strlen(does);

#define DOES(name) (length == strlen(name) && !strncmp(does, name, length))
	report_cases(n);
	if (DOES("fail"))
		fail_cases(self->name, n, "#PF(p)", "no fault");
	else if (DOES("known"))
		fail_cases(self->name, n, "#PF(p,rsvd) cr2=0x1000", "#PF(rsvd) cr2=0x1000");
	else if (DOES("skip"))
		TEST_REQUIRE(false, "this host has no fake feature");
	else if (DOES("assert"))
		TEST_ASSERT(n == 0, "n is %u", n);
	else if (DOES("crash")) {
		signal(SIGSEGV, SIG_DFL); /* a sanitizer would turn it into an exit */
		raise(SIGSEGV);
	} else if (DOES("exit"))
		_exit(n);
	else if (DOES("hang"))
		pause();
	else if (DOES("deaf")) {
		signal(SIGTERM, SIG_IGN);
		for (;;)
			pause();
	} else if (DOES("orphan"))
		leave_orphan();
	else if (DOES("nap"))
		usleep(n * 1000);
	else if (DOES("note"))
		report_note("a note\nof two lines");
	else if (DOES("kmsg")) {
		/* Where the fake dmesg(1) of the suite's tests reads from. */
		FILE *log = fopen(getenv("FAKE_KMSG"), "ae");

		TEST_ASSERT(log, "FAKE_KMSG");
		fprintf(log, "[ 1.0] harmless\n[ 1.1] %s\n[ 1.2] Call Trace:\n", colon + 1);
		fclose(log);
	} else if (!DOES("pass"))
		TEST_FAIL("fake_test does not know '%s'", does);
}

/*
 * What would survive a power loss: how much of a file was there when it was last synced goes to
 * the file FAKE_SYNC_LOG, as "SIZE PATH".  The linker sends every fdatasync() here.
 */
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
	const char *log = getenv("FAKE_SYNC_LOG");
	char link[64], path[4096];
	struct stat before;
	ssize_t length;
	FILE *to;
	int ret;

	if (!log || fstat(fd, &before))
		return __real_fdatasync(fd);
	ret = __real_fdatasync(fd);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	to = ret || length < 0 ? NULL : fopen(log, "ae");
	if (to) {
		fprintf(to, "%lld %.*s\n", (long long)before.st_size, (int)length, path);
		fclose(to);
	}
	return ret;
}

int main(int argc, char **argv)
{
	const char *name = program_invocation_short_name;
	struct test_about about = {
		.name = name,
		.proves = "Nothing: it does what FAKE_PLAN says.",
		.has_cases = true,
		.engines = "native, other",
		.replays_all = true,
		.tags = "fake,no-kvm",
	};
	static struct subtest subtests[MAX_SUBTESTS];
	struct test_options options;
	unsigned int nr = 0;
	char variable[128], plan[4096], *word, *state, *equals;
	const char *wanted;

	snprintf(variable, sizeof(variable), "FAKE_%s", name);
	wanted = getenv(variable) ?: getenv("FAKE_PLAN") ?: "a=pass";
	snprintf(plan, sizeof(plan), "%s", wanted);
	if (getenv("FAKE_TAGS"))
		about.tags = getenv("FAKE_TAGS");
	test_options_parse(&about, argc, argv, &options);
	engine = options.engine;
	if (options.case_id) {
		printf("replaying %s\n", options.case_id);
		if (!strchr(options.case_id, '/')) {
			fprintf(stderr, "%s: malformed case id '%s'\n", name, options.case_id);
			return KSFT_USAGE;
		}
		if (!strncmp(options.case_id, "skip/", 5)) {
			printf("ok 1 %s # SKIP the CPU offers no fake\n", options.case_id);
			return KSFT_SKIP;
		}
		return strncmp(options.case_id, "fail/", 5) ? KSFT_PASS : KSFT_FAIL;
	}
	TEST_REQUIRE(strcmp(plan, "skip"), "this host has no fake anything");
	for (word = strtok_r(plan, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		equals = strchr(word, '=');
		TEST_ASSERT(equals && nr < MAX_SUBTESTS, "FAKE_PLAN: %s", word);
		*equals = '\0';
		subtests[nr++] = (struct subtest){ word, run_fake, equals + 1 };
	}
	return report_run(&about, &options, subtests, nr);
}
