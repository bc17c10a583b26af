// SPDX-License-Identifier: GPL-2.0-only
/*
 * Malformed input to every parser of the library: case ids of three kinds, CPU offers, states,
 * variants, known issues, the files of a run and all that reads it again, options.
 *
 * Valid texts are mutated (--seed N: the same ones again, --count N of each, 1000).  None may
 * crash a parser, hang it or upset a sanitizer; a refusal is one printable line; an id that is
 * accepted is printed as an id that is accepted and printed the same.  Needs nothing.
 *
 * Each parser works in a child process, which leaves the input it was at in shared memory.
 * fuzz_test --mutate SEED COUNT TEXT... prints mutated texts, each with a NUL behind it:
 * tests/fuzz_commands.sh feeds commands with them.
 */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "case.h"
#include "cpu_offer.h"
#include "fuzz_readers.h"
#include "known_issues.h"
#include "l2_ept.h"
#include "mutate.h"
#include "nested_case.h"
#include "printable.h"
#include "report.h"
#include "summary.h"
#include "test_assert.h"
#include "unfinished.h"

#define SECONDS_PER_PARSER 240

static char folder[PATH_MAX];
static char *input; /* shared with the child that parses it */
static unsigned int *accepted;

/* One printable line, which says something. */
static void check_message(const char *message)
{
	const char *at;

	TEST_ASSERT(message[0], "a refusal without a word");
	for (at = message; *at; at++)
		TEST_ASSERT(isprint((unsigned char)*at) || (*at & 0x80), "not one line: %s", message);
}

static char *in_folder(const char *name)
{
	static char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text, size_t size)
{
	int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	TEST_ASSERT(fd >= 0 && write(fd, text, size) == (ssize_t)size, "%s: %m", name);
	close(fd);
}

/*
 * Ids: printing what was read, and reading that again, must come to the same.
 */
#define CHECK_ID(type, parse, print, length)                                               \
	static void check_##parse(const char *text, size_t size)                           \
	{                                                                                  \
		char first[length], second[length];                                        \
		const char *error;                                                         \
		type c;                                                                    \
                                                                                           \
		(void)size;                                                                \
		error = parse(text, &c);                                                   \
		if (error) {                                                               \
			check_message(error);                                              \
			return;                                                            \
		}                                                                          \
		++*accepted;                                                               \
		print(&c, first);                                                          \
		error = parse(first, &c);                                                  \
		TEST_ASSERT(!error, "'%s', printed as '%s': %s", text, first, error);      \
		print(&c, second);                                                         \
		TEST_ASSERT(!strcmp(first, second), "'%s' becomes '%s'", first, second);   \
	}

CHECK_ID(struct test_case, case_parse, case_id, CASE_ID_LEN)
CHECK_ID(struct nested_case, nested_case_parse, nested_case_id, NESTED_CASE_ID_LEN)
CHECK_ID(struct ept_case, ept_case_parse, ept_case_id, EPT_CASE_ID_LEN)

static void check_state(const char *text, size_t size)
{
	char name[STATE_NAME_LEN];
	struct mmu_state state, again;
	const char *error = state_parse(text, size, &state);

	if (error) {
		check_message(error);
		return;
	}
	++*accepted;
	state_name(&state, name);
	TEST_ASSERT(!state_parse(name, strlen(name), &again) && same_state(&state, &again), "%s", name);
}

static void check_variant(const char *text, size_t size)
{
	char name[VARIANT_TEXT_LEN];
	u64 bits, again;
	int mode, level;

	for (mode = 0; mode < NR_STATE_MODES; mode++) {
		for (level = 1; level <= paging_formats[state_modes[mode].paging].levels; level++) {
			enum paging_mode paging = state_modes[mode].paging;
			const char *error = variant_parse(paging, level, text, size, &bits);

			if (error) {
				check_message(error);
				continue;
			}
			++*accepted;
			variant_text(paging, level, bits, name);
			error = variant_parse(paging, level, name, strlen(name), &again);
			TEST_ASSERT(!error && again == bits, "'%s' is 0x%llx, then 0x%llx", name,
				    (unsigned long long)bits, (unsigned long long)again);
		}
	}
}

