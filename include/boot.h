/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Boot code: what the guest does by itself behind INIT, from real mode to the script
 * interpreter in the state nopg/- (CR0.PE = 1, all else 0).  Included by assembly too.
 *
 * The bootstrap processor starts at the reset vector, which lies in the page BOOT_RESET_PAGE,
 * all others at the page that SIPI names, BOOT_CODE: both hold the same code.  On its way
 * the guest notes the registers as it found them, and what it reads at an address that
 * every state with paging maps elsewhere; then it tells the VMM, which may let it go on.
 */
#ifndef KMC_BOOT_H
#define KMC_BOOT_H

#include "script.h"

/* Guest physical memory, beside that of script.h. */
#define BOOT_GDTR 0x7020           /* pseudo-descriptor; within a real-mode segment at 0 */
#define BOOT_CODE 0x19000          /* one page */
#define BOOT_NOTES 0x1a000         /* struct boot_notes */
#define BOOT_RESET_PAGE 0xfffff000
#define BOOT_VECTOR (BOOT_CODE >> 12)
#define BOOT_PORT 0xf5

/*
 * The user alias of a word of the script's results: with paging an access leads to that one,
 * which scripts overwrite; without paging to memory of its own.
 */
#define BOOT_ALIAS (SCRIPT_RESULTS + AGENT_USER_ALIAS + 0xff8)
#define BOOT_ALIAS_VALUE 0x600d1a5
#define BOOT_ALIAS_STALE 0xbadc0de

/* struct boot_notes, byte offsets */
#define NOTE_ENTRY 0               /* by the host: where to go on */
#define NOTE_CR0 4
#define NOTE_CR3 8
#define NOTE_CR4 12
#define NOTE_EFER 16
#define NOTE_ALIAS 20              /* what was read at BOOT_ALIAS */

#define NOTE_NONE 0xffffffff        /* what was not noted */

/* xAPIC registers */
#define APIC_ICR_LOW 0xfee00300
#define APIC_ICR_HIGH 0xfee00310
#define ICR_INIT 0x4500            /* assert, edge */
#define ICR_SIPI 0x4600

#ifndef __ASSEMBLER__
struct boot_notes {
	u32 entry, cr0, cr3, cr4, efer, alias;
};

_Static_assert(offsetof(struct boot_notes, alias) == NOTE_ALIAS, "boot_notes");

/* The state that the code goes on in. */
extern const struct mmu_state boot_state;

/* Puts the code into a guest's memory; reset_page: the host's view of BOOT_RESET_PAGE. */
void boot_install(struct guest *guest, u8 *reset_page);
/* Before the vCPU is run into the code: no notes yet. */
struct boot_notes *boot_prepare(struct guest *guest);
/* Registers with which a vCPU in boot_state sends INIT and SIPI to APIC ID 1, and exits. */
struct kvm_regs boot_sender_regs(void);
#endif

#endif
