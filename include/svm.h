/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual machine control block of SVM (AMD APM vol. 2 appendix B), as far as the suite
 * uses it.  Included by assembly too.
 */
#ifndef KMC_SVM_H
#define KMC_SVM_H

#define X86_EFER_SVME 0x00001000
#define MSR_VM_HSAVE_PA 0xc0010117

/* Byte offsets, for L1's code. */
#define VMCB_TLB_CONTROL 0x05c
#define VMCB_EXIT_CODE 0x070
#define VMCB_EXIT_INFO_1 0x078
#define VMCB_EXIT_INFO_2 0x080
#define VMCB_EXIT_INT_INFO 0x088
#define VMCB_RIP 0x578
#define VMCB_CR2 0x640

#define SVM_EXIT_SMI 0x62
#define SVM_EXIT_INIT 0x63
#define SVM_EXIT_IOIO 0x7b
#define SVM_EXIT_SHUTDOWN 0x7f
#define SVM_EXIT_VMMCALL 0x81
#define SVM_EXIT_NPF 0x400
#define SVM_EXIT_INT_INFO_VALID 0x80000000

/* Intercept vectors 3 and 4 */
#define SVM_INTERCEPT_SMI (1u << 2)
#define SVM_INTERCEPT_INIT (1u << 3)
#define SVM_INTERCEPT_IOIO (1u << 27)
#define SVM_INTERCEPT_SHUTDOWN (1u << 31)
#define SVM_INTERCEPT_VMRUN (1u << 0)
#define SVM_INTERCEPT_VMMCALL (1u << 1)

#define SVM_NP_ENABLE 1
#define SVM_TLB_FLUSH_ALL 1
#define SVM_IOPM_SIZE 0x3000
#define SVM_PAT_RESET 0x0007040600070406ull

#ifndef __ASSEMBLER__
#include "types.h"

struct vmcb_segment {
	u16 selector;
	u16 attributes; /* descriptor bits 55:52 and 47:40 */
	u32 limit;
	u64 base;
};

struct vmcb {
	/* Control area */
	u16 intercept_cr[2], intercept_dr[2];
	u32 intercept_exceptions, intercept_3, intercept_4, intercept_5;
	u8 reserved_18[0x28];
	u64 iopm_base, msrpm_base, tsc_offset;
	u32 asid;
	u8 tlb_control, reserved_5d[3];
	u64 vintr, interrupt_shadow;
	u64 exit_code, exit_info_1, exit_info_2, exit_int_info;
	u64 nested_control, avic_bar, ghcb, event_injection, nested_cr3, virt_ext, clean, next_rip;
	u8 reserved_d0[0x400 - 0xd0];
	/* Save area */
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 reserved_4a0[0x2b];
	u8 cpl;
	u32 reserved_4cc;
	u64 efer;
	u8 reserved_4d8[0x70];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u8 reserved_580[0x58];
	u64 rsp;
	u8 reserved_5e0[0x18];
	u64 rax, star, lstar, cstar, sfmask, kernel_gs_base, sysenter[3], cr2;
	u8 reserved_648[0x20];
	u64 g_pat;
	u8 reserved_670[0x1000 - 0x670];
};

#define VMCB_AT(field, offset) \
	_Static_assert(offsetof(struct vmcb, field) == (offset), "vmcb." #field)
VMCB_AT(iopm_base, 0x40);
VMCB_AT(tlb_control, VMCB_TLB_CONTROL);
VMCB_AT(exit_code, VMCB_EXIT_CODE);
VMCB_AT(exit_info_1, VMCB_EXIT_INFO_1);
VMCB_AT(exit_info_2, VMCB_EXIT_INFO_2);
VMCB_AT(exit_int_info, VMCB_EXIT_INT_INFO);
VMCB_AT(nested_control, 0x90);
VMCB_AT(nested_cr3, 0xb0);
VMCB_AT(es, 0x400);
VMCB_AT(cpl, 0x4cb);
VMCB_AT(efer, 0x4d0);
VMCB_AT(cr4, 0x548);
VMCB_AT(rip, VMCB_RIP);
VMCB_AT(rsp, 0x5d8);
VMCB_AT(rax, 0x5f8);
VMCB_AT(cr2, VMCB_CR2);
VMCB_AT(g_pat, 0x668);
_Static_assert(sizeof(struct vmcb) == 0x1000, "vmcb");
#undef VMCB_AT

#include <linux/kvm.h>

/* L2's state, or L1's for VMLOAD. */
void svm_save_area_set(struct vmcb *vmcb, const struct kvm_sregs *sregs,
		       const struct kvm_regs *regs);
#endif

#endif
