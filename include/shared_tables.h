/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One set of page tables for several vCPUs in different roles.
 *
 * An arena of guest memory holds tables and data pages; each paging format has roots there
 * that map the agent and, for editing, the arena itself.  Everything else is the test's.  The
 * host keeps a copy of what must be in memory: the model walks that copy, and no expectation
 * is ever read from the guest's memory.
 *
 * Three regions, each a memslot of its own that can be deleted, moved and logged:
 * the arena, a slot with two sets of contents, and a sparse gigabyte for large pages, which ends
 * in the middle of one: the host's memory goes on there.
 */
#ifndef KMC_SHARED_TABLES_H
#define KMC_SHARED_TABLES_H

#include "seat.h"
#include "walk.h"

enum shared_region { REGION_ARENA, REGION_SLOT, REGION_BIG, NR_REGIONS };

#define ARENA_GPA 0x3000000ull
#define ARENA_PAGES 256
#define SLOT_GPA 0x3400000ull
#define SLOT_MOVED_GPA 0x3800000ull
#define SLOT_PAGES 64
#define BIG_GPA 0x80000000ull
#define BIG_SIZE 0x3ff00000ull
#define BIG_LAST 0x3fe00000ull /* the half of a large page at its end */
#define REGION_MAX_PAGES ARENA_PAGES /* of those whose pages are counted one by one */

/* Pages by name.  Roots come in two sets; a seat uses one of them. */
#define ROOT_PAGE(set, n) (ARENA_GPA + (16 + 8 * (set) + (n)) * 0x1000ull)
#define ROOT_PD(set) ROOT_PAGE(set, 0)     /* 2-level */
#define ROOT_PAE(set) ROOT_PAGE(set, 1)    /* PDPT of PAE paging */
#define ROOT_PML4(set) ROOT_PAGE(set, 2)
#define ROOT_PDPT(set) ROOT_PAGE(set, 3)   /* PML4E 0's */
#define ROOT_PML5(set) ROOT_PAGE(set, 4)
#define TABLE(n) (ARENA_GPA + (64 + (n)) * 0x1000ull)
#define DATA(n) (ARENA_GPA + (128 + (n)) * 0x1000ull)
#define SLOT(n) (SLOT_GPA + (n) * 0x1000ull)
#define BIG(offset) (BIG_GPA + (offset))

/* Entries without the address. */
#define E_RW (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D) /* user, writable, */
#define E_RO (E_RW & ~PTE_W)                         /* or read-only; */
#define E_SRW (E_RW & ~PTE_U)                        /* supervisor */
#define E_SRO (E_SRW & ~PTE_W)
#define E_PAE PTE_P                                  /* a PDPTE of PAE paging */

/* The arena for the supervisor, in every address space. */
#define SHARED_WINDOW 0x0c000000ull
/* Linear addresses from here on are the test's. */
#define SHARED_FREE 0x40000000ull

struct shared_mem {
	const char *name;
	u32 slot;
	gpa_t gpa;              /* where it is now */
	u64 size;
	u8 *host[2], *copy[2];  /* memory of the guest, and what must be in it */
	u8 backing;             /* which of the two */
	bool present, readonly, log;
	u64 must_dirty[REGION_MAX_PAGES / 64]; /* since the log was read last: written, and */
	u64 may_dirty[REGION_MAX_PAGES / 64];  /* walked or read, see shared_note_access() */
	u64 used[REGION_MAX_PAGES / 64];       /* any of these, since the slot came */
};

struct shared_tables {
	struct guest *guest;
	struct shared_mem mem[NR_REGIONS];
	struct phys_range range[NR_REGIONS];
	struct phys_memory memory;
	unsigned int nr_seats;
	struct seat seat[MAX_SEATS];
	u64 pdptr[MAX_SEATS][4];  /* as loaded last */
	bool usable[MAX_SEATS];
};

/* A VM with the three regions, and no seats. */
struct shared_tables *shared_create(void);
void shared_free(struct shared_tables *shared);

/* Everything as at the start: contents, slots; KVM has forgotten all it made. */
void shared_reset(struct shared_tables *shared);

/* The root for a state. */
gpa_t shared_root(const struct mmu_state *state, unsigned int set);
/* A new seat in the next place; nothing is run. */
struct seat *shared_add_seat(struct shared_tables *shared);

/* The VMM writes an entry (or any 4 or 8 bytes), to memory and to the copy. */
void shared_put(struct shared_tables *shared, gpa_t gpa, u64 value, u8 bytes);
/* The guest was told to, and did: the copy follows. */
void shared_follow(struct shared_tables *shared, gpa_t gpa, u64 value, u8 bytes);
/* The region that holds gpa now, or NULL; the copy's and the memory's bytes. */
struct shared_mem *shared_mem_at(struct shared_tables *shared, gpa_t gpa);
u8 *shared_copy(struct shared_tables *shared, gpa_t gpa);
u8 *shared_host(struct shared_tables *shared, gpa_t gpa);

/* KVM_SET_SREGS or MOV to CR3 came: PDPTE registers are loaded from the table. */
void shared_load_pdptrs(struct shared_tables *shared, struct seat *seat);
struct walk_regs shared_walk_regs(const struct shared_tables *shared, const struct seat *seat);

/*
 * What a walk that went as expected did to memory: A and D bits in the copy, and which pages
 * are dirty.  Where the manuals leave A open, the copy takes over what memory holds.
 */
void shared_note_access(struct shared_tables *shared, const struct walk_result *walk,
			enum access_kind kind);

/* Memslot operations; a failed ioctl ends the subtest. */
void shared_delete(struct shared_tables *shared, enum shared_region region);
void shared_add(struct shared_tables *shared, enum shared_region region, bool readonly,
		u8 backing);
void shared_move(struct shared_tables *shared, enum shared_region region, gpa_t gpa);
void shared_log(struct shared_tables *shared, enum shared_region region, bool on);
/* KVM_GET_DIRTY_LOG; counts anew from here. */
void shared_read_log(struct shared_tables *shared, enum shared_region region,
		     u64 log[REGION_MAX_PAGES / 64]);
/* Gives a page's memory back to the host: zeroes from now on. */
void shared_drop(struct shared_tables *shared, gpa_t gpa);

/* The first byte that differs between memory and copy: false if none does. */
bool shared_memory_differs(struct shared_tables *shared, gpa_t *gpa);

/* Before PDPTEs are loaded, on a CPU that sets A in them: struct guest.marks_pdptes. */
void shared_clean_pdptes(struct shared_tables *shared);

#endif
