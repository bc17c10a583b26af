// SPDX-License-Identifier: GPL-2.0-only
/* GDT, IDTs and TSSs of the agent (SDM 3A 3.4.5, 5.8.3, 6.11, 6.14, 8.2, 8.7). */
#include <string.h>

#include "guest_internal.h"
#include "labels.h"

#define NR_EXCEPTIONS 32

static void put64(u8 *p, u64 value)
{
	memcpy(p, &value, sizeof(value));
}

static u64 segment_descriptor(u32 base, u32 limit, u32 flags)
{
	return (u64)(base & 0xff000000) << 32 | (u64)flags << 40 | (u64)(limit & 0xf0000) << 32 |
	       (u64)(base & 0xffffff) << 16 | (limit & 0xffff);
}

static void put_gate32(u8 *idt, int vector, u64 handler, u8 type)
{
	put64(idt + vector * 8, (handler & 0xffff) | SEL_CODE32 << 16 | (u64)type << 40 |
					(handler & 0xffff0000) << 32);
}

static void put_gate64(u8 *idt, int vector, u64 handler, u8 type)
{
	u64 ist = vector == 8; /* double faults get a stack of their own */

	put64(idt + vector * 16, (handler & 0xffff) | SEL_CODE64 << 16 | ist << 32 |
					 (u64)type << 40 | (handler & 0xffff0000) << 32);
	put64(idt + vector * 16 + 8, handler >> 32);
}

/* User code may raise this one; some backends know no other software interrupt. */
static void put_return_gates(u8 *ram)
{
	put_gate32(ram + AGENT_IDT32_CAREFUL, AGENT_RETURN_VECTOR,
		   AGENT_ADDR(agent_careful_return32), 0xee);
	put_gate64(ram + AGENT_IDT64_CAREFUL, AGENT_RETURN_VECTOR,
		   AGENT_ADDR(agent_careful_return64), 0xee);
}

static void write_idts(u8 *ram)
{
	int v;

	for (v = 0; v < NR_EXCEPTIONS; v++) {
		u64 fast32 = AGENT_ADDR(agent_stubs32) + 16 * v;
		u64 fast64 = AGENT_ADDR(agent_stubs64) + 16 * v;
		u64 careful32 = AGENT_ADDR(agent_careful_stubs32) + 16 * v;
		u64 careful64 = AGENT_ADDR(agent_careful_stubs64) + 16 * v;

		put_gate32(ram + AGENT_IDT32, v, v == 14 ? AGENT_ADDR(agent_fault_pf32) : fast32,
			   0x8e);
		put_gate64(ram + AGENT_IDT64, v, v == 14 ? AGENT_ADDR(agent_fault_pf64) : fast64,
			   0x8e);
		put_gate32(ram + AGENT_IDT32_CAREFUL, v, careful32, 0x8e);
		put_gate64(ram + AGENT_IDT64_CAREFUL, v, careful64, 0x8e);
		put_gate32(ram + AGENT_IDT32_STOP, v, AGENT_ADDR(agent_stop_stubs32) + 16 * v,
			   0x8e);
		put_gate64(ram + AGENT_IDT64_STOP, v, AGENT_ADDR(agent_stop_stubs64) + 16 * v,
			   0x8e);
		put_gate32(ram + AGENT_IDT32_BARE, v, AGENT_ADDR(agent_fault_bare32), 0x8e);
		put_gate64(ram + AGENT_IDT64_BARE, v, AGENT_ADDR(agent_fault_bare64), 0x8e);
	}
	put_return_gates(ram);
}

static void write_staying_idts(u8 *staying)
{
	int v;

	for (v = 0; v < NR_EXCEPTIONS; v++) {
		u64 fast32 = AGENT_ADDR(agent_stubs32) + 16 * v;
		u64 fast64 = AGENT_ADDR(agent_stubs64) + 16 * v;

		put_gate32(staying + AGENT_IDT32, v,
			   v == 14 ? AGENT_ADDR(agent_fault_stay32) : fast32, 0x8e);
		put_gate64(staying + AGENT_IDT64, v,
			   v == 14 ? AGENT_ADDR(agent_fault_stay64) : fast64, 0x8e);
		put_gate32(staying + AGENT_IDT32_BARE, v, AGENT_ADDR(agent_fault_bare_stay32),
			   0x8e);
		put_gate64(staying + AGENT_IDT64_BARE, v, AGENT_ADDR(agent_fault_bare_stay64),
			   0x8e);
	}
}

static void write_swapped_idts(u8 *swapped)
{
	int v;

	for (v = 0; v < NR_EXCEPTIONS; v++) {
		u64 fast32 = AGENT_ADDR(agent_swapped_stubs32) + 16 * v;
		u64 fast64 = AGENT_ADDR(agent_swapped_stubs64) + 16 * v;
		u64 careful32 = AGENT_ADDR(agent_swapped_careful_stubs32) + 16 * v;
		u64 careful64 = AGENT_ADDR(agent_swapped_careful_stubs64) + 16 * v;

		put_gate32(swapped + AGENT_IDT32, v,
			   v == 14 ? AGENT_ADDR(agent_swapped_pf32) : fast32, 0x8e);
		put_gate64(swapped + AGENT_IDT64, v,
			   v == 14 ? AGENT_ADDR(agent_swapped_pf64) : fast64, 0x8e);
		put_gate32(swapped + AGENT_IDT32_CAREFUL, v, careful32, 0x8e);
		put_gate64(swapped + AGENT_IDT64_CAREFUL, v, careful64, 0x8e);
	}
	/* By the time user code comes back the registers are in their places. */
	put_return_gates(swapped);
}

void descriptors_init(u8 *ram)
{
	u8 *gdt = ram + AGENT_GDT;

	/* Accessed bits are set: loading a segment must not write to the GDT. */
	put64(gdt + SEL_CODE32, segment_descriptor(0, 0xfffff, 0xc09b));
	put64(gdt + SEL_DATA, segment_descriptor(0, 0xfffff, 0xc093));
	put64(gdt + SEL_CODE64, segment_descriptor(0, 0xfffff, 0xa09b));
	put64(gdt + (SEL_USER_CODE32 & ~3), segment_descriptor(0, 0xfffff, 0xc0fb));
	put64(gdt + (SEL_USER_DATA & ~3), segment_descriptor(0, 0xfffff, 0xc0f3));
	put64(gdt + (SEL_USER_CODE64 & ~3), segment_descriptor(0, 0xfffff, 0xa0fb));
	put64(gdt + SEL_TSS64, segment_descriptor(AGENT_TSS64, 0x67, 0x8b));
	put64(gdt + SEL_TSS32, segment_descriptor(AGENT_TSS32, 0x67, 0x8b));
	/* The agent fills in the base. */
	put64(gdt + SEL_LDT, segment_descriptor(0, 0xffff, 0x82));

	put64(ram + AGENT_TSS64 + 4, AGENT_STACK_TOP);
	put64(ram + AGENT_TSS64 + 0x24, AGENT_DF_STACK_TOP); /* IST1 */
	put64(ram + AGENT_TSS32 + 4, AGENT_STACK_TOP | (u64)SEL_DATA << 32);
	write_idts(ram);
	write_staying_idts(ram + AGENT_IDT_STAY);
	write_swapped_idts(ram + AGENT_IDT_SWAPPED);
}
