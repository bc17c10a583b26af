/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Snippets: a few instructions run once in a state at a privilege level, with general
 * registers as asked for; for tests of what an instruction does, not of many addresses.
 *
 * A snippet ends behind its last instruction, or with the first fault.  The registers are
 * those that it leaves behind, or that the fault found.
 */
#ifndef KMC_SNIPPET_H
#define KMC_SNIPPET_H

#include "guest.h"

/* Guest physical memory, beside that of agent.h: code, IDTs, their handlers, TSSs. */
#define SNIPPET_CODE 0x1c000
#define SNIPPET_IDT64 0x1d000
#define SNIPPET_IDT32 0x1d800
#define SNIPPET_HANDLERS 0x1e000
#define SNIPPET_TSS64 0x1f000
#define SNIPPET_TSS32 0x1f800
#define SNIPPET_MAX_CODE 0x100
/* Ports whose I/O permission bits there are; all others are forbidden by the bitmap. */
#define SNIPPET_PORTS 64

struct snippet {
	struct mmu_state state;
	u8 cpl;
	u8 iopl;
	u64 ports_forbidden; /* I/O permission bitmap of the TSS: looked at if CPL > IOPL */
	u64 fs_base, gs_base;
	const u8 *code;
	u32 code_size;       /* bytes */
	/* RIP, RFLAGS and, if 0, RSP are set by snippet_run(); on return all as interrupted. */
	struct kvm_regs regs;
	/* Answers an exit of the snippet's own; false ends it with STATUS_EXIT.  May be NULL. */
	bool (*answer)(void *context, struct vcpu *vcpu, u32 exit);
	void *context;
};

struct snippet_end {
	u32 status; /* STATUS_DONE, STATUS_FAULT + vector, STATUS_EXIT + exit reason */
	u32 error;  /* the error code of a fault */
	u64 cr2;    /* of a page fault; an exit's detail as in struct agent_result */
	u64 rip;    /* of a fault: offset in the code */
};

void snippet_run(struct guest *guest, struct snippet *snippet, struct snippet_end *end);
/* The linear address of a page of the agent that leads to HOLE_GPA, in this state at this CPL. */
gva_t snippet_hole(const struct mmu_state *state, u8 cpl);

#endif
