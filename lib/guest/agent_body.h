/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's code for one code size; see agent_code.S for the names used here.
 *
 * Registers of a batch: SI next linear address (bare and careful loops), DI its
 * result, CX how many are left, BP where to go on after a fault, DX what to add to DI to
 * get the result's supervisor address (0, or minus AGENT_USER_ALIAS for a loop that runs
 * as user code: handlers must not touch user pages, SMAP would forbid it).  AX and BX
 * are scratch.
 */

/*
 * Fast loops: nothing but the access and its result between two addresses.  Each
 * instruction counts: there are hosts that emulate supervisor code one by one.  So the
 * address comes from where the result goes, and the host works out the status.
 */
.macro N(loop_head) name
	.globl \name, \name\()_next
	.balign 16
\name:
	mov RESULT_CR2(DI), BX
.endm

.macro N(loop_tail) name
	mov %eax, RESULT_VALUE(DI)
\name\()_next:
	add $RESULT_SIZE, DI
	dec %ecx
	jnz \name
	out %al, $AGENT_DONE_PORT
.endm

	N(loop_head) N(agent_read)
	mov (BX), %eax
	N(loop_tail) N(agent_read)

	/* The tag beside the stored word tells which page was reached. */
	N(loop_head) N(agent_write)
	mov %edi, (BX)
	mov 8(BX), %eax
	N(loop_tail) N(agent_write)

	/* The page's own code notes the result, see agent_page_code. */
	N(loop_head) N(agent_fetch)
	jmp *BX
	N(loop_tail) N(agent_fetch)

	/* What else a vCPU that shares tables does (lib/guest/seat.c); AX holds what is stored. */
	N(loop_head) N(agent_store)
	mov %eax, (BX)
	N(loop_tail) N(agent_store)

	N(loop_head) N(agent_store_wide)
	mov AX, (BX)
	N(loop_tail) N(agent_store_wide)

	N(loop_head) N(agent_invlpg)
	invlpg (BX)
	N(loop_tail) N(agent_invlpg)

	N(loop_head) N(agent_cr3)
	mov BX, %cr3
	N(loop_tail) N(agent_cr3)

	/* CR4.PGE changed, and changed back. */
	N(loop_head) N(agent_pge)
	mov %cr4, BX
	xor $0x80, %bl
	mov BX, %cr4
	xor $0x80, %bl
	mov BX, %cr4
	N(loop_tail) N(agent_pge)

	/* The floor that `make bench` measures against: the access and nothing else. */
	.globl N(agent_bare), N(agent_bare_next)
	.balign 16
N(agent_bare):
	mov (SI), BX
	mov (BX), %eax
N(agent_bare_next):
	add $8, SI
	dec %ecx
	jnz N(agent_bare)
	out %al, $AGENT_DONE_PORT

	/* PKRU = AX.  Legal with CR4.PKE = 1 in every mode. */
	.globl N(agent_wrpkru)
N(agent_wrpkru):
	xor %ecx, %ecx
	xor %edx, %edx
	wrpkru
	out %al, $AGENT_DONE_PORT

/*
 * Careful batches: per address, put the entries of its path back to what the host
 * wrote, flush, make the access at its CPL, and collect the A/D bits that it set.
 */

/* SI, DI: entry (copy, table) of the level DX describes, for address BX; CX: its words. */
.macro N(entry_pointers)
	mov BX, AX
	mov LEVEL_SHIFT(DX), %ecx
	shr %cl, AX
	and LEVEL_MASK(DX), %eax
	mov LEVEL_WORDS(DX), %ecx
	mov LEVEL_COPY(DX), %esi
	mov LEVEL_TABLE(DX), %edi
	shl $2, %eax
	cmp $2, %ecx
	jne 90f
	add %eax, %eax
90:	add %eax, %esi
	add %eax, %edi
.endm

	.globl N(agent_careful), N(agent_careful_after)
	.balign 16
N(agent_careful):
	push SI
	push DI
	push CX
	mov (SI), BX
0:	mov $(AGENT_PARAMS + PARAM_LEVEL), %edx
	mov AGENT_PARAMS + PARAM_LEVELS, %ebp
	test %ebp, %ebp
	jz 3f
	movl $0, AGENT_PARAMS + PARAM_CHANGES
