/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * L1 for VMX (Intel SDM vol. 3C 31.3): flat 64-bit code that the host copies to L1_CODE.  It
 * decides nothing: the host has prepared regions and fields at L1_SCRATCH (include/vmx.h).
 *
 * VMX switches no general registers: L2's are loaded when L1 starts, and L1 saves what it
 * uses.  L1 leaves VMX operation before each OUT, so that the VMM finds a vCPU whose
 * registers it may set as it likes; unless the host will not, and wants what KVM keeps of
 * L1's extended page tables to be kept: VMXOFF frees it, and so does VMCLEAR.
 */
#include "l1.h"
#include "vmx.h"

#define WORK(offset) (L1_SCRATCH + (offset))

	.section .rodata, "a"
	.balign 16
	.code64
	.globl l1_vmx_start, l1_vmx_run, l1_vmx_exit, l1_vmx_end
l1_vmx_start:

.macro read_field field, to
	mov $\field, %eax
	vmread %rax, \to
.endm

.macro restore
	mov WORK(L1V_SAVED), %rax
	mov WORK(L1V_SAVED + 8), %rbx
	mov WORK(L1V_SAVED + 16), %rcx
	mov WORK(L1V_SAVED + 24), %rsi
.endm

.macro save
	mov %rax, WORK(L1V_SAVED)
	mov %rbx, WORK(L1V_SAVED + 8)
	mov %rcx, WORK(L1V_SAVED + 16)
	mov %rsi, WORK(L1V_SAVED + 24)
.endm

.macro step what
	movl $\what, WORK(L1V_STEP)
.endm

l1_vmx_run:
	save
	mov $WORK(L1V_STORES), %esi
	mov WORK(L1V_NR_STORES), %ebx
	test %ebx, %ebx
	jz 6f
7:	mov (%rsi), %rax
	mov 8(%rsi), %rcx
	mov %rcx, (%rax)
	add $16, %rsi
	dec %ebx
	jnz 7b
6:
	testb $L1V_IS_ON, WORK(L1V_FLAGS)
	jnz 9f
	step L1V_STEP_VMXON
	vmxon WORK(L1V_VMXON)
	jbe never_on
	step L1V_STEP_VMCLEAR
	vmclear WORK(L1V_VMCS)
	jbe failed
	step L1V_STEP_VMPTRLD
	vmptrld WORK(L1V_VMCS)
	jbe failed
9:
	step L1V_STEP_VMWRITE
	mov $WORK(L1V_FIELDS), %esi
	mov WORK(L1V_NR_FIELDS), %ecx
1:	mov (%rsi), %rax
	vmwrite 8(%rsi), %rax
	jbe failed
	add $16, %rsi
	dec %ecx
	jnz 1b
	step L1V_STEP_INVEPT
	mov WORK(L1V_INVEPT), %eax
	test %eax, %eax
	jz 2f
	invept WORK(L1V_DESCRIPTOR), %rax
	jbe failed
2:	testb $L1V_IS_ON, WORK(L1V_FLAGS)
	jnz resume
	step L1V_STEP_VMLAUNCH
	restore
	vmlaunch
	jmp failed
resume:
	step L1V_STEP_VMRESUME
	restore
	vmresume

	/* An instruction of VMX failed: CF without an error number, ZF with one. */
failed:
	mov $L1V_FAIL_INVALID, %esi
	jc 3f
	mov $VMCS_INSTRUCTION_ERROR, %eax
	vmread %rax, %rsi
3:	vmxoff
	jmp 4f
never_on:
	mov $L1V_FAIL_INVALID, %esi
4:	mov WORK(L1V_STEP), %ecx
	shl $8, %ecx
	lea L1V_FAILED(%rcx, %rsi), %eax
	mov %rax, WORK(L1V_LAST + L1_EXIT_CODE)
	out %al, $L1_EXIT_PORT

	.balign 16
l1_vmx_exit:
	save
	read_field VMCS_EXIT_REASON, %rcx
	lea -VMX_REASON_EPT_VIOLATION(%rcx), %eax
	cmp $(VMX_REASON_EPT_MISCONFIG - VMX_REASON_EPT_VIOLATION), %eax
	ja pass_on
	/* While an event was delivered: no case's access. */
	read_field VMCS_VECTORING, %rsi
	test %esi, %esi
	js pass_on
	/* The case's result, as the agent's handlers find it; beside it, struct l1_exit. */
	lea (%rdi, %rdx), %ebx
	lea -AGENT_RESULTS(%rbx), %esi
	cmp $(AGENT_MAX_CASES * RESULT_SIZE), %esi
	jb 8f
	/* An access that is made with DI and BX exchanged (agent_io.inc). */
	xchg %rdi, WORK(L1V_SAVED + 8)
	lea (%rdi, %rdx), %ebx
	lea -AGENT_RESULTS(%rbx), %esi
	cmp $(AGENT_MAX_CASES * RESULT_SIZE), %esi
	jae pass_on
8:
	lea L1_EXITS(%rsi, %rsi), %esi
	mov %rcx, L1_EXIT_CODE(%rsi)
	or $(STATUS_EXIT + STATUS_L2_EXIT), %ecx
	mov %ecx, RESULT_STATUS(%rbx)
	call note
	mov L1_EXIT_GPA(%rsi), %rcx
	mov %rcx, RESULT_CR2(%rbx)
	incl L1_EXIT_COUNT(%rsi)
	step L1V_STEP_VMRESUME
	mov $VMCS_GUEST_RIP, %eax
	vmwrite %rbp, %rax
	jbe failed
	restore
	vmresume
	jmp failed

pass_on:
	mov $WORK(L1V_LAST), %esi
	mov %rcx, L1_EXIT_CODE(%rsi)
	call note
	testb $L1V_STAY_ON, WORK(L1V_FLAGS)
	jnz 1f
	vmxoff
1:
	cmpw $VMX_REASON_IO, WORK(L1V_LAST + L1_EXIT_CODE)
	jne 5f
	cmpw $AGENT_DONE_PORT, WORK(L1V_LAST + L1_EXIT_INFO + 2)
	jne 5f
	restore
	out %al, $AGENT_DONE_PORT
5:	out %al, $L1_EXIT_PORT

	/* Into the struct l1_exit at RSI. */
note:
	read_field VMCS_QUALIFICATION, L1_EXIT_INFO(%rsi)
	read_field VMCS_GUEST_PHYSICAL, L1_EXIT_GPA(%rsi)
	read_field VMCS_GUEST_LINEAR, L1_EXIT_LINEAR(%rsi)
	read_field VMCS_GUEST_RIP, L1_EXIT_RIP(%rsi)
	mov %cr2, %rax
	mov %rax, L1_EXIT_CR2(%rsi)
	ret

	.org l1_vmx_start + L1_CODE_SIZE	/* does not assemble when the code outgrows it */
l1_vmx_end:

	.section .note.GNU-stack, "", @progbits
