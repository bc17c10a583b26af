/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * L1's code for one code size; see l1_svm_code.S for the names used here.
 *
 * The host enters here with AX = the VMCB and all other general registers L2's: VMRUN and
 * #VMEXIT exchange none but AX and SP.  So what L1 uses, it saves first.  GIF is 0 from the
 * first exit on; nothing interrupts L1.
 */

/* A 64-bit field from the VMCB to a result or struct l1_exit; CX is scratch. */
.macro N(copy_field) from, at, to
#if BITS == 64
	mov \from(AX), %rcx
	mov %rcx, \at(\to)
#else
	mov \from(AX), %ecx
	mov %ecx, \at(\to)
	mov \from + 4(AX), %ecx
	mov %ecx, \at + 4(\to)
#endif
.endm

	.globl N(l1_svm_run)
	.balign 16
N(l1_svm_run):
	vmload AX
1:
#if BITS == 32
	/* The last thing before #VMEXIT loads them again: see struct guest.marks_pdptes. */
	mov L1_PDPTES, %esp
	test %esp, %esp
	jz 5f
	.irp offset, 0, 8, 16, 24
	andb $~0x20, \offset(%esp)
	.endr
5:
#endif
	vmrun AX
	movb $0, VMCB_TLB_CONTROL(AX)
	cmpl $SVM_EXIT_NPF, VMCB_EXIT_CODE(AX)
	jne 3f
	/* While an event was delivered: no case's access. */
	testl $SVM_EXIT_INT_INFO_VALID, VMCB_EXIT_INT_INFO(AX)
	jnz 3f
	mov BX, L1_SCRATCH
	mov CX, L1_SCRATCH + 8
	mov SI, L1_SCRATCH + 16
	/* The case's result, as the agent's handlers find it; beside it, struct l1_exit. */
	lea (DI, DX), %ebx
	lea -AGENT_RESULTS(BX), %esi
	cmp $(AGENT_MAX_CASES * RESULT_SIZE), %esi
	jb 6f
	/* An access that is made with DI and BX exchanged (agent_io.h). */
	xchg DI, L1_SCRATCH
	lea (DI, DX), %ebx
	lea -AGENT_RESULTS(BX), %esi
	cmp $(AGENT_MAX_CASES * RESULT_SIZE), %esi
	jae 2f
6:	lea L1_EXITS(SI, SI), %esi
	N(copy_field) VMCB_EXIT_CODE, L1_EXIT_CODE, SI
	N(copy_field) VMCB_EXIT_INFO_1, L1_EXIT_INFO, SI
	N(copy_field) VMCB_EXIT_INFO_2, L1_EXIT_GPA, SI
	N(copy_field) VMCB_RIP, L1_EXIT_RIP, SI
	N(copy_field) VMCB_CR2, L1_EXIT_CR2, SI
	incl L1_EXIT_COUNT(SI)
	N(copy_field) VMCB_EXIT_INFO_2, RESULT_CR2, BX
	movl $(STATUS_EXIT + STATUS_L2_EXIT + SVM_EXIT_NPF), RESULT_STATUS(BX)
	mov BP, VMCB_RIP(AX)
	mov L1_SCRATCH, BX
	mov L1_SCRATCH + 8, CX
	mov L1_SCRATCH + 16, SI
	jmp 1b
2:	mov L1_SCRATCH, BX
	mov L1_SCRATCH + 8, CX
	mov L1_SCRATCH + 16, SI
3:	stgi
	cmpl $SVM_EXIT_IOIO, VMCB_EXIT_CODE(AX)
	jne 4f
	cmpw $AGENT_DONE_PORT, VMCB_EXIT_INFO_1 + 2(AX)
	jne 4f
	out %al, $AGENT_DONE_PORT
4:	out %al, $L1_EXIT_PORT
