// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths that the guest takes by itself.
 *
 * Between states of one paging mode it changes each register in place.  Between two paging
 * modes it goes by way of CR0.PG=0, as SDM 3A 9.8.5 (to long mode), 9.8.5.4 (back) and 4.1.2
 * (LA57 and PAE in long mode) ask for: far return to compatibility mode, PG off, EFER and
 * CR4, CR3, PG on, far jump to 64-bit code, IDT and TSS of the new mode.
 */
#include "engine.h"
#include "transition_internal.h"
#include "x86.h"

struct route {
	struct script *script;
	struct walk_regs from, to;
	enum state_mode to_mode;
	bool from_long, to_long;
};

static void add_if(struct script *script, bool needed, u32 op, u64 value)
{
	if (needed)
		script_add(script, op, value);
}

/*
 * CR0 or CR4; where PAE paging is on afterwards, the PDPTEs are loaded.  So they are by CR3, but
 * that KVM does itself, and looks at A, in its emulator alone.
 */
static void add_control(const struct route *r, bool needed, u32 op, u64 value)
{
	bool loads = r->to_mode == MODE_PAE &&
		     (op == SCRIPT_CR3 ? r->script->forced : op == SCRIPT_CR4 || value & X86_CR0_PG);

	add_if(r->script, needed && loads && r->script->guest->marks_pdptes, SCRIPT_CLEAN,
	       r->to.cr3);
	add_if(r->script, needed, op, value);
}

/* Every order of three writes turns up; which one is a matter of the pair alone. */
static void in_place(const struct route *r, unsigned int order)
{
	static const u8 orders[6][3] = { { 0, 1, 2 }, { 1, 2, 0 }, { 2, 0, 1 },
					 { 0, 2, 1 }, { 2, 1, 0 }, { 1, 0, 2 } };
	int i;

	for (i = 0; i < 3; i++) {
		switch (orders[order % 6][i]) {
		case 0:
			add_control(r, r->from.cr0 != r->to.cr0, SCRIPT_CR0, r->to.cr0);
			break;
		case 1:
			add_control(r, r->from.cr4 != r->to.cr4, SCRIPT_CR4, r->to.cr4);
			break;
		case 2:
			add_if(r->script, r->from.efer != r->to.efer, SCRIPT_EFER, r->to.efer);
			break;
		}
	}
	/* Also where it stays the same: what WP and NX left in the TLB must go. */
	add_control(r, r->to.cr0 & X86_CR0_PG, SCRIPT_CR3, r->to.cr3);
}

/* EFER and CR4 while CR0.PG = 0: either may be first. */
static void efer_and_cr4(const struct route *r, bool efer_first)
{
	const u64 efer = r->to.efer & ~(u64)X86_EFER_LMA;
	const u64 was = r->from.efer & ~(u64)X86_EFER_LMA;

	if (r->script->guest->lme_needs_pae && r->from_long != r->to_long)
		efer_first = r->from_long;
	if (efer_first)
		add_if(r->script, efer != was, SCRIPT_EFER, efer);
	add_if(r->script, r->from.cr4 != r->to.cr4, SCRIPT_CR4, r->to.cr4);
	if (!efer_first)
		add_if(r->script, efer != was, SCRIPT_EFER, efer);
}

static void without_paging(struct route *r, unsigned int order)
{
	const u64 off = (order & 2 ? r->from.cr0 : r->to.cr0) & ~(u64)X86_CR0_PG;
	const u64 smep = X86_CR4_SMEP | X86_CR4_SMAP;

	add_if(r->script, r->from_long, SCRIPT_TO32, 0);
	if (r->script->guest->pg_off_without_smep && r->from.cr0 & X86_CR0_PG &&
	    r->from.cr4 & smep) {
		r->from.cr4 &= ~smep;
		add_control(r, true, SCRIPT_CR4, r->from.cr4);
	}
	add_if(r->script, off != r->from.cr0, SCRIPT_CR0, off);
	efer_and_cr4(r, order & 1);
	add_if(r->script, r->to.cr0 & X86_CR0_PG, SCRIPT_CR3, r->to.cr3);
	add_control(r, off != r->to.cr0, SCRIPT_CR0, r->to.cr0);
	add_if(r->script, r->to_long, SCRIPT_TO64, 0);
	if (r->from_long != r->to_long) {
		script_add(r->script, SCRIPT_LIDT, r->to_long ? SCRIPT_IDTR64 : SCRIPT_IDTR32);
		script_add(r->script, SCRIPT_LTR, r->to_long ? SEL_TSS64 : SEL_TSS32);
	}
}

