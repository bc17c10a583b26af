// SPDX-License-Identifier: GPL-2.0-only
/*
 * The role rules.  Sources and versions: role.h; each rule's text: role_rules.def.
 */
#include <stdio.h>

#include "role.h"
#include "rule.h"

#define PT32_LEVELS 2
#define PAE_LEVELS 3

const struct role_field role_fields[NR_ROLE_FIELDS] = {
#define ROLE_FIELD(name, v2021, v6_1, v7, means)   \
	[ROLE_FIELD_##name] = { #name, offsetof(struct mmu_role, name), \
				{ v2021, v6_1, v7 }, means },
	ROLE_FIELDS(ROLE_FIELD)
#undef ROLE_FIELD
};

const char *role_rules_name(enum role_rules rules)
{
	static const char *const names[NR_ROLE_RULES] = {
		[ROLE_RULES_2021] = "2021",
		[ROLE_RULES_6_1] = "6.1",
		[ROLE_RULES_7] = "7",
	};

	return names[rules];
}

enum role_part role_field_part(enum role_field_index field, enum role_rules rules)
{
	u8 place = role_fields[field].place[rules];

	if (place == ROLE_NONE)
		return ROLE_PART_NONE;
	return place & ROLE_EXT(0) ? ROLE_PART_EXT : ROLE_PART_BASE;
}

unsigned int role_field_width(enum role_field_index field, enum role_rules rules)
{
	return role_fields[field].place[rules] & ~(ROLE_BASE(0) | ROLE_EXT(0));
}

u8 role_field_get(const struct mmu_role *role, enum role_field_index field)
{
	return *((const u8 *)role + role_fields[field].offset);
}

void role_field_set(struct mmu_role *role, enum role_field_index field, u8 value)
{
	*((u8 *)role + role_fields[field].offset) = value;
}

enum role_rules role_rules_of_release(const char *release)
{
	int major = 6, minor = 1;

	if (sscanf(release, "%d.%d", &major, &minor) < 1)
		return ROLE_RULES_6_1;
	if (major < 5 || (major == 5 && minor < 19))
		return ROLE_RULES_2021;
	return major < 7 ? ROLE_RULES_6_1 : ROLE_RULES_7;
}

void role_words(const struct mmu_role *role, enum role_rules rules, char text[ROLE_WORDS_LEN])
{
	int i, n = 0;

	text[0] = 0;
	for (i = 0; i < NR_ROLE_FIELDS; i++) {
		u8 value = role_field_get(role, i);

		if (!value || !role_field_width(i, rules))
			continue;
		n += snprintf(text + n, ROLE_WORDS_LEN - n, "%s%s", n ? " " : "",
			      role_fields[i].name);
		if (role_field_width(i, rules) > 1)
			n += snprintf(text + n, ROLE_WORDS_LEN - n, "=%u", value);
	}
}

struct role_regs role_regs_from(u64 cr0, u64 cr4, u64 efer)
{
	struct role_regs regs = { cr0, cr4, efer };

	if (RULE_HOLDS(ROLE_REGS)) {
		regs.cr0 &= ROLE_CR0_BITS;
		regs.cr4 &= ROLE_CR4_BITS;
		regs.efer &= ROLE_EFER_BITS;
	}
	return regs;
}

/* bit, negated when the rule is broken. */
#define IS(id, bit) (RULE_HOLDS(id) ? !!(bit) : !(bit))

/* What every role says, whatever the registers. */
static struct mmu_role role_of_vcpu(const struct role_context *context)
{
	return (struct mmu_role){
		.access = RULE_HOLDS(ROLE_ACCESS) ? role_acc_all(context->rules) : 0,
		.smm = IS(ROLE_SMM, context->smm),
		.guest_mode = IS(ROLE_GUEST_MODE, context->guest_mode),
		.valid = RULE_HOLDS(ROLE_VALID),
	};
}

static u8 guest_levels(const struct role_regs *regs, bool lma)
{
	bool la57 = RULE_HOLDS(ROLE_LEVEL_LA57) && regs->cr4 & X86_CR4_LA57;

	if (lma && RULE_HOLDS(ROLE_LEVEL_LMA))
		return la57 ? 5 : 4;
	return IS(ROLE_LEVEL_PAE, regs->cr4 & X86_CR4_PAE) ? PAE_LEVELS : PT32_LEVELS;
}

