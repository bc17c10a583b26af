// SPDX-License-Identifier: GPL-2.0-only
/* Making all attempts from a state, and reporting those that end wrong. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "refusal_internal.h"
#include "report.h"

static void attempt_id(const struct refusal_rig *rig, const struct attempt *a, char *id, size_t len)
{
	char state[STATE_NAME_LEN];

	state_name(&rig->state, state);
	snprintf(id, len, "%s/%s/%s", refusal_ways[rig->way].name, state, a->name);
}

static void add_hex(json_t *to, const char *name, u64 value)
{
	char hex[24];

	snprintf(hex, sizeof(hex), "%#llx", (unsigned long long)value);
	json_object_set_new(to, name, json_string(hex));
}

static json_t *regs_json(const struct legal_regs *regs)
{
	struct legal_regs r = *regs;
	json_t *object = json_object();
	enum control_reg reg;

	for (reg = 0; reg < NR_CONTROL_REGS; reg++)
		add_hex(object, control_reg_names[reg], *legal_reg(&r, reg));
	return object;
}

static json_t *attempt_detail(const void *context)
{
	const struct attempt *a = context;
	const struct legal_rule_text *rule = &legal_rules[a->verdict.rule];
	json_t *detail = json_pack("{s:o, s:o, s:{s:s, s:s, s:s}}", "from", regs_json(&a->from),
				   "to", regs_json(&a->to), "rule", "name", rule->name, "says",
				   rule->says, "manual", rule->manual);
	json_t *pdptes = json_object();
	char name[8];
	int i;

	for (i = 0; i < 4 && a->pdptes != PDPTES_NONE; i++) {
		snprintf(name, sizeof(name), "%d", i);
		add_hex(pdptes, name, a->pdpte[i]);
	}
	json_object_set_new(detail, "pdptes", pdptes);
	return detail;
}

static void print_regs(const char *what, const struct legal_regs *regs)
{
	printf("# %-9s cr0=%#llx cr3=%#llx cr4=%#llx efer=%#llx cs.l=%d\n", what,
	       (unsigned long long)regs->cr0, (unsigned long long)regs->cr3,
	       (unsigned long long)regs->cr4, (unsigned long long)regs->efer, regs->cs_l);
}

static void print_attempt(struct refusal_rig *rig, const struct attempt *a, const char *expected,
			  const char *observed)
{
	const struct legal_rule_text *rule = &legal_rules[a->verdict.rule];
	char id[128];
	int i;

	attempt_id(rig, a, id, sizeof(id));
	printf("# case      %s\n", id);
	print_regs("from", &a->from);
	print_regs("to", &a->to);
	for (i = 0; i < 4 && a->pdptes != PDPTES_NONE; i++)
		printf("# pdpte%d    %#llx\n", i, (unsigned long long)a->pdpte[i]);
	printf("# expected  %s\n# observed  %s\n# rule      %s: %s\n#           %s\n", expected,
	       observed, rule->name, rule->says, rule->manual);
}

/* A run under way. */
struct running {
	struct refusal_rig *rig;
	const char *only;
	struct vcpu *vcpu;
	const struct attempt *at; /* NULL, or of the start the vCPU is in */
	const struct attempt *wrong; /* NULL, or the last one that ended wrong in this VM */
	bool quiet;               /* what is made only paves the way */
};

/* after: NULL, or the attempt that may be what went wrong. */
static void fail(struct running *r, const struct attempt *a, const char *expected,
		 const char *observed, const struct attempt *after)
{
	char id[128];
	const struct case_failure f = {
		.id = id,
		.expected = expected,
		.observed = observed,
		.after = after ? after->name : NULL,
		.rule = legal_rules[a->verdict.rule].name,
		.detail = attempt_detail,
		.context = a,
	};

	attempt_id(r->rig, a, id, sizeof(id));
	report_failure(&f);
}

