// SPDX-License-Identifier: GPL-2.0-only
/* A TD's VMM: steps to operations, exits to conversions.  See include/td_guest.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_private_memory.h"
#include "td_internal.h"
#include "test_assert.h"
#include "x86.h"

const char *const td_kind_names[NR_TD_KINDS] = { "td", "emulated-td", "emulated-td-memfd" };

/* Of one access.  Other vCPUs may convert its page again, but not for ever. */
#define MAX_FAULTS 1000

static const struct td_kind_ops *ops_of(const struct td_guest *td)
{
	return td->kind == TD_REAL ? &td_real_ops : &td_emulated_ops;
}

s64 td_test_page(const struct td_guest *td, gpa_t gpa)
{
	const gpa_t bare = tdx_gpa_to_private(td->layout.gpaw, gpa);

	if (bare < TD_TEST_GPA || bare - TD_TEST_GPA >= TD_TEST_SIZE)
		return -1;
	return (bare - TD_TEST_GPA) / TD_PAGE_SIZE;
}

enum td_event td_stop(struct td_vcpu *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(v->stopped, sizeof(v->stopped), fmt, args);
	va_end(args);
	return TD_EVENT_STOPPED;
}

u8 *td_map_aligned(u64 size, int protection, bool huge)
{
	u8 *p = mmap(NULL, size + TD_LARGE_SIZE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	u8 *aligned;

	TEST_ASSERT(p != MAP_FAILED, "mmap of %llu bytes: %s", (unsigned long long)size,
		    strerror(errno));
	aligned = (u8 *)(((uintptr_t)p + TD_LARGE_SIZE - 1) & ~(uintptr_t)(TD_LARGE_SIZE - 1));
	if (aligned > p)
		munmap(p, aligned - p);
	munmap(aligned + size, p + TD_LARGE_SIZE - aligned);
	madvise(aligned, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	TEST_ASSERT(!mprotect(aligned, size, protection), "mprotect: %s", strerror(errno));
	return aligned;
}

int td_set_private(struct td_guest *td, gpa_t gpa, u64 size, bool private)
{
	struct kvm_memory_attributes attributes = {
		.address = gpa,
		.size = size,
		.attributes = private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};

	return __vm_ioctl(td->vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes);
}

struct td_guest *td_guest_create(enum td_kind kind, const struct td_layout *layout, u32 nr_vcpus)
{
	struct td_guest *td = calloc(1, sizeof(*td));
	struct test_scope scope;
	enum test_end how;
	u32 i;

	TEST_ASSERT(td, "out of memory");
	td->kind = kind;
	td->layout = *layout;
	td->nr_vcpus = nr_vcpus;
	td->retry_at = -1;
	td->gmem_fd = -1;
	pthread_mutex_init(&td->lock, NULL);
	for (i = 0; i < TD_TEST_PAGES; i++)
		td->private[i] = true;
	how = setjmp(*test_scope_enter(&scope));
	if (how) {
		td_guest_free(td);
		test_end_again(how, &scope);
	}
	ops_of(td)->create(td);
	for (i = 0; i < nr_vcpus; i++) {
		td->cpu[i].td = td;
		td->cpu[i].id = i;
		td->cpu[i].box = (struct td_mailbox *)(td->mailboxes + i * TD_MAILBOX_SIZE);
	}
	test_scope_leave(&scope);
	return td;
}

void td_guest_free(struct td_guest *td)
{
	if (!td)
		return;
	vm_free(td->vm);
	ops_of(td)->destroy(td);
	if (td->gmem_fd >= 0)
		close(td->gmem_fd);
	pthread_mutex_destroy(&td->lock);
	free(td);
}

u64 td_guest_end(struct td_guest *td, enum test_end how, const struct test_scope *scope)
{
	const u64 conversions = td->conversions;

	td_guest_free(td);
	if (how)
		test_end_again(how, scope);
	return conversions;
}

/* Pages that are not yet as they shall be, run by run. */
static int convert(struct td_guest *td, gpa_t gpa, u64 pages, bool private)
{
	const u64 first = td_test_page(td, gpa), end = first + pages;
	u64 from, to;
	int err = 0;

	for (from = first; from < end && !err; from = to) {
		for (to = from; to < end && td->private[to] != private; to++)
			td->private[to] = private;
		if (to == from) {
			to++;
			continue;
		}
		err = ops_of(td)->convert(td, TD_TEST_GPA + from * TD_PAGE_SIZE, to - from,
					  private);
		td->conversions += to - from;
	}
	return err;
}

static bool in_test_memory(const struct td_guest *td, const struct td_exit *exit)
{
	return td_test_page(td, exit->gpa) >= 0 &&
	       td_test_page(td, exit->gpa + (exit->pages - 1) * TD_PAGE_SIZE) >= 0;
}

/* A part of MapGPA: which one of the operation's is it? */
static void serve_map(struct td_vcpu *v, const struct td_exit *exit)
{
	struct td_guest *td = v->td;
	int err;

	if (v->map_at != v->box->at) {
		v->map_at = v->box->at;
		v->map_part = 0;
	}
	if (!in_test_memory(td, exit))
		err = EINVAL;
	else if ((s32)v->map_part == td->retry_at)
		err = EAGAIN;
	else
		err = convert(td, exit->gpa, exit->pages, exit->private);
	if (err)
		td->retry_at = -1;
	v->map_part++;
	ops_of(td)->map_done(v, err);
}

static bool serve(struct td_vcpu *v, const struct td_exit *exit)
{
	struct td_guest *td = v->td;
	struct td_log *log = &v->log[v->box->at < TD_BOX_MAX_OPS ? v->box->at : 0];
	bool go_on = true;
	int err;

	pthread_mutex_lock(&td->lock);
	if (log->nr < TD_MAX_EXITS)
		log->exit[log->nr++] = *exit;
	if (exit->kind == TD_EXIT_MAP) {
		serve_map(v, exit);
	} else if (!in_test_memory(td, exit)) {
		td_stop(v, "no memory");
		go_on = false;
	} else if (++log->faults > MAX_FAULTS) {
		td_stop(v, "the same fault again and again");
		go_on = false;
	} else {
		err = convert(td, exit->gpa, exit->pages, exit->private);
		if (err)
			td_stop(v, "conversion: %s", strerror(err));
		go_on = !err;
	}
	pthread_mutex_unlock(&td->lock);
	return go_on;
}

/* Until the mailbox is done.  false: the vCPU cannot go on. */
static bool run_mailbox(struct td_vcpu *v)
{
	struct td_exit exit;

	while (!v->stopped[0]) {
		switch (ops_of(v->td)->run(v, &exit)) {
		case TD_EVENT_MORE:
			return true;
		case TD_EVENT_EXIT:
			if (!serve(v, &exit))
				return false;
			break;
		default:
			return false;
		}
	}
	return false;
}

static struct td_box_op box_op(const struct td_guest *td, const struct td_step *step)
{
	struct td_box_op op = { 0 };

	switch (step->op) {
	case TD_MAP_GPA:
		op.what = TD_DO_CALL;
		op.rax = TDG_VP_VMCALL;
		op.rcx = TDVMCALL_REGISTERS;
		op.r11 = TDVMCALL_MAP_GPA;
		op.r12 = step->gpa;
		op.r13 = step->size;
		break;
	case TD_ACCEPT:
		op.what = TD_DO_CALL;
		op.rax = TDG_MEM_PAGE_ACCEPT;
		op.rcx = step->gpa | (step->size == TD_LARGE_SIZE);
		break;
	default:
		op.what = step->op == TD_READ  ? TD_DO_READ :
			  step->op == TD_WRITE ? TD_DO_WRITE :
						 TD_DO_FETCH;
		op.gva = td_gva(&td->layout, step->gpa);
		op.value = step->value;
		TEST_ASSERT(op.gva, "no entry leads to %#llx", (unsigned long long)step->gpa);
		break;
	}
	return op;
}

/* R11 and the low half of some status words say nothing. */
static void call_outcome(const struct td_step *step, const struct td_box_result *r,
			 struct td_seen *seen)
{
	struct td_outcome *o = &seen->outcome;

	o->ending = TD_STATUS;
	if (step->op == TD_MAP_GPA) {
		o->status = r->r10;
		o->r11 = r->r10 ? r->r11 : 0;
		if (r->rax)
			snprintf(seen->other, sizeof(seen->other), "TDCALL gave %#llx",
				 (unsigned long long)r->rax);
		return;
	}
	o->status = r->rax;
	if ((r->rax & ~0xffffffffull) == TDACCEPT_SIZE_MISMATCH ||
	    (r->rax & ~0xffffffffull) == TDACCEPT_ALREADY)
		o->status &= ~0xffffffffull;
}

static void exception_outcome(const struct td_guest *td, const struct td_box_op *op,
			      const struct td_box_result *r, struct td_seen *seen)
{
	struct td_outcome *o = &seen->outcome;

	if (r->vector == PF_VECTOR) {
		o->ending = TD_FAULT;
		o->error = r->error;
		if (r->cr2 != op->gva)
			snprintf(seen->other, sizeof(seen->other), "#PF at %#llx, not %#llx",
				 (unsigned long long)r->cr2, (unsigned long long)op->gva);
	} else if (r->vector == TD_VE_VECTOR && !r->rax) {
		o->ending = TD_VE;
		o->gpa = tdx_gpa_is_private(td->layout.gpaw, r->r9) ? r->r9 & ~0xfffull : r->r9;
		if ((u32)r->rcx != TD_VE_EPT_VIOLATION)
			snprintf(seen->other, sizeof(seen->other), "#VE for exit reason %llu",
				 (unsigned long long)r->rcx);
	} else {
		snprintf(seen->other, sizeof(seen->other),
			 "exception %u error %#llx rip %#llx rax %#llx", r->vector,
			 (unsigned long long)r->error, (unsigned long long)r->rip,
			 (unsigned long long)r->rax);
	}
}

static void see(const struct td_vcpu *v, u32 slot, const struct td_step *step, struct td_seen *seen)
{
	const struct td_box_op *op = &v->box->op[slot];
	const struct td_box_result *r = &v->box->result[slot];
	const struct td_log *log = &v->log[slot];

	*seen = (struct td_seen){ .outcome.ending = TD_DONE, .outcome.nr_exits = log->nr };
	memcpy(seen->outcome.exit, log->exit, sizeof(log->exit));
	if (!r->ended) {
		seen->outcome.ending = TD_STOPPED;
		if (strcmp(v->stopped, "no memory"))
			snprintf(seen->other, sizeof(seen->other), "%s", v->stopped);
	} else if (r->ended == TD_ENDED_EXCEPTION) {
		exception_outcome(v->td, op, r, seen);
	} else if (op->what == TD_DO_CALL) {
		call_outcome(step, r, seen);
	} else {
		seen->outcome.value = r->rax;
	}
}

/* Up to TD_BOX_MAX_OPS steps that the guest makes. */
static u32 run_batch(struct td_vcpu *v, const struct td_step *steps, u32 nr, struct td_seen *seen)
{
	u32 i;

	memset(v->log, 0, sizeof(v->log));
	memset(v->box->result, 0, sizeof(v->box->result));
	v->map_at = ~0u;
	for (i = 0; i < nr; i++)
		v->box->op[i] = box_op(v->td, &steps[i]);
	v->box->nr = nr;
	v->box->at = 0;
	if (!run_mailbox(v) && !v->stopped[0])
		td_stop(v, "stopped");
	for (i = 0; i < nr; i++) {
		see(v, i, &steps[i], &seen[i]);
		if (!v->box->result[i].ended)
			return i + 1;
	}
	return nr;
}

/* What the VMM does by itself. */
static bool vmm_step(struct td_guest *td, const struct td_step *step, struct td_seen *seen)
{
	const s64 page = td_test_page(td, step->gpa);
	u64 *word;

	if (step->op != TD_VMM_READ && step->op != TD_VMM_WRITE && step->op != TD_RETRY_AT)
		return false;
	*seen = (struct td_seen){ .outcome.ending = TD_DONE };
	pthread_mutex_lock(&td->lock);
	if (step->op == TD_RETRY_AT) {
		td->retry_at = step->size;
	} else if (page < 0 || td->private[page]) {
		seen->outcome.ending = TD_STOPPED;
	} else {
		word = (u64 *)(td->shared_side + page * TD_PAGE_SIZE + step->gpa % TD_PAGE_SIZE);
		if (step->op == TD_VMM_WRITE)
			*word = step->value;
		seen->outcome.value = *word;
	}
	pthread_mutex_unlock(&td->lock);
	return true;
}

const char *td_guest_boot(struct td_vcpu *v)
{
	if (v->td->cannot_boot)
		return v->td->cannot_boot;
	v->box->nr = 0;
	if (!run_mailbox(v))
		return v->stopped;
	v->booted = true;
	if (v->box->gpaw != v->td->layout.gpaw)
		return "RBX is not GPAW at the reset vector";
	return NULL;
}

u32 td_guest_run(struct td_vcpu *v, const struct td_step *steps, u32 nr, struct td_seen *seen)
{
	const char *trouble = v->booted ? NULL : td_guest_boot(v);
	u32 i, done;

	TEST_ASSERT(!trouble, "the payload did not start on vcpu %u: %s", v->id, trouble);
	for (i = 0; i < nr;) {
		for (done = 0;
		     i + done < nr && done < TD_BOX_MAX_OPS && steps[i + done].op != TD_VMM_READ &&
		     steps[i + done].op != TD_VMM_WRITE && steps[i + done].op != TD_RETRY_AT;
		     done++)
			;
		if (!done) {
			vmm_step(v->td, &steps[i], &seen[i]);
			i++;
			continue;
		}
		i += run_batch(v, steps + i, done, seen + i);
		if (v->stopped[0])
			break;
	}
	return i;
}

bool td_width_possible(const struct host_card *card, enum td_kind kind,
		       const struct td_layout *layout, char why_not[120])
{
	const bool own_width = card->tdp == YES;

	why_not[0] = '\0';
	if (kind == TD_REAL && card->tdx != YES)
		snprintf(why_not, 120, "not a TDX host: KVM_CAP_VM_TYPES has no bit 5");
	else if (kind != TD_REAL && layout->levels == 5 && card->la57 != YES)
		snprintf(why_not, 120, "the CPU offers no 5-level paging");
	else if (kind != TD_REAL && own_width && card->maxphyaddr < (int)layout->gpaw)
		snprintf(why_not, 120, "nested paging, and MAXPHYADDR is %d: no address has bit %u",
			 card->maxphyaddr, layout->gpaw - 1);
	else if (kind != TD_REAL && own_width && layout->gpaw > 48 && card->la57 != YES)
		snprintf(why_not, 120, "nested paging with 4 levels: no address has bit %u",
			 layout->gpaw - 1);
	return !why_not[0];
}

void td_seen_text(const struct td_seen *seen, char text[TD_OUTCOME_LEN])
{
	size_t n;

	td_outcome_text(&seen->outcome, text);
	n = strlen(text);
	if (seen->other[0])
		snprintf(text + n, TD_OUTCOME_LEN - n, " (%s)", seen->other);
}
