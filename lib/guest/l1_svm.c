// SPDX-License-Identifier: GPL-2.0-only
/* The host side of L1 for SVM: the VMCB (AMD APM vol. 2 15.5.1, appendix B). */
#include <string.h>

#include "l1_internal.h"
#include "svm.h"
#include "x86.h"

extern const u8 l1_svm_start[], l1_svm_end[], l1_svm_run32[], l1_svm_run64[];

#define CPUID_SVM BIT_ULL(2) /* 0x80000001 ECX */
#define CPUID_NPT BIT_ULL(0) /* 0x8000000a EDX */

static const char *svm_lacks(struct guest *guest, bool nested)
{
	struct kvm_cpuid2 *cpuid = guest->vcpu->cpuid;
	const struct kvm_cpuid_entry2 *features = cpuid_entry(cpuid, 0x80000001, 0);
	const struct kvm_cpuid_entry2 *svm = cpuid_entry(cpuid, 0x8000000a, 0);

	if (!features || !(features->ecx & CPUID_SVM))
		return "KVM does not offer SVM to guests (kvm_amd nested=0, or another backend)";
	if (nested && (!svm || !(svm->edx & CPUID_NPT)))
		return "KVM does not offer nested paging to guests (kvm_amd npt=0)";
	return NULL;
}

static void svm_init(struct guest *guest)
{
	u8 *ports = vm_gpa2hva(guest->vm, L1_IO_BITMAP);

	memset(ports, 0xff, SVM_IOPM_SIZE);
	ports[AGENT_STRING_PORT / 8] &= (u8)~L1_OPEN_PORTS;
	vcpu_set_msr(guest->vcpu, MSR_VM_HSAVE_PA, L1_HOST_SAVE);
}

/* The CPU accesses nested tables as a user (APM 15.25.5). */
static u64 svm_full(enum paging_mode mode, int level, bool leaf)
{
	return variant_full(mode, level) | (leaf && level > 1 ? PTE_PS : 0);
}

static u64 svm_root(enum state_mode mode, gpa_t table)
{
	(void)mode;
	return table;
}

static struct vmcb_segment segment_of(const struct kvm_segment *s)
{
	if (s->unusable)
		return (struct vmcb_segment){ .selector = s->selector };
	return (struct vmcb_segment){
		.selector = s->selector,
		.attributes = s->type | s->s << 4 | s->dpl << 5 | s->present << 7 | s->avl << 8 |
			      s->l << 9 | s->db << 10 | s->g << 11,
		.limit = s->limit,
		.base = s->base,
	};
}

void svm_save_area_set(struct vmcb *vmcb, const struct kvm_sregs *s, const struct kvm_regs *regs)
{
	vmcb->es = segment_of(&s->es);
	vmcb->cs = segment_of(&s->cs);
	vmcb->ss = segment_of(&s->ss);
	vmcb->ds = segment_of(&s->ds);
	vmcb->fs = segment_of(&s->fs);
	vmcb->gs = segment_of(&s->gs);
	vmcb->tr = segment_of(&s->tr);
	vmcb->ldtr = segment_of(&s->ldt);
	vmcb->gdtr = (struct vmcb_segment){ .limit = s->gdt.limit, .base = s->gdt.base };
	vmcb->idtr = (struct vmcb_segment){ .limit = s->idt.limit, .base = s->idt.base };
	vmcb->cpl = s->ss.dpl;
	vmcb->efer = s->efer | X86_EFER_SVME;
	vmcb->cr0 = s->cr0;
	vmcb->cr2 = s->cr2;
	vmcb->cr3 = s->cr3;
	vmcb->cr4 = s->cr4;
	vmcb->dr6 = 0xffff0ff0;
	vmcb->dr7 = 0x400;
	vmcb->g_pat = SVM_PAT_RESET;
	vmcb->rflags = regs->rflags;
	vmcb->rip = regs->rip;
	vmcb->rsp = regs->rsp;
	vmcb->rax = regs->rax;
}

static void svm_enter(struct guest *guest, const struct kvm_sregs *l2, struct kvm_sregs *own,
		      struct kvm_regs *regs)
{
	const struct l1_setup *setup = &guest->l1->setup;
	struct vmcb *vmcb = vm_gpa2hva(guest->vm, L1_CONTROL);
	u32 *pdptes = vm_gpa2hva(guest->vm, L1_PDPTES);
	const u8 *run = state_modes[setup->state.mode].code64 ? l1_svm_run64 : l1_svm_run32;

	*vmcb = (struct vmcb){
		.intercept_3 = SVM_INTERCEPT_IOIO | SVM_INTERCEPT_SHUTDOWN,
		.intercept_4 = SVM_INTERCEPT_VMRUN, /* must be set, APM 15.5.1 */
		.iopm_base = L1_IO_BITMAP,
		.asid = 1,
		.tlb_control = SVM_TLB_FLUSH_ALL,
		.nested_control = setup->nested ? SVM_NP_ENABLE : 0,
		.nested_cr3 = setup->nested ? setup->root : 0,
	};
	svm_save_area_set(vmcb, l2, regs);
	*pdptes = setup->state.mode == MODE_PAE && guest->marks_pdptes ? own->cr3 : 0;
	own->efer |= X86_EFER_SVME;
	regs->rip = L1_CODE + (run - l1_svm_start);
	regs->rax = L1_CONTROL;
	regs->rflags = X86_EFLAGS_FIXED;
}

static struct l1_exit svm_last_exit(struct guest *guest)
{
	const struct vmcb *vmcb = vm_gpa2hva(guest->vm, L1_CONTROL);

	return (struct l1_exit){
		.code = vmcb->exit_code,
		.info = vmcb->exit_info_1,
		.gpa = vmcb->exit_info_2,
		.rip = vmcb->rip,
		.cr2 = vmcb->cr2,
		.count = 1,
	};
}

const struct l1_vendor l1_svm = {
	.code = l1_svm_start,
	.code_end = l1_svm_end,
	.lacks = svm_lacks,
	.init = svm_init,
	.full = svm_full,
	.root = svm_root,
	.enter = svm_enter,
	.last_exit = svm_last_exit,
};
