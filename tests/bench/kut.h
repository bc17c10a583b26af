/* SPDX-License-Identifier: GPL-2.0-only */
/* kvm-unit-tests' `access` as a yardstick of `make bench`: built by the user, nothing of it is here. */
#ifndef KMC_BENCH_KUT_H
#define KMC_BENCH_KUT_H

struct kut_rate {
	double per_second; /* checks; 0: none were seen */
	const char *why;   /* 0 checks: what happened instead */
};

/*
 * Boots access_test.flat in a VM and counts its checks for so many seconds of CPU time (more, until
 * there are any to count, at most eight times).  Ends the scope where there is no such file or no
 * usable /dev/kvm.
 */
struct kut_rate kut_access_rate(const char *path, unsigned int seconds);

#endif
