/* SPDX-License-Identifier: GPL-2.0-only */
/* The architecture walker on a TD's image, in the paging mode that its parameters say. */
#ifndef KMC_TD_IMAGE_WALK_H
#define KMC_TD_IMAGE_WALK_H

#include "td_payload.h"
#include "walk.h"
#include "x86.h"

/* low: the image, TD_LOW_SIZE bytes from GPA 0. */
static inline struct walk_result td_image_walk(const u8 *low, unsigned int gpaw, gva_t gva,
					       enum access_kind kind)
{
	const struct td_params *params = (const struct td_params *)(low + TD_PARAMS_GPA);
	const struct cpu_facts cpu = { .maxphyaddr = gpaw, .lm = true, .nx = true, .la57 = true };
	const struct phys_range range = { 0, TD_LOW_SIZE, low };
	const struct phys_memory memory = { &range, 1 };
	const struct walk_regs regs = {
		.cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP,
		.cr3 = params->cr3,
		.cr4 = params->cr4,
		.efer = X86_EFER_LME | X86_EFER_LMA | X86_EFER_NX,
		.cs_l = true,
	};
	const struct walk_access access = { .gva = gva, .kind = kind };
	struct walk_result r;

	walk(&cpu, &regs, &memory, &access, &r);
	return r;
}

#endif
