// SPDX-License-Identifier: GPL-2.0-only
/* Register states: one row per mode, one name per flag. */
#include <stdio.h>
#include <string.h>

#include "mmu_state.h"
#include "x86.h"

#define LONG_USED (FLAG_WP | FLAG_SMEP | FLAG_SMAP | FLAG_PKE | FLAG_NX)

const struct state_mode_info state_modes[NR_STATE_MODES] = {
	[MODE_NOPG] = { "nopg", PAGING_NONE, false, false, 0,
			FLAG_WP | FLAG_SMEP | FLAG_SMAP | FLAG_NX | FLAG_PSE },
	[MODE_2LEVEL] = { "2level", PAGING_2LEVEL, false, false,
			  FLAG_WP | FLAG_SMEP | FLAG_SMAP | FLAG_PSE, FLAG_PKE | FLAG_NX },
	[MODE_PAE] = { "pae", PAGING_PAE, false, false,
		       FLAG_WP | FLAG_SMEP | FLAG_SMAP | FLAG_NX, FLAG_PKE },
	[MODE_4LEVEL] = { "4level", PAGING_4LEVEL, true, true, LONG_USED, 0 },
	[MODE_5LEVEL] = { "5level", PAGING_5LEVEL, true, true, LONG_USED, 0 },
	[MODE_COMPAT4] = { "compat4", PAGING_4LEVEL, true, false, LONG_USED, 0 },
	[MODE_COMPAT5] = { "compat5", PAGING_5LEVEL, true, false, LONG_USED, 0 },
};

const char *const state_flag_names[NR_STATE_FLAGS] = {
	"wp", "smep", "smap", "pke", "nx", "pse",
};

void state_name(const struct mmu_state *state, char name[STATE_NAME_LEN])
{
	int n = snprintf(name, STATE_NAME_LEN, "%s/", state_modes[state->mode].name);
	bool first = true;
	int i;

	for (i = 0; i < NR_STATE_FLAGS; i++) {
		if (!(state->flags & 1 << i))
			continue;
		n += snprintf(name + n, STATE_NAME_LEN - n, "%s%s", first ? "" : ",",
			      state_flag_names[i]);
		first = false;
	}
	if (first)
		snprintf(name + n, STATE_NAME_LEN - n, "-");
}

static bool same(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(text, word, len);
}

static int flag_by_name(const char *text, size_t len)
{
	int i;

	for (i = 0; i < NR_STATE_FLAGS; i++)
		if (same(text, len, state_flag_names[i]))
			return 1 << i;
	return 0;
}

const char *state_parse(const char *text, size_t len, struct mmu_state *state)
{
	const char *end = text + len;
	const char *slash = memchr(text, '/', len);
	int mode, flag;

	if (!slash)
		return "a state is MODE/FLAGS, e.g. 4level/wp,nx or pae/-";
	for (mode = 0; mode < NR_STATE_MODES; mode++)
		if (same(text, slash - text, state_modes[mode].name))
			break;
	if (mode == NR_STATE_MODES)
		return "unknown mode (nopg 2level pae 4level 5level compat4 compat5)";
	*state = (struct mmu_state){ .mode = mode };
	text = slash + 1;
	if (same(text, end - text, "-"))
		return NULL;
	for (;;) {
		const char *comma = memchr(text, ',', end - text);

		flag = flag_by_name(text, (comma ? comma : end) - text);
		if (!flag)
			return "unknown flag (wp smep smap pke nx pse, or - for none)";
		if (!((state_modes[mode].used | state_modes[mode].ignored) & flag))
			return "this mode has no such flag";
		if (state->flags & flag)
			return "a flag is named twice";
		state->flags |= flag;
		if (!comma)
			return NULL;
		text = comma + 1;
	}
}

struct role_regs state_regs(const struct mmu_state *state)
{
	const struct state_mode_info *m = &state_modes[state->mode];
	struct role_regs r = { .cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_NE };

	if (m->paging != PAGING_NONE)
		r.cr0 |= X86_CR0_PG;
	if (m->paging >= PAGING_PAE)
		r.cr4 |= X86_CR4_PAE;
	if (m->paging == PAGING_5LEVEL)
		r.cr4 |= X86_CR4_LA57;
	if (m->long_mode)
		r.efer |= X86_EFER_LME | X86_EFER_LMA;
	if (state->flags & FLAG_WP)
		r.cr0 |= X86_CR0_WP;
	if (state->flags & FLAG_SMEP)
		r.cr4 |= X86_CR4_SMEP;
	if (state->flags & FLAG_SMAP)
		r.cr4 |= X86_CR4_SMAP;
	if (state->flags & FLAG_PKE)
		r.cr4 |= X86_CR4_PKE;
	if (state->flags & FLAG_PSE)
		r.cr4 |= X86_CR4_PSE;
	if (state->flags & FLAG_NX)
		r.efer |= X86_EFER_NX;
	return r;
}

const char *state_missing(const struct mmu_state *state, const struct cpu_facts *cpu)
{
	const struct state_mode_info *m = &state_modes[state->mode];

	if (m->long_mode && !cpu->lm)
		return "long mode";
	if (m->paging == PAGING_5LEVEL && !cpu->la57)
		return "LA57";
	if (state->flags & FLAG_NX && !cpu->nx)
		return "NX";
	if (state->flags & FLAG_SMEP && !cpu->smep)
		return "SMEP";
	if (state->flags & FLAG_SMAP && !cpu->smap)
		return "SMAP";
	if (state->flags & FLAG_PKE && !cpu->pku)
		return "PKU";
	return NULL;
}

/*
 * The order of states: a Gray code, so that neighbours differ in one flag, NX most often.
 * It starts with NX = 1, as half of the NX = 0 states then follow their NX = 1 twin:
 * what a walk left behind in KVM under one must not be seen under the other.
 */
static const u8 flag_order[NR_STATE_FLAGS] = { FLAG_NX,   FLAG_WP,  FLAG_SMEP,
					       FLAG_SMAP, FLAG_PKE, FLAG_PSE };

bool state_nth(enum state_mode mode, unsigned int i, struct mmu_state *state)
{
	u8 legal = state_modes[mode].used | state_modes[mode].ignored;
	unsigned int gray = i ^ i >> 1, f;

	*state = (struct mmu_state){ .mode = mode };
	for (f = 0; f < NR_STATE_FLAGS; f++) {
		if (!(legal & flag_order[f]))
			continue;
		if (flag_order[f] == FLAG_NX ? !(gray & 1) : gray & 1)
			state->flags |= flag_order[f];
		gray >>= 1;
		i >>= 1;
	}
	return !i;
}
