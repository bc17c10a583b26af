/* SPDX-License-Identifier: GPL-2.0-only */
/* What the linker sends calls of static libraries to: see static_link.c. */
#ifndef KMC_STATIC_LINK_H
#define KMC_STATIC_LINK_H

struct addrinfo;

void *__wrap_dlopen(const char *file, int mode);
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		       struct addrinfo **result);

#endif
