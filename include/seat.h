/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Seats: vCPUs of one VM that work through page tables of the caller's choice.
 *
 * agent_run() has one vCPU and the suite's own tables.  A seat is a vCPU with a stack, a TSS
 * and a result of its own, so that several of one VM can run, one after the other or at the
 * same time; it makes one operation per KVM_RUN, and everything about it is in registers.
 * The tables must map the agent's memory as include/agent.h says.
 */
#ifndef KMC_SEAT_H
#define KMC_SEAT_H

#include "guest.h"

/* Guest physical memory, beside that of agent.h; seat n at + n * SEAT_SIZE. */
#define AGENT_SEATS 0xc0000
#define SEAT_SIZE 0x4000
#define SEAT_TSS64 0x0
#define SEAT_TSS32 0x800
#define SEAT_RESULT 0xc00
#define SEAT_INVPCID_AT 0xd00 /* its descriptor */
#define SEAT_STACK_TOP 0x2000
#define SEAT_DF_STACK_TOP 0x3000
#define SEAT_USER_STACK_TOP 0x4000
#define MAX_SEATS 8

struct seat {
	struct guest *guest;
	struct vcpu *vcpu;
	u32 nr;
	struct mmu_state state;
	u64 cr3;
	u8 cpl;       /* valid if entered */
	bool entered; /* the vCPU is in the state, with this CR3 and CPL */
	bool pcide;   /* CR4.PCIDE */
	bool interrupts; /* EFLAGS.IF */
};

enum seat_op {
	SEAT_READ,       /* 4 bytes */
	SEAT_FETCH,      /* runs the code of a tagged page */
	SEAT_STORE,      /* 4 bytes of value */
	SEAT_STORE_WIDE, /* 8 bytes in 64-bit code, else 4 */
	SEAT_INVLPG,     /* CPL 0 only */
	SEAT_CR3,        /* MOV to CR3 of gva, CPL 0 only; bit 63 (SDM 3A 4.10.4.1) does not stay in CR3 */
	SEAT_PGE,        /* two MOVs to CR4 that change PGE and change it back, CPL 0 only */
	SEAT_PCIDE,      /* MOV to CR4 that changes PCIDE, CPL 0 only */
	SEAT_INVPCID,    /* of type value with the descriptor at gva: seat_invpcid() */
	NR_SEAT_OPS,
};
extern const char *const seat_op_names[NR_SEAT_OPS];

struct seat_result {
	u32 status;      /* as agent_result.status: STATUS_DONE, _FAULT + vector, _EXIT + reason */
	u32 error;       /* faults: error code */
	u32 value;       /* what was read; the tag for a fetch */
	u64 cr2, rip;    /* faults; cr2 of an exit: its detail */
	u32 nr_mmio;     /* MMIO exits on the way; reads are answered with ones, and */
	gpa_t mmio_gpa;  /* the first one's address, */
	bool mmio_write;
	u32 mmio_len;    /* bytes, */
	u64 mmio_data;   /* and what was written */
};

/* Seat 0 has the guest's own vCPU, any other a new one. */
void seat_init(struct seat *seat, struct guest *guest, u32 nr);
/* From now on in this state with this CR3; nothing happens to the vCPU yet. */
void seat_assign(struct seat *seat, const struct mmu_state *state, u64 cr3);
/*
 * Makes the vCPU ready for this privilege level.  Returns whether KVM_SET_SREGS was needed,
 * which among others loads the PDPTE registers; otherwise nothing was touched.
 */
bool seat_enter(struct seat *seat, u8 cpl);
/* 0, or the errno of KVM_SET_SREGS. */
int __seat_enter(struct seat *seat, u8 cpl);
/* One operation at the level entered. */
void seat_run(struct seat *seat, enum seat_op op, gva_t gva, u64 value,
	      struct seat_result *result);
/* One read in this state at this level: NULL, or why the agent cannot run there. */
const char *seat_probe(struct seat *seat, u8 cpl);
/* INVPCID at CPL 0: SDM vol. 2 INVPCID, types as there. */
enum invpcid { INVPCID_ADDRESS, INVPCID_CONTEXT, INVPCID_ALL, INVPCID_ALL_BUT_GLOBAL };
void seat_invpcid(struct seat *seat, enum invpcid type, u32 pcid, gva_t gva,
		  struct seat_result *result);
/* The linear address that a fault of this operation reports as its RIP. */
u64 seat_fault_rip(const struct seat *seat, enum seat_op op, gva_t gva);

#endif
