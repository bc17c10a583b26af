// SPDX-License-Identifier: GPL-2.0-only
/* The host side of the boot code: see include/boot.h. */
#include <string.h>

#include "boot.h"
#include "x86.h"

extern const u8 boot_start[], boot_end[], boot_sender[];

const struct mmu_state boot_state = { MODE_NOPG, 0 };

void boot_install(struct guest *guest, u8 *reset_page)
{
	u8 *ram = vm_gpa2hva(guest->vm, 0);
	const u16 limit = GDT_SIZE - 1;
	const u32 base = AGENT_GDT;

	memcpy(ram + BOOT_CODE, boot_start, boot_end - boot_start);
	memcpy(reset_page, boot_start, boot_end - boot_start);
	memcpy(ram + BOOT_GDTR, &limit, sizeof(limit));
	memcpy(ram + BOOT_GDTR + 2, &base, sizeof(base));
}

struct boot_notes *boot_prepare(struct guest *guest)
{
	const u32 here = BOOT_ALIAS_VALUE, elsewhere = BOOT_ALIAS_STALE;
	struct boot_notes *notes = vm_gpa2hva(guest->vm, BOOT_NOTES);

	memset(notes, 0xff, sizeof(*notes));
	notes->entry = script_regs(&boot_state, false).rip;
	memcpy(vm_gpa2hva(guest->vm, BOOT_ALIAS), &here, sizeof(here));
	memcpy(vm_gpa2hva(guest->vm, BOOT_ALIAS - AGENT_USER_ALIAS), &elsewhere, sizeof(elsewhere));
	return notes;
}

struct kvm_regs boot_sender_regs(void)
{
	return (struct kvm_regs){
		.rip = BOOT_CODE + (boot_sender - boot_start),
		.rsp = AGENT_DRIVER_STACK_TOP,
		.rflags = X86_EFLAGS_FIXED,
	};
}
