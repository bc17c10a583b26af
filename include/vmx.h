/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMX as far as the suite's L1 uses it: VMCS fields (Intel SDM vol. 3D appendix B), controls
 * (vol. 3C 25.6 to 25.8) and the MSRs that say which are allowed (3D appendix A).  Included
 * by assembly too.
 */
#ifndef KMC_VMX_H
#define KMC_VMX_H

#define MSR_FEATURE_CONTROL 0x3a
#define FEATURE_CONTROL_LOCKED 0x1
#define FEATURE_CONTROL_VMXON 0x4  /* outside SMX */
#define MSR_VMX_BASIC 0x480
#define VMX_BASIC_REVISION 0x7fffffff
#define VMX_BASIC_TRUE (1ull << 55) /* the "true" MSRs exist */
#define MSR_VMX_PINBASED 0x481
#define MSR_VMX_PROCBASED 0x482
#define MSR_VMX_EXIT 0x483
#define MSR_VMX_ENTRY 0x484
#define MSR_VMX_PROCBASED2 0x48b
#define MSR_VMX_EPT_VPID_CAP 0x48c
#define VMX_TRUE 0xc               /* added to the first four: their "true" forms */

#define X86_CR4_VMXE 0x00002000

/* Controls: what they do is as their name says. */
#define VMX_PROC_IO_BITMAPS (1u << 25)
#define VMX_PROC_MSR_BITMAPS (1u << 28)
#define VMX_PROC_SECONDARY (1u << 31)
#define VMX_PROC2_EPT (1u << 1)
#define VMX_PROC2_UNRESTRICTED (1u << 7)
#define VMX_EXIT_HOST_64BIT (1u << 9)
#define VMX_EXIT_SAVE_EFER (1u << 20)
#define VMX_EXIT_LOAD_EFER (1u << 21)
#define VMX_ENTRY_IA32E (1u << 9)
#define VMX_ENTRY_LOAD_EFER (1u << 15)

/* IA32_VMX_EPT_VPID_CAP (3D A.10) */
#define EPT_CAP_EXECONLY (1ull << 0)
#define EPT_CAP_WALK_4 (1ull << 6)
#define EPT_CAP_WALK_5 (1ull << 7)
#define EPT_CAP_UC (1ull << 8)
#define EPT_CAP_WB (1ull << 14)
#define EPT_CAP_2M (1ull << 16)
#define EPT_CAP_1G (1ull << 17)
#define EPT_CAP_INVEPT (1ull << 20)
#define EPT_CAP_AD (1ull << 21)
#define EPT_CAP_ADVANCED (1ull << 22)
#define EPT_CAP_INVEPT_SINGLE (1ull << 25)
#define EPT_CAP_INVEPT_ALL (1ull << 26)

