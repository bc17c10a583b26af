// SPDX-License-Identifier: GPL-2.0-only
/*
 * The role rules against literal expectations, and invariants over every
 * combination of the ten register bits a role is computed from.
 *
 * Would catch: paging bits kept with CR0.PG=0 (ca8d664f5099), PKE or LA57 taken
 * outside long mode (84c679f5f52c), a root that follows a register it must not,
 * a nested root of the wrong level (84e5ffd045f3), a rule of one kernel applied
 * to another.  Needs nothing: no KVM, no privilege.
 *
 * Built with -DSEEDED_FAULTS and run with --seeded, it breaks each role rule in
 * turn and demands that a literal expectation fails.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "role.h"
#include "rule.h"
#include "seeded.h"

#define PG X86_CR0_PG
#define WP X86_CR0_WP
#define PSE X86_CR4_PSE
#define PAE X86_CR4_PAE
#define LA57 X86_CR4_LA57
#define SMEP X86_CR4_SMEP
#define SMAP X86_CR4_SMAP
#define PKE X86_CR4_PKE
#define NX X86_EFER_NX
#define LMA X86_EFER_LMA

#define R21 ROLE_RULES_2021
#define R61 ROLE_RULES_6_1
#define R7 ROLE_RULES_7

enum which { CPU, TDP, SHADOW, NPT_CPU, NPT, EPT, NESTED };

struct golden {
	const char *name;
	enum which which;
	enum role_rules rules;
	struct role_regs regs; /* NPT: CR4 and EFER are L1's */
	const char *expected;  /* fields that are not 0, in the order of ROLE_FIELDS */
	struct role_context context;
	struct role_eptp eptp;
	bool gmet;
};

/* Hosts: EPT with up to 5 levels and a wide or narrow guest; NPT forced to 5 or 4. */
#define EPT_WIDE .max_tdp_level = 5, .maxphyaddr = 52, .ad_enabled = true
#define EPT_NARROW .max_tdp_level = 5, .maxphyaddr = 48, .ad_enabled = true
#define NPT_5 .max_tdp_level = 5, .tdp_root_level = 5, .maxphyaddr = 48, .ad_enabled = true
#define NPT_4 .max_tdp_level = 4, .tdp_root_level = 4, .maxphyaddr = 48, .ad_enabled = true

/*
 * One literal expectation; G3 is the same state under all three rule sets.  The
 * context comes last: a host, and what the vCPU is in.
 */
#define G(w, r, n, cr0_, cr4_, efer_, e, ...)                                               \
	{ .name = n, .which = w, .rules = r, .regs = { cr0_, cr4_, efer_ }, .expected = e, \
	  .context = { __VA_ARGS__ } }
#define G3(w, n, cr0_, cr4_, efer_, e21, e61, e7, ...) \
	G(w, R21, n, cr0_, cr4_, efer_, e21, __VA_ARGS__),     \
	G(w, R61, n, cr0_, cr4_, efer_, e61, __VA_ARGS__),     \
	G(w, R7, n, cr0_, cr4_, efer_, e7, __VA_ARGS__)
#define GMET(n, cr4_, efer_, w, e, ...)                                              \
	{ .name = n, .which = w, .rules = R7, .regs = { 0, cr4_, efer_ }, .gmet = true, \
	  .expected = e, .context = { __VA_ARGS__ } }
#define GEPT(r, n, level_, ad_, execonly_, mbec_, e, ...)                        \
	{ .name = n, .which = EPT, .rules = r, .expected = e,                    \
	  .eptp = { level_, ad_, execonly_, mbec_ }, .context = { __VA_ARGS__ } }
#define CR4_ALL (PSE | PAE | LA57 | SMEP | SMAP | PKE)

