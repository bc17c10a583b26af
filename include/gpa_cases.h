/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses by guest-physical address: what a scenario maps, and running it.
 *
 * A scenario writes tables (and arranges memslots) for one paging mode and names the linear
 * addresses worth trying.  Each of them is read, written and executed at CPL 0 and CPL 3, one
 * operation per KVM_RUN, and compared with the model (include/gpa_outcome.h).  All tables are
 * written before the guest runs, so the guest needs no flush; what changes later are memslots,
 * and there KVM has to forget what it made of them.
 *
 * A case's id is SCENARIO/MODE/ADDRESS/PHASE/CPL/OPERATION.
 */
#ifndef KMC_GPA_CASES_H
#define KMC_GPA_CASES_H

#include "shared_tables.h"

#define GPA_NAME_LEN 40
#define GPA_MAX_PLACES 48

struct gpa_place {
	char name[GPA_NAME_LEN]; /* "level1,same-offset" */
	gva_t gva;
};

struct gpa_rig {
	struct shared_tables *shared;
	struct seat *seat;
	u8 wider;		 /* the CPU of this VM, see struct gpa_scenario */
	struct mmu_state state;
	gpa_t root;
	unsigned int nr_tables;  /* of TABLE(n), handed out */
	bool hangs;              /* an access did */
	bool whole;              /* a replay makes the other accesses, too */
	unsigned int nr_places;
	struct gpa_place place[GPA_MAX_PLACES];
};

struct gpa_phase {
	const char *name;
	void (*begin)(struct gpa_rig *rig); /* NULL: nothing changes */
};

struct gpa_scenario {
	const char *name;
	/* Maps and names places; none: the mode has nothing of the kind. */
	void (*set_up)(struct gpa_rig *rig);
	const struct gpa_phase *phase; /* ended by one without a name */
	bool remembers; /* what KVM keeps of accesses decides: a replay makes all before its own */
	u8 wider; /* physical-address bits that the CPU is offered beyond the host's (cpu_offer.h) */
};

extern const struct gpa_scenario gpa_scenarios[];
extern const unsigned int nr_gpa_scenarios;

/* The state in which a mode is tried: no flag but WP, NX and PSE, where they mean something. */
struct mmu_state gpa_state(enum state_mode mode);

/* Runs a scenario in a mode; only: NULL, or the one case of interest.  Returns how many. */
unsigned int gpa_run(struct gpa_rig *rig, const struct gpa_scenario *scenario,
		     enum state_mode mode, const char *only);

#endif
