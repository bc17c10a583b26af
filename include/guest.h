/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM with the agent loaded: memory, page tables, and batches of accesses.
 *
 * Page tables are "variant-dense": one page per level holds every entry variant of
 * that level, and each variant leads to the same page of the next level.  A choice
 * of one slot per level is a linear address, so the cross product of all variants
 * needs one table page per level, and no table is written between two cases.
 */
#ifndef KMC_GUEST_H
#define KMC_GUEST_H

#include "agent.h"
#include "mmu_state.h"
#include "variant.h"
#include "vm.h"
#include "walk.h"

/* A set of tables; they differ in format or in what an entry leads to. */
enum table_area {
	AREA_2LEVEL,
	AREA_2LEVEL_PSE,
	AREA_PAE,
	AREA_4LEVEL,
	AREA_5LEVEL,
	AREA_COMPAT4,
	AREA_COMPAT5,
	NR_TABLE_AREAS,
};

/* Area of a state; meaningless (0) without paging. */
enum table_area state_area(const struct mmu_state *state);
/* Do both states walk the same tables? Never without paging. */
bool states_share_tables(const struct mmu_state *a, const struct mmu_state *b);
const struct table_shape *area_shape(enum table_area area);

struct table_image {
	struct table_shape shape;
	struct variant_list variants[MAX_LEVELS + 1];
	gpa_t base;                  /* of the area */
	u8 *image;                   /* TABLE_AREA_SIZE bytes, as the host wrote them */
};

/*
 * Code in front of a page, for fetches that begin there and end in it: whose the page is that
 * lies before a test address.  Only tables made for it have one (lib/guest/front.c).
 */
enum page_front { FRONT_NONE, FRONT_SUPERVISOR, FRONT_USER };

/* What the guest executes to make an access; an engine (engine.h) uses one of them. */
enum agent_via {
	VIA_NATIVE, /* a plain instruction */
	VIA_FORCED, /* the same behind KVM's forced-emulation prefix */
	VIA_STRING, /* read: OUTS, write: INS */
	VIA_MMIO,   /* read: CMPS with the hole, write: MOVS from the hole */
	NR_AGENT_VIAS,
};

#define GUEST_MAX_ENTERED 512

struct guest {
	struct vm *vm;
	struct vcpu *vcpu;
	struct cpu_facts cpu;
	struct table_image area[NR_TABLE_AREAS];
	enum page_front front;
	struct phys_range range[NR_TABLE_AREAS];
	struct phys_memory memory;   /* what the model walks: the images, never guest memory */
	unsigned int timeout_ms;     /* CPU time; so long twice without a result is a hang: hang.c */
	struct kvm_sregs reset;      /* as after vCPU creation */
	u32 hung[NR_AGENT_VIAS];     /* which batches have, see hang.c... */
	struct kvm_stats *stats;     /* ...and the vCPU's, once one has; or NULL */
	struct mmu_state state;      /* the last state that was entered... */
	bool state_entered;          /* ...if any was... */
	bool state_valid;            /* ...and the vCPU still is in it */
	/* States that were entered, each once: the last one last; of more, the latest. */
	struct mmu_state entered[GUEST_MAX_ENTERED];
	unsigned int nr_entered;
	u64 serial;                  /* of this process's guests */
	u64 nr_frames;
	gpa_t *frame;                /* tagged data pages, for guest_page_by_tag() */
	u8 tss32_type;               /* TR's segment type outside long mode */
	/* What an emulated CPU has wrong, see emulator_quirks(): */
	bool marks_pdptes;           /* A is set in PDPTEs in memory */
	bool lme_needs_pae;          /* LME = 1 with PAE = 0 takes the host down */
	bool stores_meet_code;       /* a store beside code that ran takes it long: guest_forget_code() */
	bool coalesces;              /* OUTs to AGENT_STRING_PORT, if the host can */
	struct l1 *l1;               /* what runs the agent in L2 (l1.h), once there is one */
	/* Set by a test that wants to get through: clear SMEP and SMAP before CR0.PG. */
	bool pg_off_without_smep;
};