static const struct golden goldens[] = {
	G3(CPU, "walk, PG=0 with WP, NX and all of CR4", WP, CR4_ALL, NX, "direct access=7 valid",
	   "direct access=7 valid", "direct access=15 valid", EPT_WIDE),
	G3(CPU, "walk, 2-level", PG, 0, 0, "level=2 access=7 valid cr0_pg",
	   "level=2 has_4_byte_gpte access=7 valid", "level=2 has_4_byte_gpte access=15 valid", ),
	G3(CPU, "walk, 2-level with PSE, NX; PKE and LA57 are inert", PG, PSE | PKE | LA57, NX,
	   "level=2 access=7 efer_nx valid cr0_pg cr4_pse",
	   "level=2 has_4_byte_gpte access=7 efer_nx valid cr4_pse",
	   "level=2 has_4_byte_gpte access=15 efer_nx valid cr4_pse has_pferr_fetch", ),
	G3(CPU, "walk, PAE with SMEP and SMAP, WP=0; PKE and LA57 are inert", PG,
	   PAE | SMEP | SMAP | PKE | LA57, 0,
	   "level=3 gpte_is_8_bytes access=7 smep_andnot_wp smap_andnot_wp valid cr0_pg cr4_pae "
	   "cr4_smap cr4_smep",
	   "level=3 access=7 smep_andnot_wp smap_andnot_wp valid cr4_smap cr4_smep",
	   "level=3 access=15 smap_andnot_wp valid cr4_smap cr4_smep has_pferr_fetch", ),
	G3(CPU, "walk, 4-level with WP, SMEP, SMAP, PKE, NX", PG | WP, PAE | SMEP | SMAP | PKE,
	   LMA | NX,
	   "level=4 gpte_is_8_bytes access=7 efer_nx cr0_wp valid cr0_pg cr4_pae cr4_pke cr4_smap "
	   "cr4_smep",
	   "level=4 access=7 efer_nx cr0_wp valid cr4_pke cr4_smap cr4_smep efer_lma",
	   "level=4 access=15 efer_nx cr0_wp valid cr4_pke cr4_smap cr4_smep efer_lma "
	   "has_pferr_fetch", ),
	G3(CPU, "walk, 5-level, WP only", PG | WP, PAE | LA57, LMA,
	   "level=5 gpte_is_8_bytes access=7 cr0_wp valid cr0_pg cr4_pae cr4_la57",
	   "level=5 access=7 cr0_wp valid cr4_la57 efer_lma",
	   "level=5 access=15 cr0_wp valid cr4_la57 efer_lma", ),
	G3(CPU, "walk, PAE in L2 and in SMM", PG, PAE, 0,
	   "level=3 gpte_is_8_bytes access=7 guest_mode smm valid cr0_pg cr4_pae",
	   "level=3 access=7 guest_mode smm valid", "level=3 access=15 guest_mode smm valid",
	   .smm = true, .guest_mode = true),
	G(CPU, R61, "walk, LMA without PAE counts", PG, 0, LMA,
	  "level=4 has_4_byte_gpte access=7 valid efer_lma", ),
	G(CPU, R7, "walk, LMA without PAE does not count", PG, PKE | LA57, LMA,
	  "level=2 has_4_byte_gpte access=15 valid", ),

	G3(TDP, "TDP root, PG=0, EPT, MAXPHYADDR 52", WP, CR4_ALL, NX,
	   "level=5 gpte_is_8_bytes direct access=7 valid",
	   "level=5 direct access=7 efer_nx cr0_wp", "level=5 direct access=15 efer_nx cr0_wp",
	   EPT_WIDE),
	G3(TDP, "TDP root, 2-level SMEP SMAP WP=0, EPT, MAXPHYADDR 48", PG, SMEP | SMAP, 0,
	   "level=4 gpte_is_8_bytes direct access=7 valid cr0_pg cr4_smap cr4_smep",
	   "level=4 direct access=7 efer_nx cr0_wp", "level=4 direct access=15 efer_nx cr0_wp",
	   EPT_NARROW),
	G3(TDP, "TDP root, 4-level, 5-level NPT host, MAXPHYADDR 48", PG | WP, PAE, LMA | NX,
	   "level=5 gpte_is_8_bytes direct access=7 efer_nx cr0_wp valid cr0_pg cr4_pae",
	   "level=5 direct access=7 efer_nx cr0_wp", "level=5 direct access=15 efer_nx cr0_wp",
	   NPT_5),
	G3(TDP, "TDP root without A/D, in L2 and SMM, 4-level host", PG | WP, PAE, 0,
	   "level=4 gpte_is_8_bytes direct access=7 cr0_wp ad_disabled guest_mode smm valid "
	   "cr0_pg cr4_pae",
	   "level=4 direct access=7 efer_nx cr0_wp ad_disabled guest_mode smm",
	   "level=4 direct access=15 efer_nx cr0_wp ad_disabled guest_mode smm",
	   .max_tdp_level = 4, .maxphyaddr = 52, .smm = true, .guest_mode = true),
	G(TDP, R7, "TDP root with MBEC", PG, PAE | SMEP, LMA,
	  "level=5 direct access=15 efer_nx cr0_wp cr4_smep", EPT_WIDE, .tdp_has_smep = true),
	G(TDP, R7, "TDP root with GMET", PG, PAE, LMA,
	  "level=4 direct access=11 efer_nx cr0_wp cr4_smep", NPT_4, .tdp_has_smep = true,
	  .tdp_user_bit = true),
	G(TDP, R7, "TDP root, NPT without GMET", PG, PAE | SMEP, LMA,
	  "level=4 direct access=15 efer_nx cr0_wp", NPT_4, .tdp_user_bit = true),

	G3(SHADOW, "shadow root, PG=0", WP, CR4_ALL, NX, "level=3 direct access=7 valid",
	   "level=3 direct access=7 efer_nx", "level=3 direct access=15 efer_nx", ),
	G3(SHADOW, "shadow root, 2-level", PG, PSE | SMEP, 0,
	   "level=3 access=7 smep_andnot_wp valid cr0_pg cr4_pse cr4_smep",
	   "level=3 has_4_byte_gpte access=7 efer_nx smep_andnot_wp",
	   "level=3 has_4_byte_gpte access=15 efer_nx cr4_smep", ),
	G3(SHADOW, "shadow root, 4-level", PG | WP, PAE | SMAP, LMA,
	   "level=4 gpte_is_8_bytes access=7 cr0_wp valid cr0_pg cr4_pae cr4_smap",
	   "level=4 access=7 efer_nx cr0_wp", "level=4 access=15 efer_nx cr0_wp", ),

	G3(NPT_CPU, "nested NPT walk, L1 4-level SMEP SMAP PKE", 0, PAE | SMEP | SMAP | PKE, LMA,
	   "level=4 gpte_is_8_bytes access=7 smep_andnot_wp smap_andnot_wp guest_mode valid "
	   "cr0_pg cr4_pae cr4_pke cr4_smap cr4_smep",
	   "level=4 access=7 smep_andnot_wp smap_andnot_wp guest_mode valid cr4_smap cr4_smep "
	   "efer_lma",
	   "level=4 access=15 cr0_wp guest_mode valid efer_lma has_pferr_fetch",
	   NPT_5, .guest_mode = true),
	GMET("nested NPT walk, GMET without SMEP", PAE, LMA, NPT_CPU,
	     "level=4 access=15 cr0_wp guest_mode valid cr4_smep efer_lma", NPT_4,
	     .guest_mode = true),
	G3(NPT, "nested NPT root, 5-level host, L1 4-level", 0, PAE | SMAP | PKE, LMA | NX,
	   "level=5 gpte_is_8_bytes access=7 efer_nx smap_andnot_wp guest_mode valid cr0_pg "
	   "cr4_pae cr4_pke cr4_smap",
	   "level=5 access=7 efer_nx smap_andnot_wp guest_mode passthrough",
	   "level=5 access=15 efer_nx cr0_wp guest_mode passthrough", NPT_5, .guest_mode = true),
	G3(NPT, "nested NPT root, 5-level host, L1 PAE", 0, PAE, 0,
	   "level=5 gpte_is_8_bytes access=7 guest_mode valid cr0_pg cr4_pae",
	   "level=5 access=7 guest_mode", "level=5 access=15 cr0_wp guest_mode", NPT_5,
	   .guest_mode = true),
	G3(NPT, "nested NPT root, 5-level host, L1 5-level", 0, PAE | LA57, LMA,
	   "level=5 gpte_is_8_bytes access=7 guest_mode valid cr0_pg cr4_pae cr4_la57",
	   "level=5 access=7 guest_mode", "level=5 access=15 cr0_wp guest_mode", NPT_5,
	   .guest_mode = true),
	G3(NPT, "nested NPT root, 4-level host, L1 2-level", 0, 0, 0,
	   "level=4 access=7 guest_mode valid cr0_pg",
	   "level=4 has_4_byte_gpte access=7 guest_mode",
	   "level=4 has_4_byte_gpte access=15 cr0_wp guest_mode", NPT_4, .guest_mode = true),
	GMET("nested NPT root, GMET", PAE | SMEP, LMA, NPT,
	     "level=4 access=15 cr0_wp guest_mode cr4_smep", NPT_4, .guest_mode = true),

	GEPT(R21, "nested EPT, 4-level, A/D", 4, true, false, false,
	     "level=4 gpte_is_8_bytes access=7 guest_mode smm valid", EPT_WIDE, .smm = true,
	     .guest_mode = true),
	GEPT(R61, "nested EPT, 4-level, A/D", 4, true, false, false,
	     "level=4 access=7 guest_mode valid", EPT_WIDE, .smm = true, .guest_mode = true),
	GEPT(R61, "nested EPT, 5-level, execute-only", 5, false, true, true,
	     "level=5 access=7 ad_disabled guest_mode valid execonly", EPT_NARROW),
	GEPT(R7, "nested EPT, 5-level, execute-only, MBEC", 5, false, true, true,
	     "level=5 access=15 ad_disabled guest_mode valid execonly cr4_smep", EPT_NARROW),

	G3(NESTED, "walk of L2's tables, PG=0", WP, CR4_ALL, NX, "direct access=7 guest_mode valid",
	   "direct access=7 guest_mode valid", "direct access=15 guest_mode valid",
	   .guest_mode = true),
	G3(NESTED, "walk of L2's tables, PAE", PG | WP, PAE | PSE, NX,
	   "level=3 gpte_is_8_bytes direct access=7 efer_nx cr0_wp guest_mode valid cr0_pg cr4_pae "
	   "cr4_pse",
	   "level=3 access=7 efer_nx cr0_wp guest_mode valid cr4_pse",
	   "level=3 access=15 efer_nx cr0_wp guest_mode valid cr4_pse has_pferr_fetch",
	   .guest_mode = true),
};