/* Reports; false if the vCPU may not be what it was. */
static bool check(struct running *r, const struct attempt *a, const struct made *made)
{
	char expected[ATTEMPT_TEXT_LEN], text[ATTEMPT_TEXT_LEN], observed[3 * ATTEMPT_TEXT_LEN];
	bool good = attempt_judge(a, &made->outcome, made->mask, expected, text);

	if (good && made->walk) {
		snprintf(observed, sizeof(observed), "%s, then %.400s", text, made->walk);
		good = false;
	} else {
		snprintf(observed, sizeof(observed), "%s", text);
	}
	if (r->quiet)
		return false;
	if (r->only)
		print_attempt(r->rig, a, expected, observed);
	if (!good) {
		/* Accesses that go wrong behind a refusal may do so for what was accepted before. */
		fail(r, a, expected, observed, made->walk ? r->wrong : NULL);
		r->wrong = a;
	}
	report_cases(1);
	return good &&
	       (made->outcome.how == ATTEMPT_REFUSED || a->verdict.legality == IGNORED ||
		a->verdict.legality == NO_EFFECT);
}

static bool same_start(const struct attempt *a, const struct attempt *b)
{
	return a->hidden == b->hidden && a->from.cr0 == b->from.cr0 &&
	       a->from.cr3 == b->from.cr3 && a->from.cr4 == b->from.cr4 &&
	       a->from.efer == b->from.efer;
}

/* Puts the attempt's vCPU into its start; a broken VM is exchanged.  False: reported. */
static bool start(struct running *r, const struct attempt *a)
{
	char why[64];
	int err;

	if (r->at && same_start(r->at, a))
		return true;
	r->at = NULL;
	r->vcpu = rig_vcpu(r->rig, a);
	err = rig_enter(r->rig, r->vcpu, a);
	if (err) {
		report_note("KVM_SET_SREGS of a start: %s; going on in a new VM", strerror(err));
		err = rig_go(r->rig, r->rig->nr);
		r->wrong = NULL;
		r->vcpu = rig_vcpu(r->rig, a);
		err = err ?: rig_enter(r->rig, r->vcpu, a);
	}
	if (!err) {
		r->at = a;
		return true;
	}
	snprintf(why, sizeof(why), "KVM_SET_SREGS: %s", strerror(err));
	fail(r, a, "a start", why, NULL);
	report_cases(1);
	return false;
}

/* Can the attempt share a script with others: will everything be as it was? */
static bool shares(const struct attempt *a)
{
	return a->pdptes == PDPTES_NONE &&
	       (a->verdict.legality == ILLEGAL || a->verdict.legality == IGNORED ||
		a->verdict.legality == NO_EFFECT);
}

static unsigned int by_guest(struct running *r, const struct attempt *a, unsigned int nr)
{
	struct made made[MAX_IN_SCRIPT];
	unsigned int n = 1, i;
	bool intact = true;

	while (shares(a) && n < nr && n < MAX_IN_SCRIPT && shares(&a[n]) && same_start(a, &a[n]))
		n++;
	/* Behind a script the code size may be another one. */
	if (r->rig->ran)
		r->at = NULL;
	if (!start(r, a))
		return 1;
	n = refusal_by_guest(r->rig, r->vcpu, a, n, made);
	for (i = 0; i < n; i++)
		intact &= check(r, &a[i], &made[i]);
	if (!intact)
		r->at = NULL;
	return n;
}

/* Which PDPTEs KVM holds, and whether the guest gets on with them. */
static void print_pdptes(struct running *r)
{
	struct kvm_sregs2 s;
	const char *walk;

	if (!refusal_way_lacks(r->rig, WAY_SREGS2) &&
	    !__vcpu_ioctl(r->vcpu, KVM_GET_SREGS2, &s) && s.flags & KVM_SREGS2_FLAGS_PDPTRS_VALID)
		printf("# held      %#llx %#llx %#llx %#llx\n", s.pdptrs[0], s.pdptrs[1],
		       s.pdptrs[2], s.pdptrs[3]);
	walk = refusal_walk(r->rig, r->vcpu);
	printf("# then      %s\n", walk ? walk : "the guest walks as before");
}

