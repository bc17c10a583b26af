/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts: what a guest does by itself, without help of the VMM, between two exits.
 *
 * A script is a list of operations in guest memory: load a control register, change the
 * code size, make a list of accesses.  An interpreter (lib/guest/script_body.inc, in 32-bit
 * and in 64-bit code) works through it; one exit ends it.  So a transition between two
 * register states is data, made by the host, and a script can hold many of them, each with
 * the accesses that are made behind it.  Included by assembly too.
 *
 * The interpreter runs at CPL 0 in memory that every state maps one to one, as 64-bit code
 * in long mode and as 32-bit code elsewhere; an access is made in the code size and at the
 * privilege level that its case asks for.
 */
#ifndef KMC_SCRIPT_H
#define KMC_SCRIPT_H

#include "agent.h"

/* Guest physical memory, beside that of agent.h. */
#define SCRIPT_CODE 0x5000
#define SCRIPT_CODE_SIZE 0x2000
#define SCRIPT_IDTR64 0x7000   /* pseudo-descriptors for LIDT */
#define SCRIPT_IDTR32 0x7010
#define SCRIPT_CASES 0x280000  /* struct script_case */
#define SCRIPT_OPS 0x2e0000    /* struct script_op */
#define SCRIPT_RESULTS 0x300000 /* struct agent_result */
#define SCRIPT_END 0x400000
/* Where batches have their results: L1's words, then a VMCB for each VMRUN and VMLOAD. */
#define SCRIPT_L1 0x180000
#define SCRIPT_L1_CX (SCRIPT_L1 + 0)
#define SCRIPT_L1_PDPTES (SCRIPT_L1 + 8) /* u32: where L1 clears A in its PDPTEs, or 0 */
#define SCRIPT_L1_NEXT (SCRIPT_L1 + 12)  /* u32: the host's, how many VMCBs were in use */
#define SCRIPT_L1_OWN (SCRIPT_L1 + 16)   /* u32: VMCB for L1's VMLOAD where it ends the script */
#define SCRIPT_VMCBS (SCRIPT_L1 + 0x1000)
#define SCRIPT_VMCBS_END 0x240000
#define SCRIPT_TABLES 0x240000  /* tables that L1 edits: 64 pages */

/* Operations; each but those marked ends with the next one. */
#define SCRIPT_DONE 0   /* exit to the VMM: port AGENT_DONE_PORT */
#define SCRIPT_ACCESS 1 /* count accesses from the list at value; count results */
#define SCRIPT_CR0 2    /* MOV to CR0, CR3, CR4: the 64 (in 32-bit code: 32) bits of value */
#define SCRIPT_CR3 3
#define SCRIPT_CR4 4
#define SCRIPT_EFER 5   /* WRMSR */
#define SCRIPT_PKRU 6   /* WRPKRU; needs CR4.PKE = 1 */
#define SCRIPT_TO32 7   /* far return from 64-bit code to compatibility mode; in 32-bit code nothing */
#define SCRIPT_TO64 8   /* far jump from compatibility mode to 64-bit code; in 64-bit code nothing */
#define SCRIPT_LIDT 9   /* from the pseudo-descriptor at value */
#define SCRIPT_LTR 10   /* this selector, made available before */
#define SCRIPT_LMSW 11  /* LMSW: bits 15:0 of value */
#define SCRIPT_CLTS 12
#define SCRIPT_REGS 13  /* one result: CR0, CR4, EFER, CR3 as the guest reads them */
#define SCRIPT_TRY 14   /* the next operation may raise an exception: one result, and */
#define SCRIPT_TRIED 15 /* this must follow it */
#define SCRIPT_CLEAN 16 /* clears A in the four PDPTEs at value, see struct guest.marks_pdptes */
#define SCRIPT_STORE 17 /* the 8 bytes of value to linear address count */
#define SCRIPT_INVLPG 18
#define SCRIPT_VMLOAD 19 /* AMD: from the VMCB at value */
#define SCRIPT_VMRUN 20  /* AMD: L2 goes on with the script; behind its VMMCALL L1 does, with GIF=1 */
#define SCRIPT_VMMCALL 21
#define SCRIPT_INVLPGA 22 /* AMD: linear address value, ASID count */
/* The same by KVM's emulator, behind its prefix: kvm.force_emulation_prefix must be set. */
#define SCRIPT_FORCED_CR0 23
#define SCRIPT_FORCED_CR3 24
#define SCRIPT_FORCED_CR4 25
#define SCRIPT_FORCED_EFER 26
#define SCRIPT_FORCED_LMSW 27
#define SCRIPT_FORCED_CLTS 28
#define NR_SCRIPT_OPS 29

/* struct script_op, byte offsets */
#define OP_CODE 0
#define OP_COUNT 4
#define OP_VALUE 8
#define OP_SIZE 16

/* struct script_case */
#define CASE_GVA 0
#define CASE_STUB 8
#define CASE_RESUME 12
#define CASE_CS 16
#define CASE_SS 20
#define CASE_SP 24
#define CASE_FLAGS 28
#define CASE_ALIAS 32
#define CASE_SIZE 40

#ifndef __ASSEMBLER__
#include "guest.h"

struct script_op {
	u32 op, count;
	u64 value;
};

struct script_case {
	u64 gva;
	u32 stub;     /* the agent's code that makes the access, at the alias it runs at */
	u32 resume;   /* where that goes when it is done */
	u32 cs;       /* 0: a jump will do (CPL 0 in the interpreter's own code size) */
	u32 ss, sp;   /* with cs */
	u32 flags;    /* EFLAGS of the access */
	u32 alias, reserved;
};

