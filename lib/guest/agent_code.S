/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest agent: flat code that the host copies to AGENT_CODE.  It is assembled
 * twice from agent_body.inc, for 64-bit and for 32-bit code segments; the 32-bit
 * loops serve protected mode with and without paging and compatibility mode (where
 * the exception handlers are the 64-bit ones).  Position-independent, so that the
 * same bytes run at the supervisor's and at the user's alias.
 */
#include "force_emulation.inc"
#include "agent.h"

	.section .rodata, "a"
	.balign 16
	.globl agent_start
agent_start:

#define ADDR(label) ((label) - agent_start + AGENT_CODE)

#define BITS 64
#define N(name) name##64
#define W 8
#define AX %rax
#define BX %rbx
#define CX %rcx
#define DX %rdx
#define SI %rsi
#define DI %rdi
#define BP %rbp
#define SP %rsp
#define IRET iretq
#define POP popq
	.code64
#include "agent_body.inc"
#include "agent_forced.inc"
#include "agent_io.inc"
#undef BITS
#undef N
#undef W
#undef AX
#undef BX
#undef CX
#undef DX
#undef SI
#undef DI
#undef BP
#undef SP
#undef IRET
#undef POP

#define BITS 32
#define N(name) name##32
#define W 4
#define AX %eax
#define BX %ebx
#define CX %ecx
#define DX %edx
#define SI %esi
#define DI %edi
#define BP %ebp
#define SP %esp
#define IRET iretl
#define POP popl
	.code32
#include "agent_body.inc"
#include "agent_forced.inc"
#include "agent_io.inc"

/*
 * What a data page holds at DATA_FETCH_OFFSET, the same bytes in both code sizes:
 * note the tag (patched in per page), go back.
 */
	.balign 16
	.globl agent_page_code, agent_page_code_end
agent_page_code:
	mov $0x12345678, %eax
	.globl agent_page_note
agent_page_note:
	.byte 0x89, 0x47, RESULT_VALUE	/* mov %eax, RESULT_VALUE(%di) */
	.byte 0xff, 0xe5		/* jmp *%bp */
agent_page_code_end:

/* What a data page ends with, see lib/guest/front.c. */
	.globl agent_page_front
agent_page_front:
	FORCE_EMULATION
	.byte 0xb8	/* mov $tag, %eax, with the tag in the next page */

	.org agent_start + AGENT_CODE_SIZE	/* does not assemble when the code outgrows it */
	.globl agent_end
agent_end:

	.section .note.GNU-stack, "", @progbits
