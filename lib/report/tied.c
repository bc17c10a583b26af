// SPDX-License-Identifier: GPL-2.0-only
/* A test must not go on, with its VMs and its tracing, when its runner has been killed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tied.h"

int run_tied(pid_t parent, char **command)
{
	/* Kept by execve(), as the command is no set-user-ID program. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		return 128 + SIGTERM;
	execvp(command[0], command);
	fprintf(stderr, "kmc-report: %s: %s\n", command[0], strerror(errno));
	return 127;
}
