/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * L1: a tiny hypervisor in the guest, so that the agent runs inside L2.
 *
 * L2 is the same agent code in the same guest-physical memory; the nested tables map it one
 * to one, so an L2 has the registers that a batch has natively, and every batch can be made
 * there.  The host writes the control structure as data and puts the vCPU into L1's state,
 * with L2's general registers already loaded; L1 enters L2 at once.  It handles what a case
 * ends with by itself, as the agent's exception handlers do: an exit for a nested page fault
 * is noted and L2 goes on behind the access.  What ends the batch, and all else, L1 passes on to
 * the VMM with an OUT of its own.
 *
 * Which instructions that takes is the vendor's: struct l1_vendor.  Included by assembly too.
 */
#ifndef KMC_L1_H
#define KMC_L1_H

#include "agent.h"

/* Guest-physical memory of L1; its own tables map all of the guest's low memory one to one. */
#define L1_BASE 0x1800000
#define L1_CODE L1_BASE
#define L1_CODE_SIZE 0x1000
#define L1_STACK_TOP (L1_BASE + 0x4000)
#define L1_SCRATCH (L1_BASE + 0x4000)
#define L1_PDPTES (L1_SCRATCH + 32)       /* u32: where L1 clears A in its PDPTEs, or 0 */
#define L1_CONTROL (L1_BASE + 0x5000)     /* VMCB, or VMCS */
#define L1_HOST_SAVE (L1_BASE + 0x6000)   /* VM_HSAVE_PA, or VMXON region */
#define L1_IO_BITMAP (L1_BASE + 0x8000)   /* 3 pages (SVM), 2 and the MSR bitmap (VMX) */
#define L1_OPEN_PORTS (0xfu << AGENT_STRING_PORT % 8) /* 4 bytes of string I/O: not L1's */
#define L1_TABLES (L1_BASE + 0x10000)     /* L1's own page tables */
#define L1_TABLES_END (L1_BASE + 0x60000)
#define L1_EXITS (L1_BASE + 0x100000)     /* struct l1_exit by case, AGENT_MAX_CASES of them */
#define L1_NESTED (L1_BASE + 0x300000)    /* nested tables */
#define L1_NESTED_END (L1_BASE + 0x600000)
#define L1_L2_TABLES (L1_BASE + 0x80000)  /* tables of L2, for tests of nested tables: 64 pages */
#define L1_L2_TARGET (L1_BASE + 0x600000) /* 2 MiB; the first page is a table of L2, too */

/* L1 leaves L2 for another reason than the cases': struct l1_exit of L1_LAST_EXIT tells. */
#define L1_EXIT_PORT 0xf5

/* struct l1_exit, byte offsets */
#define L1_EXIT_CODE 0
#define L1_EXIT_INFO 8
#define L1_EXIT_GPA 16
#define L1_EXIT_RIP 24
#define L1_EXIT_LINEAR 32
#define L1_EXIT_CR2 40
#define L1_EXIT_COUNT 48
#define L1_EXIT_SIZE 64

#ifndef __ASSEMBLER__
#include "guest.h"
#include "nested.h"

/* What L1 was told about an exit. */
struct l1_exit {
	u64 code;   /* SVM: EXITCODE; VMX: exit reason */
	u64 info;   /* EXITINFO1; exit qualification */
	u64 gpa;    /* EXITINFO2; guest-physical address */
	u64 rip;    /* L2's */
	u64 linear; /* VMX: guest-linear address */
	u64 cr2;    /* L2's */
	u64 count;  /* how often the case exited */
	u64 reserved;
};
_Static_assert(sizeof(struct l1_exit) == L1_EXIT_SIZE, "l1_exit");
_Static_assert(L1_EXIT_SIZE == 2 * RESULT_SIZE, "L1 finds a case's exit by its result");

/* What L1 invalidates before it enters L2 for a batch. */
enum l1_flush {
	L1_FLUSH_ALL,  /* SVM: the ASID's whole TLB; VMX: INVEPT, all contexts */
	L1_FLUSH_ROOT, /* VMX: INVEPT of one EPTP */
	L1_FLUSH_NONE, /* VMX: nothing but what VM entry does */
};

/* An 8-byte store by L1: KVM notices that a nested table changes only if the guest does it. */
struct l1_store {
	gpa_t gpa; /* aligned, in L1's memory */
	u64 value;
};
#define L1_MAX_STORES 112

