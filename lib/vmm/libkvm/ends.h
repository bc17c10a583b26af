/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the kernel's library ends: see take_over.h.  Knows neither its headers nor the suite's. */
#ifndef KMC_LIBKVM_ENDS_H
#define KMC_LIBKVM_ENDS_H

#include <stdarg.h>

/* An assertion of the library's at file:line; it takes EACCES for a reason to skip. */
_Noreturn void libkvm_fail(int err, const char *file, unsigned int line, const char *expression,
			   const char *fmt, va_list args);
_Noreturn void libkvm_skip(const char *fmt, ...);
_Noreturn void libkvm_exit(int code);
/* The device to open for /dev/kvm; other paths stay. */
const char *libkvm_path(const char *path);

#endif
