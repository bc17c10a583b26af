// SPDX-License-Identifier: GPL-2.0-only
/* The role walker: see include/role_walk.h. */
#include <string.h>

#include "role_walk.h"
#include "x86.h"

/* A PFEC bit that no explicit walk carries, reused as the SMAP index bit. */
#define PFERR_SMAP_INDEX PFERR_RSVD

static enum paging_mode role_paging_mode(enum role_rules rules, const struct mmu_role *role)
{
	if ((role->direct || !role_is_cr0_pg(rules, role)) && RULE_HOLDS(R_DIRECT))
		return PAGING_NONE;
	switch (role->level) {
	case 5:
		return PAGING_5LEVEL;
	case 4:
		return RULE_HOLDS(R_LEVEL) ? PAGING_4LEVEL : PAGING_5LEVEL;
	default:
		return role_is_cr4_pae(rules, role) ? PAGING_PAE : PAGING_2LEVEL;
	}
}

/* For one PFEC: which ACC_* combinations fault?  update_permission_bitmask(). */
static u8 faulting_rights(const struct role_mmu *mmu, u32 pfec)
{
	const struct mmu_role *role = &mmu->role;
	bool user = pfec & PFERR_USER, write = pfec & PFERR_WRITE, fetch = pfec & PFERR_FETCH;
	bool fault[5] = { false };
	u8 faults = 0;
	int acc;

	for (acc = 0; acc < 8; acc++) {
		fault[0] = user && !(acc & ACC_USER) && RULE_HOLDS(R_BITMASK_U);
		fault[1] = write && !(acc & ACC_WRITE) &&
			   (user || (role->cr0_wp && RULE_HOLDS(R_BITMASK_W)));
		fault[2] = fetch && !(acc & ACC_EXEC) && role->efer_nx &&
			   RULE_HOLDS(R_BITMASK_X);
		fault[3] = fetch && !user && acc & ACC_USER && role->cr4_smep &&
			   RULE_HOLDS(R_BITMASK_SMEP);
		fault[4] = !fetch && !user && acc & ACC_USER && role->cr4_smap &&
			   pfec & PFERR_SMAP_INDEX && RULE_HOLDS(R_BITMASK_SMAP);
		if (fault[0] || fault[1] || fault[2] || fault[3] || fault[4])
			faults |= 1u << acc;
	}
	return faults;
}

/* update_pkru_bitmask(): index = PFEC bits W, U, F above one bit "user page". */
static unsigned int pkru_index(u32 pfec, bool user_page)
{
	return (pfec & PFERR_FETCH ? 8 : 0) + (pfec & PFERR_USER ? 4 : 0) +
	       (pfec & PFERR_WRITE ? 2 : 0) + user_page;
}

static u32 pkru_mask(const struct mmu_role *role)
{
	static const u32 pfecs[] = {
		0,
		PFERR_WRITE,
		PFERR_USER,
		PFERR_USER | PFERR_WRITE,
	};
	u32 mask = 0;
	unsigned int i;

	if (!role->cr4_pke || !RULE_HOLDS(R_PKRU_MASK))
		return 0;
	/* Fetches and supervisor pages keep 0: keys do not apply to them. */
	for (i = 0; i < ARRAY_SIZE(pfecs); i++) {
		bool wd = pfecs[i] & PFERR_WRITE && (pfecs[i] & PFERR_USER || role->cr0_wp);

		mask |= (1u | wd << 1) << (2 * pkru_index(pfecs[i], true));
	}
	return mask;
}

void role_mmu_init(enum role_rules rules, const struct mmu_role *role, struct role_mmu *mmu)
{
	u32 i;

	memset(mmu, 0, sizeof(*mmu));
	mmu->role = *role;
	mmu->mode = role_paging_mode(rules, role);
	mmu->cr4_pse = role->cr4_pse;
	mmu->efer_nx = role->efer_nx;
	/* The manuals' rule: NX counts with 8-byte entries only, which KVM leaves out. */
	mmu->fetch_bit = (role_has_pferr_fetch(rules, role) &&
			  (role_is_cr4_pae(rules, role) || role->cr4_smep)) ||
			 !RULE_HOLDS(R_FETCH_BIT);
	/* Entries of 4 bytes have no NX bit: every page keeps ACC_EXEC. */
	for (i = 0; i < ARRAY_SIZE(mmu->permissions); i++)
		mmu->permissions[i] = faulting_rights(mmu, i << 1);
	mmu->pkru_mask = pkru_mask(role);
}

/* FNAME(gpte_access): rights of one entry. */
static unsigned int entry_access(const struct role_mmu *mmu, u64 entry)
{
	unsigned int acc = 0;

	if (entry & PTE_W)
		acc |= ACC_WRITE;
	if (entry & PTE_U)
		acc |= ACC_USER;
	if (!(entry & PTE_NX) || !paging_formats[mmu->mode].has_nx)
		acc |= ACC_EXEC;
	return acc;
}

/* permission_fault(): 0, or the PFEC bits the fault adds. */
static u32 permission_fault(const struct role_mmu *mmu, const struct walk_regs *regs, u32 pfec,
			    unsigned int pte_access, u8 pkey, bool smap_lifted)
{
	u32 index = pfec | (smap_lifted ? 0 : PFERR_SMAP_INDEX);
	bool fault = mmu->permissions[index >> 1] >> pte_access & 1;
	u32 pk = regs->pkru >> (2 * pkey) & 3;

	pk &= mmu->pkru_mask >> (2 * pkru_index(pfec, pte_access & ACC_USER));
	if (!fault && !pk)
		return 0;
	return PFERR_PRESENT | (pk ? PFERR_PK : 0);
}