1:	N(entry_pointers)
	mov (SI), %eax
	not %eax
	and AGENT_PARAMS + PARAM_FIXED, %eax
	or %eax, AGENT_PARAMS + PARAM_CHANGES
	/* Under shadow paging each write to a table is an exit: write only what differs. */
2:	mov (SI), %eax
	cmp %eax, (DI)
	je 10f
	mov %eax, (DI)
	orl $1, AGENT_PARAMS + PARAM_CHANGES
10:	add $4, %esi
	add $4, %edi
	dec %ecx
	jnz 2b
	add $LEVEL_SIZE, %edx
	dec %ebp
	jnz 1b
	/*
	 * Not only if an entry was put back: they may all be as they were while a translation
	 * through them, made for another address that shares them, is still cached.  But not
	 * where all have A and D set from the start: nothing else was ever there to be cached.
	 */
	cmpl $0, AGENT_PARAMS + PARAM_CHANGES
	je 11f
	invlpg (BX)
11:
	/* The path of the page that an access reaches into, in its turn. */
	mov 2*W(SP), SI
	mov AGENT_PARAMS + PARAM_SPAN, %eax
	add (SI), AX
	cmp AX, BX
	mov AX, BX
	jne 0b
	mov (SI), BX
3:
	cmpl $0, AGENT_PARAMS + PARAM_LDT
	je 4f
	mov %ebx, %eax
	mov %ax, AGENT_GDT + SEL_LDT + 2
	shr $16, %eax
	mov %al, AGENT_GDT + SEL_LDT + 4
	mov %ah, AGENT_GDT + SEL_LDT + 7
#if BITS == 64
	mov %rbx, %rax
	shr $32, %rax
	mov %eax, AGENT_GDT + SEL_LDT + 8
#endif
	mov $SEL_LDT, %eax
	lldt %ax
4:
	mov W(SP), DI
	mov %edi, AGENT_PARAMS + PARAM_RESULT
	xor %edx, %edx
	mov SP, AGENT_PARAMS + PARAM_STACK
	mov AGENT_PARAMS + PARAM_RESUME, BP
	cmpl $SEL_DATA, AGENT_PARAMS + PARAM_ACCESS_SS
	je 5f
	add AGENT_PARAMS + PARAM_ALIAS, %edi
	sub AGENT_PARAMS + PARAM_ALIAS, %edx
	mov AGENT_PARAMS + PARAM_ACCESS_SS, %eax
	push AX
	mov $AGENT_USER_STACK_TOP, %eax
	add AGENT_PARAMS + PARAM_ALIAS, %eax
	push AX
	mov AGENT_PARAMS + PARAM_ACCESS_FLAGS, %eax
	push AX
	mov AGENT_PARAMS + PARAM_ACCESS_CS, %eax
	push AX
	mov AGENT_PARAMS + PARAM_ACCESS, AX
	push AX
	IRET
5:	mov AGENT_PARAMS + PARAM_ACCESS_FLAGS, %eax
	push AX
	popf
	jmp *AGENT_PARAMS + PARAM_ACCESS

N(agent_careful_after):
	mov 2*W(SP), SI
	mov (SI), BX
	mov W(SP), SI
	movl $0, RESULT_AD(SI)
	mov $(AGENT_PARAMS + PARAM_LEVEL), %edx
	xor %ebp, %ebp
6:	cmp AGENT_PARAMS + PARAM_LEVELS, %ebp
	je 9f
	N(entry_pointers)
	mov (SI), %eax
	xor (DI), %eax
	cmp $2, %ecx
	jne 7f
	mov 4(SI), %ecx
	cmp %ecx, 4(DI)
	je 7f
	or $1, %eax
7:	mov W(SP), SI
	test $~0x60, %eax
	jz 8f
	orl $AD_CORRUPT, RESULT_AD(SI)
8:	shr $5, %eax
	and $3, %eax
	lea (BP, BP), %ecx
	shl %cl, %eax
	or %eax, RESULT_AD(SI)
	add $LEVEL_SIZE, %edx
	inc %ebp
	jmp 6b
9:	pop CX
	pop DI
	pop SI
	add $8, SI
	add $RESULT_SIZE, DI
	dec %ecx
	jnz N(agent_careful)
	out %al, $AGENT_DONE_PORT

/* The accesses of a careful batch; they run at either alias. */
	.globl N(agent_access_read), N(agent_access_write), N(agent_access_fetch)
	.globl N(agent_access_ldt), N(agent_access_return)
