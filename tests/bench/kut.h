/* SPDX-License-Identifier: GPL-2.0-only */
/* kvm-unit-tests' `access` as a yardstick of `make bench`: built by the user, nothing of it is here. */
#ifndef KMC_BENCH_KUT_H
#define KMC_BENCH_KUT_H

#define KUT_CHECKS_PER_DOT 65536

/*
 * Boots access_test.flat in a VM.  Ends the scope where there is no such file or no usable
 * /dev/kvm.
 */
struct kut *kut_start(const char *path);
/*
 * Lets it go on until it puts out a dot, and returns how many seconds that took; 0 if it came to
 * its end, or in at_most seconds of CPU time to no dot: kut_why() says which.
 */
double kut_next_dot(struct kut *kut, unsigned int at_most);
const char *kut_why(const struct kut *kut);
void kut_free(struct kut *kut);

#endif
