/* SPDX-License-Identifier: GPL-2.0-only */
/* The code of a TD: see include/td_payload.h.  Flat, copied to TD_CODE_GPA. */
#include "td_payload.h"
#include "x86.h"

	.section .rodata, "a"
	.balign 16
	.globl td_code_start, td_code_end, td_stubs
td_code_start:

#define ADDR(label) ((label) - td_code_start + TD_CODE_GPA)

.macro TDCALL
	.byte 0x66, 0x0f, 0x01, 0xcc
.endm

	/* Behind the reset vector's jump.  EFER.LME is set already. */
	.code32
	lgdtl TD_PARAMS_GPA + TD_PARAM_GDTR
	mov TD_PARAMS_GPA + TD_PARAM_CR3, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or TD_PARAMS_GPA + TD_PARAM_CR4, %eax
	mov %eax, %cr4
	mov %cr0, %eax
	or $X86_CR0_PG | X86_CR0_WP, %eax
	mov %eax, %cr0
	ljmp $TD_SEL_CODE64, $ADDR(td_long)

	.code64
td_long:
	mov $TD_SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	lidt TD_PARAMS_GPA + TD_PARAM_IDTR
	/* EBP: the stack's end, which never changes; RSI: the mailbox. */
	lea 1(%rsi), %ebp
	shl $12, %ebp
	add $TD_STACKS_GPA, %ebp
	mov %rbp, %rsp
	shl $13, %esi
	add TD_PARAMS_GPA + TD_PARAM_MAILBOX, %rsi
	mov %ebx, %ebx
	mov %rbx, TD_BOX_GPAW(%rsi)

td_more:
	xor %eax, %eax
	mov $TDVMCALL_REGISTERS, %ecx
	xor %r10d, %r10d
	mov $TDVMCALL_IO, %r11d
	mov $4, %r12d
	mov $1, %r13d
	mov $TD_PORT, %r14d
	xor %r15d, %r15d
	TDCALL
	/* RBX: the operation, RDI: its result. */
	movl $0, TD_BOX_AT(%rsi)

td_next:
	mov TD_BOX_AT(%rsi), %eax
	cmp TD_BOX_NR(%rsi), %eax
	jae td_more
	shl $TD_SLOT_SHIFT, %eax
	lea TD_BOX_OPS(%rsi, %rax), %rbx
	lea TD_BOX_RESULTS(%rsi, %rax), %rdi
	mov TD_OP_GVA(%rbx), %rdx
	mov TD_OP_VALUE(%rbx), %rax
	mov TD_OP_DO(%rbx), %ecx
	cmp $TD_DO_WRITE, %ecx
	jb td_read
	je td_write
	cmp $TD_DO_FETCH, %ecx
	je td_fetch

	mov TD_OP_RAX(%rbx), %rax
	mov TD_OP_RCX(%rbx), %rcx
	mov TD_OP_RDX(%rbx), %rdx
	mov TD_OP_R8(%rbx), %r8
	mov TD_OP_R10(%rbx), %r10
	mov TD_OP_R11(%rbx), %r11
	mov TD_OP_R12(%rbx), %r12
	mov TD_OP_R13(%rbx), %r13
	mov TD_OP_R14(%rbx), %r14
	mov TD_OP_R15(%rbx), %r15
	TDCALL
	mov %rcx, TD_RESULT_RCX(%rdi)
	mov %rdx, TD_RESULT_RDX(%rdi)
	mov %r8, TD_RESULT_R8(%rdi)
	mov %r9, TD_RESULT_R9(%rdi)
	mov %r10, TD_RESULT_R10(%rdi)
	mov %r11, TD_RESULT_R11(%rdi)
	jmp td_done

td_read:
	mov (%rdx), %rax
	jmp td_done
td_write:
	mov %rax, (%rdx)
.if . - td_write != TD_STORE_LENGTH
.error "TD_STORE_LENGTH"
.endif
	jmp td_done
td_fetch:
	xor %eax, %eax
	call *%rdx
td_done:
	mov %rax, TD_RESULT_RAX(%rdi)
	movl $TD_ENDED_DONE, TD_RESULT_ENDED(%rdi)
td_ended:
	incl TD_BOX_AT(%rsi)
	jmp td_next

	/* An operation's exception: noted, and the operation is over. */
td_exception:
	pop %rcx
	mov %ecx, TD_RESULT_VECTOR(%rdi)
	pop %rax
	mov %rax, TD_RESULT_ERROR(%rdi)
	pop %rax
	mov %rax, TD_RESULT_RIP(%rdi)
	mov %cr2, %rax
	mov %rax, TD_RESULT_CR2(%rdi)
	cmp $TD_VE_VECTOR, %ecx
	jne 1f
	mov $TDG_VP_VEINFO_GET, %eax
	TDCALL
	mov %rcx, TD_RESULT_RCX(%rdi)
	mov %rdx, TD_RESULT_RDX(%rdi)
	mov %r8, TD_RESULT_R8(%rdi)
	mov %r9, TD_RESULT_R9(%rdi)
	mov %r10, TD_RESULT_R10(%rdi)
	mov %rax, TD_RESULT_RAX(%rdi)
1:	mov %rbp, %rsp
	movl $TD_ENDED_EXCEPTION, TD_RESULT_ENDED(%rdi)
	jmp td_ended

	/* Not a TD: the opcode may be TDCALL's. */
td_undefined:
	push %rax
	mov 8(%rsp), %rax
	cmpl $TDCALL_OPCODE, (%rax)
	pop %rax
	jne 1f
	addq $TDCALL_LENGTH, (%rsp)
	out %al, $TD_TRAP_PORT
	iretq
1:	pushq $0
	pushq $UD_VECTOR
	jmp td_exception

	/* One entry per vector, 16 bytes each. */
	.balign 16
td_stubs:
vector = 0
.rept 32
	.balign 16
.if vector == UD_VECTOR
	jmp td_undefined
.else
.if (0x27d00 >> vector) & 1 == 0
	pushq $0
.endif
	pushq $vector
	jmp td_exception
.endif
vector = vector + 1
.endr
	.balign 16
td_code_end:

	.section .note.GNU-stack,"",@progbits
