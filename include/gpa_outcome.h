/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must come of an access whose guest-physical addresses lead anywhere: to memory, to
 * memory that only the VMM can write, or to nothing.
 *
 * The walk itself is include/walk.h's.  The manuals leave what an access to an address without
 * memory does to the platform (SDM 3A 4.1 translates to physical addresses and ends there); on
 * every PC a read of it gives ones and a write has no effect.  For a VM the platform is the
 * VMM, and KVM's documentation (virt/kvm/api.rst, struct kvm_run: KVM_EXIT_MMIO) says how it
 * is asked.  Each rule below names its source.  Pure; knows no slot numbers and no ioctls.
 */
#ifndef KMC_GPA_OUTCOME_H
#define KMC_GPA_OUTCOME_H

#include "walk.h"

enum gpa_target {
	GPA_MEMORY,
	GPA_READ_ONLY, /* KVM_MEM_READONLY */
	GPA_NOTHING,   /* no memslot */
};

/* name, what it says, where it is written */
#define GPA_RULES(R)                                                                          \
	R(MEMORY, "memory", "the access meets the memory that the tables name", "SDM 3A 4.1") \
	R(FAULT, "page-fault", "the walk ends in a fault, whatever lies behind it",           \
	  "SDM 3A 4.7")                                                                       \
	R(MMIO, "no-memory",                                                                  \
	  "an access to an address without a memslot is one KVM_EXIT_MMIO with its address, " \
	  "size and data",                                                                    \
	  "api.rst 5, KVM_EXIT_MMIO; 4.35 KVM_SET_USER_MEMORY_REGION")                        \
	R(READ_ONLY, "read-only",                                                             \
	  "a write to a read-only memslot is one KVM_EXIT_MMIO and changes nothing",          \
	  "api.rst 4.35, KVM_MEM_READONLY")                                                   \
	R(FETCH_NOTHING, "fetch-without-memory",                                              \
	  "code where no memory is reads as ones, which is #UD; KVM cannot run it and may "   \
	  "say so with KVM_INTERNAL_ERROR_EMULATION",                                         \
	  "SDM 2D table A-6 (FF /7); handle_emulation_failure()")                             \
	R(TABLE_NOTHING, "table-without-memory",                                              \
	  "a table where no memory is reads as ones, a page fault for reserved bits, or as "  \
	  "nothing, one for P=0; no other address is accessed",                               \
	  "SDM 3A 4.7; FNAME(walk_addr_generic): kvm_is_error_hva()")                         \
	R(TABLE_READ_ONLY, "table-read-only",                                                 \
	  "walks through a table that cannot be written work, and A and D stay as they are",  \
	  "SDM 3A 4.8; FNAME(update_accessed_dirty_bits), comment on read-only slots")        \
	R(DEAD, "code-without-tables",                                                        \
	  "a CPU that can reach neither its code nor a handler shuts down; KVM, which cannot " \
	  "emulate a delivery, may say KVM_INTERNAL_ERROR_DELIVERY_EV, or refuse the CR3",    \
	  "SDM 3A 6.15 (#DF), 4.4.1; mmu_check_root(): KVM_REQ_TRIPLE_FAULT; uapi kvm.h")

enum gpa_rule {
#define GPA_RULE(id, name, says, source) GPA_RULE_##id,
	GPA_RULES(GPA_RULE)
#undef GPA_RULE
	NR_GPA_RULES,
};

struct gpa_rule_text {
	const char *name, *says, *source;
};
extern const struct gpa_rule_text gpa_rules[NR_GPA_RULES];

/*
 * The rule that decides an access.  code: the walk to the instruction that makes it; access: its
 * own walk; target: what lies at access->gpa; table_read_only: so is a table that it goes through.
 */
enum gpa_rule gpa_outcome(const struct walk_result *code, const struct walk_result *access,
			  enum access_kind kind, enum gpa_target target, bool table_read_only);

/* May a page fault have this error code, where a table is not in memory?  access: W, U, I/D. */
bool gpa_table_fault_allowed(u32 error, u32 access);

#endif