static unsigned int nr_tests, nr_failed;

static void __attribute__((format(printf, 2, 3))) result(bool ok, const char *fmt, ...)
{
	va_list args;

	printf("%s %u - ", ok ? "ok" : "not ok", ++nr_tests);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	nr_failed += !ok;
}

static void role_print(const struct mmu_role *role, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (enum role_field_index i = 0; i < NR_ROLE_FIELDS; i++) {
		u8 value = role_field_get(role, i);

		if (!value || at >= size)
			continue;
		at += snprintf(text + at, size - at, at ? " %s" : "%s", role_fields[i].name);
		if (value > 1 && at < size)
			at += snprintf(text + at, size - at, "=%u", value);
	}
}

static struct mmu_role compute(enum which which, const struct role_context *context,
			       const struct role_regs *regs, const struct role_npt *npt,
			       const struct role_eptp *eptp)
{
	switch (which) {
	case TDP:
		return kvm_calc_tdp_mmu_root_page_role(context, regs);
	case SHADOW:
		return kvm_calc_shadow_mmu_root_page_role(context, regs);
	case NPT_CPU:
		return kvm_calc_npt_cpu_role(context, npt);
	case NPT:
		return kvm_calc_shadow_npt_root_page_role(context, npt);
	case EPT:
		return kvm_calc_shadow_ept_root_page_role(context, eptp);
	case NESTED:
		return kvm_calc_nested_mmu_role(context, regs);
	case CPU:
		break;
	}
	return kvm_calc_cpu_role(context, regs);
}

