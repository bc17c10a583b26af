// SPDX-License-Identifier: GPL-2.0-only
/* Where the agent's code of each way to make each access lies. */
#include "guest_internal.h"
#include "labels.h"

/* Bytes in front of the access: in a loop mov CR2(DI), BX; for an LDT mov %cs.. mov %eax, %fs. */
#define LOOP32 3
#define LOOP64 4
#define LDT_SKIP (2 + 3 + 3)
#define FORCED 5 /* the prefix; a fault's RIP is behind it */
/* Those of agent_io.inc: mov or xchg of pointers, and a hole's address. */
#define POINTERS32 2
#define POINTERS64 3
#define HOLE (2 + 2 + 6)
#define BTR_JNC (4 + 2)

#define IO_CODE(name, bits, skip, swapped) \
	{ agent_##name##bits, agent_##name##bits##_next, LOOP##bits + (skip), \
	  agent_access_##name##bits, skip, swapped }

static const struct agent_code codes[NR_AGENT_VIAS][NR_AGENT_ACCESSES][2] = {
	[VIA_NATIVE] = {
		[AGENT_READ] = {
			{ agent_read32, agent_read32_next, LOOP32, agent_access_read32, 0 },
			{ agent_read64, agent_read64_next, LOOP64, agent_access_read64, 0 },
		},
		[AGENT_WRITE] = {
			{ agent_write32, agent_write32_next, LOOP32, agent_access_write32, 0 },
			{ agent_write64, agent_write64_next, LOOP64, agent_access_write64, 0 },
		},
		[AGENT_FETCH] = {
			{ agent_fetch32, agent_fetch32_next, LOOP32, agent_access_fetch32, 0 },
			{ agent_fetch64, agent_fetch64_next, LOOP64, agent_access_fetch64, 0 },
		},
		[AGENT_LDT] = {
			{ .careful = agent_access_ldt32, .careful_skip = LDT_SKIP },
			{ .careful = agent_access_ldt64, .careful_skip = LDT_SKIP },
		},
	},
	[VIA_FORCED] = {
		[AGENT_READ] = {
			{ agent_forced_read32, agent_forced_read32_next, LOOP32 + FORCED,
			  agent_access_forced_read32, FORCED },
			{ agent_forced_read64, agent_forced_read64_next, LOOP64 + FORCED,
			  agent_access_forced_read64, FORCED },
		},
		[AGENT_WRITE] = {
			{ agent_forced_write32, agent_forced_write32_next, LOOP32 + FORCED,
			  agent_access_forced_write32, FORCED },
			{ agent_forced_write64, agent_forced_write64_next, LOOP64 + FORCED,
			  agent_access_forced_write64, FORCED },
		},
		[AGENT_FETCH] = {
			{ agent_forced_fetch32, agent_forced_fetch32_next, 0,
			  agent_access_forced_fetch32, 0 },
			{ agent_forced_fetch64, agent_forced_fetch64_next, 0,
			  agent_access_forced_fetch64, 0 },
		},
		[AGENT_LDT] = {
			{ .careful = agent_access_forced_ldt32, .careful_skip = LDT_SKIP + FORCED },
			{ .careful = agent_access_forced_ldt64, .careful_skip = LDT_SKIP + FORCED },
		},
	},
	[VIA_STRING] = {
		[AGENT_READ] = {
			IO_CODE(outs, 32, POINTERS32, false),
			IO_CODE(outs, 64, POINTERS64, false),
		},
		[AGENT_WRITE] = {
			IO_CODE(ins, 32, POINTERS32, true),
			IO_CODE(ins, 64, POINTERS64, true),
		},
	},
	[VIA_MMIO] = {
		[AGENT_READ] = {
			IO_CODE(cmps, 32, HOLE + BTR_JNC + 2 * POINTERS32, true),
			IO_CODE(cmps, 64, HOLE + BTR_JNC + 2 * POINTERS64, true),
		},
		[AGENT_WRITE] = {
			IO_CODE(movs, 32, HOLE + POINTERS32, true),
			IO_CODE(movs, 64, HOLE + POINTERS64, true),
		},
	},
};

const struct agent_code *agent_code(enum agent_via via, enum agent_access access, bool code64)
{
	return &codes[via][access][code64];
}

u64 agent_stub(enum agent_via via, enum agent_access access, bool code64)
{
	return AGENT_ADDR(agent_code(via, access, code64)->careful);
}
