/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * L1 for SVM (AMD APM vol. 2 15.5, 15.6): flat code that the host copies to L1_CODE,
 * assembled for 64-bit and for 32-bit code segments, since the format of nested tables is
 * that of L1's own mode.  A 32-bit L1 keeps the low halves only of L2's registers that it
 * uses; none of the agent's loops needs more.
 */
#include "l1.h"
#include "svm.h"

	.section .rodata, "a"
	.balign 16
	.globl l1_svm_start
l1_svm_start:

#define BITS 64
#define N(name) name##64
#define AX %rax
#define BX %rbx
#define CX %rcx
#define DX %rdx
#define SI %rsi
#define DI %rdi
#define BP %rbp
	.code64
#include "l1_svm_body.inc"
#undef BITS
#undef N
#undef AX
#undef BX
#undef CX
#undef DX
#undef SI
#undef DI
#undef BP

#define BITS 32
#define N(name) name##32
#define AX %eax
#define BX %ebx
#define CX %ecx
#define DX %edx
#define SI %esi
#define DI %edi
#define BP %ebp
	.code32
#include "l1_svm_body.inc"

	.org l1_svm_start + L1_CODE_SIZE	/* does not assemble when the code outgrows it */
	.globl l1_svm_end
l1_svm_end:

	.section .note.GNU-stack, "", @progbits
