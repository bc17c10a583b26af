/* SPDX-License-Identifier: GPL-2.0-only */
/* A state as walk_test goes through it, beside kvm-unit-tests' `access`. */
#ifndef KMC_BENCH_WHOLE_H
#define KMC_BENCH_WHOLE_H

#include "mmu_state.h"

void bench_whole(const struct mmu_state *state);

#endif
