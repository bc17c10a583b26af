// SPDX-License-Identifier: GPL-2.0-only
/* The subtests of one run in several processes: see jobs.h. */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs.h"
#include "results_file.h"
#include "test_assert.h"

/* This process as one of several; -1 where it runs alone. */
static int lock_fd = -1; /* a POSIX lock on it ends with the process that holds it, however that ends */
static int held_fd = -1; /* what was printed since the last result */
static int stdout_fd = -1;

static void set_lock(short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	while (lock_fd >= 0 && fcntl(lock_fd, F_SETLKW, &lock) && errno == EINTR)
		;
}

/* The whole file to another, and nothing left of it. */
static bool empty_into(int from, int to)
{
	char buffer[4096];
	ssize_t size, done, at;

	lseek(from, 0, SEEK_SET);
	while ((size = read(from, buffer, sizeof(buffer))) > 0)
		for (at = 0; at < size; at += done) {
			done = write(to, buffer + at, size - at);
			if (done < 0 && errno == EINTR)
				done = 0;
			if (done < 0)
				return false;
		}
	return !ftruncate(from, 0) && !lseek(from, 0, SEEK_SET);
}

void jobs_lock(void)
{
	set_lock(F_WRLCK);
}

void jobs_unlock(struct run_totals *totals)
{
	if (held_fd >= 0) {
		fflush(stdout);
		if (!empty_into(held_fd, stdout_fd))
			totals->write_failed = true;
	}
	set_lock(F_UNLCK);
}

static void take_all(struct run_totals *totals, unsigned int nr, void (*run_one)(unsigned int place))
{
	unsigned int place;

	while (!totals->stop) {
		place = __atomic_fetch_add(&totals->next, 1, __ATOMIC_RELAXED);
		if (place >= nr)
			break;
		run_one(place);
	}
}

static int new_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	TEST_ASSERT(fd >= 0, "no memory file for what a job prints: errno %d", errno);
	return fd;
}

/* Does not come back. */
static void be_job(struct run_totals *totals, pid_t parent, unsigned int nr,
		   void (*run_one)(unsigned int place))
{
	/* SIGTERM, not SIGKILL: a test that traces has something to clear away. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(KSFT_FAIL);
	dup2(held_fd, STDOUT_FILENO);
	take_all(totals, nr, run_one);
	if (!results_close())
		totals->write_failed = true;
	exit(KSFT_PASS);
}

/* As a job did: the signal, or the exit code, is what a caller is to see. */
static _Noreturn void end_as(int status)
{
	fflush(stdout);
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : KSFT_FAIL);
}

static void start_jobs(struct run_totals *totals, unsigned int jobs, unsigned int nr,
		       void (*run_one)(unsigned int place), pid_t *pids, int *held)
{
	pid_t parent = getpid();
	unsigned int i;

	lock_fd = new_memfd("lock");
	stdout_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	TEST_ASSERT(stdout_fd >= 0, "standard output cannot be duplicated: errno %d", errno);
	fflush(stdout);
	for (i = 0; i < jobs; i++) {
		held[i] = held_fd = new_memfd("held");
		pids[i] = fork();
		TEST_ASSERT(pids[i] >= 0, "job %u of %u cannot be started: errno %d", i + 1, jobs, errno);
		if (!pids[i])
			be_job(totals, parent, nr, run_one);
	}
	held_fd = -1;
}

/* How the first job ended that did not end well; 0 if none. */
static int wait_for_jobs(struct run_totals *totals, unsigned int jobs, const pid_t *pids, const int *held)
{
	unsigned int left = jobs, i;
	int status, bad = 0;
	pid_t pid;

	while (left) {
		pid = waitpid(-1, &status, 0);
		if (pid < 0 && errno == EINTR)
			continue;
		TEST_ASSERT(pid >= 0, "waiting for jobs: errno %d", errno);
		left--;
		if (!status || bad)
			continue;
		bad = status;
		totals->stop = true;
		/* What it said of the subtest in which it ended. */
		for (i = 0; i < jobs; i++)
			if (pids[i] == pid) {
				set_lock(F_WRLCK);
				empty_into(held[i], stdout_fd);
				set_lock(F_UNLCK);
			}
	}
	return bad;
}

void jobs_run(struct run_totals *totals, unsigned int jobs, unsigned int nr,
	      void (*run_one)(unsigned int place))
{
	unsigned int i;
	pid_t *pids;
	int *held, bad;

	if (jobs > nr)
		jobs = nr;
	if (jobs <= 1) {
		take_all(totals, nr, run_one);
		return;
	}
	pids = calloc(jobs, sizeof(pids[0]));
	held = calloc(jobs, sizeof(held[0]));
	TEST_ASSERT(pids && held, "out of memory");
	start_jobs(totals, jobs, nr, run_one, pids, held);
	bad = wait_for_jobs(totals, jobs, pids, held);
	for (i = 0; i < jobs; i++)
		close(held[i]);
	close(lock_fd);
	close(stdout_fd);
	lock_fd = stdout_fd = -1;
	free(pids);
	free(held);
	if (bad)
		end_as(bad);
}
