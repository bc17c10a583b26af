/* SPDX-License-Identifier: GPL-2.0-only */
/* The SMM handler: see include/smm.h.  16-bit code, segments of 4 GiB at base 0. */
#include "smm.h"

	.section .rodata, "a"
	.balign 16
	.globl smm_code_start
smm_code_start:
	.code16
again:
	mov $SMM_NOTES, %ebx
	mov %cr0, %eax
	mov %eax, SMM_NOTE_CR0(%ebx)
	mov %cr3, %eax
	mov %eax, SMM_NOTE_CR3(%ebx)
	mov %cr4, %eax
	mov %eax, SMM_NOTE_CR4(%ebx)
	mov $0xc0000080, %ecx
	rdmsr
	mov %eax, SMM_NOTE_EFER(%ebx)
	mov $DATA_PAGE, %edi
	mov (%edi), %eax
	mov %eax, SMM_NOTE_DATA(%ebx)
	movl $SMM_STORED, SMM_STORE_OFFSET(%edi)
	mov $BOOT_ALIAS, %edi
	mov (%edi), %eax
	mov %eax, SMM_NOTE_ALIAS(%ebx)
	movl $SMM_STORED, (%edi)
	out %al, $SMM_PORT
	decl SMM_NOTE_ROUNDS(%ebx)
	jnz again
	rsm
	.globl smm_code_end
smm_code_end:

	.section .note.GNU-stack, "", @progbits