/*
 * PKRU, loaded whenever CR4.PKE = 1: keys 1 and 4 AD; 2 and 8 WD; 3 and 15 both.  Outside
 * long mode all keys are restricted, and nothing may come of it; key 0 by AD alone, which
 * forbids all that WD does: a host on Bochs 3.0 does not survive an exit with WD of key 0.
 */
#define GUEST_PKRU (0x1u << 2 | 0x2u << 4 | 0x3u << 6 | 0x1u << 8 | 0x2u << 16 | 0x3u << 30)
#define GUEST_PKRU_IGNORED 0xfffffffdu
u32 state_pkru(const struct mmu_state *state);

/* variants: one list per (area, level), or NULL for all that variants_of() knows. */
struct guest *guest_create(struct variant_list (*variants)[MAX_LEVELS + 1]);
/* The same with tables that have such pages in front. */
struct guest *guest_create_front(enum page_front front,
				 struct variant_list (*variants)[MAX_LEVELS + 1]);
/* A list for guest_create_front() that holds one entry, which is the last of its slots. */
void front_list(enum paging_mode mode, int level, enum page_front front, u64 entry,
		struct variant_list *list);
/* Tables and model memory only, no VM: for what needs no KVM.  Everything but vm and vcpu. */
struct guest *guest_create_model(const struct cpu_facts *cpu);
void guest_free(struct guest *guest);

/* Registers of a state as the model sees them, CR3 and PDPTEs included. */
struct walk_regs guest_walk_regs(const struct guest *guest, const struct mmu_state *state);

/* The entries that a choice of variants stands for, by level; nothing without paging. */
void guest_entries(const struct guest *guest, const struct mmu_state *state,
		   const u16 variant[MAX_LEVELS + 1], u64 entry[MAX_LEVELS + 1]);
/* The choice that stands for these entries; false if one is no variant. */
bool guest_choose(const struct guest *guest, const struct mmu_state *state,
		  const u64 entry[MAX_LEVELS + 1], u16 variant[MAX_LEVELS + 1]);

/*
 * Linear address of a choice of variants, variant[level] for each level of the mode;
 * offset is added (it lies within the smallest page).
 */
gva_t guest_gva(const struct guest *guest, enum table_area area,
		const u16 variant[MAX_LEVELS + 1], u32 offset);

/*
 * What the driver of careful batches does, for accesses that the VMM makes: puts the entries
 * that gva selects back to what the host wrote; and says which A/D bits were set since, in
 * the form of agent_result.ad.
 */
void guest_restore_path(struct guest *guest, const struct mmu_state *state, gva_t gva);
u32 guest_path_ad(const struct guest *guest, const struct mmu_state *state, gva_t gva);
/* Do those entries all have A and D from the start?  Then no access may change one. */
bool guest_path_fixed(const struct guest *guest, const struct mmu_state *state, gva_t gva);

/* NULL, or what differs in the state's tables or in data pages from what the host wrote. */
const char *guest_check_memory(const struct guest *guest, const struct mmu_state *state);

/* Tags the data page that holds gpa, so that a value read there names the page. */
void guest_tag_page(struct guest *guest, gpa_t gpa);
u32 guest_page_tag(gpa_t gpa);
/* What a tagged page holds, written to any page; and the tag that the code there reports. */
void guest_fill_page(u8 *page, u32 tag);
bool guest_page_code_tag(const u8 *code, u32 *tag);
/*
 * Writes a tagged page's code anew, as it is: an emulated CPU then forgets what it made of it, and
 * does not look for it at each store to the page.
 */
void guest_forget_code(struct guest *guest, gpa_t gpa);
/* The tagged page that a value read names, or false. ldt: 20-bit tags. */
bool guest_page_by_tag(const struct guest *guest, u32 tag, bool ldt, gpa_t *gpa);

enum agent_access { AGENT_READ, AGENT_WRITE, AGENT_FETCH, AGENT_LDT, NR_AGENT_ACCESSES };
extern const char *const agent_access_names[NR_AGENT_ACCESSES];
/* Offset within a data page at which this access looks for its tag. */
u32 agent_access_offset(enum agent_access access);

/* The value that this access reads from the data page at gpa. */
u32 agent_tag(enum agent_access access, gpa_t gpa);

