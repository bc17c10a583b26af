/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The script interpreter for one code size; see script_code.S for the names used here.
 *
 * Registers: SI next operation, DI next result.  An exception is noted by the agent's
 * careful handlers in the result at DI + DX; they load SP from PARAM_STACK and go to
 * PARAM_AFTER, which is script_after: the word on top of the stack says where to go on.
 */

	/* In compatibility mode the host and the other code size start here. */
	.globl N(script_entry)
	.balign 16
N(script_entry):
#if BITS == 64
	/* The upper halves are undefined behind 32-bit code (SDM 1 3.4.1.1). */
	mov %esi, %esi
	mov %edi, %edi
	movl $SEL_CODE64, AGENT_PARAMS + PARAM_CS
#else
	movl $SEL_CODE32, AGENT_PARAMS + PARAM_CS
#endif
	movl $ADDR(N(script_after)), AGENT_PARAMS + PARAM_AFTER
	mov $AGENT_DRIVER_STACK_TOP, %esp
	push $ADDR(N(script_fault))

N(script_next):
	mov SP, AGENT_PARAMS + PARAM_STACK
	xor %edx, %edx
	mov OP_CODE(SI), %eax
	mov OP_VALUE(SI), BX
	add $OP_SIZE, SI
	mov ADDR(N(script_table))(, AX, 4), %eax
	jmp *AX

	.balign 4
N(script_table):
	.long ADDR(N(op_done)), ADDR(N(op_access)), ADDR(N(op_cr0)), ADDR(N(op_cr3))
	.long ADDR(N(op_cr4)), ADDR(N(op_efer)), ADDR(N(op_pkru)), ADDR(N(op_to32))
	.long ADDR(N(op_to64)), ADDR(N(op_lidt)), ADDR(N(op_ltr)), ADDR(N(op_lmsw))
	.long ADDR(N(op_clts)), ADDR(N(op_regs)), ADDR(N(op_try)), ADDR(N(op_tried))
	.long ADDR(N(op_clean)), ADDR(N(op_store)), ADDR(N(op_invlpg)), ADDR(N(op_vmload))
	.long ADDR(N(op_vmrun)), ADDR(N(op_vmmcall))

	/* An exception that no SCRIPT_TRY announced ends the script; its result says which. */
N(script_fault):
N(op_done):
	out %al, $AGENT_DONE_PORT

N(op_cr0):
	mov BX, %cr0
	jmp N(script_next)
N(op_cr3):
	mov BX, %cr3
	jmp N(script_next)
N(op_cr4):
	mov BX, %cr4
	jmp N(script_next)
N(op_efer):
	mov %ebx, %eax
	mov OP_VALUE + 4 - OP_SIZE(SI), %edx
	mov $0xc0000080, %ecx
	/* Whatever DX is, DI + DX is where an exception is noted. */
	sub %edx, %edi
	wrmsr
	add %edx, %edi
	jmp N(script_next)
N(op_pkru):
	mov %ebx, %eax
	xor %ecx, %ecx
	wrpkru
	jmp N(script_next)
N(op_to32):
#if BITS == 64
	push $SEL_CODE32
	push $ADDR(script_entry32)
	lretq
#else
	jmp N(script_next)
#endif
N(op_to64):
#if BITS == 64
	jmp N(script_next)
#else
	ljmp $SEL_CODE64, $ADDR(script_entry64)
#endif
N(op_lidt):
	lidt (BX)
	jmp N(script_next)
	/* LTR wants a TSS that is not busy, and marks it so (SDM 2A LTR). */
N(op_ltr):
	andb $~2, AGENT_GDT + 5(BX)
	ltr %bx
	jmp N(script_next)
N(op_lmsw):
	lmsw %bx
	jmp N(script_next)
N(op_clts):
	clts
	jmp N(script_next)
N(op_regs):
	mov %cr0, AX
	mov %eax, RESULT_ERROR(DI)
	mov %cr4, AX
	mov %eax, RESULT_VALUE(DI)
	mov %cr3, AX
	mov AX, RESULT_CR2(DI)
	mov $0xc0000080, %ecx
	rdmsr
	mov %eax, RESULT_AD(DI)
	movl $STATUS_DONE, RESULT_STATUS(DI)
	add $RESULT_SIZE, DI
	jmp N(script_next)

N(op_store):
	mov OP_COUNT - OP_SIZE(SI), %ecx
	mov BX, (CX)
#if BITS == 32
	mov OP_VALUE + 4 - OP_SIZE(SI), %eax
	mov %eax, 4(%ecx)
