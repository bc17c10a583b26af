// SPDX-License-Identifier: GPL-2.0-only
/* A TD's memory: see include/td_memory.h.  One function per paragraph of rules. */
#include <stdio.h>
#include <string.h>

#include "td_memory.h"
#include "x86.h"

#define PRIVATE 0
#define SHARED 1

const char *const td_op_names[NR_TD_OPS] = {
	"read", "write", "fetch", "vmm-read", "vmm-write", "map-gpa", "accept", "retry-at",
};

bool td_is_code(u64 word)
{
	return (word & ~(0xffffffffull << 8)) == TD_CODE(0);
}

void td_memory_init(struct td_memory *m, unsigned int gpaw, gpa_t base, struct td_page *page,
		    u32 nr_pages)
{
	*m = (struct td_memory){ gpaw, base, nr_pages, page, -1 };
	memset(page, 0, nr_pages * sizeof(*page));
}

struct td_page *td_memory_page(const struct td_memory *m, gpa_t gpa)
{
	const u64 nr = (tdx_gpa_to_private(m->gpaw, gpa) - m->base) / TD_PAGE_SIZE;

	return tdx_gpa_to_private(m->gpaw, gpa) >= m->base && nr < m->nr_pages ? &m->page[nr] :
										 NULL;
}

static void add_exit(struct td_outcome *o, enum td_exit_kind kind, bool private, gpa_t gpa,
		     u64 pages)
{
	if (o->nr_exits < TD_MAX_EXITS)
		o->exit[o->nr_exits++] = (struct td_exit){ kind, private, gpa, pages };
}

static void discard(struct td_page *page, int side)
{
	memset(page->word[side], 0, sizeof(page->word[side]));
}

/* The VMM converts a page. */
static void convert(struct td_page *page, bool private)
{
	if ((page->state != TD_PAGE_SHARED) == private && RULE_HOLDS(TD_KEPT))
		return;
	if (private && RULE_HOLDS(TD_LOSS_SHARED))
		discard(page, SHARED);
	page->state = private ? TD_PAGE_PENDING : TD_PAGE_SHARED;
}

/* KVM_EXIT_MEMORY_FAULT. */
static void memory_fault(const struct td_memory *m, gpa_t gpa, struct td_outcome *o)
{
	const bool private = tdx_gpa_is_private(m->gpaw, gpa);

	if (!RULE_HOLDS(TD_FAULT))
		return;
	add_exit(o, TD_EXIT_FAULT, RULE_HOLDS(TD_FAULT_SIDE) ? private : !private,
		 (RULE_HOLDS(TD_FAULT_GPA) ? tdx_gpa_to_private(m->gpaw, gpa) : gpa) & ~0xfffull,
		 1);
}

/* An access or an acceptance is on the right side afterwards; false: there is no memory. */
static bool on_its_side(struct td_memory *m, gpa_t gpa, struct td_outcome *o)
{
	const bool private = tdx_gpa_is_private(m->gpaw, gpa);
	struct td_page *page = td_memory_page(m, gpa);

	if (!page) {
		o->rule = private ? RULE_TD_NO_PAGE_PRIVATE : RULE_TD_NO_PAGE_SHARED;
		if (private ? RULE_HOLDS(TD_NO_PAGE_PRIVATE) : !RULE_HOLDS(TD_NO_PAGE_SHARED)) {
			memory_fault(m, gpa, o);
			o->ending = TD_STOPPED;
		} else {
			o->ending = TD_VE;
			o->gpa = gpa;
		}
		return false;
	}
	if ((page->state == TD_PAGE_SHARED) == private) {
		memory_fault(m, gpa, o);
		convert(page, private);
	}
	return true;
}

static void fault(struct td_outcome *o, enum rule rule, u32 error)
{
	o->rule = rule;
	o->ending = TD_FAULT;
	o->error = error;
}

/* The walk of the TD's own tables comes first (SDM 3A 4.7). */
static bool walk_faults(const struct td_memory *m, const struct td_step *step, struct td_outcome *o)
{
	const bool private = tdx_gpa_is_private(m->gpaw, step->gpa);

	if (tdx_gpa_too_wide(m->gpaw, step->gpa) && RULE_HOLDS(TD_TOO_WIDE)) {
		fault(o, RULE_TD_TOO_WIDE,
		      PFERR_PRESENT | PFERR_RSVD | (step->op == TD_WRITE ? PFERR_WRITE : 0) |
			      (step->op == TD_FETCH ? PFERR_FETCH : 0));
		return true;
	}
	if (step->op == TD_FETCH && !private && RULE_HOLDS(TD_NX_SHARED)) {
		fault(o, RULE_TD_NX_SHARED, PFERR_PRESENT | PFERR_FETCH);
		return true;
	}
	return false;
}

