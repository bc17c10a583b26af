/* SPDX-License-Identifier: GPL-2.0-only */
/* A command that does not outlive the process that started it. */
#ifndef KMC_TIED_H
#define KMC_TIED_H

#include <sys/types.h>

/*
 * Becomes the command, a NULL-terminated vector looked up in PATH, which gets SIGTERM when its
 * parent dies, also of SIGKILL (prctl(2), PR_SET_PDEATHSIG).  parent says who that is, as it may
 * have died before.  Returns 127 if there is no such command, 143 if the parent is gone, as
 * a shell would say.
 */
int run_tied(pid_t parent, char **command);

#endif