#endif
	jmp N(script_next)
N(op_invlpg):
	invlpg (BX)
	jmp N(script_next)

	/* Nothing that the next operation needs may have to be walked to behind this. */
N(op_clean):
	mov OP_CODE(SI), %eax
	mov OP_SIZE(SI), %eax
	mov $4, %ecx
1:	andb $~0x20, (BX)
	add $8, BX
	dec %ecx
	jnz 1b
	jmp N(script_next)

N(op_vmload):
	mov BX, AX
	vmload AX
	jmp N(script_next)
N(op_vmmcall):
	vmmcall
	jmp N(script_next)

	/*
	 * #VMEXIT gives AX and SP back; the rest, SI and DI with them, is L2's: the script goes
	 * on where L2 left it.
	 */
N(op_vmrun):
	mov BX, AX
1:
#if BITS == 32
	/* The last thing before #VMEXIT loads them again: see struct guest.marks_pdptes. */
	mov SCRIPT_L1_PDPTES, %esp
	test %esp, %esp
	jz 2f
	.irp offset, 0, 8, 16, 24
	andb $~0x20, \offset(%esp)
	.endr
2:
#endif
	vmrun AX
	movb $0, VMCB_TLB_CONTROL(AX)
	cmpl $SVM_EXIT_NPF, VMCB_EXIT_CODE(AX)
	je 3f
	cmpl $SVM_EXIT_VMMCALL, VMCB_EXIT_CODE(AX)
	jne 4f
	stgi
	jmp N(script_entry)
	/* Noted as the agent's handlers note an exception, unless it is no access's. */
3:	testl $SVM_EXIT_INT_INFO_VALID, VMCB_EXIT_INT_INFO(AX)
	jnz 4f
	mov CX, SCRIPT_L1_CX
	lea (%edi, %edx), %esp
	mov VMCB_EXIT_INFO_1(AX), %ecx
	mov %ecx, RESULT_ERROR(SP)
	mov VMCB_EXIT_INFO_1 + 4(AX), %ecx
	mov %ecx, RESULT_AD(SP)
	mov VMCB_EXIT_INFO_2(AX), %ecx
	mov %ecx, RESULT_CR2(SP)
	mov VMCB_EXIT_INFO_2 + 4(AX), %ecx
	mov %ecx, RESULT_CR2 + 4(SP)
	mov VMCB_RIP(AX), %ecx
	mov %ecx, RESULT_RIP(SP)
	movl $(STATUS_EXIT + STATUS_L2_EXIT + SVM_EXIT_NPF), RESULT_STATUS(SP)
	mov SCRIPT_L1_CX, CX
	mov BP, VMCB_RIP(AX)
	jmp 1b
4:	stgi
	out %al, $L1_EXIT_PORT

N(op_try):
	push $ADDR(N(script_tried))
	jmp N(script_next)
	/* The exception came: its result is there; SCRIPT_TRIED has nothing left to do. */
N(script_tried):
	add %edx, %edi
	add $RESULT_SIZE, DI
	add $OP_SIZE, SI
	jmp N(script_next)
N(op_tried):
	add $W, SP
	movl $STATUS_DONE, RESULT_STATUS(DI)
	add $RESULT_SIZE, DI
	jmp N(script_next)

N(op_access):
	mov OP_COUNT - OP_SIZE(SI), %ecx
	push SI
	mov BX, SI
1:	push SI
	push CX
	push DI
	push $ADDR(N(script_accessed))
	mov SP, AGENT_PARAMS + PARAM_STACK
	mov CASE_ALIAS(SI), %eax
	xor %edx, %edx
	sub %eax, %edx
	add %eax, %edi
	mov CASE_RESUME(SI), %ebp
	cmpl $0, CASE_CS(SI)
	je 2f
	mov CASE_SS(SI), %eax
	push AX
	mov CASE_SP(SI), %eax
	push AX
	mov CASE_FLAGS(SI), %eax
	push AX
	mov CASE_CS(SI), %eax
	push AX
	mov CASE_STUB(SI), %eax
	push AX
	mov CASE_GVA(SI), BX
	IRET
2:	mov CASE_FLAGS(SI), %eax
	push AX
	popf
	mov CASE_GVA(SI), BX
	mov CASE_STUB(SI), %eax
	jmp *AX

	.globl N(script_after)
N(script_after):
	ret
N(script_accessed):
	pop DI
	pop CX
	pop SI
	add $CASE_SIZE, SI
	add $RESULT_SIZE, DI
	dec %ecx
	jnz 1b
	pop SI
	jmp N(script_next)