/* The program that makes the access: privilege level and EFLAGS.AC. */
struct actor {
	u8 cpl; /* 0 or 3 */
	bool ac;
};

struct agent_batch;

/* What a batch says of the bits A and D. */
enum agent_care {
	CARE_NONE,   /* nothing: how each access ends, no more */
	CARE_BEHIND, /* entries, which all have both, are looked at when the batch is over */
	CARE_EACH,   /* entries are put back before each access, and looked at behind it */
	NR_CARES
};
extern const char *const agent_care_names[NR_CARES];

/* The VMM's part in accesses that exit on purpose. */
struct agent_service {
	/* Answers an exit, with case i under way; false: that exit is none of the access's. */
	bool (*answer)(struct guest *guest, const struct agent_batch *batch, u32 i, u32 exit);
	/*
	 * The vCPU has stopped, cases [first, end) are over: adds to their results (in guest
	 * memory) what only the VMM knows.  NULL: nothing.
	 */
	void (*settle)(struct guest *guest, const struct agent_batch *batch,
		       struct agent_result *results, u32 first, u32 end);
};

struct agent_batch {
	struct mmu_state state;
	struct actor actor;
	enum agent_access access;
	enum agent_via via;
	bool careful;               /* made by the driver: entries put back before each, A/D bits */
	bool no_ad;                 /* made by the code of careful batches, but without A/D bits */
	bool ad_behind;             /* CARE_BEHIND: by a fast loop, and then A/D bits */
	/* Careful: the access reaches into the page so many bytes on, whose path is restored, too. */
	u32 span;
	/*
	 * Careful: translations may be kept of paths whose entries all have A and D set, as
	 * nothing but accesses changes the tables, and those leave such entries alone.
	 */
	bool keeps_fixed;
	bool only_restore;          /* careful: nothing but that, no access */
	bool no_error;              /* a fault is known as such: no error code, CR2 and RIP */
	bool bare;                  /* nothing is reported: for make bench */
	bool in_l2;                 /* an L1 runs the agent (l1.h) */
	bool hole_second;           /* VIA_MMIO reads: the hole is CMPS's second operand */
	const struct agent_service *service; /* NULL if accesses do not exit */
	const gva_t *gvas;
	u32 nr;
	struct agent_result *results; /* nr of them, or NULL: see agent_results() */
};

static inline enum agent_care agent_care(const struct agent_batch *batch)
{
	return batch->ad_behind ? CARE_BEHIND : batch->careful ? CARE_EACH : CARE_NONE;
}

static inline bool agent_reports_ad(const struct agent_batch *batch)
{
	return batch->ad_behind || (batch->careful && !batch->no_ad);
}

/* Of a status with STATUS_EXIT; the result's cr2 holds detail. */
#define STATUS_EXIT_MASK 0xffff

/*
 * Runs a batch.  Whatever the guest does (shutdown, internal error) is the result of the
 * case that did it, and the rest goes on.  After MAX_ABNORMAL such results, or one hang,
 * the remaining ones stay STATUS_NOT_RUN.
 */
#define MAX_ABNORMAL 32
void agent_run(struct guest *guest, const struct agent_batch *batch);
/* Where the agent left those of the last batch, in guest memory; a status of 0 says little. */
const struct agent_result *agent_results(const struct guest *guest);

/* Puts the vCPU into a batch's state, PKRU included, as its actor, and runs nothing there. */
void agent_enter(struct guest *guest, const struct agent_batch *batch);

/*
 * Can an access like those of this batch (all but the list of addresses) be made, to memory
 * of the agent's own?  run: an engine's.  NULL, or what happened ("KVM_SET_SREGS: Invalid
 * argument", "exit SHUTDOWN 0").
 */
const char *agent_probe(struct guest *guest, const struct agent_batch *like,
			void (*run)(struct guest *guest, const struct agent_batch *batch));

/* What became of an access; not every loop stores a status. */
u32 agent_result_status(const struct agent_result *r);

/* What case i of a batch of writes stores. */
u32 agent_stored_word(const struct agent_batch *batch, u32 i);

/* The linear address that a fault of this access reports as its RIP. */
u64 agent_fault_rip(const struct agent_batch *batch, gva_t gva);

#endif
