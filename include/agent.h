/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The protocol between the guest agent (lib/guest/agent_code.S, agent_body.inc) and its host side
 * (lib/guest/agent.c): where things lie in guest memory, what registers a batch
 * starts with, and what a result looks like.  Included by assembly too.
 *
 * The agent has no state and no boot code.  The host puts the vCPU straight into
 * a register state, points it at a loop and a list of linear addresses, and runs
 * it; the loop makes one access per address, an exception handler notes each
 * fault, and one exit ends the batch.
 */
#ifndef KMC_AGENT_H
#define KMC_AGENT_H

/*
 * Guest physical memory of the agent.  Linear addresses 0 to 4 MiB map it one to
 * one for the supervisor; AGENT_USER_ALIAS maps the same memory for user code.
 */
#define AGENT_CODE 0x1000
#define AGENT_CODE_SIZE 0x4000
#define AGENT_GDT 0x8000
#define AGENT_IDT64 0x9000         /* fault noted, loop goes on */
#define AGENT_IDT32 0xa000
#define AGENT_IDT64_CAREFUL 0xb000 /* fault noted, back to the careful driver */
#define AGENT_IDT32_CAREFUL 0xc000
#define AGENT_IDT64_BARE 0xd000    /* fault not noted: the floor of `make bench` */
#define AGENT_IDT32_BARE 0xe000
#define AGENT_TSS64 0xf000
#define AGENT_TSS32 0xf800
#define AGENT_PARAMS 0x10000
#define AGENT_PROBE 0x11000        /* a data page that every state maps */
#define AGENT_DRIVER_STACK_TOP 0x13000
#define AGENT_STACK_TOP 0x14000
#define AGENT_DF_STACK_TOP 0x16000
#define AGENT_USER_STACK_TOP 0x18000
#define AGENT_IDT64_STOP 0x18000   /* every exception ends the run: lib/guest/rep.c */
#define AGENT_IDT32_STOP 0x18800
/*
 * One area per set of tables.  They are written once, before the guest runs: KVM
 * with shadow paging need not notice when the VMM edits tables behind its back.
 */
#define TABLE_AREAS 0x20000
#define TABLE_AREA_SIZE 0x14000
#define AREA_TEST 0x0              /* one page per level: level n at + (n - 1) pages */
#define AREA_COPY 0x5000           /* the same as the host wrote them */
#define COPY_OF (AREA_COPY - AREA_TEST) /* from an entry to its copy */
#define AREA_AGENT 0xa000          /* tables of the agent's own memory */
#define AGENT_CASES 0x100000       /* u64 linear addresses */
#define AGENT_HOLE 0x140000        /* leads to HOLE_GPA, where the guest has no memory */
#define AGENT_RESULTS 0x180000     /* struct agent_result */
#define AGENT_MAX_CASES 32768      /* per batch */
#define AGENT_SIZE 0x400000
#define AGENT_USER_ALIAS 0x400000
#define AGENT_LINEAR_END 0x800000

/* Memory that test translations lead to. */
#define DATA_PAGE 0x1000000        /* 4-KByte leaves; its aliases are DATA_PAGE + 2^n */
#define DATA_LARGE 0x1400000       /* 2- and 4-MByte leaves: 4 MiB, tagged in every page */
#define DATA_LARGE_SIZE 0x400000
#define DATA_HUGE 0x40000000       /* 1-GByte leaves: sparse */
#define DATA_HUGE_SIZE 0x40000000
#define GUEST_RAM_SIZE 0x2000000
#define DROP_GPA 0xc0000000ull     /* for vm_drop_pages(): neither memory nor a hole that is used */
#define HOLE_GPA 0x2800000         /* no memory: an access exits to the VMM */

/* Where in a data page an access of each kind lands. */
#define DATA_READ_OFFSET 0x000
#define DATA_WRITE_OFFSET 0x100    /* +0 is stored to, +8 holds the tag */
#define DATA_FETCH_OFFSET 0x200
#define DATA_FRONT_OFFSET 0xffa    /* code that ends behind the page, in the next one's tag */
#define DATA_FRONT_SIZE 6
#define DATA_LDT_OFFSET 0x300      /* a data segment descriptor whose limit is the tag */

#define SEL_CODE32 0x08
#define SEL_DATA 0x10
#define SEL_CODE64 0x18
#define SEL_USER_CODE32 0x23
#define SEL_USER_DATA 0x2b
#define SEL_USER_CODE64 0x33
#define SEL_TSS64 0x38             /* 16 bytes */
#define SEL_TSS32 0x48
#define SEL_LDT 0x50               /* 16 bytes in long mode */
#define GDT_SIZE 0x60
#define LDT_SELECTOR 0x04          /* LDT, index 0; RPL is added for user code */