struct mmu_role kvm_calc_cpu_role(const struct role_context *context,
				  const struct role_regs *regs)
{
	struct mmu_role role = role_of_vcpu(context);
	bool nx = regs->efer & X86_EFER_NX;
	bool wp = regs->cr0 & X86_CR0_WP;
	bool pae = regs->cr4 & X86_CR4_PAE;
	bool smep = regs->cr4 & X86_CR4_SMEP;
	bool smap = regs->cr4 & X86_CR4_SMAP;
	bool lma = regs->efer & X86_EFER_LMA;

	if (!(regs->cr0 & X86_CR0_PG) && RULE_HOLDS(ROLE_PG)) {
		role.direct = 1;
		return role;
	}

	if (context->rules >= ROLE_RULES_7 && RULE_HOLDS(ROLE_LMA_NEEDS_PAE))
		lma = lma && pae;

	role.level = guest_levels(regs, lma);
	role.efer_nx = IS(ROLE_EFER_NX, nx);
	role.cr0_wp = IS(ROLE_CR0_WP, wp);
	role.smap_andnot_wp = smap && !(wp && RULE_HOLDS(ROLE_SMAP_ANDNOT_WP));
	role.cr4_smep = IS(ROLE_CR4_SMEP, smep);
	role.cr4_smap = IS(ROLE_CR4_SMAP, smap);
	role.cr4_pse = IS(ROLE_CR4_PSE, regs->cr4 & X86_CR4_PSE);
	role.cr4_pke = regs->cr4 & X86_CR4_PKE && (lma || !RULE_HOLDS(ROLE_CR4_PKE));
	role.cr4_la57 = regs->cr4 & X86_CR4_LA57 && (lma || !RULE_HOLDS(ROLE_CR4_LA57));

	if (context->rules == ROLE_RULES_2021) {
		role.cr0_pg = RULE_HOLDS(ROLE_CR0_PG);
		role.cr4_pae = IS(ROLE_CR4_PAE, pae);
		role.gpte_is_8_bytes = IS(ROLE_GPTE_SIZE, pae);
	} else {
		role.has_4_byte_gpte = IS(ROLE_GPTE_SIZE, !pae);
		role.efer_lma = IS(ROLE_EFER_LMA, lma);
	}
	if (context->rules >= ROLE_RULES_7)
		role.has_pferr_fetch = nx || (smep && RULE_HOLDS(ROLE_PFERR_FETCH));
	else
		role.smep_andnot_wp = smep && !(wp && RULE_HOLDS(ROLE_SMEP_ANDNOT_WP));
	return role;
}

/*
 * A root as split from its cpu role: 6.1 and 7 keep the base part, while 2021
 * has one mmu_role for both.
 */
static struct mmu_role root_of(const struct role_context *context, struct mmu_role role)
{
	if (context->rules == ROLE_RULES_2021 || !RULE_HOLDS(ROLE_ROOT_BASE_ONLY))
		return role;

	for (enum role_field_index i = 0; i < NR_ROLE_FIELDS; i++) {
		if (role_field_part(i, context->rules) == ROLE_PART_EXT)
			role_field_set(&role, i, 0);
	}
	return role;
}

u8 kvm_mmu_get_tdp_level(const struct role_context *context)
{
	if (context->tdp_root_level && RULE_HOLDS(ROLE_TDP_LEVEL_FORCED))
		return context->tdp_root_level;
	if (context->max_tdp_level == 5 && context->maxphyaddr <= 48 && RULE_HOLDS(ROLE_TDP_LEVEL))
		return 4;
	return context->max_tdp_level;
}

struct mmu_role kvm_calc_tdp_mmu_root_page_role(const struct role_context *context,
						const struct role_regs *regs)
{
	struct mmu_role cpu = kvm_calc_cpu_role(context, regs);
	struct mmu_role role = role_of_vcpu(context);

	if (context->rules == ROLE_RULES_2021) {
		/* The guest's bits come along: one mmu_role describes walk and root. */
		role = cpu;
		if (RULE_HOLDS(ROLE_TDP_ANDNOT_WP))
			role.smep_andnot_wp = role.smap_andnot_wp = 0;
		role.gpte_is_8_bytes = RULE_HOLDS(ROLE_TDP_DIRECT);
	} else if (!RULE_HOLDS(ROLE_TDP_ANDNOT_WP)) {
		role.smep_andnot_wp = cpu.smep_andnot_wp;
		role.smap_andnot_wp = cpu.smap_andnot_wp;
	}

	role.cr0_wp = role.efer_nx = 1;
	if ((context->rules == ROLE_RULES_2021) == RULE_HOLDS(ROLE_TDP_WP_NX)) {
		role.cr0_wp = cpu.cr0_wp;
		role.efer_nx = cpu.efer_nx;
	}
	role.direct = RULE_HOLDS(ROLE_TDP_DIRECT);
	role.ad_disabled = IS(ROLE_TDP_AD, !context->ad_enabled);
	role.level = kvm_mmu_get_tdp_level(context);
	if (context->rules >= ROLE_RULES_7) {
		role.cr4_smep = IS(ROLE_TDP_SMEP, context->tdp_has_smep);
		if (context->tdp_has_smep && context->tdp_user_bit &&
		    RULE_HOLDS(ROLE_TDP_ACCESS_USER))
			role.access &= ~ROLE_ACC_USER;
	}
	return root_of(context, role);
}

