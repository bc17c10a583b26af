/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before each file of the kernel's library (-include): what the library would do to the
 * whole process is taken over.
 *
 *   exit(), ksft_exit_skip()  end the running subtest (ends.c), not the test
 *   open()                    the device that KVM_DEVICE names
 *   constructors              do not run: the library's prints, catches signals and asks for
 *                             parameters of KVM, before main() and whatever the test needs; it
 *                             is for the library's guest code, of which there is none here
 *
 * test_assert(), which all of its assertions call, is in calls.c instead of its lib/assert.c.
 */
#ifndef KMC_LIBKVM_TAKE_OVER_H
#define KMC_LIBKVM_TAKE_OVER_H

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "ends.h"

#define exit(code) libkvm_exit(code)
#define open(path, ...) open(libkvm_path(path), ##__VA_ARGS__)
#define constructor unused

#include "kselftest.h"
/* What TEST_REQUIRE() calls; behind the function of that name. */
#define ksft_exit_skip libkvm_skip

#endif