static void access_memory(struct td_memory *m, const struct td_step *step, struct td_outcome *o)
{
	const u32 word = (step->gpa & (TD_PAGE_SIZE - 1)) / TD_WORD_STRIDE;
	bool shared = !tdx_gpa_is_private(m->gpaw, step->gpa);
	struct td_page *page;

	if (walk_faults(m, step, o) || !on_its_side(m, step->gpa, o))
		return;
	page = td_memory_page(m, step->gpa);
	if (page->state == TD_PAGE_PENDING && RULE_HOLDS(TD_PENDING)) {
		o->rule = RULE_TD_PENDING;
		o->ending = TD_VE;
		o->gpa = shared ? step->gpa : step->gpa & ~0xfffull;
		return;
	}
	o->rule = o->nr_exits ? RULE_TD_FAULT : shared ? RULE_TD_SHARED : RULE_TD_PRIVATE;
	if (shared ? !RULE_HOLDS(TD_SHARED) : !RULE_HOLDS(TD_PRIVATE))
		shared = !shared;
	if (step->op == TD_WRITE)
		page->word[shared][word] = step->value;
	o->value = page->word[shared][word];
	if (step->op == TD_FETCH)
		o->value = o->value >> 8 & 0xffffffff;
}

/* The VMM has its own mapping of shared memory. */
static void vmm_access(struct td_memory *m, const struct td_step *step, struct td_outcome *o)
{
	const u32 word = (step->gpa & (TD_PAGE_SIZE - 1)) / TD_WORD_STRIDE;
	struct td_page *page = td_memory_page(m, step->gpa);

	o->rule = RULE_TD_VMM;
	if (!page || page->state != TD_PAGE_SHARED) {
		o->ending = TD_STOPPED;
		return;
	}
	if (step->op == TD_VMM_WRITE && RULE_HOLDS(TD_VMM))
		page->word[SHARED][word] = step->value;
	o->value = step->op == TD_VMM_WRITE ? step->value : page->word[SHARED][word];
}

/* TDG.VP.VMCALL<MapGPA>, part by part. */
static void map_parts(struct td_memory *m, const struct td_step *step, struct td_outcome *o)
{
	const u64 most = RULE_HOLDS(TD_MAP_CHUNK) ? TD_LARGE_SIZE : step->size;
	const bool private = tdx_gpa_is_private(m->gpaw, step->gpa) == RULE_HOLDS(TD_MAP_DIRECTION);
	s32 part = 0;
	u64 done, size, i;

	for (done = 0; done < step->size; done += size, part++) {
		const gpa_t gpa = step->gpa + done;

		size = step->size - done < most ? step->size - done : most;
		add_exit(o, TD_EXIT_MAP, private, tdx_gpa_to_private(m->gpaw, gpa),
			 size / TD_PAGE_SIZE);
		if (!td_memory_page(m, gpa) || !td_memory_page(m, gpa + size - 1)) {
			o->rule = RULE_TD_MAP_NO_PAGE;
			o->status = RULE_HOLDS(TD_MAP_NO_PAGE) ? TDVMCALL_INVALID_OPERAND : 0;
			o->r11 = gpa;
			return;
		}
		if (part == m->retry_at) {
			o->rule = RULE_TD_MAP_RETRY;
			o->status = TDVMCALL_RETRY;
			o->r11 = RULE_HOLDS(TD_MAP_RETRY) ? gpa : gpa + size;
			return;
		}
		for (i = 0; i < size; i += TD_PAGE_SIZE)
			convert(td_memory_page(m, gpa + i), private);
	}
}

static void map_gpa(struct td_memory *m, const struct td_step *step, struct td_outcome *o)
{
	const gpa_t last = step->gpa + step->size - 1;

	o->ending = TD_STATUS;
	o->rule = RULE_TD_MAP_DIRECTION;
	if (RULE_HOLDS(TD_MAP_OPERAND) &&
	    (step->gpa + step->size <= step->gpa || tdx_gpa_too_wide(m->gpaw, step->gpa) ||
	     tdx_gpa_too_wide(m->gpaw, last) ||
	     tdx_gpa_is_private(m->gpaw, step->gpa) != tdx_gpa_is_private(m->gpaw, last))) {
		o->rule = RULE_TD_MAP_OPERAND;
		o->status = TDVMCALL_INVALID_OPERAND;
		o->r11 = step->gpa;
	} else if (RULE_HOLDS(TD_MAP_ALIGN) && (step->gpa | step->size) & (TD_PAGE_SIZE - 1)) {
		o->rule = RULE_TD_MAP_ALIGN;
		o->status = TDVMCALL_ALIGN_ERROR;
		o->r11 = step->gpa;
	} else {
		map_parts(m, step, o);
	}
	m->retry_at = -1;
}

