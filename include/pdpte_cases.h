/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running cases of include/pdpte.h in a VM.
 *
 * The guest has two sets of page directories that lead to different pages, in each of the four
 * gigabytes.  A case changes one PDPTE in memory (the guest's own store, or the VMM's), lets an
 * event happen, reads the registers, and reads one page behind each of the four PDPTEs: the
 * page's tag says which page directory was used.  The tables are the model's only memory.
 */
#ifndef KMC_PDPTE_CASES_H
#define KMC_PDPTE_CASES_H

#include "pdpte.h"
#include "script.h"

/* Guest physical memory of the tables, mapped one to one in every mode. */
#define PDPTE_ARENA 0x1800000ull
#define PDPTE_ARENA_SIZE 0x40000ull
/* CR3: a page directory of 2-level paging, and behind its first half the PDPT of PAE paging. */
#define PDPTE_CR3 (PDPTE_ARENA + 0x820)

enum pdpte_set { SET_GOOD, SET_OTHER, SET_2LEVEL, NR_PDPTE_SETS };

#define NR_GIB 4

struct pdpte_rig {
	struct guest *guest;
	struct vcpu *copy;                    /* the second vCPU */
	bool on_demand;
	bool ran;                             /* a script has run since KVM_SET_SREGS */
	u8 flags;                             /* FLAG_* of the base state */
	u64 good[NR_GIB], other[NR_GIB];      /* PDPTEs */
	u8 *image;                            /* of the arena, as the host wrote it */
	struct phys_range range;
	struct phys_memory memory;
};

/* What a case did. */
struct pdpte_result {
	enum { EVENT_ACCEPTED, EVENT_REFUSED, EVENT_ELSE } how;
	char text[64];                        /* EVENT_ELSE: "exit SHUTDOWN 0" */
	const char *more;                     /* NULL, or what else is wrong */
	bool looked;                          /* the four pages were read */
	struct agent_result page[NR_GIB];
};

struct pdpte_rig *pdpte_rig_create(void);
void pdpte_rig_free(struct pdpte_rig *rig);
/* A new VM for the same, where the old one may be broken. */
void pdpte_rig_renew(struct pdpte_rig *rig);

/* NULL, or what this CPU or KVM lacks for an event. */
const char *pdpte_event_lacks(struct pdpte_rig *rig, const struct pdpte_event *event);

/* The state an event starts from, and its registers. */
struct mmu_state pdpte_state(const struct pdpte_rig *rig, const struct pdpte_event *event);
struct kvm_sregs pdpte_sregs(const struct pdpte_rig *rig, const struct pdpte_event *event);
/* Puts a vCPU there, with good PDPTEs in memory; 0 or an errno. */
int pdpte_enter(struct pdpte_rig *rig, struct vcpu *vcpu, const struct pdpte_event *event);
void pdpte_put(struct pdpte_rig *rig, unsigned int entry, u64 value);
gva_t pdpte_gva(unsigned int gib);

/* Cases by the guest's instructions, in one script; returns how many have a result. */
#define PDPTE_MAX_IN_SCRIPT 32
unsigned int pdpte_by_guest(struct pdpte_rig *rig, const struct pdpte_case *cases, unsigned int n,
			    struct pdpte_result *results);
/* One case by the VMM. */
void pdpte_by_api(struct pdpte_rig *rig, const struct pdpte_case *c, struct pdpte_result *result);
/* Reads the four pages, from where the vCPU is; false: the guest did not get through. */
bool pdpte_look(struct pdpte_rig *rig, struct vcpu *vcpu, const struct pdpte_event *event,
		struct pdpte_result *result);
u64 pdpte_value(const struct pdpte_rig *rig, const struct pdpte_case *c);

#define PDPTE_TEXT_LEN 256
/* Is that what must be?  Both sides as text: "loaded => refused". */
bool pdpte_judge(const struct pdpte_rig *rig, const struct pdpte_case *c,
		 const struct pdpte_result *result, char expected[PDPTE_TEXT_LEN],
		 char observed[PDPTE_TEXT_LEN]);

/* All cases of an event; only: NULL, or the id of one.  Returns how many. */
unsigned int pdpte_run(struct pdpte_rig *rig, const struct pdpte_event *event, u8 flags,
		       const char *only);

#endif
