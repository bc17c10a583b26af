/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runs in a TD: code without firmware, from the reset vector to a loop that makes
 * accesses and TDCALLs, and the protocol between it and its host.  Included by assembly too.
 *
 * The vCPU starts as the TDX module starts it (flat 32-bit protected mode, RBX = GPAW, RSI =
 * its index), goes to 64-bit mode on tables that lie in private memory and carry the shared bit
 * where they map shared memory, and then takes operations from its mailbox in shared memory, 30 at
 * a time: one TDG.VP.VMCALL<IO> to TD_PORT asks for more.  Exceptions are results.
 *
 * The same code runs in a VM that is no TD, where TDCALL is #UD: the handler finds the opcode and
 * passes all registers to the VMM by an OUT to TD_TRAP_PORT, which puts the answers into them.
 *
 * Sources: Linux 7.3 arch/x86/kvm/vmx/tdx.c, arch/x86/include/asm/shared/tdx.h (leaves,
 * registers); SDM 3A 10.8.5 for the way to 64-bit mode.
 */
#ifndef KMC_TD_PAYLOAD_H
#define KMC_TD_PAYLOAD_H

/* Guest physical memory, without the shared bit. */
#define TD_LOW_SIZE 0x200000       /* private, from 0: all that is listed next */
#define TD_CODE_GPA 0x10000
#define TD_GDT_GPA 0x12000
#define TD_IDT_GPA 0x13000
#define TD_PARAMS_GPA 0x14000      /* struct td_params, and pseudo-descriptors */
#define TD_TABLES_GPA 0x20000
#define TD_STACKS_GPA 0x40000      /* a page per vCPU, growing down from its end */
#define TD_IMAGE_SIZE 0x50000      /* what of TD_LOW the TD is started with */
#define TD_MAILBOX_GPA 0x200000    /* shared, from the start */
#define TD_MAILBOX_SIZE 0x2000     /* of one vCPU */
#define TD_RESET_GPA 0xfffff000    /* private, one page: the reset vector */
#define TD_TEST_GPA 0x50000000     /* what is converted */
#define TD_TEST_SIZE 0x400000
#define TD_MAX_VCPUS 8

#define TD_SEL_CODE64 0x10
#define TD_SEL_CODE32 0x18
#define TD_SEL_DATA 0x20

/* struct td_params, byte offsets */
#define TD_PARAM_CR3 0
#define TD_PARAM_CR4 4             /* to be set: PAE, LA57 */
#define TD_PARAM_MAILBOX 8         /* its linear address, 64 bits */
#define TD_PARAM_GDTR 16
#define TD_PARAM_IDTR 32

#define TD_PORT 0xf4
#define TD_TRAP_PORT 0xf6

/* A mailbox: head, operations, and in its second page results. */
#define TD_BOX_NR 0                /* by the host: how many operations */
#define TD_BOX_AT 4                /* by the TD: the one under way */
#define TD_BOX_GPAW 8              /* by the TD: RBX as it found it */
#define TD_BOX_OPS 0x100
#define TD_BOX_RESULTS 0x1100
#define TD_BOX_MAX_OPS 30
#define TD_SLOT_SHIFT 7            /* bytes of an operation or a result: 128 */

/* What an operation does. */
#define TD_DO_READ 0
#define TD_DO_WRITE 1
#define TD_DO_FETCH 2
#define TD_DO_CALL 3               /* TDCALL */

/* struct td_box_op, byte offsets */
#define TD_OP_DO 0
#define TD_OP_GVA 8
#define TD_OP_VALUE 16
#define TD_OP_RAX 24
#define TD_OP_RCX 32
#define TD_OP_RDX 40
#define TD_OP_R8 48
#define TD_OP_R10 56
#define TD_OP_R11 64
#define TD_OP_R12 72
#define TD_OP_R13 80
#define TD_OP_R14 88
#define TD_OP_R15 96