N(agent_access_read):
	mov (BX), %eax
	jmp 1f
N(agent_access_write):
	mov %edi, (BX)
	mov 8(BX), %eax
	jmp 1f
	/* Loading FS reads the descriptor: an implicit supervisor access at any CPL. */
N(agent_access_ldt):
	mov %cs, %eax
	and $3, %eax
	or $LDT_SELECTOR, %eax
	mov %eax, %fs
	lsl %eax, %eax
1:	mov %eax, RESULT_VALUE(DI)
	jmp *BP
N(agent_access_fetch):
	jmp *BX
	/* Nothing: the entries were to be put back, no more. */
	.globl N(agent_access_none)
N(agent_access_none):
	mov $STATUS_DONE, %eax
	mov %eax, RESULT_VALUE(DI)
	jmp *BP
	/* BP leads user code here and the supervisor straight to the driver. */
N(agent_access_return):
	int3

/*
 * Exception handlers.  On entry the stack holds the error code (0 where the CPU
 * pushes none) and the interrupted context.
 */
.macro N(note_fault)
	pop AX
	mov %eax, RESULT_ERROR(BX)
	mov %cr2, AX
	mov AX, RESULT_CR2(BX)
	mov (SP), AX
	mov AX, RESULT_RIP(BX)
.endm

.macro N(note_vector)
	lea (DI, DX), %ebx
	pop AX
	or $STATUS_FAULT, %eax
	mov %eax, RESULT_STATUS(BX)
.endm

	/*
	 * Fast loops: go on at BP.  The 32-bit address wraps where DX is minus the alias; the
	 * error code's pop may run over into the value, which a fault does not have.
	 */
	.globl N(agent_fault_pf)
	.balign 16
N(agent_fault_pf):
	POP RESULT_ERROR(%edi, %edx)
	mov %cr2, AX
	mov AX, RESULT_CR2(%edi, %edx)
	POP RESULT_RIP(%edi, %edx)
	push BP
	IRET
N(agent_fault_other):
	N(note_vector)
	N(note_fault)
	mov BP, (SP)
	IRET

	.globl N(agent_fault_bare)
N(agent_fault_bare):
	add $W, SP
	mov BP, (SP)
	IRET

	/* Careful batches: back to the driver, whatever the CPL was. */
N(agent_careful_fault):
	N(note_vector)
	N(note_fault)
	.globl N(agent_careful_return)
N(agent_careful_return):
#if BITS == 64
	mov AGENT_PARAMS + PARAM_AFTER, %rax
	mov %rax, (%rsp)
	mov AGENT_PARAMS + PARAM_CS, %eax
	mov %rax, 8(%rsp)
	movq $2, 16(%rsp)
	mov AGENT_PARAMS + PARAM_STACK, %rax
	mov %rax, 24(%rsp)
	movq $SEL_DATA, 32(%rsp)
	iretq
#else
	mov AGENT_PARAMS + PARAM_STACK, %esp
	push $2
	popf
	jmp *AGENT_PARAMS + PARAM_AFTER
#endif

/* One stub per exception vector, 16 bytes apart: error code, vector, handler. */
.macro N(stubs) handler
	.set vector, 0
	.rept 32
	.balign 16
	.if !((1 << vector) & 0x60227d00)
	push $0
	.endif
	push $vector
	jmp \handler
	.set vector, vector + 1
	.endr
.endm
	.balign 16
	.globl N(agent_stubs), N(agent_careful_stubs)
N(agent_stubs):
	N(stubs) N(agent_fault_other)
	.balign 16
N(agent_careful_stubs):
	N(stubs) N(agent_careful_fault)

/*
 * One instruction whose registers the VMM wants to see behind a fault, too (lib/guest/rep.c).  The
 * stack then holds vector, error code and the interrupted context.
 */
	.globl N(agent_rep_movs), N(agent_rep_forced), N(agent_stop_stubs)
	.balign 16
N(agent_rep_movs):
	rep movsb
	out %al, $AGENT_DONE_PORT
	.balign 16
N(agent_rep_forced):
	FORCE_EMULATION
	rep movsb
	out %al, $AGENT_DONE_PORT
N(agent_stop):
	out %al, $AGENT_DONE_PORT
	.balign 16
N(agent_stop_stubs):
	N(stubs) N(agent_stop)