_Static_assert(sizeof(struct script_op) == OP_SIZE, "script_op");
_Static_assert(sizeof(struct script_case) == CASE_SIZE, "script_case");

#define SCRIPT_MAX_CASES ((SCRIPT_OPS - SCRIPT_CASES) / CASE_SIZE)
#define SCRIPT_MAX_OPS ((SCRIPT_RESULTS - SCRIPT_OPS) / OP_SIZE)
#define SCRIPT_MAX_RESULTS ((SCRIPT_END - SCRIPT_RESULTS) / RESULT_SIZE)

/* A script under construction; it lies in the guest's memory, so there is one at a time. */
struct script {
	struct guest *guest;
	u32 nr_ops, nr_results;
	bool forced; /* operations that are added from here on have their forced form, if any */
};

/* Puts the interpreter into guest memory.  Once per guest. */
void script_install(struct guest *guest);

void script_begin(struct script *script, struct guest *guest);
void script_add(struct script *script, u32 op, u64 value);
/* SCRIPT_STORE: a table entry, for one. */
void script_add_store(struct script *script, u32 gva, u64 value);
/* AMD, with EFER.SVME=1. */
void script_add_invlpga(struct script *script, gva_t address, u32 asid);
/* Accesses first..first + nr - 1 of the list that script_set_case() made. */
void script_add_cases(struct script *script, u32 first, u32 nr);
/* Is there room for a stop with this many operations and results (and SCRIPT_DONE)? */
bool script_has_room(const struct script *script, u32 nr_ops, u32 nr_results);

/* Entry i of the guest's list of accesses: this access as it is made in this state. */
void script_set_case(struct guest *guest, u32 i, const struct mmu_state *state,
		     const struct actor *actor, enum agent_access access, enum agent_via via,
		     gva_t gva);

/*
 * What SCRIPT_CLEAN does, by the VMM, before KVM is to load the PDPTEs of this state: it refuses
 * those that the CPU has marked, without a word, and keeps those it has.
 */
void script_clean_pdptes(const struct guest *guest, const struct mmu_state *state);
/* All registers with which a script can start in this state, on this guest's vCPU. */
struct kvm_sregs script_sregs(const struct guest *guest, const struct mmu_state *state);
/*
 * The general registers for it.  again: the vCPU is in this state since an earlier script
 * ended, so that in compatibility mode it is at 64-bit code.
 */
struct kvm_regs script_regs(const struct mmu_state *state, bool again);
/* What a script in this state starts with: 64-bit code in long mode, PKRU. */
void script_add_start(struct script *script, const struct mmu_state *state);
/* Loads PKRU where the state has it. */
void script_add_pkru(struct script *script, const struct mmu_state *state);

/*
 * L1 and L2 share a script (AMD): VMRUN by the operations of one, its exit by VMMCALL.  An
 * access of L2's that exits to L1 for a nested page fault is a result: STATUS_L2_EXIT, EXITINFO1
 * in error (bits 31:0) and ad, EXITINFO2 in cr2; L2 goes on behind it.  Any other exit ends it.
 */
struct script_l2 {
	struct mmu_state l1;   /* where VMRUN is executed */
	bool nested;           /* with nested paging */
	u64 root;              /* nCR3 */
	u32 asid;              /* 0: 1, all of which VMRUN flushes; else nothing is flushed */
	bool invlpga;          /* before VMRUN, the ASID's translation of an address is dropped */
	gva_t address;
	u32 intercepts;        /* more of intercept vector 3 (include/svm.h) */
};

/* Lets a vCPU execute VMRUN; registers that only matter there. */
void script_prepare_l1(struct vcpu *vcpu);
/* L1 enters L2, which starts in this state. */
void script_add_vmrun(struct script *script, const struct script_l2 *how,
		      const struct mmu_state *l2);
/*
 * L1 ends a script of L2's by STGI and L1_EXIT_PORT if L2 exits for another reason.  The EXITCODE
 * that the last VMRUN got; *ran: L1 has executed something since, with GIF=0.
 */
u64 script_vmrun_exit(const struct guest *guest, bool *ran);
/* L2 exits to L1, which was in how->l1 and goes on there. */
void script_add_vmexit(struct script *script, const struct mmu_state *l1);

/* How a script ended. */
struct script_end {
	bool done;        /* by SCRIPT_DONE; else: */
	u32 exit;         /* exit reason (KVM_EXIT_*, VCPU_TIMEOUT, VCPU_RUN_ERROR) */
	u64 detail;       /* what agent_result.cr2 holds for such an exit */
	u32 nr_results;   /* how many results there are */
};

/*
 * Ends the script with SCRIPT_DONE and runs it on a vCPU that is in some state, whose
 * general registers the caller has set from script_regs().
 */
struct script_end script_run(struct script *script, struct vcpu *vcpu);
/*
 * Runs code that is no script to its next exit, with the same patience: a machine that stood
 * still for one window of time is no hang.  Returns as vcpu_run().
 */
u32 script_run_other(const struct guest *guest, struct vcpu *vcpu, int *error);
/* Result i of the script that ran last. */
struct agent_result script_result(const struct guest *guest, u32 i);

/* An access of a script as include/compare.h wants it: made with care, and not asked for A/D. */
struct agent_batch script_batch(const struct mmu_state *state, const struct actor *actor,
				enum agent_access access);

/* "MOV CR4 0x20"; the next operation's place in *i, false behind the last. */
#define SCRIPT_OP_TEXT_LEN 64
void script_op_text(const struct script_op *op, char text[SCRIPT_OP_TEXT_LEN]);
/* The operations as the host wrote them. */
const struct script_op *script_ops(const struct script *script);
#endif

#endif