static void fault(const struct role_mmu *mmu, struct walk_result *result, enum rule rule,
		  gva_t gva, u32 pfec)
{
	if (!mmu->fetch_bit)
		pfec &= ~PFERR_FETCH;
	result->outcome = WALK_FAULT;
	result->rule = rule;
	result->vector = PF_VECTOR;
	result->error_code = pfec;
	result->cr2 = gva;
}

/* FNAME(walk_addr_generic) */
static void walk_tables(const struct role_mmu *mmu, const struct cpu_facts *cpu,
			const struct walk_regs *regs, const struct phys_memory *memory, u32 pfec,
			bool smap_lifted, gva_t gva, struct walk_result *result)
{
	const struct paging_format *f = &paging_formats[mmu->mode];
	gpa_t table_gfn = (regs->cr3 & (f->entry_bytes == 8 ? BITS_ULL(51, 12) : ~0u)) >> 12;
	unsigned int pte_access = ACC_EXEC | ACC_WRITE | ACC_USER;
	u32 add;
	int level = f->levels + 1;
	struct walk_step *s;

	do {
		const struct paging_level *l = &f->level[--level];
		const void *p;

		s = &result->step[result->nr_steps++];
		*s = (struct walk_step){ .level = level };
		if (l->register_entry) {
			s->entry = regs->pdptr[gva >> 30 & 3];
		} else {
			s->entry_gpa = (table_gfn << 12) +
				       (u64)level_index(mmu->mode, level, gva) * f->entry_bytes;
			p = phys_memory_at(memory, s->entry_gpa, f->entry_bytes);
			if (!p) {
				result->outcome = WALK_NO_MEMORY;
				result->rule = RULE_A_NO_MEMORY;
				result->gpa = s->entry_gpa;
				return;
			}
			memcpy(&s->entry, p, f->entry_bytes);
		}
		s->leaf = entry_is_leaf(mmu->mode, level, s->entry, mmu->cr4_pse, cpu);
		if (!(s->entry & PTE_P) && RULE_HOLDS(R_PRESENT))
			return fault(mmu, result, RULE_R_PRESENT, gva, pfec);
		if (s->entry & entry_reserved_bits(mmu->mode, level, s->leaf, mmu->efer_nx, cpu) &&
		    RULE_HOLDS(R_RSVD))
			return fault(mmu, result, RULE_R_RSVD, gva,
				     pfec | PFERR_PRESENT | PFERR_RSVD);
		if (!l->register_entry && RULE_HOLDS(R_PTE_ACCESS))
			pte_access &= entry_access(mmu, s->entry);
		table_gfn = entry_address(mmu->mode, level, s->leaf, s->entry, cpu) >> 12;
	} while (!s->leaf && level > 1);

	if (f->has_pk)
		result->pkey = s->entry >> PTE_PK_SHIFT & 0xf;
	add = permission_fault(mmu, regs, pfec, pte_access, result->pkey, smap_lifted);
	if (add)
		return fault(mmu, result, RULE_R_PTE_ACCESS, gva, pfec | add);
	result->outcome = WALK_OK;
	result->rule = RULE_A_ALLOWED;
	result->page_size = level_page_size(mmu->mode, level);
	result->gpa = (table_gfn << 12) | (gva & (result->page_size - 1));
	result->writable = pte_access & ACC_WRITE;
	result->user = pte_access & ACC_USER;
	result->executable = pte_access & ACC_EXEC || !mmu->efer_nx;
}

void role_walk(const struct role_mmu *mmu, const struct cpu_facts *cpu,
	       const struct walk_regs *regs, const struct phys_memory *memory,
	       const struct walk_access *access, struct walk_result *result)
{
	gva_t gva = regs->cs_l ? access->gva : (u32)access->gva;
	gva_t last = gva + (access->size ? access->size - 1 : 0);
	const int bits = mmu->role.cr4_la57 ? 57 : 48; /* vcpu_virt_addr_bits() */
	u32 pfec = 0;

	result->nr_steps = 0;
	result->pkey = 0;
	result->page_size = 0;
	if (regs->cs_l && (!is_canonical(gva, bits) || !is_canonical(last, bits))) {
		result->outcome = WALK_FAULT;
		result->rule = RULE_A_CANONICAL;
		result->vector = access->stack ? SS_VECTOR : GP_VECTOR;
		result->error_code = 0;
		return;
	}
	if (mmu->mode == PAGING_NONE) {
		result->outcome = WALK_OK;
		result->rule = RULE_A_PG0;
		result->gpa = gva;
		result->writable = result->user = result->executable = true;
		return;
	}
	if (access->kind == ACCESS_WRITE)
		pfec |= PFERR_WRITE;
	if (access->kind == ACCESS_FETCH)
		pfec |= PFERR_FETCH;
	if (access->cpl == 3 && !access->implicit)
		pfec |= PFERR_USER;
	walk_tables(mmu, cpu, regs, memory, pfec,
		    access->ac && (!access->implicit || !RULE_HOLDS(R_SMAP_OVERRIDE)), gva, result);
	if (result->outcome != WALK_NO_MEMORY)
		walk_accessed_dirty(result, mmu->mode, access->kind);
}
