/* SPDX-License-Identifier: GPL-2.0-only */
/* What the assembly files define: where pieces of guest code begin and end. */
#ifndef KMC_LABELS_H
#define KMC_LABELS_H

#include "types.h"

/* agent_body.inc, agent_forced.inc, agent_io.inc, for agent_stubs.c */
#define LABELS(name) extern const u8 name##32[], name##64[]
LABELS(agent_read);
LABELS(agent_write);
LABELS(agent_fetch);
LABELS(agent_access_read);
LABELS(agent_access_write);
LABELS(agent_access_fetch);
LABELS(agent_access_ldt);
LABELS(agent_forced_read);
LABELS(agent_forced_write);
LABELS(agent_forced_fetch);
LABELS(agent_access_forced_read);
LABELS(agent_access_forced_write);
LABELS(agent_access_forced_fetch);
LABELS(agent_access_forced_ldt);
#define IO_LABELS(name) \
	extern const u8 agent_##name##32[], agent_##name##64[]; \
	extern const u8 agent_##name##32_next[], agent_##name##64_next[]; \
	extern const u8 agent_access_##name##32[], agent_access_##name##64[]
IO_LABELS(outs);
IO_LABELS(ins);
IO_LABELS(movs);
IO_LABELS(cmps);
extern const u8 agent_forced_read32_next[], agent_forced_read64_next[];
extern const u8 agent_forced_write32_next[], agent_forced_write64_next[];
extern const u8 agent_forced_fetch32_next[], agent_forced_fetch64_next[];
extern const u8 agent_read32_next[], agent_read64_next[];
extern const u8 agent_write32_next[], agent_write64_next[];
extern const u8 agent_fetch32_next[], agent_fetch64_next[];

/* bound_code.S, for bound_access.c */
extern const u8 bound_start[], bound_end[], bound_entry[], bound_stubs[];

/* agent_code.S, for descriptors.c */
extern const u8 agent_stubs32[], agent_stubs64[], agent_careful_stubs32[], agent_careful_stubs64[];
extern const u8 agent_fault_pf32[], agent_fault_pf64[];
extern const u8 agent_fault_stay32[], agent_fault_stay64[];
extern const u8 agent_fault_bare32[], agent_fault_bare64[];
extern const u8 agent_fault_bare_stay32[], agent_fault_bare_stay64[];
extern const u8 agent_stop_stubs32[], agent_stop_stubs64[];
extern const u8 agent_careful_return32[], agent_careful_return64[];
extern const u8 agent_swapped_pf32[], agent_swapped_pf64[];
extern const u8 agent_swapped_stubs32[], agent_swapped_stubs64[];
extern const u8 agent_swapped_careful_stubs32[], agent_swapped_careful_stubs64[];

/* agent_code.S, for guest.c */
extern const u8 agent_page_code[], agent_page_code_end[];
extern const u8 agent_page_note[], agent_page_front[];

/* script_code.S, for script.c */
extern const u8 script_start[], script_end[];
extern const u8 script_entry32[], script_entry64[], script_after32[], script_after64[];

#endif