static void check_offer(const char *text, size_t size)
{
	char name[CPU_OFFER_LEN];
	struct cpu_offer offer, again;
	const char *rest, *error = cpu_offer_parse(text, &offer, &rest);

	(void)size;
	if (error) {
		check_message(error);
		return;
	}
	++*accepted;
	cpu_offer_text(&offer, name);
	error = cpu_offer_parse(name, &again, &rest);
	TEST_ASSERT(!error && !*rest, "'%s', printed as '%s': %s", text, name, error ?: rest);
}

/*
 * Files
 */
static void check_known_issues(const char *text, size_t size)
{
	struct case_failure failure = { .id = "4level/nx/cpl3/read/4=p/3=p/2=p/1=p", .engine = "native",
					.expected = "#PF(p,rsvd)", .observed = "#PF(rsvd)" };
	struct host_card host = { .kernel = "6.1.0", .emulator = "qemu-tcg", .backend = "kvm_amd",
				  .emulator_version = "7.2", .tdp = YES };
	struct known_issues *issues;
	char error[512] = "";
	int every;

	write_file("known_issues.json", text, size);
	issues = known_issues_load(in_folder("known_issues.json"), error, sizeof(error));
	if (!issues) {
		check_message(error);
		return;
	}
	++*accepted;
	known_issues_select(issues, &host, "walk_test");
	every = known_issues_match_every_case(issues, "#PF(p,rsvd) => #PF(rsvd)", "native");
	TEST_ASSERT(known_issues_match(issues, &failure) == every || every < 0,
		    "an issue that covers every case does not cover one");
	known_issues_free(issues);
}

/* The folder of a run, one file of which is the mutated one. */
static const char *const run_files[][2] = {
	{ "host.json", "{\"kernel\": \"6.1.0\", \"emulator\": \"none\", \"cpus\": 2}\n" },
	{ "run.jsonl",
	  "{\"event\":\"run\",\"run\":\"r\",\"arguments\":\"\",\"tests\":[\"a_test\"],\"runner\":{\"pid\":1,"
	  "\"start\":1,\"boot\":\"x\"},\"started\":\"2026-01-01T00:00:00Z\"}\n"
	  "{\"event\":\"test_start\",\"test\":\"a_test\",\"time\":\"2026-01-01T00:00:00Z\",\"time_limit\":9}\n"
	  "{\"event\":\"test_end\",\"test\":\"a_test\",\"outcome\":\"exited\",\"exit\":1,\"time_ms\":7,"
	  "\"time_limit\":9,\"kernel_log\":\"WARNING\"}\n{\"event\":\"note\",\"text\":\"t\"}\n"
	  "{\"event\":\"run_end\",\"time\":\"2026-01-01T00:00:00Z\"}\n" },
	{ "a_test.jsonl",
	  "{\"event\":\"start\",\"test\":\"a_test\",\"subtests\":3,\"seed\":null}\n"
	  "{\"event\":\"begin\",\"subtest\":\"s\"}\n"
	  "{\"event\":\"failure\",\"verdict\":\"failed\",\"subtest\":\"s\",\"case\":\"s/1\",\"expected\":\"ok\","
	  "\"observed\":\"#PF(p)\",\"rule\":\"r\",\"engine\":\"native\",\"replay\":\"build/x --case s/1\",\"detail\":{\"n\":1,"
	  "\"cr0\":\"0x80000031\",\"role\":\"level=4 efer_nx\",\"path\":[\"PTE 0x1 page 0, bits p,w\"],"
	  "\"native\":{\"observed\":\"ok\"}}}\n"
	  "{\"event\":\"subtest\",\"name\":\"s\",\"status\":\"fail\",\"cases\":2,\"failed\":1,\"known\":0,"
	  "\"time_ms\":3,\"known_issues\":{\"i\":1}}\n"
	  "{\"event\":\"subtest\",\"name\":\"t\",\"status\":\"skip\",\"reason\":\"none\"}\n"
	  "{\"event\":\"stale_known_issue\",\"id\":\"i\"}\n{\"event\":\"end\",\"status\":\"fail\"}\n" },
};

