// SPDX-License-Identifier: GPL-2.0-only
/* The one place where text becomes HTML or XML. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "markup.h"

static void put_escaped(FILE *to, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", to);
			break;
		case '<':
			fputs("&lt;", to);
			break;
		case '>':
			fputs("&gt;", to);
			break;
		case '"':
			fputs("&quot;", to);
			break;
		case '\'':
			fputs("&#39;", to);
			break;
		case '\t':
		case '\n':
			fputc(*text, to);
			break;
		default:
			if ((unsigned char)*text < ' ' || *text == 0x7f) {
				fputs("\xef\xbf\xbd", to);
			} else if (!strncmp(text, "\xef\xbf\xbe", 3) || !strncmp(text, "\xef\xbf\xbf", 3)) {
				/* U+FFFE and U+FFFF are no characters. */
				fputs("\xef\xbf\xbd", to);
				text += 2;
			} else {
				fputc(*text, to);
			}
		}
	}
}

void markup(FILE *to, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (; *format; format++) {
		if (*format != '%') {
			fputc(*format, to);
		} else if (*++format == 's') {
			put_escaped(to, va_arg(args, const char *));
		} else if (*format == 'd') {
			fprintf(to, "%d", va_arg(args, int));
		} else if (!strncmp(format, "lld", 3)) {
			fprintf(to, "%lld", va_arg(args, long long));
			format += 2;
		} else if (!strncmp(format, "zu", 2)) {
			fprintf(to, "%zu", va_arg(args, size_t));
			format++;
		} else if (*format == '%') {
			fputc('%', to);
		} else {
			abort(); /* no text gets here, only a format of ours */
		}
	}
	va_end(args);
}
