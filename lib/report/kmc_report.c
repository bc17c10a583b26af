// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmc-report: the part of the runner that a shell cannot do well.  Its own program,
 * statically linked, because the hosts it runs on may have nothing but bash.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_text.h"
#include "summary.h"
#include "test_assert.h"
#include "tied.h"
#include "unfinished.h"

static int usage(const char *what, const char *word)
{
	fprintf(stderr,
		"kmc-report: %s%s (kmc-report host [--json] | kvm | summary RUN_DIR |"
		" unfinished RESULTS_DIR | process PID | tied PID COMMAND...)\n",
		what, word);
	return KSFT_USAGE;
}

static int finish_stdout(int code)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "kmc-report: cannot write: %s\n", strerror(errno));
		return KSFT_FAIL;
	}
	return code;
}

static int print_host(bool json)
{
	struct host_card card;
	json_t *object;

	host_card_read(&card);
	if (json) {
		object = host_card_json(&card);
		json_dumpf(object, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(object);
	} else {
		host_card_print(&card, stdout);
	}
	return finish_stdout(KSFT_PASS);
}

/* Can tests that need KVM run here?  Exits 0, or 4 with the reason. */
static int check_kvm(void)
{
	struct host_card card;

	host_card_read(&card);
	if (!card.kvm_error[0])
		return KSFT_PASS;
	puts(card.kvm_error);
	return finish_stdout(KSFT_SKIP);
}

/* For the runner's first event: who it is. */
static int print_process(const char *pid)
{
	json_t *identity = process_identity(atoi(pid));

	json_dumpf(identity, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(identity);
	return finish_stdout(KSFT_PASS);
}

static int summarize(const char *run_dir)
{
	char error[512];
	json_t *summary;
	int code;

	summary = summary_build(run_dir, error, sizeof(error));
	if (!summary) {
		fprintf(stderr, "kmc-report: %s\n", error);
		return KSFT_USAGE;
	}
	code = summary_exit_code(summary);
	errno = 0;
	if (!summary_write(summary, run_dir)) {
		fprintf(stderr, "kmc-report: cannot write %s/summary.json: %s\n", run_dir,
			strerror(errno));
		code = KSFT_FAIL;
	}
	summary_print(summary, stdout);
	json_decref(summary);
	return finish_stdout(code);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage("which command?", "");
	if (!strcmp(argv[1], "host")) {
		if (argc > 2 && strcmp(argv[2], "--json"))
			return usage("unknown option ", argv[2]);
		return print_host(argc > 2);
	}
	if (!strcmp(argv[1], "kvm"))
		return check_kvm();
	if (!strcmp(argv[1], "tied"))
		return argc < 4 ? usage("PID and a command are needed by ", argv[1]) :
				  run_tied(atoi(argv[2]), argv + 3);
	if (strcmp(argv[1], "summary") && strcmp(argv[1], "unfinished") &&
	    strcmp(argv[1], "process"))
		return usage("unknown command ", argv[1]);
	if (argc != 3)
		return usage("one argument is needed by ", argv[1]);
	if (!strcmp(argv[1], "summary"))
		return summarize(argv[2]);
	if (!strcmp(argv[1], "process"))
		return print_process(argv[2]);
	finish_unfinished_runs(argv[2], stdout);
	return finish_stdout(KSFT_PASS);
}
