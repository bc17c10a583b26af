/* SPDX-License-Identifier: GPL-2.0-only */
/* Boot code: see include/boot.h.  One page, which runs at two addresses. */
#include "boot.h"
#include "x86.h"

	.section .rodata, "a"
	.balign 16
	.globl boot_start
boot_start:

#define ADDR(label) ((label) - boot_start + BOOT_CODE)

	/* CS has its base, and DS must have base 0, from INIT. */
	.code16
boot_real:
	lgdtl BOOT_GDTR
	mov %cr0, %ebx
	mov %ebx, %eax
	or $X86_CR0_PE, %al
	/* MOV to CR0 sets PE in td_code.S. */
	lmsw %ax
	ljmpl $SEL_CODE32, $ADDR(boot_protected)

	.code32
boot_protected:
	mov $SEL_USER_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov $SEL_DATA, %eax
	mov %eax, %ss
	mov $AGENT_DRIVER_STACK_TOP, %esp
	mov %ebx, BOOT_NOTES + NOTE_CR0
	mov %cr3, %eax
	mov %eax, BOOT_NOTES + NOTE_CR3
	mov %cr4, %eax
	mov %eax, BOOT_NOTES + NOTE_CR4
	mov $0xc0000080, %ecx
	rdmsr
	mov %eax, BOOT_NOTES + NOTE_EFER
	mov BOOT_ALIAS, %eax
	mov %eax, BOOT_NOTES + NOTE_ALIAS
	lidtl SCRIPT_IDTR32
	andb $~2, AGENT_GDT + SEL_TSS32 + 5
	mov $SEL_TSS32, %eax
	ltr %ax
	mov $SCRIPT_OPS, %esi
	mov $SCRIPT_RESULTS, %edi
	out %al, $BOOT_PORT
	jmp *BOOT_NOTES + NOTE_ENTRY

	/* The other vCPU. */
	.globl boot_sender
boot_sender:
	movl $1 << 24, APIC_ICR_HIGH
	movl $ICR_INIT, APIC_ICR_LOW
	movl $ICR_SIPI | BOOT_VECTOR, APIC_ICR_LOW
	out %al, $BOOT_PORT
	hlt

	/* Does not assemble when the code outgrows it. */
	.org boot_start + 0xff0
	.code16
	jmp boot_real
	.org boot_start + 0x1000
	.globl boot_end
boot_end:

	.section .note.GNU-stack, "", @progbits