struct mmu_role kvm_calc_shadow_mmu_root_page_role(const struct role_context *context,
						   const struct role_regs *regs)
{
	struct mmu_role role = kvm_calc_cpu_role(context, regs);

	/* 2021 spells it "LMA ? (LA57 ? 5 : 4) : 3": the same in every legal state. */
	if (role.level < PAE_LEVELS && RULE_HOLDS(ROLE_SHADOW_LEVEL))
		role.level = PAE_LEVELS;
	if (context->rules >= ROLE_RULES_6_1 && RULE_HOLDS(ROLE_SHADOW_NX))
		role.efer_nx = 1;
	return root_of(context, role);
}

struct mmu_role kvm_calc_npt_cpu_role(const struct role_context *context,
				      const struct role_npt *npt)
{
	bool v7 = context->rules >= ROLE_RULES_7;
	struct role_regs regs = { .cr4 = npt->cr4, .efer = npt->efer };
	struct mmu_role role;

	if (RULE_HOLDS(ROLE_NPT_PG))
		regs.cr0 |= X86_CR0_PG;
	if (IS(ROLE_NPT_WP, v7))
		regs.cr0 |= X86_CR0_WP;
	/* Until 28f091bc2f8c ("KVM: MMU: shadow nested paging does not have PKU"). */
	if (context->rules >= ROLE_RULES_6_1 && RULE_HOLDS(ROLE_NPT_PKE))
		regs.cr4 &= ~(u64)X86_CR4_PKE;
	if (v7 && RULE_HOLDS(ROLE_NPT_SMAP))
		regs.cr4 &= ~(u64)X86_CR4_SMAP;

	role = kvm_calc_cpu_role(context, &regs);
	if (v7 && RULE_HOLDS(ROLE_NPT_GMET))
		role.cr4_smep = npt->gmet;
	return role;
}

struct mmu_role kvm_calc_shadow_npt_root_page_role(const struct role_context *context,
						   const struct role_npt *npt)
{
	struct mmu_role role = kvm_calc_npt_cpu_role(context, npt);
	u8 l1_level = role.level;

	if (RULE_HOLDS(ROLE_NPT_LEVEL))
		role.level = kvm_mmu_get_tdp_level(context);
	if (context->rules >= ROLE_RULES_6_1 && RULE_HOLDS(ROLE_NPT_PASSTHROUGH))
		role.passthrough = role.level == 5 && l1_level == 4;
	return root_of(context, role);
}

struct mmu_role kvm_calc_shadow_ept_root_page_role(const struct role_context *context,
						   const struct role_eptp *eptp)
{
	struct mmu_role role = role_of_vcpu(context);

	role.level = RULE_HOLDS(ROLE_EPT_LEVEL) ? eptp->level : kvm_mmu_get_tdp_level(context);
	role.ad_disabled = IS(ROLE_EPT_AD, !eptp->accessed_dirty);
	role.guest_mode = RULE_HOLDS(ROLE_EPT_GUEST_MODE);
	role.execonly = IS(ROLE_EPT_EXECONLY, eptp->execonly);
	if ((context->rules >= ROLE_RULES_6_1) == RULE_HOLDS(ROLE_EPT_SMM))
		role.smm = 0;
	if (context->rules == ROLE_RULES_2021)
		role.gpte_is_8_bytes = RULE_HOLDS(ROLE_EPT_GPTE_SIZE);
	else
		role.has_4_byte_gpte = !RULE_HOLDS(ROLE_EPT_GPTE_SIZE);
	if (context->rules >= ROLE_RULES_7)
		role.cr4_smep = IS(ROLE_EPT_MBEC, eptp->mbec);
	if (!RULE_HOLDS(ROLE_EPT_NO_REGS))
		role.efer_nx = role.cr0_wp = 1;
	return role;
}

struct mmu_role kvm_calc_nested_mmu_role(const struct role_context *context,
					 const struct role_regs *l2_regs)
{
	static const struct role_regs none;
	struct mmu_role role = kvm_calc_cpu_role(context, RULE_HOLDS(ROLE_NESTED_REGS) ? l2_regs
										       : &none);

	if (context->rules == ROLE_RULES_2021 && RULE_HOLDS(ROLE_NESTED_DIRECT))
		role.direct = 1;
	return role;
}