static bool golden_holds(const struct golden *golden, char *text, size_t size)
{
	struct role_npt npt = { golden->regs.cr4, golden->regs.efer, golden->gmet };
	struct role_context context = golden->context;
	struct mmu_role role;

	context.rules = golden->rules;
	role = compute(golden->which, &context, &golden->regs, &npt, &golden->eptp);
	role_print(&role, text, size);
	return !strcmp(text, golden->expected);
}

static bool regs_hold(void)
{
	struct role_regs regs = role_regs_from(~0ULL, ~0ULL, ~0ULL);

	return regs.cr0 == 0x80010000 && regs.cr4 == 0x00701030 && regs.efer == 0xc00;
}

static void run_goldens(void)
{
	char text[512];

	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		bool ok = golden_holds(&goldens[i], text, sizeof(text));

		result(ok, "%s %s", role_rules_name(goldens[i].rules), goldens[i].name);
		if (!ok)
			printf("# expected: %s\n# computed: %s\n", goldens[i].expected, text);
	}
	result(regs_hold(), "role_regs keep the ten bits and no other");
}

/* --- Invariants: one bit of state per register bit --- */

#define NR_STATES (1 << 10)

static struct role_regs state_regs(unsigned int state)
{
	static const u64 cr4_bits[] = { PSE, PAE, LA57, SMEP, SMAP, PKE };
	struct role_regs regs = { 0 };

