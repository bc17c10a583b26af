/* SPDX-License-Identifier: GPL-2.0-only */
/* What is quoted from damaged or malicious input must not break the line it is quoted in. */
#ifndef KMC_PRINTABLE_H
#define KMC_PRINTABLE_H

/* Control characters become '?'; returns text. */
static inline char *printable(char *text)
{
	char *at;

	for (at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
	return text;
}

#endif
