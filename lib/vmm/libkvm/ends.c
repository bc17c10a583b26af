// SPDX-License-Identifier: GPL-2.0-only
/* The ways in which the kernel's library ends a test, as ends of the running subtest. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ends.h"
#include "host.h"
#include "test_assert.h"

#define TEXT_LEN 512

/* The library's texts have several lines; a subtest's message is one. */
static void one_line(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text != '\n')
			*to++ = *text;
		else if (text[1])
			*to++ = ' ';
	}
	*to = '\0';
}

void libkvm_fail(int err, const char *file, unsigned int line, const char *expression,
		 const char *fmt, va_list args)
{
	const char *name = strrchr(file, '/');
	char text[TEXT_LEN] = "";

	if (fmt)
		vsnprintf(text, sizeof(text), fmt, args);
	one_line(text);
	if (err == EACCES)
		TEST_REQUIRE(false, "libkvm: access denied: %s", text[0] ? text : expression);
	/* Many texts have errno in them. */
	if (strstr(text, "errno"))
		test_end(TEST_END_FAIL, name ? name + 1 : file, line,
			 "libkvm: assertion '%s' failed: %s", expression, text);
	test_end(TEST_END_FAIL, name ? name + 1 : file, line,
		 "libkvm: assertion '%s' failed: %s%serrno %d (%s)", expression, text,
		 text[0] ? ", " : "", err, strerror(err));
}

void libkvm_skip(const char *fmt, ...)
{
	char text[TEXT_LEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	one_line(text);
	/* They begin with "- ". */
	test_end(TEST_END_SKIP, __FILE__, __LINE__, "libkvm: %s", text + strspn(text, "- "));
}

void libkvm_exit(int code)
{
	if (code == KSFT_SKIP)
		libkvm_skip("the library skips, see above");
	TEST_FAIL("libkvm: the library ends the test with exit code %d", code);
}

const char *libkvm_path(const char *path)
{
	return strcmp(path, "/dev/kvm") ? path : kvm_device_path();
}
