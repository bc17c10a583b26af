/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing HTML and XML. */
#ifndef KMC_MARKUP_H
#define KMC_MARKUP_H

#include <stdio.h>

/*
 * As fprintf(), but every %s is text: what would be markup is escaped, and a character that XML
 * does not allow becomes U+FFFD.  Conversions are %s, %d, %lld, %zu and %%, without width.
 */
void markup(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
