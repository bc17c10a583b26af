// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDCALLs and #VEs of a VM that is no TD.  Written from the same sources as the model
 * (include/td_rules.def), but apart from it: by what KVM and the TDX module do in which order.
 */
#include <string.h>

#include "td_internal.h"
#include "x86.h"

/* Does the address go beyond the guest's address space? */
static bool illegal(const struct td_guest *td, gpa_t gpa)
{
	return gpa >> td->layout.gpaw;
}

void td_emulated_finish(struct td_vcpu *v, struct kvm_regs *regs)
{
	v->in_call = false;
	/* Behind a #UD the handler has done that. */
	if (v->call_exited)
		regs->rip += TDCALL_LENGTH;
	vcpu_regs_set(v->vcpu, regs);
}

/* tdx_map_gpa(): the checks in KVM's order, then parts of 2 MBytes. */
static bool map_gpa(struct td_vcpu *v, struct kvm_regs *regs, struct td_exit *exit)
{
	const gpa_t shared = tdx_shared_bit(v->td->layout.gpaw);
	const gpa_t gpa = regs->r12;
	const u64 size = regs->r13;
	u64 status = 0;

	if (v->map_end)
		goto next_part;
	if (gpa + size <= gpa || illegal(v->td, gpa) || illegal(v->td, gpa + size - 1) ||
	    ((gpa ^ (gpa + size - 1)) & shared))
		status = TDVMCALL_INVALID_OPERAND;
	else if ((gpa & 0xfff) || (size & 0xfff))
		status = TDVMCALL_ALIGN_ERROR;
	if (status) {
		regs->rax = 0;
		regs->r10 = status;
		regs->r11 = gpa;
		td_emulated_finish(v, regs);
		return false;
	}
	v->map_next = gpa;
	v->map_end = gpa + size;
next_part:
	*exit = (struct td_exit){
		.kind = TD_EXIT_MAP,
		.private = !(gpa & shared),
		.gpa = v->map_next & ~shared,
		.pages = (v->map_end - v->map_next < TD_LARGE_SIZE ? v->map_end - v->map_next :
								     TD_LARGE_SIZE) /
			 TD_PAGE_SIZE,
	};
	return true;
}

/*
 * TDG.MEM.PAGE.ACCEPT: what KVM has not mapped it maps, by 4 KBytes, unless the page is shared;
 * then the module looks at sizes and states.
 */
static bool accept(struct td_vcpu *v, struct kvm_regs *regs, struct td_exit *exit)
{
	struct td_guest *td = v->td;
	const gpa_t gpa = regs->rcx & ~0xfffull;
	const s64 page = td_test_page(td, gpa);
	bool out = false;

	pthread_mutex_lock(&td->lock);
	if (illegal(td, gpa) || gpa & tdx_shared_bit(td->layout.gpaw)) {
		regs->rax = TDACCEPT_OPERAND_RCX;
	} else if (page < 0 || !td->private[page]) {
		*exit = (struct td_exit){ TD_EXIT_FAULT, true, gpa, 1 };
		out = true;
	} else if (regs->rcx & 7) {
		regs->rax = TDACCEPT_SIZE_MISMATCH;
	} else if (td->accepted[page]) {
		regs->rax = TDACCEPT_ALREADY;
	} else {
		regs->rax = 0;
		if (td_emulated_accept(td, page))
			td_stop(v, "the page cannot be made private");
	}
	pthread_mutex_unlock(&td->lock);
	if (!out)
		td_emulated_finish(v, regs);
	return out;
}

static void veinfo(struct td_vcpu *v, struct kvm_regs *regs)
{
	regs->rax = v->ve_valid ? 0 : 0xc000070400000000ull; /* TDX_NO_VALID_VE_INFO */
	regs->rcx = TD_VE_EPT_VIOLATION;
	regs->rdx = 0;
	regs->r8 = v->ve_gla;
	regs->r9 = v->ve_gpa;
	regs->r10 = 0;
	v->ve_valid = false;
	td_emulated_finish(v, regs);
}

bool td_emulated_call(struct td_vcpu *v, struct td_exit *exit, enum td_event *event)
{
	struct kvm_regs regs;

	vcpu_regs_get(v->vcpu, &regs);
	*event = TD_EVENT_EXIT;
	if (regs.rax == TDG_MEM_PAGE_ACCEPT)
		return accept(v, &regs, exit);
	if (regs.rax == TDG_VP_VEINFO_GET) {
		veinfo(v, &regs);
		return false;
	}
	if (regs.rax == TDG_VP_VMCALL && regs.rcx == TDVMCALL_REGISTERS && !regs.r10) {
		if (regs.r11 == TDVMCALL_MAP_GPA)
			return map_gpa(v, &regs, exit);
		if (regs.r11 == TDVMCALL_IO && regs.r14 == TD_PORT) {
			td_emulated_finish(v, &regs);
			*event = TD_EVENT_MORE;
			return true;
		}
	}
	*event = td_stop(v, "TDCALL %#llx r11 %#llx", regs.rax, regs.r11);
	return true;
}

/* The module's part of it: the frame of SDM 3A 6.14.2 on the stack, and on to the handler. */
void td_emulated_ve(struct td_vcpu *v, struct kvm_regs *regs, gva_t gla, gpa_t gpa)
{
	const u8 *idt = v->td->low + TD_IDT_GPA + 16 * TD_VE_VECTOR;
	const u64 frame[] = { regs->rip, TD_SEL_CODE64, regs->rflags, regs->rsp, TD_SEL_DATA };
	u16 low, high;

	memcpy(&low, idt, sizeof(low));
	memcpy(&high, idt + 6, sizeof(high));
	v->ve_valid = true;
	v->ve_gla = gla;
	v->ve_gpa = gpa;
	regs->rsp = (regs->rsp & ~15ull) - sizeof(frame);
	regs->rip = low | (u32)high << 16;
	if (regs->rsp + sizeof(frame) <= TD_LOW_SIZE)
		memcpy(v->td->low + regs->rsp, frame, sizeof(frame));
	else
		td_stop(v, "#VE with RSP %#llx", regs->rsp);
	vcpu_regs_set(v->vcpu, regs);
}