static void check_damage(const json_t *summary)
{
	json_t *damaged = json_object_get(summary, "damaged"), *one;
	const char *text;
	size_t i;

	json_array_foreach(damaged, i, one) {
		text = json_string_value(json_object_get(one, "error"));
		TEST_ASSERT(text, "damage without a word");
		check_message(text);
	}
}

static void check_run_file(unsigned int mutated, const char *text, size_t size)
{
	char error[512] = "";
	json_t *summary;
	FILE *null = fopen("/dev/null", "we");
	unsigned int i;

	mkdir(in_folder("results"), 0700);
	mkdir(in_folder("results/run"), 0700);
	for (i = 0; i < ARRAY_SIZE(run_files); i++) {
		char name[128];

		snprintf(name, sizeof(name), "results/run/%s", run_files[i][0]);
		write_file(name, i == mutated ? text : run_files[i][1],
			   i == mutated ? size : strlen(run_files[i][1]));
	}
	summary = summary_build(in_folder("results/run"), error, sizeof(error));
	if (!summary) {
		check_message(error);
	} else {
		++*accepted;
		check_damage(summary);
		summary_exit_code(summary);
		summary_print(summary, null);
		read_again(summary, null);
	}
	json_decref(summary);
	unlink(in_folder("results/run/summary.json"));
	finish_unfinished_runs(in_folder("results"), null);
	fclose(null);
}

static void check_summary(const char *text, size_t size)
{
	char error[512] = "";
	json_t *run;
	FILE *null = fopen("/dev/null", "we");

	write_file("summary.json", text, size);
	run = run_load(in_folder("summary.json"), error, sizeof(error));
	if (run) {
		++*accepted;
		read_again(run, null);
	} else {
		check_message(printable(error));
	}
	json_decref(run);
	fclose(null);
}

static void check_host_json(const char *text, size_t size) { check_run_file(0, text, size); }
static void check_run_jsonl(const char *text, size_t size) { check_run_file(1, text, size); }
static void check_test_jsonl(const char *text, size_t size) { check_run_file(2, text, size); }

/* Options end the process: a child each, whose stderr is at most one line. */
static void check_options(const char *text, size_t size)
{
	static const struct test_about about = { .name = "fuzz", .proves = "x", .has_cases = true,
						 .paths = "a, b", .engines = "native, c" };
	struct test_options options;
	char *words = strdup(text), *argv[64] = { "fuzz" }, *word, *state, said[4096];
	int argc = 1, status, fds[2];
	ssize_t length = 0, got;
	pid_t child;

	(void)size;
	for (word = strtok_r(words, " ", &state); word && argc < 63; word = strtok_r(NULL, " ", &state))
		/* No file is to be written. */
		argv[argc++] = strchr(word, '/') && !strstr(word, "1/") ? "/dev/null" : word;
	TEST_ASSERT(!chdir(folder) && !pipe(fds), "%m");
	child = fork();
	if (!child) {
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		TEST_ASSERT(freopen("/dev/null", "w", stdout), "%m");
		test_options_parse(&about, argc, argv, &options);
		exit(0);
	}
	close(fds[1]);
	while ((got = read(fds[0], said + length, sizeof(said) - 1 - length)) > 0)
		length += got;
	close(fds[0]);
	TEST_ASSERT(waitpid(child, &status, 0) == child, "%m");
	said[length] = '\0';
	free(words);
	TEST_ASSERT(WIFEXITED(status) && (!WEXITSTATUS(status) || WEXITSTATUS(status) == KSFT_USAGE),
		    "status 0x%x: %s", status, said);
	if (!WEXITSTATUS(status)) {
		++*accepted;
		return;
	}
	TEST_ASSERT(length && strchr(said, '\n') == said + length - 1, "not one line: %s", said);
}

/*
 * The parsers, and what is mutated for each
 */
#define CASE "4level/wp,nx/cpl3/read/4=p,w,u/3=p,w,u/2=p,w,u/1=p,w,u"

