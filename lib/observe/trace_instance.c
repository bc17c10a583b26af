// SPDX-License-Identifier: GPL-2.0-only
/* The process's tracing instance: made once, removed at exit and by fatal signals. */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trace_instance.h"
#include "types.h"

#define NAME_PREFIX "kmc-roles-"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static const int fatal_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT, SIGBUS,
				     SIGFPE, SIGSEGV, SIGPIPE, SIGTERM, SIGXCPU };
static struct sigaction before[ARRAY_SIZE(fatal_signals)];

/* Empty: nothing to remove.  Plain memory: a signal handler reads it. */
static char instance_path[512];
/* Held open: an instance in use cannot be removed, whoever takes its owner for dead. */
static int instance_fd = -1;
static pid_t owner;

static void remove_instance(void)
{
	/* A child process is not the owner. */
	if (!instance_path[0] || owner != getpid())
		return;
	if (instance_fd >= 0)
		close(instance_fd);
	instance_fd = -1;
	if (!rmdir(instance_path) || errno == ENOENT)
		instance_path[0] = '\0';
}

/* Async-signal-safe calls only. */
static void on_fatal_signal(int sig)
{
	if (owner == getpid()) {
		/* libtracefs may be reading: with a file open the instance cannot be removed. */
		syscall(SYS_close_range, 3u, ~0u, 0u);
		instance_fd = -1;
		remove_instance();
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_fatal_signal, .sa_flags = SA_NODEFER };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fatal_signals); i++) {
		sigaction(fatal_signals[i], NULL, &before[i]);
		/* What is ignored, or somebody else's (a sanitizer's), stays so. */
		if (before[i].sa_handler == SIG_DFL)
			sigaction(fatal_signals[i], &action, NULL);
	}
}

static void release_signals(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fatal_signals); i++)
		if (before[i].sa_handler == SIG_DFL)
			sigaction(fatal_signals[i], &before[i], NULL);
}

/* Nor may one come between the making of an instance and the handlers that remove it. */
static void block_signals(sigset_t *were)
{
	sigset_t fatal;
	size_t i;

	sigemptyset(&fatal);
	for (i = 0; i < ARRAY_SIZE(fatal_signals); i++)
		sigaddset(&fatal, fatal_signals[i]);
	sigprocmask(SIG_BLOCK, &fatal, were);
}

/* Called for every instance there is. */
static int remove_if_dead(const char *name, void *context)
{
	const char *dir = context;
	char path[sizeof(instance_path)], *end;
	long pid;

	if (strncmp(name, NAME_PREFIX, strlen(NAME_PREFIX)))
		return 0;
	pid = strtol(name + strlen(NAME_PREFIX), &end, 10);
	if (*end || pid <= 0)
		return 0;
	if (pid != getpid() && (!kill(pid, 0) || errno != ESRCH))
		return 0;
	/* Refused if it is alive after all, in a process namespace that is not ours. */
	if ((size_t)snprintf(path, sizeof(path), "%s/instances/%s", dir, name) < sizeof(path))
		rmdir(path);
	return 0;
}

/* libtracefs would mount it: asked before anything else. */
static bool tracefs_is_mounted(void)
{
	FILE *mounts = setmntent("/proc/mounts", "re");
	struct mntent *mount;
	bool found = false;

	while (mounts && !found && (mount = getmntent(mounts)))
		found = !strcmp(mount->mnt_type, "tracefs");
	if (mounts)
		endmntent(mounts);
	return found;
}

static struct tracefs_instance *create(char *why, size_t size)
{
	struct tracefs_instance *instance;
	static bool at_exit;
	const char *dir;
	char name[64];
	char *file;

	tracefs_set_loglevel(TEP_LOG_NONE);
	if (instance_path[0]) {
		snprintf(why, size, "this process has a tracing instance already");
		return NULL;
	}
	dir = tracefs_is_mounted() ? tracefs_tracing_dir() : NULL;
	if (!dir) {
		snprintf(why, size,
			 "tracefs is not mounted: mount -t tracefs none /sys/kernel/tracing");
		return NULL;
	}
	tracefs_instances_walk(remove_if_dead, (void *)dir);
	snprintf(name, sizeof(name), NAME_PREFIX "%d", (int)getpid());
	errno = 0;
	instance = tracefs_instance_create(name);
	if (!instance) {
		snprintf(why, size, "no tracing instance can be made in %s: %s%s", dir,
			 errno ? strerror(errno) : "unknown",
			 geteuid() ? ": run as root" : "");
		return NULL;
	}
	file = tracefs_instance_get_dir(instance);
	if (!file || strlen(file) >= sizeof(instance_path)) {
		snprintf(why, size, "the tracing instance has no usable path");
		tracefs_put_tracing_file(file);
		tracefs_instance_destroy(instance);
		tracefs_instance_free(instance);
		return NULL;
	}
	owner = getpid();
	snprintf(instance_path, sizeof(instance_path), "%s", file);
	tracefs_put_tracing_file(file);
	instance_fd = tracefs_instance_file_open(instance, "tracing_on", O_RDONLY | O_CLOEXEC);
	catch_signals();
	if (!at_exit)
		atexit(remove_instance);
	at_exit = true;
	return instance;
}

struct tracefs_instance *trace_instance_create(char *why, size_t size)
{
	struct tracefs_instance *instance;
	sigset_t were;

	block_signals(&were);
	instance = create(why, size);
	sigprocmask(SIG_SETMASK, &were, NULL);
	return instance;
}

void trace_instance_remove(struct tracefs_instance *instance)
{
	remove_instance();
	release_signals();
	tracefs_instance_free(instance);
}
