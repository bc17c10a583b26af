/* SPDX-License-Identifier: GPL-2.0-only */
/* What the paths in L2 and out of it share, on SVM: path_l2.c, path_l2_out.c. */
#ifndef KMC_PATH_L2_H
#define KMC_PATH_L2_H

#include "transition_internal.h"

const char *path_l2_lacks(struct journey *journey);
const char *path_l2_lacks_tdp(struct journey *journey);
/* The guest's own vCPU, with what VMRUN needs. */
struct vcpu *path_l2_vcpu(struct journey *journey);

/* The same for SMM. */
const char *path_l2_smm_lacks(struct journey *journey);
const char *path_l2_smm_lacks_tdp(struct journey *journey);
struct vcpu *path_l2_smm_vcpu(struct journey *journey);

/* L1 in one state enters L2 in another; intercepts: as struct script_l2 has it. */
void path_l2_enter(struct script *script, const struct mmu_state *l1, const struct mmu_state *l2,
		   bool tdp, u32 intercepts);

/* L1's state is the one that #VMEXIT leads to; or a usual one. */
const struct mmu_state *path_l2_outer_to(const struct mmu_state *from, const struct mmu_state *to);
const struct mmu_state *path_l2_outer_usual(const struct mmu_state *from,
					    const struct mmu_state *to);
/* Can L1 be in the state that the path leads to? */
bool path_l2_to_paging(const struct mmu_state *from, const struct mmu_state *to);

void path_l2_must_be(const struct journey *journey, bool in_l2);

#define L2_PATH_MEMBERS(...) __VA_ARGS__
/*
 * A path without nested paging and the same with it.  For that LACKS and INTO have twins whose names
 * end in _tdp; PLAIN and TDP are other members, in parentheses, of the one and of the other.
 */
#define L2_PATHS(VARIABLE, NAME, DOES, LACKS, VCPU, INTO, PLAIN, TDP, ...)                        \
	const struct transition_path path_##VARIABLE = {                                          \
		.name = NAME,                                                                     \
		.does = DOES,                                                                     \
		.lacks = LACKS,                                                                   \
		.vcpu = VCPU,                                                                     \
		.into = &INTO,                                                                    \
		L2_PATH_MEMBERS PLAIN,                                                            \
		__VA_ARGS__                                                                       \
	};                                                                                        \
	const struct transition_path path_##VARIABLE##_tdp = {                                    \
		.name = NAME "-tdp",                                                              \
		.does = DOES ", with nested paging",                                              \
		.lacks = LACKS##_tdp,                                                             \
		.vcpu = VCPU,                                                                     \
		.into = &INTO##_tdp,                                                              \
		L2_PATH_MEMBERS TDP,                                                              \
		.tdp = true,                                                                      \
		__VA_ARGS__                                                                       \
	}

#endif
