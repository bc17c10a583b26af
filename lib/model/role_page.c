// SPDX-License-Identifier: GPL-2.0-only
/*
 * Roles of root and child pages, and which pages a walk needs.  Sources: role_page.h; each
 * rule's text: role_page_rules.def.
 */
#include "role_page.h"
#include "rule.h"

#define PT32_LEVELS 2
#define PAE_LEVELS 3
/* A shadow or TDP table has 512 entries whatever it shadows. */
#define SPTE_INDEX_BITS 9

static u64 level_shift(u8 level)
{
	return 12 + SPTE_INDEX_BITS * (level - 1);
}

/* The first gfn that an entry of this level maps. */
static u64 gfn_round(u64 gfn, u8 level)
{
	return gfn & ~((1ULL << (level_shift(level) - 12)) - 1);
}

/* A page has a base role only; the MMU's ext part, which only 2021 has, is no part of it. */
static struct mmu_role page_role(const struct role_tables *tables, const struct mmu_role *root)
{
	struct mmu_role role = *root;

	for (enum role_field_index i = 0; i < NR_ROLE_FIELDS; i++)
		if (role_field_part(i, tables->context.rules) == ROLE_PART_EXT)
			role_field_set(&role, i, 0);
	return role;
}

/* 2021: a page that maps memory counts as one of 8-byte entries, whatever the guest's have. */
static void set_direct(const struct role_tables *tables, struct mmu_role *role, bool direct)
{
	role->direct = direct;
	if (tables->context.rules == ROLE_RULES_2021 && direct && RULE_HOLDS(ROLE_PAGE_GPTE_SIZE))
		role->gpte_is_8_bytes = 1;
}

/* Does a page shadow a part of a guest's table only? */
static bool has_quadrant(const struct role_tables *tables, const struct mmu_role *role)
{
	if (tables->context.rules == ROLE_RULES_2021)
		return !tables->root.direct && tables->cpu.level == PT32_LEVELS;
	return role->has_4_byte_gpte;
}

struct mmu_role role_root_page(const struct role_tables *tables, u8 level, u8 quadrant)
{
	struct mmu_role role = page_role(tables, &tables->root);

	role.level = RULE_HOLDS(ROLE_PAGE_PAE_ROOT) ? level : tables->root.level;
	role.quadrant = RULE_HOLDS(ROLE_PAGE_ROOT_QUADRANT) ? quadrant : 0;
	set_direct(tables, &role, role.direct);
	return role;
}

struct mmu_role kvm_mmu_child_role(const struct role_tables *tables,
				   const struct mmu_role *parent, bool direct, u8 access,
				   unsigned int spte_index)
{
	struct mmu_role role = page_role(tables, parent);

	role.level -= RULE_HOLDS(ROLE_CHILD_LEVEL);
	if (RULE_HOLDS(ROLE_CHILD_ACCESS))
		role.access = access;
	set_direct(tables, &role, RULE_HOLDS(ROLE_CHILD_DIRECT) ? direct : parent->direct);
	if (RULE_HOLDS(ROLE_CHILD_PASSTHROUGH))
		role.passthrough = 0;
	role.invalid = 0;
	if (has_quadrant(tables, &role) && RULE_HOLDS(ROLE_CHILD_QUADRANT))
		role.quadrant = spte_index & 1;
	return role;
}

u8 role_gpte_access(enum role_rules rules, u64 gpte)
{
	u8 access = gpte & (PTE_W | PTE_U);

	if (rules >= ROLE_RULES_7 && RULE_HOLDS(ROLE_ACCESS_READ))
		access |= gpte & PTE_P;
	/* Its place in a role is the rule set's, what it says is that no entry has NX. */
	if (gpte & PTE_NX || !RULE_HOLDS(ROLE_ACCESS_EXEC))
		access |= role_acc_exec(rules);
	return access;
}

