// SPDX-License-Identifier: GPL-2.0-only
/*
 * L1 and L2 in one script, for SVM (AMD APM vol. 2 15.5, 15.6): see include/script.h.
 *
 * #VMEXIT loads L1's registers from the host save area, but not FS, GS, TR and LDTR: VMLOAD
 * does that on both ways.
 */
#include "guest_internal.h"
#include "l1.h"
#include "script.h"
#include "svm.h"
#include "x86.h"

void script_prepare_l1(struct vcpu *vcpu)
{
	vcpu_set_msr(vcpu, MSR_VM_HSAVE_PA, L1_HOST_SAVE);
}

#define NR_VMCBS ((SCRIPT_VMCBS_END - SCRIPT_VMCBS) / sizeof(struct vmcb))

/*
 * A VMCB with a state in it, where its script would start.  They are used in turn: an L2 that
 * stopped in the script before has its own, which RSM may read again.
 */
static struct vmcb *new_vmcb(struct script *script, const struct mmu_state *state, gpa_t *gpa)
{
	const struct kvm_sregs sregs = script_sregs(script->guest, state);
	const struct kvm_regs regs = script_regs(state, false);
	u32 *next = vm_gpa2hva(script->guest->vm, SCRIPT_L1_NEXT);
	struct vmcb *vmcb;

	*gpa = SCRIPT_VMCBS + (*next)++ % NR_VMCBS * sizeof(*vmcb);
	vmcb = vm_gpa2hva(script->guest->vm, *gpa);
	*vmcb = (struct vmcb){ 0 };
	svm_save_area_set(vmcb, &sregs, &regs);
	return vmcb;
}

static void clean_pdptes(struct script *script, const struct mmu_state *state)
{
	if (state->mode == MODE_PAE && script->guest->marks_pdptes)
		script_add(script, SCRIPT_CLEAN, guest_walk_regs(script->guest, state).cr3);
}

void script_add_vmrun(struct script *script, const struct script_l2 *how,
		      const struct mmu_state *l2)
{
	const struct walk_regs l1 = guest_walk_regs(script->guest, &how->l1);
	u32 *pdptes = vm_gpa2hva(script->guest->vm, SCRIPT_L1_PDPTES);
	u32 *own = vm_gpa2hva(script->guest->vm, SCRIPT_L1_OWN);
	struct vmcb *vmcb;
	gpa_t gpa;

	new_vmcb(script, &how->l1, &gpa);
	*own = gpa;
	vmcb = new_vmcb(script, l2, &gpa);
	vmcb->intercept_3 = how->intercepts;
	vmcb->intercept_4 = SVM_INTERCEPT_VMRUN | SVM_INTERCEPT_VMMCALL;
	vmcb->asid = how->asid ? how->asid : 1;
	vmcb->tlb_control = how->asid ? 0 : SVM_TLB_FLUSH_ALL;
	vmcb->nested_control = how->nested ? SVM_NP_ENABLE : 0;
	vmcb->nested_cr3 = how->root;
	if (how->l1.mode == MODE_PAE && script->guest->marks_pdptes)
		*pdptes = l1.cr3;
	script_add(script, SCRIPT_EFER, l1.efer | X86_EFER_SVME);
	script_add(script, SCRIPT_VMLOAD, gpa);
	if (how->invlpga)
		script_add_invlpga(script, how->address, vmcb->asid);
	clean_pdptes(script, l2);
	script_add(script, SCRIPT_VMRUN, gpa);
	script_add_start(script, l2);
}

void script_add_vmexit(struct script *script, const struct mmu_state *l1)
{
	gpa_t gpa;

	new_vmcb(script, l1, &gpa);
	clean_pdptes(script, l1);
	script_add(script, SCRIPT_VMMCALL, 0);
	script_add(script, SCRIPT_VMLOAD, gpa);
	script_add_pkru(script, l1);
}

u64 script_vmrun_exit(const struct guest *guest, bool *ran)
{
	const u32 *next = vm_gpa2hva(guest->vm, SCRIPT_L1_NEXT);
	const struct vmcb *vmcb = vm_gpa2hva(guest->vm, SCRIPT_VMCBS);

	vmcb += (*next - 1) % NR_VMCBS;
	/* The first thing L1 does behind VMRUN. */
	*ran = !vmcb->tlb_control;
	return vmcb->exit_code;
}
