/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Register states: a paging mode and the control bits that matter to it.
 *
 * A state has a stable name, "4level/wp,smep,nx": the first part of a case id.
 * A flag that the mode ignores is legal too and kept: KVM must ignore it as well.
 */
#ifndef KMC_MMU_STATE_H
#define KMC_MMU_STATE_H

#include "page_table.h"
#include "role.h"
#include "types.h"

enum state_mode {
	MODE_NOPG,    /* protected mode, CR0.PG = 0 */
	MODE_2LEVEL,
	MODE_PAE,
	MODE_4LEVEL,  /* 64-bit code segment */
	MODE_5LEVEL,
	MODE_COMPAT4, /* 32-bit code segment in long mode, 4-level paging */
	MODE_COMPAT5,
	NR_STATE_MODES,
};

enum state_flag {
	FLAG_WP = 1 << 0,
	FLAG_SMEP = 1 << 1,
	FLAG_SMAP = 1 << 2,
	FLAG_PKE = 1 << 3,
	FLAG_NX = 1 << 4,
	FLAG_PSE = 1 << 5,
};
#define NR_STATE_FLAGS 6

struct state_mode_info {
	const char *name;
	enum paging_mode paging;
	bool long_mode;
	bool code64;    /* 64-bit code segment */
	u8 used;        /* FLAG_* that change a walk in this mode */
	u8 ignored;     /* FLAG_* that are legal and must change nothing */
};

struct mmu_state {
	enum state_mode mode;
	u8 flags;
};

static inline bool same_state(const struct mmu_state *a, const struct mmu_state *b)
{
	return a->mode == b->mode && a->flags == b->flags;
}

extern const struct state_mode_info state_modes[NR_STATE_MODES];
extern const char *const state_flag_names[NR_STATE_FLAGS];

#define STATE_NAME_LEN 48
/* "pae/wp,nx"; a state without flags is "pae/-". */
void state_name(const struct mmu_state *state, char name[STATE_NAME_LEN]);
/* Parses len characters. Returns NULL, or what is wrong with the text. */
const char *state_parse(const char *text, size_t len, struct mmu_state *state);

/* The registers of a state (CR0.PE/PG/WP, CR4, EFER; nothing else is set). */
struct role_regs state_regs(const struct mmu_state *state);

/* NULL if this CPU can enter the state, else what it lacks ("LA57"). */
const char *state_missing(const struct mmu_state *state, const struct cpu_facts *cpu);

/* All states of a mode: calls with i = 0.. until it returns false. */
bool state_nth(enum state_mode mode, unsigned int i, struct mmu_state *state);

#endif
