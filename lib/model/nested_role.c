// SPDX-License-Identifier: GPL-2.0-only
/* The roles of nested paging, and what is derived from them: see include/nested_role.h. */
#include <string.h>

#include "nested_role.h"
#include "x86.h"

const struct nested_deviation_text nested_deviations[NR_NESTED_DEVIATIONS] = {
#define D(name, in, seen, rule, does, where) \
	[NESTED_DEV_##name] = { #name, in, seen, RULE_##rule, does, where },
	NESTED_DEVIATIONS(D)
#undef D
};

u32 nested_deviations_of(enum role_rules rules, bool emulation)
{
	u32 mask = 0;
	int i;

	for (i = 0; i < NR_NESTED_DEVIATIONS; i++)
		if (nested_deviations[i].rule_sets & 1u << rules &&
		    (emulation || nested_deviations[i].seen == NESTED_BY_ANY))
			mask |= 1u << i;
	return mask;
}

void nested_roles_of(const struct role_context *context, const struct nested_tables *tables,
		     const struct walk_regs *l2, struct nested_roles *roles)
{
	const struct role_regs l2_regs = role_regs_from(l2->cr0, l2->cr4, l2->efer);
	const struct role_npt npt = { .cr4 = tables->l1_cr4, .efer = tables->l1_efer };
	const struct role_eptp eptp = {
		.level = ((tables->root & EPTP_PWL) >> EPTP_PWL_SHIFT) + 1,
		.accessed_dirty = tables->root & EPTP_AD,
		.execonly = tables->caps.execonly,
		.mbec = tables->mbec,
	};

	roles->l2 = kvm_calc_nested_mmu_role(context, &l2_regs);
	if (tables->kind == NESTED_NPT) {
		roles->walk = kvm_calc_npt_cpu_role(context, &npt);
		roles->root = kvm_calc_shadow_npt_root_page_role(context, &npt);
	} else {
		roles->walk = kvm_calc_shadow_ept_root_page_role(context, &eptp);
		/* root_role.word = cpu_role.base.word; 2021: one mmu_role for both. */
		roles->root = roles->walk;
		if (context->rules != ROLE_RULES_2021)
			roles->root.valid = roles->root.execonly = 0;
	}
}

static enum nested_format_index format_of(enum role_rules rules, enum nested_kind kind,
					  const struct mmu_role *role)
{
	if (!RULE_HOLDS(NR_FORMAT))
		return kind == NESTED_EPT ? NESTED_FORMAT_EPT_4LEVEL : NESTED_FORMAT_NPT_4LEVEL;
	if (kind == NESTED_EPT)
		return role->level == 5 ? NESTED_FORMAT_EPT_5LEVEL : NESTED_FORMAT_EPT_4LEVEL;
	if (role->level >= 4)
		return role->level == 5 ? NESTED_FORMAT_NPT_5LEVEL : NESTED_FORMAT_NPT_4LEVEL;
	return role_is_cr4_pae(rules, role) ? NESTED_FORMAT_NPT_PAE : NESTED_FORMAT_NPT_2LEVEL;
}

/*
 * __update_permission_bitmask() as of rule set 7, for one PFEC.  All accesses of NPT are
 * those of a user, so that what CR0.WP, SMEP and SMAP do for a supervisor has no place here.
 */
static u16 faulting_rights(const struct nested_role_mmu *mmu, u32 pfec)
{
	bool user = pfec & PFERR_USER, write = pfec & PFERR_WRITE, fetch = pfec & PFERR_FETCH;
	const struct mmu_role *role = &mmu->role.walk;
	u8 exec = NESTED_ACC_EXEC;
	u16 faults = 0;
	unsigned int acc;

	/* Before rule set 7 there is no MBEC, and cr4_smep of EPT is 0. */
	if (mmu->kind == NESTED_EPT && role->cr4_smep && user)
		exec = NESTED_ACC_USER_EXEC;
	for (acc = 0; acc < 16; acc++) {
		bool rf = !write && !fetch && !(acc & NESTED_ACC_READ) && RULE_HOLDS(NR_BITMASK_R);
		bool wf = write && !(acc & NESTED_ACC_WRITE) && RULE_HOLDS(NR_BITMASK_W);
		bool uf = mmu->kind == NESTED_NPT && user && !(acc & NESTED_ACC_USER) &&
			  RULE_HOLDS(NR_BITMASK_U);
		bool ff = fetch && !(acc & exec) && (mmu->kind == NESTED_EPT || role->efer_nx) &&
			  RULE_HOLDS(NR_BITMASK_X);

		if (mmu->deviations & 1u << NESTED_DEV_EXECONLY_FETCH && mmu->kind == NESTED_EPT)
			uf = !(acc & NESTED_ACC_READ);
		if (rf || wf || uf || ff)
			faults |= 1u << acc;
	}
	return faults;
}

/* __reset_rsvds_bits_mask_ept() */
static void reset_ept_masks(struct nested_role_mmu *mmu, const struct cpu_facts *cpu)
{
	u64 high = BITS_ULL(51, cpu->maxphyaddr);
	/* ept_caps_to_lpage_level() */
	int huge = mmu->caps.page_1g ? 3 : mmu->caps.page_2m ? 2 : 1;
	u64 no_1g = huge < 3 ? EPT_PS : 0, no_2m = huge < 2 ? EPT_PS : 0;
	unsigned int value;
	int level;

	for (level = 1; level <= MAX_LEVELS; level++)
		mmu->ept_reserved[0][level] = mmu->ept_reserved[1][level] =
			high | (level >= 4 ? BITS_ULL(7, 3) : 0);
	mmu->ept_reserved[0][3] |= BITS_ULL(6, 3) | no_1g;
	mmu->ept_reserved[0][2] |= BITS_ULL(6, 3) | no_2m;
	mmu->ept_reserved[1][3] |= BITS_ULL(29, 12) | no_1g;
	mmu->ept_reserved[1][2] |= BITS_ULL(20, 12) | no_2m;

	for (value = 0; value < 64; value++) {
		unsigned int xwr = value & 7, type = value >> 3;

		if (type == 2 || type == 3 || type == 7 || xwr == 2 || xwr == 6 ||
		    (xwr == 4 && !mmu->role.walk.execonly))
			mmu->bad_mt_xwr |= BIT_ULL(value);
	}
	if (!RULE_HOLDS(NR_BAD_MT_XWR))
		mmu->bad_mt_xwr = 0;
}

void nested_role_mmu_init(const struct role_context *context, const struct nested_roles *roles,
			  const struct nested_tables *tables, const struct cpu_facts *cpu,
			  u32 deviations, struct nested_role_mmu *mmu)
{
	struct mmu_role l2 = roles->l2;
	u32 i;

	memset(mmu, 0, sizeof(*mmu));
	mmu->rules = context->rules;
	mmu->kind = tables->kind;
	mmu->role = *roles;
	mmu->deviations = deviations;
	mmu->caps = tables->caps;
	mmu->format = format_of(context->rules, tables->kind, &roles->walk);
	mmu->fetch_bit = role_has_pferr_fetch(context->rules, &roles->walk);
	for (i = 0; i < ARRAY_SIZE(mmu->permissions); i++)
		mmu->permissions[i] = faulting_rights(mmu, i << 1);
	if (tables->kind == NESTED_EPT)
		reset_ept_masks(mmu, cpu);
	/* 2021 sets it, paging or not (ROLE_NESTED_DIRECT); init_kvm_nested_mmu() asks cr0_pg. */
	if (role_is_cr0_pg(context->rules, &l2))
		l2.direct = 0;
	role_mmu_init(context->rules, &l2, &mmu->l2);
}

static bool steps_agree(const struct nested_result *manual, const struct nested_result *role)
{
	int i;

	if (manual->nr_steps != role->nr_steps)
		return false;
	for (i = 0; i < role->nr_steps; i++) {
		const struct nested_step *m = &manual->step[i], *r = &role->step[i];

		if (m->for_level != r->for_level || m->level != r->level || m->leaf != r->leaf ||
		    m->entry_gpa != r->entry_gpa || m->entry != r->entry ||
		    m->must_set != r->must_set)
			return false;
	}
	return true;
}

static bool l2_agrees(const struct walk_result *m, const struct walk_result *r)
{
	int i;

	if (m->outcome != r->outcome || m->nr_steps != r->nr_steps)
		return false;
	if (m->outcome == WALK_FAULT)
		return m->vector == r->vector && m->error_code == r->error_code &&
		       (m->vector != PF_VECTOR || m->cr2 == r->cr2);
	for (i = 0; i < m->nr_steps; i++)
		if (m->step[i].entry_gpa != r->step[i].entry_gpa ||
		    m->step[i].must_set != r->step[i].must_set)
			return false;
	return m->gpa == r->gpa && m->page_size == r->page_size && m->writable == r->writable &&
	       m->user == r->user && m->executable == r->executable;
}

bool nested_results_agree(const struct nested_result *manual, const struct nested_result *role)
{
	if (manual->outcome != role->outcome)
		return false;
	switch (manual->outcome) {
	case NESTED_NO_MEMORY:
		return manual->gpa == role->gpa;
	case NESTED_EXIT:
		return nested_result_allows_exit(manual, &role->exit) && steps_agree(manual, role);
	case NESTED_FAULT:
		return l2_agrees(&manual->l2, &role->l2) && steps_agree(manual, role);
	case NESTED_OK:
		break;
	}
	return manual->gpa == role->gpa && manual->page_size == role->page_size &&
	       l2_agrees(&manual->l2, &role->l2) && steps_agree(manual, role);
}