static unsigned int by_api(struct running *r, const struct attempt *a)
{
	struct made made;

	if (!start(r, a))
		return 1;
	refusal_by_api(r->rig, r->vcpu, a, &made);
	if (!check(r, a, &made))
		r->at = NULL;
	/* Too much for a run: the guest ends in every possible way. */
	if (r->only && made.outcome.how == ATTEMPT_ACCEPTED && a->pdptes != PDPTES_NONE)
		print_pdptes(r);
	return 1;
}

static struct attempt *find_attempt(struct refusal_rig *rig, unsigned int nr, const char *name)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!strcmp(rig->list[i].name, name))
			return &rig->list[i];
	return NULL;
}

static unsigned int make(struct running *r, const struct attempt *a, unsigned int nr)
{
	return refusal_ways[r->rig->way].by_guest ? by_guest(r, a, nr) : by_api(r, a);
}

/* Only the one that was asked for; the one behind which it went wrong is made before. */
static unsigned int make_one(struct running *r, unsigned int nr, const char *name,
			     const char *after)
{
	const struct attempt *a = find_attempt(r->rig, nr, name);
	const struct attempt *before = after ? find_attempt(r->rig, nr, after) : NULL;

	if (!a || (after && !before))
		return 0;
	if (before) {
		r->quiet = true;
		make(r, before, 1);
		r->quiet = false;
		r->wrong = before;
	}
	return make(r, a, 1);
}

/* The attempt's name in an id, or NULL if that is of another way or state. */
static const char *attempt_name(const char *id, enum refusal_way way, const struct mmu_state *state)
{
	char name[STATE_NAME_LEN], start[64 + STATE_NAME_LEN];
	int len;

	state_name(state, name);
	len = snprintf(start, sizeof(start), "%s/%s/", refusal_ways[way].name, name);
	return strncmp(id, start, len) ? NULL : id + len;
}

unsigned int refusals_run(struct refusal_rig *rig, enum refusal_way way, unsigned int state,
			  const char *only, const char *after)
{
	struct running r = { .rig = rig, .only = only };
	const struct mmu_state pae = { .mode = MODE_PAE };
	struct attempt_context context = {
		.way = way,
		.cpu = &rig->cpu,
		.hidden = rig->hidden_cpu,
		.can_hide = rig->can_hide,
		.lme_needs_pae = rig->guest->lme_needs_pae,
	};
	char name[STATE_NAME_LEN];
	unsigned int nr, i;
	int err;

	if (only && !attempt_name(only, way, &rig->states[state]))
		return 0;
	state_name(&rig->states[state], name);
	rig->way = way;
	err = rig_go(rig, state);
	if (err || (refusal_ways[way].by_guest && !rig->runs)) {
		report_note("%s left out: %s", name,
			    err == ENODATA ? "KVM_GET_SREGS tells of another state than was set" :
			    err            ? strerror(err) :
					     rig->why_not);
		return 0;
	}
	if (!rig->runs)
		report_note("%s: no accesses afterwards, the guest cannot run there: %s", name,
			    rig->why_not);
	context.state = rig->state;
	context.from = rig->regs;
	memcpy(context.pdpte, guest_walk_regs(rig->guest, &pae).pdptr, sizeof(context.pdpte));
	nr = attempts_make(&context, rig->list);
	if (context.left_out && !only)
		report_note("%s: %u attempts left out: this host does not survive EFER.LME=1 with CR4.PAE=0", name, context.left_out);
	if (only)
		return make_one(&r, nr, attempt_name(only, way, &rig->state), after);
	for (i = 0; i < nr && !report_should_stop();)
		i += make(&r, &rig->list[i], nr - i);
	return i;
}
