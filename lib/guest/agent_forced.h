/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The accesses behind KVM's forced-emulation prefix (kvm.force_emulation_prefix), for one code
 * size; agent_body.h has the plain ones and says what the registers hold.
 *
 * KVM's emulator makes them, and its own walker translates the address.  A fault's RIP is that
 * of the instruction behind the prefix.
 */
	N(loop_head) N(agent_forced_read)
	FORCE_EMULATION
	mov (BX), %eax
	N(loop_tail) N(agent_forced_read)

	N(loop_head) N(agent_forced_write)
	FORCE_EMULATION
	mov %edi, (BX)
	FORCE_EMULATION
	mov 8(BX), %eax
	N(loop_tail) N(agent_forced_write)

	/* To the instruction in front of the page, whose end lies in it: see lib/guest/front.c. */
	N(loop_head) N(agent_forced_fetch)
	lea -(DATA_FETCH_OFFSET + DATA_FRONT_SIZE)(BX), BX
	jmp *BX
	N(loop_tail) N(agent_forced_fetch)

	.globl N(agent_access_forced_read), N(agent_access_forced_write)
	.globl N(agent_access_forced_fetch), N(agent_access_forced_ldt)
N(agent_access_forced_read):
	FORCE_EMULATION
	mov (BX), %eax
	jmp 1f
N(agent_access_forced_write):
	FORCE_EMULATION
	mov %edi, (BX)
	FORCE_EMULATION
	mov 8(BX), %eax
	jmp 1f
	/* KVM does not emulate LSL: what was loaded is seen by the CPU. */
N(agent_access_forced_ldt):
	mov %cs, %eax
	and $3, %eax
	or $LDT_SELECTOR, %eax
	FORCE_EMULATION
	mov %eax, %fs
	lsl %eax, %eax
1:	mov %eax, RESULT_VALUE(DI)
	jmp *BP
N(agent_access_forced_fetch):
	lea -(DATA_FETCH_OFFSET + DATA_FRONT_SIZE)(BX), BX
	jmp *BX
