/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The script interpreter: flat code that the host copies to SCRIPT_CODE, assembled twice
 * from script_body.inc as the agent's code is.  It runs at one address only.
 */
#include "force_emulation.inc"
#include "l1.h"
#include "script.h"
#include "svm.h"

	.section .rodata, "a"
	.balign 16
	.globl script_start
script_start:

#define ADDR(label) ((label) - script_start + SCRIPT_CODE)

#define BITS 64
#define N(name) name##64
#define W 8
#define AX %rax
#define BX %rbx
#define CX %rcx
#define SI %rsi
#define DI %rdi
#define SP %rsp
#define BP %rbp
#define IRET iretq
	.code64
#include "script_body.inc"
#undef BITS
#undef N
#undef W
#undef AX
#undef BX
#undef CX
#undef SI
#undef DI
#undef SP
#undef BP
#undef IRET

#define BITS 32
#define N(name) name##32
#define W 4
#define AX %eax
#define BX %ebx
#define CX %ecx
#define SI %esi
#define DI %edi
#define SP %esp
#define BP %ebp
#define IRET iretl
	.code32
#include "script_body.inc"

	.org script_start + SCRIPT_CODE_SIZE	/* does not assemble when the code outgrows it */
	.globl script_end
script_end:

	.section .note.GNU-stack, "", @progbits
