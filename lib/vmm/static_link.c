// SPDX-License-Identifier: GPL-2.0-only
/*
 * What static libraries ask glibc for, and a static binary has not: the Makefile has the linker
 * send these calls here, so that nothing of the build host's glibc is needed at run time.
 */
#ifdef STATIC_LINK
#include <netdb.h>
#include <stddef.h>

#include "static_link.h"

/* libtraceevent can load plugins, which nothing here asks for. */
void *__wrap_dlopen(const char *file, int mode)
{
	(void)file;
	(void)mode;
	return NULL;
}

/* libnuma can name nodes by the network device that leads to an address; nothing here does. */
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		       struct addrinfo **result)
{
	(void)node;
	(void)service;
	(void)hints;
	(void)result;
	return EAI_FAIL;
}
#endif