#define AGENT_DONE_PORT 0xf4
#define AGENT_STRING_PORT 0        /* of string I/O; the low half of DX in every loop */
#define AGENT_IDT_SWAPPED 0x800    /* + an IDT: its twin for accesses made with DI, BX exchanged */
#define AGENT_IDT_STAY 0x400       /* + an IDT: its twin for loops at CPL 0, of the handlers' code size */
#define AGENT_RETURN_VECTOR 3      /* INT3: user code of a careful access comes back */

/*
 * struct agent_result, byte offsets.  Before the batch CR2 holds the case's linear address
 * and VALUE holds VALUE_NONE; the agent leaves STATUS 0 where RIP (a page fault) or VALUE (a
 * completed access) says it all.
 */
#define RESULT_STATUS 0
#define RESULT_ERROR 4
#define RESULT_VALUE 8
#define RESULT_AD 12
#define RESULT_CR2 16
#define RESULT_RIP 24
#define RESULT_SIZE 32
#define VALUE_NONE 0xbad0cafe      /* no page's tag: those are odd */

#define STATUS_NOT_RUN 0
#define STATUS_DONE 1
#define STATUS_FAULT 0x100         /* + vector */
#define STATUS_EXIT 0x10000        /* the access ended in an exit to the VMM, + exit reason */
#define STATUS_L2_EXIT 0x20000     /* with STATUS_EXIT: in an exit to L1, + exit code */

/* struct agent_params, byte offsets */
#define PARAM_ACCESS 0             /* entry of the access stub */
#define PARAM_AFTER 8              /* where the driver goes on */
#define PARAM_STACK 16             /* the driver's stack pointer */
#define PARAM_CS 24                /* the driver's code segment */
#define PARAM_ACCESS_CS 28         /* code segment of the access */
#define PARAM_ACCESS_SS 32
#define PARAM_ACCESS_FLAGS 36
#define PARAM_LEVELS 40
#define PARAM_LDT 44               /* 1: the linear address is an LDT's base */
#define PARAM_RESUME 48            /* where the access jumps to when it is done (BP) */
#define PARAM_SPAN 56              /* 0, or how far from the address a second path begins */
#define PARAM_ALIAS 60             /* where user code finds supervisor memory: what to add */
#define PARAM_LEVEL 64             /* first struct agent_level */
#define LEVEL_TABLE 0              /* linear address of the table page */
#define LEVEL_SHIFT 4              /* of the linear address, and then... */
#define LEVEL_MASK 8               /* ...a mask: the entry's offset in the table */
#define LEVEL_WORDS 12             /* entry size in 32-bit words: 1 or 2 */
#define LEVEL_ENTRY 16             /* the driver's: address of the case's entry */
#define LEVEL_SIZE 20
#define PARAM_HOLE 164             /* linear address of a hole; bit 0: second operand of CMPS */
#define PARAM_RESULT 168           /* the driver's: supervisor address of the case's result */
#define PARAM_FIXED 172            /* an entry that has these bits is never changed by an access */

/* RESULT_AD: two bits (A, D) per level from level 1 up, and */
#define AD_CORRUPT 0x80000000      /* an entry changed in another bit */

#ifndef __ASSEMBLER__
#include "types.h"

struct agent_result {
	u32 status;
	u32 error;   /* error code pushed; 0 for vectors without one */
	u32 value;   /* tag that was read; for a fault undefined */
	u32 ad;      /* careful batches: A/D bits newly set */
	u64 cr2;     /* faults only */
	u64 rip;     /* faults only */
};

struct agent_level {
	u32 table, shift, mask, words, entry;
};

struct agent_params {
	u64 access, after, stack;
	u32 cs, access_cs, access_ss, access_flags;
	u32 levels, ldt;
	u64 resume;
	u32 span, alias;
	struct agent_level level[5];
	u32 hole, result;
	u32 fixed;
};

_Static_assert(sizeof(struct agent_result) == RESULT_SIZE, "agent_result");
_Static_assert(offsetof(struct agent_params, span) == PARAM_SPAN, "agent_params");
_Static_assert(offsetof(struct agent_params, hole) == PARAM_HOLE, "agent_params");
_Static_assert(offsetof(struct agent_params, result) == PARAM_RESULT, "agent_params");
_Static_assert(offsetof(struct agent_params, fixed) == PARAM_FIXED, "agent_params");
_Static_assert(offsetof(struct agent_params, level) == PARAM_LEVEL, "agent_params");
_Static_assert(sizeof(struct agent_level) == LEVEL_SIZE, "agent_level");
#endif

#endif