static const struct parser {
	const char *name;
	void (*check)(const char *text, size_t size);
	const char *texts[8];
} parsers[] = {
	{ "case", check_case_parse,
	  { CASE, "pae/-/cpl0-ac/write/3=p/2=p,w,u,ps,b51/1=0", "2level/pse,smep/cpl0/fetch/2=p,ps/1=p",
	    "5level/wp,smap,pke,nx/cpl3-ac/ldt/5=p/4=p/3=p/2=p/1=p,k15,nx", "compat4/wp/cpl3/read/4=p/3=p/2=p/1=p",
	    "nopg/-/cpl0/read" } },
	{ "nested case", check_nested_case_parse,
	  { "4level/nx/over/4level/wp/cpl3/read/page/4=p,w,u/3=p,w,u/2=p,w,u/1=p,w,u",
	    "pae/wp,nx/over/2level/wp/cpl0/write/table/3=p,b52/2=p,w,u,a,d/1=p,w,u,a,d",
	    "2level/wp,pse/over/nopg/-/cpl0/read/page/2=p,w,u,a,d,ps,b17/1=p,w,u,a,d" } },
	{ "EPT case", check_ept_case_parse,
	  { "4level/wp/cpl3/read/4=p,w,u/3=p,w,u,ps/ept4-ad/data/4=r,w,x/3=r,w,x/2=r,w,x/1=r,w,x",
	    "nopg/-/cpl0/write/ept5/data/4=r/3=r,w/2=x/1=r,w,x,b51",
	    "4level/wp/cpl3/read/3=p,w,u/ept4/table3/4=r,w,x/3=r,w,x/2=r,w,x/1=r,w,x",
	    "pae/nx/cpl0/write/1=p/ept4-ad/table1/4=r/3=r,w/2=x/1=r,w,x" } },
	{ "state", check_state, { "4level/wp,smep,smap,pke,nx", "pae/-", "nopg/-", "2level/pse", "compat5/nx" } },
	{ "variant", check_variant, { "p,w,u,a,d,g", "0", "p,pat,pwt,pcd", "p,ps,b13,b20", "p,w,b51,nx,k15" } },
	{ "CPU offer", check_offer, { "cpu-phys36,no-1g/4level", "cpu-amd/", "cpu-intel,no-pse36/x", "cpu-phys52/" } },
	{ "known issues", check_known_issues, {
	  "{\"format\": 1, \"known_issues\": [{\"id\": \"a-b\", \"tests\": [\"walk_test\"], \"host\": {\"emulator\":"
	  " \"qemu-tcg\", \"emulator_version\": \">=7 <8\", \"tdp\": true, \"kernel\": \"!=6.2\"}, \"cases\": [\"*/nx/*\","
	  " \"+([!/])\"], \"mismatch\": \"#PF\\\\((p,)(rsvd)\\\\) => #PF\\\\(\\\\2\\\\)\", \"reason\": \"r\","
	  " \"evidence\": \"e\", \"after\": \"*\", \"engine\": \"@(native|l2)\", \"path\": \"?\"}]}\n",
	  "{\"format\": 1, \"known_issues\": [{\"id\": \"all\", \"tests\": [\"walk_test\"], \"host\": {\"tdp\": true},"
	  " \"cases\": \"*\", \"mismatch\": \"#PF\\\\(p,rsvd\\\\) => #PF\\\\(rsvd\\\\)\", \"reason\": \"r\", \"evidence\":"
	  " \"e\"}, {\"id\": \"some\", \"tests\": [\"walk_test\"], \"host\": {\"tdp\": true}, \"cases\": \"4*\","
	  " \"mismatch\": \"[^=]*=> #PF\\\\(rsvd\\\\)\", \"reason\": \"r\", \"evidence\": \"e\"}]}\n",
	  "{\"format\": 1, \"known_issues\": []}" } },
	{ "host.json", check_host_json, { NULL } },
	{ "run.jsonl", check_run_jsonl, { NULL } },
	{ "TEST.jsonl", check_test_jsonl, { NULL } },
	{ "summary.json", check_summary, { FUZZ_SUMMARY } },
	{ "options", check_options,
	  { "--list --filter 4level* --shard 1/3", "--case " CASE " --after x --path a --engine all", "--seed 1 --verbose",
	    "--max-failures 0x10 --results /dev/null", "--known-issues /dev/null --help --about", "--engine=c --shard=1/2" } },
};

