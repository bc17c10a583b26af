/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of a TD's memory: what each access, conversion and acceptance must give.
 *
 * Each page has two sides.  The private one is met through addresses without the shared bit, the
 * shared one through those with it (tdx_gpa.h).  A page is on one side at a time:
 *
 *   PENDING  private, but not accepted yet: the state in which a TD finds what it was not
 *            started with, and to which a page comes back from SHARED
 *   PRIVATE  accepted
 *   SHARED
 *
 * The VMM is this suite's, and does the following: a KVM_EXIT_MEMORY_FAULT that it can resolve
 * converts the page to the side of the access, which is then made again; a conversion asked for
 * by MapGPA is made, or put off (TD_RETRY_AT); what has no memory is refused; the contents
 * of the side that a page leaves are discarded.  #VE is not disabled (SEPT_VE_DISABLE = 0).
 *
 * Rules and their sources: td_rules.def.  Pure: the caller brings the pages.
 */
#ifndef KMC_TD_MEMORY_H
#define KMC_TD_MEMORY_H

#include "rule.h"
#include "tdx_gpa.h"
#include "types.h"

#define TD_WORDS 4 /* 64-bit words that are modelled, so far apart in a page: */
#define TD_WORD_STRIDE 1024
#define TD_PAGE_SIZE 4096
#define TD_LARGE_SIZE 0x200000
#define TD_MAX_EXITS 8

enum td_page_state { TD_PAGE_PENDING, TD_PAGE_PRIVATE, TD_PAGE_SHARED };

struct td_page {
	enum td_page_state state;
	u64 word[2][TD_WORDS]; /* [0] private, [1] shared */
};

struct td_memory {
	unsigned int gpaw;
	gpa_t base; /* without the shared bit; 4-KByte aligned */
	u32 nr_pages;
	struct td_page *page;
	s32 retry_at; /* MapGPA: the VMM puts off this part, from 0; < 0: none */
};

enum td_op {
	TD_READ,     /* of the 8 bytes at gpa */
	TD_WRITE,    /* of value */
	TD_FETCH,    /* a call of what is at gpa: TD_CODE() */
	TD_VMM_READ, /* by the VMM, of shared memory: the page must be shared */
	TD_VMM_WRITE,
	TD_MAP_GPA,  /* gpa, size */
	TD_ACCEPT,   /* size: 4 KBytes or 2 MBytes */
	TD_RETRY_AT, /* size: which part of the next MapGPA the VMM puts off, once */
	NR_TD_OPS,
};
extern const char *const td_op_names[NR_TD_OPS];

struct td_step {
	enum td_op op;
	gpa_t gpa; /* as the TD has it: the shared bit says which side */
	u64 size;  /* bytes, of TD_MAP_GPA and TD_ACCEPT */
	u64 value;
};

/* A word that a fetch runs: mov $n, %eax; ret.  It returns n. */
#define TD_CODE(n) (0x0000c300000000b8ull | (u64)(u32)(n) << 8)
bool td_is_code(u64 word);

enum td_ending {
	TD_DONE,    /* value: read, stored, or what the code returned; 0 of TD_RETRY_AT */
	TD_VE,      /* a #VE for an EPT violation at gpa; on the private side the page counts */
	TD_FAULT,   /* a #PF with this error code */
	TD_STATUS,  /* of MapGPA (R10, and R11 if that is not 0) or of TDG.MEM.PAGE.ACCEPT (RAX) */
	TD_STOPPED, /* the vCPU cannot go on */
};

enum td_exit_kind { TD_EXIT_FAULT, TD_EXIT_MAP };

/* What the VMM is told on the way. */
struct td_exit {
	enum td_exit_kind kind;
	bool private; /* the access, or what pages are to become */
	gpa_t gpa;
	u64 pages;
};

struct td_outcome {
	enum td_ending ending;
	u64 value, status, r11;
	gpa_t gpa;
	u32 error;
	u8 nr_exits;
	struct td_exit exit[TD_MAX_EXITS];
	enum rule rule; /* that decided; not part of what is compared */
};

#define TDVMCALL_SUCCESS 0ull
#define TDVMCALL_RETRY 1ull
#define TDVMCALL_INVALID_OPERAND 0x8000000000000000ull
#define TDVMCALL_ALIGN_ERROR 0x8000000000000002ull
/* RAX of TDG.MEM.PAGE.ACCEPT; the low half of a size mismatch is not compared. */
#define TDACCEPT_SUCCESS 0ull
#define TDACCEPT_ALREADY 0x00000b0a00000000ull
#define TDACCEPT_SIZE_MISMATCH 0xc0000b0b00000000ull
#define TDACCEPT_OPERAND_RCX 0xc000010000000001ull

/* All pages pending, all contents 0. */
void td_memory_init(struct td_memory *m, unsigned int gpaw, gpa_t base, struct td_page *page,
		    u32 nr_pages);
/* What must come of the step; the memory is as it is behind it. */
struct td_outcome td_memory_step(struct td_memory *m, const struct td_step *step);
/* The page at an address of either side, or NULL. */
struct td_page *td_memory_page(const struct td_memory *m, gpa_t gpa);

/* "fault(private,0x50000000) #VE(0x50000000)": equal texts are equal outcomes. */
#define TD_OUTCOME_LEN 400
void td_outcome_text(const struct td_outcome *o, char text[TD_OUTCOME_LEN]);
/* "map-gpa 0x800050000000+0x2000" */
#define TD_STEP_LEN 96
void td_step_text(const struct td_step *step, char text[TD_STEP_LEN]);

#endif
