/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest code of include/bound_access.h, 64-bit.  Every handler runs on IST1, so RSP may be
 * anything when an exception comes.  The accesses are position-independent: user code runs
 * them at its alias.
 */
#include "bound_access.h"

	.section .rodata, "a"
	.code64
	.balign 16
	.globl bound_start, bound_end, bound_entry, bound_stubs
bound_start:

#define ADDR(label) ((label) - bound_start + BOUND_CODE)

	/* RSI: cases, RDI: results, ECX: how many */
bound_entry:
	mov %rsi, BOUND_NOTE_CASE
	mov %rdi, BOUND_NOTE_RESULT
	mov %ecx, BOUND_NOTE_LEFT
next_case:
	cmpl $0, BOUND_NOTE_LEFT
	je 1f
	mov BOUND_NOTE_CASE, %rsi
	push BOUND_SS(%rsi)
	push BOUND_SP(%rsi)
	push $2			/* RFLAGS */
	push BOUND_CS(%rsi)
	push BOUND_STUB(%rsi)
	mov BOUND_GVA(%rsi), %rbx
	movabs $0xcccccccccccccccc, %rax
	iretq
1:	out %al, $AGENT_DONE_PORT

	/* Behind the error code (or 0) lie the vector and the frame. */
note_exception:
	mov BOUND_NOTE_RESULT, %rdi
	mov %eax, RESULT_VALUE(%rdi)
	pop %rax
	or $STATUS_FAULT, %eax
	mov %eax, RESULT_STATUS(%rdi)
	pop %rax
	mov %eax, RESULT_ERROR(%rdi)
	pop %rax
	mov %rax, RESULT_RIP(%rdi)
	mov %cr2, %rax
	mov %rax, RESULT_CR2(%rdi)
advance:
	addq $BOUND_SIZE, BOUND_NOTE_CASE
	addq $RESULT_SIZE, BOUND_NOTE_RESULT
	decl BOUND_NOTE_LEFT
	mov $AGENT_DRIVER_STACK_TOP, %esp
	jmp next_case

	/* A supervisor's access came through. */
through:
	mov BOUND_NOTE_RESULT, %rdi
	mov %eax, RESULT_VALUE(%rdi)
	movl $STATUS_DONE, RESULT_STATUS(%rdi)
	jmp advance

	/* One per exception vector, 16 bytes apart. */
	.set vector, 0
	.balign 16
bound_stubs:
	.rept 32
	.balign 16
	.if !((1 << vector) & 0x60227d00)
	push $0
	.endif
	push $vector
	jmp note_exception
	.set vector, vector + 1
	.endr

/* bound_NAME; bound_NAME_at: the instruction that can fault; bound_NAME_end: behind INT3. */
.macro begin name
	.globl bound_\name, bound_\name\()_at, bound_\name\()_end
	.balign 8
bound_\name:
.endm
.macro at name
bound_\name\()_at:
.endm
.macro end name
	mov %cs, %ecx
	test $3, %cl
	jz through
	int3
bound_\name\()_end:
.endm

	begin read
	at read
	mov (%rbx), %eax
	end read

	begin write
	at write
	mov %eax, (%rbx)
	end write

	begin jmp
	at jmp
	jmp *%rbx
	end jmp

	begin call
	at call
	call *%rbx
	end call

	begin ret
	push %rbx
	at ret
	ret
	end ret

	begin stack_read
	mov %rbx, %rbp
	at stack_read
	mov (%rbp), %eax
	end stack_read

	begin stack_write
	mov %rbx, %rbp
	at stack_write
	mov %eax, (%rbp)
	end stack_write

	begin push
	lea 8(%rbx), %rsp
	at push
	push %rax
	end push

	begin pop
	mov %rbx, %rsp
	at pop
	pop %rax
	end pop

	.org bound_start + BOUND_CODE_SIZE	/* does not assemble when the code outgrows it */
bound_end:

	.section .note.GNU-stack, "", @progbits
