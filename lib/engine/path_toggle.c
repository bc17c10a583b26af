// SPDX-License-Identifier: GPL-2.0-only
/*
 * The path between 2-level and PAE paging by MOV to CR4 alone, with paging on (SDM 3A 4.1.2:
 * allowed while EFER.LME=0; APM 2 3.1.3 forbids it in long mode only).
 *
 * At that instruction CR3 must be right for both formats.  The guest goes by way of a page that
 * is a page directory of 4-byte entries and holds a PDPT, at once: 2-level paging ignores
 * CR3[11:5] (SDM 3A table 4-3) and finds the directory at the start of the page; PAE paging does
 * not (table 4-7) and finds its four PDPTEs at the end of it.  Both lead to the agent's tables,
 * which map the interpreter one to one.  Under 2-level paging the PDPTEs are entries of addresses
 * that nobody uses.
 *
 * MOV to CR4 that turns PAE on loads the PDPTEs (SDM 3A 4.4.1), and in either direction drops
 * all of the TLB (4.10.4.1).  What is changed besides (WP, NXE) ends with MOV to CR3, as on every
 * path by the guest.
 */
#include <string.h>

#include "transition.h"
#include "x86.h"

/* In memory that nothing else of the guest's uses, beside REFUSAL_PDPT. */
#define TOGGLE_PAGE 0xf1000
#define TOGGLE_PDPT (TOGGLE_PAGE + 0xfe0)
_Static_assert(TABLE_AREAS + NR_TABLE_AREAS * TABLE_AREA_SIZE <= TOGGLE_PAGE &&
		       TOGGLE_PAGE + 0x1000 <= AGENT_CASES,
	       "TOGGLE_PAGE");

/*
 * The agent's 8 MiB: two PDEs of 2-level paging, or a PDPTE; no other PDPTE, so that those of
 * this page show where they are kept.  But where the CPU marks PDPTEs (emulator_quirks()) KVM,
 * which reads them from memory when it walks itself, finds reserved bits behind MOV to CR3 and
 * goes on with those of this page: there it has all that the next root has.
 */
static void write_page(const struct guest *guest)
{
	const struct mmu_state two_level = { .mode = MODE_2LEVEL }, pae = { .mode = MODE_PAE };
	const struct walk_regs r2 = guest_walk_regs(guest, &two_level);
	const struct walk_regs r3 = guest_walk_regs(guest, &pae);
	u8 *page = vm_gpa2hva(guest->vm, TOGGLE_PAGE);
	u64 there;

	memcpy(&there, page, sizeof(there));
	/* Once: KVM need not notice when the VMM edits tables. */
	if (there)
		return;
	memcpy(page, vm_gpa2hva(guest->vm, r2.cr3), sizeof(there));
	memcpy(page + (TOGGLE_PDPT - TOGGLE_PAGE), r3.pdptr,
	       guest->marks_pdptes ? sizeof(r3.pdptr) : sizeof(r3.pdptr[0]));
}

/* WP and NXE; in PAE paging KVM may load the PDPTEs again for a change of CR0. */
static void add_others(struct script *script, const struct walk_regs *from,
		       const struct walk_regs *to, bool in_pae)
{
	if (from->cr0 != to->cr0) {
		if (in_pae && script->guest->marks_pdptes)
			script_add(script, SCRIPT_CLEAN, TOGGLE_PDPT);
		script_add(script, SCRIPT_CR0, to->cr0);
	}
	if (from->efer != to->efer)
		script_add(script, SCRIPT_EFER, to->efer);
}

static void go_toggle(struct script *script, const struct mmu_state *from,
		      const struct mmu_state *to)
{
	const struct walk_regs old = guest_walk_regs(script->guest, from);
	const struct walk_regs new = guest_walk_regs(script->guest, to);
	const bool to_pae = to->mode == MODE_PAE;
	/* Before or behind the toggle: a matter of the pair alone. */
	const bool others_first = (from->flags * 7 + to->flags * 3) & 1;

	write_page(script->guest);
	script_add(script, SCRIPT_CR3, TOGGLE_PDPT);
	if (others_first)
		add_others(script, &old, &new, !to_pae);
	if (to_pae && script->guest->marks_pdptes)
		script_add(script, SCRIPT_CLEAN, TOGGLE_PDPT);
	script_add(script, SCRIPT_CR4, new.cr4);
	if (!others_first)
		add_others(script, &old, &new, to_pae);
	script_add(script, SCRIPT_CR3, new.cr3);
}

static bool toggles_pae(const struct mmu_state *from, const struct mmu_state *to)
{
	return (from->mode == MODE_2LEVEL && to->mode == MODE_PAE) ||
	       (from->mode == MODE_PAE && to->mode == MODE_2LEVEL);
}

const struct transition_path path_pae_toggle = {
	.name = "pae-toggle",
	.does = "CR4.PAE changed by the guest's MOV to CR4 while paging stays on",
	.applies = toggles_pae,
	.by_guest = go_toggle,
};
