// SPDX-License-Identifier: GPL-2.0-only
/* REP MOVSB alone on the vCPU: see include/rep.h. */
#include <string.h>

#include "guest_internal.h"
#include "rep.h"
#include "x86.h"

#define LABELS(name) extern const u8 name##32[], name##64[]
LABELS(agent_rep_movs);
LABELS(agent_rep_forced);

#define PREFIX 5 /* forced-emulation prefix */
#define INSTRUCTION 2

static u64 user_alias(const struct agent_batch *how)
{
	return how->actor.cpl ? AGENT_USER_ALIAS : 0;
}

static u64 entry_rip(const struct agent_batch *how)
{
	bool code64 = state_modes[how->state.mode].code64;

	if (how->via == VIA_FORCED)
		return AGENT_ADDR(code64 ? agent_rep_forced64 : agent_rep_forced32) +
		       user_alias(how);
	return AGENT_ADDR(code64 ? agent_rep_movs64 : agent_rep_movs32) + user_alias(how);
}

u64 rep_rip(const struct agent_batch *how)
{
	return entry_rip(how) + (how->via == VIA_FORCED ? PREFIX : 0);
}

/* What the handler's stack holds: vector, error code, RIP. */
static void read_frame(struct guest *guest, const struct agent_batch *how, u64 sp,
		       struct rep_end *end)
{
	const u8 *stack = vm_gpa2hva(guest->vm, sp);
	size_t word = state_modes[how->state.mode].long_mode ? 8 : 4;

	if (!stack)
		return;
	memcpy(&end->vector, stack, sizeof(end->vector));
	memcpy(&end->error, stack + word, sizeof(end->error));
	memcpy(&end->rip, stack + 2 * word, word);
}

void rep_movsb(struct guest *guest, const struct agent_batch *how, gva_t from, gva_t to,
	       u32 count, struct rep_end *end)
{
	bool lm = state_modes[how->state.mode].long_mode;
	struct kvm_regs regs = {
		.rip = entry_rip(how),
		.rsi = from,
		.rdi = to,
		.rcx = count,
		.rsp = AGENT_USER_STACK_TOP + user_alias(how),
		.rflags = X86_EFLAGS_FIXED | (how->actor.ac ? X86_EFLAGS_AC : 0) |
			  (how->actor.cpl ? X86_EFLAGS_IOPL : 0),
	};
	struct kvm_sregs sregs = state_sregs(guest, &how->state, how->actor.cpl, false, false);
	bool stopped;
	int error = 0, window;

	sregs.idt.base = lm ? AGENT_IDT64_STOP : AGENT_IDT32_STOP;
	enter_state(guest, &sregs, &how->state, &error);
	if (!how->actor.cpl)
		regs.rsp = AGENT_DRIVER_STACK_TOP;
	vcpu_regs_set(guest->vcpu, &regs);
	*end = (struct rep_end){ .exit = VCPU_TIMEOUT };
	for (window = 0; window < HANG_WINDOWS && end->exit == VCPU_TIMEOUT; window++)
		end->exit = vcpu_run(guest->vcpu, guest->timeout_ms, &error);
	stopped = agent_is_done(guest->vcpu, end->exit);
	if (end->exit == KVM_EXIT_IO || end->exit == KVM_EXIT_MMIO)
		vcpu_run_complete_io(guest->vcpu);
	vcpu_regs_get(guest->vcpu, &regs);
	vcpu_sregs_get(guest->vcpu, &sregs);
	end->cx = regs.rcx;
	end->si = regs.rsi;
	end->di = regs.rdi;
	end->cr2 = sregs.cr2;
	if (!stopped) {
		vcpu_events_clear(guest->vcpu);
		return;
	}
	end->done = regs.rip >= rep_rip(how) + INSTRUCTION &&
		    regs.rip <= rep_rip(how) + INSTRUCTION + 2;
	if (!end->done)
		read_frame(guest, how, regs.rsp, end);
}