void path_guest_add(struct script *script, const struct mmu_state *from,
		    const struct mmu_state *to, u64 efer)
{
	struct route r = {
		.script = script,
		.from = guest_walk_regs(script->guest, from),
		.to = guest_walk_regs(script->guest, to),
		.to_mode = to->mode,
		.from_long = state_modes[from->mode].long_mode,
		.to_long = state_modes[to->mode].long_mode,
	};
	unsigned int order = from->flags * 7 + to->flags * 3 + from->mode + to->mode;

	r.from.efer |= efer;
	r.to.efer |= efer;
	if (state_modes[from->mode].paging == state_modes[to->mode].paging)
		in_place(&r, order);
	else
		without_paging(&r, order);
}

static void go_guest(struct script *script, const struct mmu_state *from,
		     const struct mmu_state *to)
{
	path_guest_add(script, from, to, 0);
}

const struct transition_path path_guest = {
	.name = "guest",
	.does = "MOV to CR0, CR3, CR4 and WRMSR EFER by the guest, through CR0.PG=0 between modes",
	.all_pairs = true,
	.by_guest = go_guest,
};

static const char *forced_lacks(struct journey *journey)
{
	return engine_forced.host_lacks(journey->guest) ? "forced emulation (see README)" : NULL;
}

/* One bit of a mode, or one mode and the next with the same bits: a register's every way counts. */
static bool one_change(const struct mmu_state *from, const struct mmu_state *to)
{
	const u8 changed = from->flags ^ to->flags;

	return from->mode == to->mode ? changed && !(changed & (changed - 1)) : !changed;
}

static void go_guest_forced(struct script *script, const struct mmu_state *from,
			    const struct mmu_state *to)
{
	script->forced = true;
	path_guest_add(script, from, to, 0);
	script->forced = false;
}

const struct transition_path path_guest_forced = {
	.name = "guest-forced",
	.does = "the same, but KVM's emulator executes these instructions",
	.lacks = forced_lacks,
	.applies = one_change,
	.by_guest = go_guest_forced,
};

/* CR0.TS set and cleared, by each instruction that can; PE, MP and EM are LMSW's, too. */
static void go_task_switched(struct script *script, const struct mmu_state *from,
			     const struct mmu_state *to)
{
	const u64 cr0 = guest_walk_regs(script->guest, to).cr0;

	(void)from;
	script_add(script, SCRIPT_CR0, cr0 | X86_CR0_TS);
	script_add(script, SCRIPT_CLTS, 0);
	script_add(script, SCRIPT_LMSW, (cr0 | X86_CR0_TS | X86_CR0_MP) & 0xf);
	script_add(script, SCRIPT_LMSW, cr0 & 0xf);
}

const struct transition_path path_task_switched = {
	.name = "lmsw-clts",
	.does = "LMSW and CLTS by the guest: the state must stay what it is",
	.applies = same_state,
	.by_guest = go_task_switched,
};

static void go_task_switched_forced(struct script *script, const struct mmu_state *from,
				    const struct mmu_state *to)
{
	script->forced = true;
	go_task_switched(script, from, to);
	script->forced = false;
}

const struct transition_path path_task_switched_forced = {
	.name = "lmsw-clts-forced",
	.does = "the same, but KVM's emulator executes LMSW, CLTS and MOV to CR0",
	.lacks = forced_lacks,
	.applies = same_state,
	.by_guest = go_task_switched_forced,
};