/* TDG.MEM.PAGE.ACCEPT. */
static void accept_page(struct td_memory *m, const struct td_step *step, struct td_outcome *o)
{
	struct td_page *page;

	o->ending = TD_STATUS;
	if (RULE_HOLDS(TD_ACCEPT_OPERAND) &&
	    (!tdx_gpa_is_private(m->gpaw, step->gpa) || tdx_gpa_too_wide(m->gpaw, step->gpa))) {
		o->rule = RULE_TD_ACCEPT_OPERAND;
		o->status = TDACCEPT_OPERAND_RCX;
		return;
	}
	if (!on_its_side(m, step->gpa, o))
		return;
	page = td_memory_page(m, step->gpa);
	if (step->size > TD_PAGE_SIZE && RULE_HOLDS(TD_ACCEPT_SIZE)) {
		o->rule = RULE_TD_ACCEPT_SIZE;
		o->status = TDACCEPT_SIZE_MISMATCH;
		return;
	}
	if (page->state == TD_PAGE_PRIVATE && RULE_HOLDS(TD_REACCEPT)) {
		o->rule = RULE_TD_REACCEPT;
		o->status = TDACCEPT_ALREADY;
		return;
	}
	o->rule = RULE_TD_ACCEPT;
	if (RULE_HOLDS(TD_ACCEPT))
		page->state = TD_PAGE_PRIVATE;
	memset(page->word[PRIVATE], RULE_HOLDS(TD_ACCEPT_ZERO) ? 0 : 0xff,
	       sizeof(page->word[PRIVATE]));
}

struct td_outcome td_memory_step(struct td_memory *m, const struct td_step *step)
{
	struct td_outcome o = { .ending = TD_DONE };

	switch (step->op) {
	case TD_VMM_READ:
	case TD_VMM_WRITE:
		vmm_access(m, step, &o);
		break;
	case TD_MAP_GPA:
		map_gpa(m, step, &o);
		break;
	case TD_ACCEPT:
		accept_page(m, step, &o);
		break;
	case TD_RETRY_AT:
		o.rule = RULE_TD_MAP_RETRY;
		m->retry_at = step->size;
		break;
	default:
		access_memory(m, step, &o);
		break;
	}
	return o;
}

void td_step_text(const struct td_step *step, char text[TD_STEP_LEN])
{
	int n = snprintf(text, TD_STEP_LEN, "%s %#llx", td_op_names[step->op],
			 (unsigned long long)step->gpa);

	if (step->op == TD_WRITE || step->op == TD_VMM_WRITE)
		snprintf(text + n, TD_STEP_LEN - n, " = %#llx", (unsigned long long)step->value);
	else if (step->op >= TD_MAP_GPA)
		snprintf(text + n, TD_STEP_LEN - n, "+%#llx", (unsigned long long)step->size);
}

/* As results write page faults: "#PF(p,w,rsvd)", "#PF(0)". */
static int fault_text(u32 error, char *text, size_t len)
{
	static const char *const names[] = { "p", "w", "u", "rsvd", "fetch" };
	int n = snprintf(text, len, "#PF("), first = n;
	u32 bit;

	for (bit = 0; bit < ARRAY_SIZE(names); bit++)
		if (error >> bit & 1)
			n += snprintf(text + n, len - n, "%s%s", n > first ? "," : "", names[bit]);
	return n + snprintf(text + n, len - n, "%s)", n > first ? "" : "0");
}

static int ending_text(const struct td_outcome *o, char *text, size_t len)
{
	switch (o->ending) {
	case TD_DONE:
		return snprintf(text, len, "ok value=%#llx", (unsigned long long)o->value);
	case TD_VE:
		return snprintf(text, len, "#VE(%#llx)", (unsigned long long)o->gpa);
	case TD_FAULT:
		return fault_text(o->error, text, len);
	case TD_STATUS:
		return snprintf(text, len, "status=%#llx r11=%#llx", (unsigned long long)o->status,
				(unsigned long long)o->r11);
	default:
		return snprintf(text, len, "stopped");
	}
}

void td_outcome_text(const struct td_outcome *o, char text[TD_OUTCOME_LEN])
{
	int n = 0;
	u8 i;

	for (i = 0; i < o->nr_exits; i++) {
		const struct td_exit *e = &o->exit[i];

		n += snprintf(text + n, TD_OUTCOME_LEN - n, "%s(%s,%#llx",
			      e->kind == TD_EXIT_MAP ? "map" : "fault",
			      e->private ? "private" : "shared", (unsigned long long)e->gpa);
		n += snprintf(text + n, TD_OUTCOME_LEN - n,
			      e->kind == TD_EXIT_MAP ? "+%llu) " : ") ",
			      (unsigned long long)e->pages);
	}
	ending_text(o, text + n, TD_OUTCOME_LEN - n);
}