/* VMCS fields.  Segment fields come two apart: ES CS SS DS FS GS LDTR TR. */
#define VMCS_GUEST_SELECTOR 0x0800
#define VMCS_HOST_SELECTOR 0x0c00  /* ES CS SS DS FS GS TR */
#define VMCS_IO_BITMAP_A 0x2000    /* ports below 0x8000 */
#define VMCS_IO_BITMAP_B 0x2002
#define VMCS_MSR_BITMAP 0x2004
#define VMCS_EPTP 0x201a
#define VMCS_GUEST_PHYSICAL 0x2400
#define VMCS_LINK_POINTER 0x2800
#define VMCS_GUEST_DEBUGCTL 0x2802
#define VMCS_GUEST_EFER 0x2806
#define VMCS_GUEST_PDPTE 0x280a    /* four, two apart */
#define VMCS_HOST_EFER 0x2c02
#define VMCS_PINBASED 0x4000
#define VMCS_PROCBASED 0x4002
#define VMCS_EXCEPTIONS 0x4004
#define VMCS_PF_MASK 0x4006
#define VMCS_PF_MATCH 0x4008
#define VMCS_CR3_TARGETS 0x400a
#define VMCS_EXIT_CONTROLS 0x400c
#define VMCS_EXIT_MSR_STORES 0x400e
#define VMCS_EXIT_MSR_LOADS 0x4010
#define VMCS_ENTRY_CONTROLS 0x4012
#define VMCS_ENTRY_MSR_LOADS 0x4014
#define VMCS_ENTRY_EVENT 0x4016
#define VMCS_PROCBASED2 0x401e
#define VMCS_INSTRUCTION_ERROR 0x4400
#define VMCS_EXIT_REASON 0x4402
#define VMCS_VECTORING 0x4408
#define VMCS_GUEST_LIMIT 0x4800
#define VMCS_GUEST_GDTR_LIMIT 0x4810
#define VMCS_GUEST_IDTR_LIMIT 0x4812
#define VMCS_GUEST_RIGHTS 0x4814
#define VMCS_GUEST_INTERRUPTIBILITY 0x4824
#define VMCS_GUEST_ACTIVITY 0x4826
#define VMCS_GUEST_SYSENTER_CS 0x482a
#define VMCS_HOST_SYSENTER_CS 0x4c00
#define VMCS_CR0_MASK 0x6000
#define VMCS_CR4_MASK 0x6002
#define VMCS_CR0_SHADOW 0x6004
#define VMCS_CR4_SHADOW 0x6006
#define VMCS_QUALIFICATION 0x6400
#define VMCS_GUEST_LINEAR 0x640a
#define VMCS_GUEST_CR0 0x6800
#define VMCS_GUEST_CR3 0x6802
#define VMCS_GUEST_CR4 0x6804
#define VMCS_GUEST_BASE 0x6806
#define VMCS_GUEST_GDTR_BASE 0x6816
#define VMCS_GUEST_IDTR_BASE 0x6818
#define VMCS_GUEST_DR7 0x681a
#define VMCS_GUEST_RSP 0x681c
#define VMCS_GUEST_RIP 0x681e
#define VMCS_GUEST_RFLAGS 0x6820
#define VMCS_GUEST_PENDING_DEBUG 0x6822
#define VMCS_GUEST_SYSENTER_ESP 0x6824
#define VMCS_GUEST_SYSENTER_EIP 0x6826
#define VMCS_HOST_CR0 0x6c00
#define VMCS_HOST_CR3 0x6c02
#define VMCS_HOST_CR4 0x6c04
#define VMCS_HOST_FS_BASE 0x6c06   /* then GS, TR, GDTR, IDTR, two apart */
#define VMCS_HOST_SYSENTER_ESP 0x6c10
#define VMCS_HOST_SYSENTER_EIP 0x6c12
#define VMCS_HOST_RSP 0x6c14
#define VMCS_HOST_RIP 0x6c16

#define VMX_REASON_INIT 3
#define VMX_REASON_IO 30
#define VMX_REASON_EPT_VIOLATION 48
#define VMX_REASON_EPT_MISCONFIG 49

/* "VM entry with invalid control field(s)" (3C 31.4) */
#define VMX_ERROR_CONTROLS 7

#define INVEPT_SINGLE 1
#define INVEPT_ALL 2

/*
 * What the host prepares for L1's code, at L1_SCRATCH: byte offsets of struct l1_vmx_work.
 * A field list is pairs of field and value, 8 bytes each.
 */
#define L1V_SAVED 0x00             /* RAX, RBX, RCX, RSI of L2 */
#define L1V_VMXON 0x20             /* addresses, as the instructions read them */
#define L1V_VMCS 0x28
#define L1V_NR_FIELDS 0x30
#define L1V_INVEPT 0x38            /* 0: none, or INVEPT's type */
#define L1V_DESCRIPTOR 0x40        /* INVEPT's */
#define L1V_STEP 0x50              /* what L1 is about to do */
#define L1V_NR_STORES 0x58
#define L1V_FLAGS 0x60
#define L1V_LAST 0x80              /* struct l1_exit: the exit that was passed on */
#define L1V_FIELDS 0x100
#define L1V_STORES 0x900           /* pairs of address and value, which L1 stores first */

/* L1V_FLAGS: in VMX operation already, L2 entered before; to be so behind the batch, too */
#define L1V_IS_ON 1
#define L1V_STAY_ON 2

/* L1V_STEP, and bits 11:8 of the code of an exit that never was */
#define L1V_STEP_VMXON 1
#define L1V_STEP_VMCLEAR 2
#define L1V_STEP_VMPTRLD 3
#define L1V_STEP_VMWRITE 4
#define L1V_STEP_INVEPT 5
#define L1V_STEP_VMLAUNCH 6
#define L1V_STEP_VMRESUME 7
#define L1V_FAILED 0xf000          /* + step << 8 + VM-instruction error */
#define L1V_FAIL_INVALID 0xff      /* instead of an error: VMfailInvalid */

#endif