	regs.cr0 = (state & 1 ? PG : 0) | (state & 2 ? WP : 0);
	regs.efer = (state & 4 ? NX : 0) | (state & 8 ? LMA : 0);
	for (size_t i = 0; i < ARRAY_SIZE(cr4_bits); i++)
		regs.cr4 |= state & (16 << i) ? cr4_bits[i] : 0;
	return regs;
}

/* What hardware can be in: LMA only with PG and PAE. */
static bool legal(const struct role_regs *regs)
{
	return !(regs->efer & LMA) || (regs->cr0 & PG && regs->cr4 & PAE);
}

struct invariant_state {
	enum role_rules rules;
	struct role_context context;
	struct role_regs regs;
	struct mmu_role cpu; /* cpu role of regs */
};

static bool same(const struct mmu_role *a, const struct mmu_role *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static bool paging_off_is_bare(const struct invariant_state *s)
{
	struct mmu_role bare = { .direct = 1, .access = role_acc_all(s->rules), .valid = 1 };

	return s->regs.cr0 & PG ? s->cpu.level > 0 && !s->cpu.direct : same(&s->cpu, &bare);
}

static bool other_bits_ignored(const struct invariant_state *s)
{
	struct role_regs noisy = { s->regs.cr0 | ~(u64)ROLE_CR0_BITS,
				   s->regs.cr4 | ~(u64)ROLE_CR4_BITS,
				   s->regs.efer | ~(u64)ROLE_EFER_BITS };
	struct role_regs kept = role_regs_from(noisy.cr0, noisy.cr4, noisy.efer);
	struct mmu_role role = kvm_calc_cpu_role(&s->context, &noisy);

	return same(&role, &s->cpu) && !memcmp(&kept, &s->regs, sizeof(kept));
}

static bool long_mode_bits(const struct invariant_state *s)
{
	bool lma = s->regs.efer & LMA;

	return (lma || (!s->cpu.cr4_pke && !s->cpu.cr4_la57 && !s->cpu.efer_lma)) &&
	       s->cpu.cr4_la57 == (s->cpu.level == 5);
}

static bool andnot_wp(const struct invariant_state *s)
{
	return !s->cpu.cr0_wp || (!s->cpu.smep_andnot_wp && !s->cpu.smap_andnot_wp);
}

static bool fields_fit(const struct invariant_state *s)
{
	struct role_npt npt = { s->regs.cr4, s->regs.efer, true };
	struct role_eptp eptp = { 5, true, true, true };
	bool fit = true;

	for (enum which which = CPU; which <= NESTED; which++) {
		struct mmu_role role = compute(which, &s->context, &s->regs, &npt, &eptp);

		for (enum role_field_index i = 0; i < NR_ROLE_FIELDS; i++)
			fit &= !(role_field_get(&role, i) >> role_field_width(i, s->rules));
	}
	return fit;
}

static bool shadow_root_is_cpu_base(const struct invariant_state *s)
{
	struct mmu_role root = kvm_calc_shadow_mmu_root_page_role(&s->context, &s->regs);
	struct mmu_role want = s->cpu;

	want.level = want.level < 3 ? 3 : want.level;
	want.efer_nx |= s->rules != R21;
	for (enum role_field_index i = 0; i < NR_ROLE_FIELDS; i++) {
		if (s->rules != R21 && role_field_part(i, s->rules) == ROLE_PART_EXT)
			role_field_set(&want, i, 0);
	}
	return same(&root, &want);
}

static bool tdp_root_ignores_regs(const struct invariant_state *s)
{
	static const struct role_regs reset;
	struct mmu_role root = kvm_calc_tdp_mmu_root_page_role(&s->context, &s->regs);
	struct mmu_role want = kvm_calc_tdp_mmu_root_page_role(&s->context, &reset);

	return s->rules == R21 ? root.direct && root.level == want.level : same(&root, &want);
}

static bool nested_is_cpu_role(const struct invariant_state *s)
{
	struct mmu_role nested = kvm_calc_nested_mmu_role(&s->context, &s->regs);
	struct mmu_role want = s->cpu;

	want.direct |= s->rules == R21;
	return same(&nested, &want);
}

/* The rule sets differ in shape, not in meaning. */
static bool versions_mean_the_same(const struct invariant_state *s)
{
	bool pg = s->regs.cr0 & PG;

	if (!legal(&s->regs))
		return true;
	return role_is_cr0_pg(s->rules, &s->cpu) == pg &&
	       (!pg || role_is_cr4_pae(s->rules, &s->cpu) == !!(s->regs.cr4 & PAE)) &&
	       role_is_efer_lma(s->rules, &s->cpu) == !!(s->regs.efer & LMA) &&
	       s->cpu.cr4_smep == (pg && s->regs.cr4 & SMEP) &&
	       role_has_pferr_fetch(s->rules, &s->cpu) ==
		       (pg && (s->regs.efer & NX || s->regs.cr4 & SMEP));
}

static const struct {
	const char *name;
	bool (*holds)(const struct invariant_state *s);
} invariants[] = {
	{ "paging off leaves direct, access and valid", paging_off_is_bare },
	{ "bits outside role_regs are ignored", other_bits_ignored },
	{ "pke, la57 and lma only in long mode", long_mode_bits },
	{ "andnot_wp only without WP", andnot_wp },
	{ "every role fits the rule set's fields", fields_fit },
	{ "shadow root is the cpu role's base", shadow_root_is_cpu_base },
	{ "TDP root does not follow registers", tdp_root_ignores_regs },
	{ "nested walk is the cpu role", nested_is_cpu_role },
	{ "rule sets mean the same", versions_mean_the_same },
};

static void run_invariants(enum role_rules rules)
{
	for (size_t i = 0; i < ARRAY_SIZE(invariants); i++) {
		unsigned int bad = 0;

		for (unsigned int state = 0; state < NR_STATES; state++) {
			struct invariant_state s = {
				.rules = rules,
				.context = { .rules = rules, EPT_WIDE },
				.regs = state_regs(state),
			};

			s.cpu = kvm_calc_cpu_role(&s.context, &s.regs);
			if (!invariants[i].holds(&s) && !bad++)
				printf("# cr0=0x%lx cr4=0x%lx efer=0x%lx\n", s.regs.cr0,
				       s.regs.cr4, s.regs.efer);
		}
		result(!bad, "%s all %u states: %s", role_rules_name(rules), NR_STATES,
		       invariants[i].name);
	}
}

#ifdef SEEDED_FAULTS
static const enum rule role_rule_ids[] = {
#define RULE(id, says, manual, kernel) RULE_##id,
#include "role_rules.def"
#undef RULE
};

/* Each rule in turn broken: a literal expectation has to fail. */
static void run_seeded(void)
{
	char text[512];

	for (size_t r = 0; r < ARRAY_SIZE(role_rule_ids); r++) {
		unsigned int failed = 0;

		seeded_fault = role_rule_ids[r];
		for (size_t i = 0; i < ARRAY_SIZE(goldens); i++)
			failed += !golden_holds(&goldens[i], text, sizeof(text));
		failed += !regs_hold();
		seeded_fault = -1;
		result(failed, "broken %s fails %u expectations", rule_text(role_rule_ids[r])->name,
		       failed);
	}
}
#else
static const enum rule role_rule_ids[0];

static void run_seeded(void)
{
}
#endif

int main(int argc, char **argv)
{
	bool seeded = seeded_asked_for(argc, argv);
	size_t more = NR_ROLE_RULES * ARRAY_SIZE(invariants);

	more += seeded ? ARRAY_SIZE(role_rule_ids) : 0;
	puts("KTAP version 1");
	printf("1..%zu\n", ARRAY_SIZE(goldens) + 1 + more);
	run_goldens();
	for (enum role_rules rules = 0; rules < NR_ROLE_RULES; rules++)
		run_invariants(rules);
	if (seeded)
		run_seeded();
	return nr_failed != 0;
}