static void texts_of(const struct parser *parser, const char *texts[8], unsigned int *nr)
{
	unsigned int i;

	*nr = 0;
	for (i = 0; i < ARRAY_SIZE(run_files); i++)
		if (!strcmp(parser->name, run_files[i][0]) || (i == 2 && !strcmp(parser->name, "TEST.jsonl")))
			texts[(*nr)++] = run_files[i][1];
	for (i = 0; i < 8 && parser->texts[i]; i++)
		texts[(*nr)++] = parser->texts[i];
}

static int parse_all(const struct parser *parser, u64 seed, unsigned int count)
{
	struct test_scope scope = {};
	const char *texts[8];
	unsigned int nr, i;

	alarm(SECONDS_PER_PARSER);
	texts_of(parser, texts, &nr);
	if (!setjmp(*test_scope_enter(&scope))) {
		for (i = 0; i < nr; i++) {
			strcpy(input, texts[i]);
			parser->check(input, strlen(input));
			TEST_ASSERT(*accepted, "what is to be mutated is refused itself");
		}
		for (i = 0; i < count; i++) {
			size_t size = mutate(&seed, texts, nr, input);

			parser->check(input, size);
		}
	}
	test_scope_leave(&scope);
	if (scope.message[0])
		printf("# %s\n", scope.message);
	return !!scope.message[0];
}

static bool fuzz(unsigned int number, const struct parser *parser, u64 seed, unsigned int count)
{
	int status;
	pid_t child;
	bool ok;

	*accepted = 0;
	fflush(stdout);
	child = fork();
	if (!child) {
		status = parse_all(parser, seed, count);
		fflush(stdout);
		_exit(status);
	}
	ok = waitpid(child, &status, 0) == child && !status;
	if (!ok) {
		if (WIFSIGNALED(status))
			printf("# killed by signal %d\n", WTERMSIG(status));
		printf("# input: ");
		for (size_t i = 0; i < 2000 && input[i]; i++)
			putchar(isprint((unsigned char)input[i]) ? input[i] : '?');
		putchar('\n');
	}
	printf("%sok %u %s: %u inputs, accepted %u times\n", ok ? "" : "not ", number, parser->name,
	       count, *accepted);
	return ok;
}

static int print_mutated(u64 seed, unsigned int count, const char *const *texts, unsigned int nr)
{
	static char text[MUTATED_MAX + 1];

	while (count--) {
		size_t size = mutate(&seed, texts, nr, text);
		char *nul;

		/* No argument of a command can have one inside. */
		while ((nul = memchr(text, '\0', size)))
			*nul = '0';
		fwrite(text, 1, size + 1, stdout);
	}
	return fflush(stdout) ? 1 : 0;
}

int main(int argc, char **argv)
{
	unsigned int count = 1000, i, failed = 0;
	u64 seed = time(NULL);
	char command[PATH_MAX + 16];

	if (argc > 4 && !strcmp(argv[1], "--mutate"))
		return print_mutated(strtoull(argv[2], NULL, 0), atoi(argv[3]),
				     (const char *const *)argv + 4, argc - 4);
	for (i = 1; i + 1 < (unsigned int)argc; i += 2) {
		if (!strcmp(argv[i], "--count"))
			count = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--seed"))
			seed = strtoull(argv[i + 1], NULL, 0);
	}
	input = mmap(NULL, MUTATED_MAX + 1 + sizeof(*accepted), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	snprintf(folder, sizeof(folder), "%s/fuzz_test.XXXXXX", getenv("TMPDIR") ?: "/tmp");
	if (input == MAP_FAILED || !mkdtemp(folder)) {
		perror(folder);
		return 2;
	}
	accepted = (void *)(input + MUTATED_MAX + 1 + (-(MUTATED_MAX + 1) & 7));
	printf("KTAP version 1\n# --seed %llu --count %u\n1..%zu\n", (unsigned long long)seed, count,
	       ARRAY_SIZE(parsers));
	for (i = 0; i < ARRAY_SIZE(parsers); i++)
		failed += !fuzz(i + 1, &parsers[i], seed + i, count);
	printf("# Totals: pass:%zu fail:%u\n", ARRAY_SIZE(parsers) - failed, failed);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command) || failed;
}
