/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's accesses that exit to the VMM on purpose; included twice by agent_code.S, behind
 * agent_body.h.  What was read or where a store went is for the VMM to say: nothing here
 * touches the tested address natively.
 *
 * String I/O goes to port DX: DX holds 0 or minus AGENT_USER_ALIAS, both port AGENT_STRING_PORT.
 *
 * INS, MOVS and CMPS take their address in DI, where handlers expect the result.  They
 * run with DI and BX exchanged, and with IDTs whose handlers (agent_swapped_*) put them right.
 */

/* SI = the linear address of the hole at this alias; bit 0: it is CMPS's second operand. */
.macro N(load_hole)
	mov %edx, %esi
	neg %esi
	mov AGENT_PARAMS + PARAM_HOLE(SI), %esi
.endm

.macro N(do_outs)
	mov BX, SI
	outsl
	xor %eax, %eax
.endm

.macro N(do_ins)
	xchg BX, DI
	insl
	xchg BX, DI
	xor %eax, %eax
.endm

	/* Hole to memory. */
.macro N(do_movs)
	N(load_hole)
	xchg BX, DI
	movsl
	xchg BX, DI
	xor %eax, %eax
.endm

	/* The VMM supplies one candidate after another, until it is what memory holds; it reads CF. */
.macro N(do_cmps)
	N(load_hole)
	xchg BX, DI
	btr $0, %esi
	jnc 81f
	xchg SI, DI
81:	cmpsl
	lea -4(SI), SI
	lea -4(DI), DI
	jne 81b
	xchg BX, DI
	xor %eax, %eax
.endm

	N(loop_head) N(agent_outs)
	N(do_outs)
	N(loop_tail) N(agent_outs)

	N(loop_head) N(agent_ins)
	N(do_ins)
	N(loop_tail) N(agent_ins)

	N(loop_head) N(agent_movs)
	N(do_movs)
	N(loop_tail) N(agent_movs)

	N(loop_head) N(agent_cmps)
	N(do_cmps)
	N(loop_tail) N(agent_cmps)

	.globl N(agent_access_outs), N(agent_access_ins)
	.globl N(agent_access_movs), N(agent_access_cmps)
N(agent_access_outs):
	N(do_outs)
	jmp 82f
N(agent_access_ins):
	N(do_ins)
	jmp 82f
N(agent_access_movs):
	N(do_movs)
	jmp 82f
N(agent_access_cmps):
	N(do_cmps)
82:	mov %eax, RESULT_VALUE(DI)
	jmp *BP

	.globl N(agent_swapped_pf), N(agent_swapped_stubs), N(agent_swapped_careful_stubs)
N(agent_swapped_pf):
	xchg BX, DI
	jmp N(agent_fault_pf)
N(agent_swapped_other):
	xchg BX, DI
	jmp N(agent_fault_other)
	/* It may be the driver that faults, on its way to the access. */
N(agent_swapped_careful_fault):
	mov AGENT_PARAMS + PARAM_RESULT, %edi
	xor %edx, %edx
	jmp N(agent_careful_fault)

	.balign 16
N(agent_swapped_stubs):
	N(stubs) N(agent_swapped_other)
	.balign 16
N(agent_swapped_careful_stubs):
	N(stubs) N(agent_swapped_careful_fault)