/* struct td_box_result, byte offsets */
#define TD_RESULT_ENDED 0
#define TD_RESULT_VECTOR 4
#define TD_RESULT_ERROR 8
#define TD_RESULT_CR2 16
#define TD_RESULT_RIP 24
#define TD_RESULT_RAX 32
#define TD_RESULT_RCX 40
#define TD_RESULT_RDX 48
#define TD_RESULT_R8 56
#define TD_RESULT_R9 64
#define TD_RESULT_R10 72
#define TD_RESULT_R11 80

#define TD_ENDED_DONE 1
#define TD_ENDED_EXCEPTION 2

/* TDCALL leaves and TDVMCALL subfunctions. */
#define TDG_VP_VMCALL 0
#define TDG_VP_INFO 1
#define TDG_VP_VEINFO_GET 3
#define TDG_MEM_PAGE_ACCEPT 6
#define TDVMCALL_IO 30
#define TDVMCALL_MAP_GPA 0x10001
#define TDVMCALL_REGISTERS 0xfc00  /* RCX: R10 to R15 are passed */
#define TDCALL_OPCODE 0xcc010f66
#define TDCALL_LENGTH 4
#define TD_STORE_LENGTH 3          /* the instruction that writes */

#define TD_VE_VECTOR 20
#define TD_VE_EPT_VIOLATION 48

#ifndef __ASSEMBLER__
#include "tdx_gpa.h"

struct td_params {
	u32 cr3, cr4;
	u64 mailbox;
	u8 gdtr[16], idtr[16];
};

struct td_box_op {
	u64 what, gva, value, rax, rcx, rdx, r8, r10, r11, r12, r13, r14, r15;
	u64 pad[3];
};

struct td_box_result {
	u32 ended, vector;
	u64 error, cr2, rip, rax, rcx, rdx, r8, r9, r10, r11;
	u64 pad[5];
};

struct td_mailbox {
	u32 nr, at;
	u64 gpaw;
	u8 pad[TD_BOX_OPS - 16];
	struct td_box_op op[TD_BOX_MAX_OPS];
	struct td_box_result unused[2], result[TD_BOX_MAX_OPS];
};

_Static_assert(offsetof(struct td_params, idtr) == TD_PARAM_IDTR, "td_params");
_Static_assert(sizeof(struct td_box_op) == 1 << TD_SLOT_SHIFT, "td_box_op");
_Static_assert(offsetof(struct td_box_op, r15) == TD_OP_R15, "td_box_op");
_Static_assert(sizeof(struct td_box_result) == 1 << TD_SLOT_SHIFT, "td_box_result");
_Static_assert(offsetof(struct td_box_result, r11) == TD_RESULT_R11, "td_box_result");
_Static_assert(offsetof(struct td_mailbox, op) == TD_BOX_OPS, "td_mailbox");
_Static_assert(offsetof(struct td_mailbox, result) == TD_BOX_RESULTS, "td_mailbox");
_Static_assert(sizeof(struct td_mailbox) == TD_MAILBOX_SIZE, "td_mailbox");

/* How the TD's tables map its test memory: with pages of 4 KBytes or 2 MBytes. */
struct td_layout {
	unsigned int gpaw;
	u8 levels; /* 4 or 5 */
	bool large;
};

/*
 * The linear address through whose entry the TD reaches gpa, or 0: there is none.  Mapped is the
 * test memory on both sides, and what differs from its first page in one address bit, on either
 * side: that is where a bit too many leads.
 */
gva_t td_gva(const struct td_layout *layout, gpa_t gpa);
/* The same way back, of any linear address of test memory; ~0: it is none. */
gpa_t td_gva_to_gpa(const struct td_layout *layout, gva_t gva);
/* Writes what a TD is started with: low of TD_IMAGE_SIZE bytes, reset of a page, both zeroed. */
void td_image_write(const struct td_layout *layout, u8 *low, u8 *reset);
/* Does no entry of the image let the TD execute shared memory? */
bool td_image_is_safe(const struct td_layout *layout, const u8 *low);
#endif

#endif
