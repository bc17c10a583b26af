/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System-management mode: a handler that looks at its registers and at memory, tells the
 * VMM, and executes RSM; and the area from which RSM loads the state.
 *
 * SMRAM and two more pages have memory of their own in address space 1, which is what the
 * vCPU sees in SMM: the same guest physical addresses hold the agent's tables, a data page
 * and the script's results elsewhere.  Included by assembly too.
 */
#ifndef KMC_SMM_H
#define KMC_SMM_H

#include "boot.h"

#define SMM_BASE 0x30000           /* at reset; SDM 3C 32.4, APM 2 10.3.1 */
#define SMM_SIZE 0x10000
#define SMM_ENTRY 0x8000           /* offset from SMM_BASE */
#define SMM_SAVE 0xfe00
#define SMM_SAVE_SIZE 0x200
#define SMM_NOTES (SMM_BASE + 0x1000) /* struct smm_notes */
#define SMM_PORT 0xf6

/* What is to be read in SMM, at DATA_PAGE and at BOOT_ALIAS; both pages are stored to, too. */
#define SMM_DATA_VALUE 0x5a5a0001
#define SMM_ALIAS_VALUE 0x5a5a0003
#define SMM_STORED 0x5a5a0005
#define SMM_STORE_OFFSET 0x40      /* in the page at DATA_PAGE */

/* struct smm_notes, byte offsets */
#define SMM_NOTE_CR0 0
#define SMM_NOTE_CR3 4
#define SMM_NOTE_CR4 8
#define SMM_NOTE_EFER 12
#define SMM_NOTE_DATA 16
#define SMM_NOTE_ALIAS 20
#define SMM_NOTE_ROUNDS 24

#ifndef __ASSEMBLER__
struct smm_notes {
	u32 cr0, cr3, cr4, efer, data, alias;
	u32 rounds; /* left, each of which ends with an OUT to SMM_PORT */
};

_Static_assert(offsetof(struct smm_notes, rounds) == SMM_NOTE_ROUNDS, "smm_notes");

/* SMRAM and the other pages as SMM sees them. */
struct smm_view {
	u8 *smram, *data, *alias;
};

/* Puts them into address space 1 of a VM, with the handler. */
struct smm_view smm_install(struct vm *vm);
/* No notes yet; that many times the handler looks before it executes RSM. */
struct smm_notes *smm_prepare(const struct smm_view *view, u32 rounds);

/*
 * The state that RSM will load.  map64: the save area is the one of a vCPU whose CPUID offers
 * long mode (APM 2 table 10-1), else the 32-bit one (SDM 3C table 32-1), which has no EFER.
 */
void smm_save_area_set(const struct smm_view *view, bool map64, const struct kvm_sregs *sregs,
		       const struct kvm_regs *regs);
/* Only the type of the task register's segment. */
void smm_save_area_set_tr_type(const struct smm_view *view, bool map64, u8 type);
#endif

#endif
