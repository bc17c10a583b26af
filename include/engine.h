/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An engine: one way to make an access happen.
 *
 * Every engine takes the same batches and fills the same results, so that a case
 * has one expectation and as many observations as there are engines.  An engine is
 * one file in lib/engine/ and one line in engines[].
 */
#ifndef KMC_ENGINE_H
#define KMC_ENGINE_H

#include "guest.h"

struct engine {
	const char *name;
	const char *does; /* one line for --help */
	enum agent_via via; /* what the guest executes */
	/* BIT(access): that such an access faults is told, but neither error code nor address. */
	u8 no_error;
	bool in_place; /* run leaves the results where agent_results() finds them, too */
	/* No exits: emulation_test has it make all that walk_test does, and every product of rights. */
	bool cheap;
	bool sampled; /* each access costs many exits: emulation_test has it make a few */
	/* NULL, or what this host lacks for the engine (a reason to skip). */
	const char *(*host_lacks)(struct guest *guest);
	/* NULL, or why this engine cannot make such accesses (then they are not counted). */
	const char *(*unsupported)(const struct guest *guest, const struct agent_batch *batch);
	void (*run)(struct guest *guest, const struct agent_batch *batch);
};

extern const struct engine engine_native, engine_forced, engine_translate, engine_string,
	engine_mmio, engine_l2, engine_l2_tdp, engine_l2_forced, engine_l2_translate,
	engine_l2_string, engine_l2_mmio;
extern const struct engine *const engines[];
extern const unsigned int nr_engines;
/* host_lacks of an engine that every host can run. */
const char *engine_lacks_nothing(struct guest *guest);
/* By name, or NULL. */
const struct engine *engine_find(const char *name);
/* "native, forced": of all of them, for --help and for checking --engine. */
const char *engine_names(void);

/* A batch of such accesses as this engine makes them; addresses are the caller's to add. */
struct agent_batch engine_batch(const struct engine *engine, const struct mmu_state *state,
				const struct actor *actor, enum agent_access access,
				enum agent_care care);

#endif