/* How L1 runs L2. */
struct l1_setup {
	struct mmu_state state; /* L1's own: its paging mode and control bits */
	bool nested;            /* with nested paging; else L2's CR3 holds L1-physical addresses */
	u64 root;               /* of the nested tables: nCR3, or EPTP */
	u64 l2_cr3;             /* L2's CR3 instead of the batch's; 0: the batch's */
	u64 l2_pdptr[4];        /* VMX: the PDPTEs that go with l2_cr3 */
	enum l1_flush flush;
	u64 flush_root;         /* the EPTP of L1_FLUSH_ROOT */
	struct l1_store store[L1_MAX_STORES]; /* VMX: made before the flush */
	u32 nr_stores;
	bool open_done;         /* VMX: L2's AGENT_DONE_PORT is the VMM's, who finds the vCPU in L2 */
	bool stay;              /* VMX: in VMX operation, VMCS current, behind a batch */
};

struct l1 {
	struct l1_setup setup;
	bool stayed;  /* L1 is in VMX operation behind the last batch */
	bool resumed; /* the vCPU is in L2 already: the next batch finds it there */
	gpa_t next_table, next_nested; /* free memory for tables */
	gpa_t own_root[NR_STATE_MODES]; /* of L1's own tables, 0 if not made yet */
	gpa_t identity[4][NR_STATE_MODES]; /* see l1_identity(), 0 if not made yet */
};

/* The usual: 64-bit code, 4-level paging. */
extern const struct mmu_state l1_usual_state;

/*
 * An L1 for VMX whose CR0.WP, EFER.NXE, CR4.SMEP and SMAP are all others than that L2's, as far as the
 * CPU has them: what takes one's for the other's shows.
 */
struct mmu_state l1_unlike(const struct guest *guest, const struct mmu_state *l2);

/* VMX: what the CPU offers an L1. */
struct ept_caps l1_ept_caps(struct guest *guest);

/* NULL, or what this host lacks for an L1 that runs L2 with or without nested paging. */
const char *l1_lacks(struct guest *guest, bool nested);

/* NULL, or why no L1 here can have an L2 in this state ("an L2 without nested paging ..."). */
const char *l1_cannot(const struct guest *guest, const struct mmu_state *state, bool nested);

/*
 * How L2 is run from now on in this guest.  NULL, or why such an L1 cannot be ("an L1 needs
 * paging").
 */
const char *l1_use(struct guest *guest, const struct l1_setup *setup);

/*
 * Nested tables for an L1 in this mode that map the guest's memory one to one, with all
 * rights, by pages of a level (1: 4 KiB; where memory is small, and nothing is gained from
 * larger ones).  Made once; returns the root.  What the mode cannot address is not mapped.
 */
u64 l1_identity(struct guest *guest, enum state_mode mode, int page_level);

/* A page for nested tables of the caller's; it stays taken. */
gpa_t l1_nested_page(struct guest *guest);

/*
 * A vCPU about to be put into these registers will be put there by L1: keeps them for L2
 * and replaces them by L1's.  For agent.c.
 */
void l1_enter(struct guest *guest, struct kvm_sregs *sregs, struct kvm_regs *regs);
/* As that batch's actor, L2 executes an INS, with which KVM stops in L2 for the VMM: service. */
struct agent_batch l1_stop_batch(const struct agent_batch *like,
				 const struct agent_service *service);
/*
 * Another vCPU with the guest's memory takes guest->vcpu's place in L2: with l1_use() done, L2
 * in the batch's state and as its actor stops, and all is copied, nested state included.  NULL,
 * or what became of the attempt.  What runs in L2 next is the next batch in L2, which must be
 * such a one; it runs on guest->vcpu, that is for the caller to exchange.
 */
const char *l1_move(struct guest *guest, const struct agent_batch *batch, struct vcpu *to);
/* A batch ended early: out of L2.  *result says why if L1 passed on an exit of L2's. */
void l1_leave(struct guest *guest, u32 exit, struct agent_result *result);
/* Lets another vCPU with the guest's memory, in guest->vcpu's place, be L1's. */
void l1_prepare(struct guest *guest, struct vcpu *vcpu);
/* Behind batches with l1_setup.stay: before anything but the next one runs. */
void l1_quit(struct guest *guest);
/* What L1 noted about case i of the last batch; valid where its status is STATUS_L2_EXIT. */
const struct l1_exit *l1_case_exit(struct guest *guest, u32 i);
void l1_free(struct guest *guest);
#endif

#endif