/* Rights of the pages below a large page: the translation's, as the fault leaves them. */
static u8 direct_access(const struct role_tables *tables, const struct walk_access *access,
			u64 leaf, u8 rights)
{
	bool write = access->kind == ACCESS_WRITE;
	bool user = access->cpl == 3 && !access->implicit;

	/* FNAME(protect_clean_gpte): a first write must fault, to set D. */
	if (!write && !(leaf & PTE_D) && RULE_HOLDS(ROLE_DIRECT_CLEAN))
		rights &= ~ROLE_ACC_WRITE;
	/* FNAME(page_fault): a page made writable for the supervisor is the user's no more. */
	if (write && !(rights & ROLE_ACC_WRITE) && !tables->cpu.cr0_wp && !user &&
	    RULE_HOLDS(ROLE_DIRECT_WP)) {
		rights |= ROLE_ACC_WRITE;
		rights &= ~ROLE_ACC_USER;
		if (tables->cpu.cr4_smep && RULE_HOLDS(ROLE_DIRECT_SMEP))
			rights &= ~role_acc_exec(tables->context.rules);
	}
	return rights;
}

/* Level of the root's page or pages: above a PAE root's four KVM keeps no (gfn, role). */
static u8 top_level(const struct role_tables *tables)
{
	u8 level = tables->root.direct ? tables->root.level : tables->cpu.level;

	return level > PAE_LEVELS ? tables->root.level : PAE_LEVELS - 1;
}

unsigned int role_root_pages(const struct role_tables *tables, const struct walk_regs *regs,
			     struct role_page pages[ROLE_PAGES_MAX])
{
	u8 top = top_level(tables), walk = tables->cpu.level, i;
	u64 gfn = (regs->cr3 & BITS_ULL(51, 12)) >> 12;
	unsigned int nr = 0;

	for (i = 0; i < (top < PAE_LEVELS ? 4 : 1); i++) {
		if (tables->root.direct)
			gfn = (u64)i << (level_shift(PAE_LEVELS) - 12);
		else if (walk == PAE_LEVELS && !(regs->pdptr[i] & PTE_P))
			continue;
		else if (walk == PAE_LEVELS)
			gfn = regs->pdptr[i] >> 12;
		pages[nr].gfn = gfn;
		pages[nr++].role = role_root_page(tables, top, walk == PT32_LEVELS ? i : 0);
	}
	return nr;
}

unsigned int role_walk_pages(const struct role_tables *tables, const struct walk_regs *regs,
			     const struct walk_access *access, const struct walk_result *walk,
			     struct role_page pages[ROLE_PAGES_MAX])
{
	enum role_rules rules = tables->context.rules;
	gva_t gva = regs->cs_l ? access->gva : (u32)access->gva;
	struct mmu_role role = role_root_page(tables, top_level(tables),
					      tables->cpu.level == PT32_LEVELS ? gva >> 30 & 3 : 0);
	u64 gpte = ~0ULL; /* AND of the entries so far, NX inverted in each */
	unsigned int nr = 0, i;
	u8 rights;

	for (i = 0; i < walk->nr_steps; i++) {
		const struct walk_step *s = &walk->step[i];

		/* A PDPTE's table is a root page, and a PDPTE takes no rights away. */
		if (tables->cpu.level == PAE_LEVELS && s->level == PAE_LEVELS)
			continue;
		/* The guest's table, also where only the host has a level above (passthrough). */
		while (role.level > s->level) {
			role = kvm_mmu_child_role(tables, &role, false, role_gpte_access(rules, gpte),
						  gva >> level_shift(role.level));
			pages[nr].gfn = s->entry_gpa >> 12;
			pages[nr++].role = role;
		}
		gpte &= s->entry ^ PTE_NX;
		if (s->leaf)
			break;
	}
	if (i == walk->nr_steps)
		return nr; /* the walk ended early */
	rights = direct_access(tables, access, walk->step[i].entry, role_gpte_access(rules, gpte));
	while (role.level > 1) {
		u8 level = role.level;

		role = kvm_mmu_child_role(tables, &role, true, rights, gva >> level_shift(level));
		pages[nr].gfn = gfn_round(walk->gpa >> 12, level);
		pages[nr++].role = role;
	}
	return nr;
}

struct role_page role_direct_page(const struct role_tables *tables, u8 level, gpa_t gpa)
{
	struct role_page page = {
		.gfn = gfn_round(gpa >> 12, level + 1),
		.role = role_root_page(tables, top_level(tables), 0),
	};

	while (page.role.level > level)
		page.role = kvm_mmu_child_role(tables, &page.role, true, tables->root.access, 0);
	return page;
}
