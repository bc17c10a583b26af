// SPDX-License-Identifier: GPL-2.0-only
/* The host side of the agent's protocol: put the vCPU into a state, run a batch. */
#include <stdio.h>
#include <string.h>

#include "guest_internal.h"
#include "l1.h"
#include "test_assert.h"
#include "x86.h"

/* Labels of agent_body.inc, [code64]. */
#define LABELS(name) extern const u8 name##32[], name##64[]
#define LOOP_LABELS(name) extern const u8 name##32[], name##64[], name##32_next[], name##64_next[]
LOOP_LABELS(agent_bare_read);
LOOP_LABELS(agent_bare_write);
LOOP_LABELS(agent_bare_fetch);
LABELS(agent_wrpkru);
LABELS(agent_careful);
LABELS(agent_careful_after);
LABELS(agent_access_return);
LABELS(agent_access_none);

static struct kvm_segment segment(u16 selector, u8 type, u8 dpl, bool l)
{
	return (struct kvm_segment){
		.selector = selector,
		.limit = 0xffffffff,
		.type = type,
		.present = 1,
		.dpl = dpl,
		.s = 1,
		.db = !l,
		.l = l,
		.g = 1,
	};
}

u64 agent_return_stub(bool code64)
{
	return AGENT_ADDR(code64 ? agent_access_return64 : agent_access_return32);
}

struct kvm_sregs state_sregs(const struct guest *guest, const struct mmu_state *state, u8 cpl,
			     bool careful, bool bare)
{
	const struct state_mode_info *m = &state_modes[state->mode];
	struct walk_regs w = guest_walk_regs(guest, state);
	struct kvm_sregs s = guest->reset;
	bool lm = m->long_mode;

	s.cr0 = w.cr0;
	s.cr2 = 0;
	s.cr3 = w.cr3;
	s.cr4 = w.cr4;
	s.efer = w.efer;
	s.cs = segment(cpl ? (m->code64 ? SEL_USER_CODE64 : SEL_USER_CODE32) :
			     (m->code64 ? SEL_CODE64 : SEL_CODE32),
		       11, cpl, m->code64);
	s.ss = segment(cpl ? SEL_USER_DATA : SEL_DATA, 3, cpl, false);
	s.ds = s.es = s.fs = s.gs = segment(SEL_USER_DATA, 3, 3, false);
	s.tr = (struct kvm_segment){
		.selector = lm ? SEL_TSS64 : SEL_TSS32,
		.base = lm ? AGENT_TSS64 : AGENT_TSS32,
		.limit = 0x67,
		.type = lm ? 11 : guest->tss32_type,
		.present = 1,
	};
	s.ldt = (struct kvm_segment){ .unusable = 1 };
	s.gdt = (struct kvm_dtable){ .base = AGENT_GDT, .limit = GDT_SIZE - 1 };
	if (careful)
		s.idt.base = lm ? AGENT_IDT64_CAREFUL : AGENT_IDT32_CAREFUL;
	else if (bare)
		s.idt.base = lm ? AGENT_IDT64_BARE : AGENT_IDT32_BARE;
	else
		s.idt.base = lm ? AGENT_IDT64 : AGENT_IDT32;
	s.idt.limit = (lm ? 16 : 8) * 32 - 1;
	return s;
}

/* The agent's own exit, which ends a batch? */
bool agent_is_done(const struct vcpu *vcpu, u32 exit)
{
	return exit == KVM_EXIT_IO && vcpu->run->io.port == AGENT_DONE_PORT;
}

u64 agent_exit_detail(struct vcpu *vcpu, u32 exit, int error)
{
	struct kvm_regs regs;

	switch (exit) {
	case VCPU_TIMEOUT:
		vcpu_regs_get(vcpu, &regs);
		return regs.rip;
	case KVM_EXIT_IO:
		return vcpu->run->io.port | (u64)vcpu->run->io.size << 16 |
		       (u64)vcpu->run->io.direction << 24;
	case KVM_EXIT_MMIO:
		return vcpu->run->mmio.phys_addr;
	case KVM_EXIT_INTERNAL_ERROR:
		return vcpu->run->internal.suberror;
	case VCPU_RUN_ERROR:
		return error;
	default:
		return 0;
	}
}

/* PKRU can only be loaded by the guest itself; it stays until another state is entered. */
static void load_pkru(struct guest *guest, const struct mmu_state *state, int *error)
{
	struct kvm_sregs kernel;
	struct kvm_regs regs = { .rflags = X86_EFLAGS_FIXED, .rax = state_pkru(state) };
	bool code64 = state_modes[state->mode].code64;
	u32 exit;

	if (!(state->flags & FLAG_PKE) || (guest->state_valid && same_state(&guest->state, state)))
		return;
	kernel = state_sregs(guest, state, 0, false, false);
	vcpu_sregs_set(guest->vcpu, &kernel);
	regs.rip = AGENT_ADDR(code64 ? agent_wrpkru64 : agent_wrpkru32);
	regs.rsp = AGENT_STACK_TOP;
	vcpu_regs_set(guest->vcpu, &regs);
	exit = vcpu_run(guest->vcpu, guest->timeout_ms, error);
	TEST_ASSERT(agent_is_done(guest->vcpu, exit), "loading PKRU: exit %s %#llx",
		    exit_reason_str(exit),
		    (unsigned long long)agent_exit_detail(guest->vcpu, exit, *error));
	vcpu_run_complete_io(guest->vcpu);
}

static void note_entered(struct guest *guest, const struct mmu_state *state)
{
	struct mmu_state *e = guest->entered;
	unsigned int i;

	for (i = 0; i < guest->nr_entered && !same_state(&e[i], state); i++)
		;
	if (i == guest->nr_entered && i < GUEST_MAX_ENTERED)
		guest->nr_entered++;
	else if (i == guest->nr_entered)
		i = 0;
	memmove(&e[i], &e[i + 1], (guest->nr_entered - 1 - i) * sizeof(*e));
	e[guest->nr_entered - 1] = *state;
}

static void set_state(struct guest *guest, const struct kvm_sregs *sregs,
		      const struct mmu_state *state)
{
	vcpu_sregs_set(guest->vcpu, sregs);
	if (!guest->state_entered || !same_state(&guest->state, state))
		note_entered(guest, state);
	guest->state = *state;
	guest->state_entered = guest->state_valid = true;
}

void enter_state(struct guest *guest, const struct kvm_sregs *sregs,
		 const struct mmu_state *state, int *error)
{
	load_pkru(guest, state, error);
	set_state(guest, sregs, state);
}

void agent_enter(struct guest *guest, const struct agent_batch *batch)
{
	const struct kvm_sregs sregs = state_sregs(guest, &batch->state, batch->actor.cpl, false,
						   false);
	const struct kvm_regs regs = {
		.rflags = X86_EFLAGS_FIXED | (batch->actor.ac ? X86_EFLAGS_AC : 0),
	};
	int error = 0;

	enter_state(guest, &sregs, &batch->state, &error);
	vcpu_regs_set(guest->vcpu, &regs);
}

static struct agent_result *guest_results(const struct guest *guest)
{
	return vm_gpa2hva(guest->vm, AGENT_RESULTS);
}

const struct agent_result *agent_results(const struct guest *guest)
{
	return guest_results(guest);
}

/* What user code adds to the agent's addresses; without paging there is no alias. */
static u32 user_alias(const struct agent_batch *batch)
{
	bool paging = state_modes[batch->state.mode].paging != PAGING_NONE;

	return batch->actor.cpl && paging ? AGENT_USER_ALIAS : 0;
}

static void write_params(struct guest *guest, const struct agent_batch *batch, u32 alias)
{
	struct agent_params *p = vm_gpa2hva(guest->vm, AGENT_PARAMS);
	const struct state_mode_info *m = &state_modes[batch->state.mode];

	memset(p, 0, sizeof(*p));
	/* 32-bit code writes only the low half of an LDT's base; compatibility mode reads all. */
	memset((u8 *)vm_gpa2hva(guest->vm, AGENT_GDT) + SEL_LDT + 8, 0, 8);
	p->access = agent_stub(batch->via, batch->access, m->code64) + alias;
	if (batch->only_restore)
		p->access = AGENT_ADDR(m->code64 ? agent_access_none64 : agent_access_none32) + alias;
	p->span = batch->span;
	p->after = AGENT_ADDR(m->code64 ? agent_careful_after64 : agent_careful_after32);
	p->resume = batch->actor.cpl ?
			    AGENT_ADDR(m->code64 ? agent_access_return64 : agent_access_return32) +
				    alias :
			    p->after;
	p->alias = alias;
	p->cs = m->code64 ? SEL_CODE64 : SEL_CODE32;
	p->access_cs = m->code64 ? SEL_USER_CODE64 : SEL_USER_CODE32;
	p->access_ss = batch->actor.cpl ? SEL_USER_DATA : SEL_DATA;
	/* User code may do I/O, as in fast batches: emulated CPUs translate code for each IOPL. */
	p->access_flags = X86_EFLAGS_FIXED | (batch->actor.ac ? X86_EFLAGS_AC : 0) |
			  (batch->actor.cpl ? X86_EFLAGS_IOPL : 0);
	p->ldt = batch->access == AGENT_LDT;
	p->fixed = batch->keeps_fixed ? PTE_A | PTE_D : ~0u;
	if (m->paging != PAGING_NONE)
		p->levels = tables_levels(&guest->area[state_area(&batch->state)], p->level);
}

/* For fast batches, too: the only parameter that their code reads. */
static void write_hole(struct guest *guest, const struct agent_batch *batch)
{
	struct agent_params *p = vm_gpa2hva(guest->vm, AGENT_PARAMS);
	bool paging = state_modes[batch->state.mode].paging != PAGING_NONE;

	p->hole = (paging ? AGENT_HOLE + user_alias(batch) : HOLE_GPA) | batch->hole_second;
}

/* Reading a descriptor is one read. */
static const struct {
	const u8 *loop, *next;
} bare_code[NR_AGENT_ACCESSES][2] = {
#define BARE(name)                                          \
	{                                                   \
		{ agent_bare_##name##32, agent_bare_##name##32_next }, \
		{ agent_bare_##name##64, agent_bare_##name##64_next }, \
	}
	[AGENT_READ] = BARE(read),
	[AGENT_WRITE] = BARE(write),
	[AGENT_FETCH] = BARE(fetch),
	[AGENT_LDT] = BARE(read),
#undef BARE
};

static struct kvm_regs batch_regs(const struct agent_batch *batch, u32 first)
{
	bool code64 = state_modes[batch->state.mode].code64;
	u32 alias = batch->careful ? 0 : user_alias(batch);
	const struct agent_code *stub = agent_code(batch->via, batch->access, code64);
	struct kvm_regs r = {
		.rsi = AGENT_CASES + 8ull * first + alias,
		.rdi = AGENT_RESULTS + (u64)RESULT_SIZE * first + alias,
		.rcx = batch->nr - first,
		.rdx = (u32)-alias,
		.rflags = X86_EFLAGS_FIXED,
		/* Not the TSS's stack: user code's exceptions start over on that one. */
		.rsp = AGENT_DRIVER_STACK_TOP,
	};

	if (batch->careful) {
		r.rip = AGENT_ADDR(code64 ? agent_careful64 : agent_careful32);
		return r;
	}
	if (batch->bare) {
		r.rip = AGENT_ADDR(bare_code[batch->access][code64].loop) + alias;
		r.rbp = AGENT_ADDR(bare_code[batch->access][code64].next) + alias;
	} else {
		r.rip = AGENT_ADDR(stub->loop) + alias;
		r.rbp = AGENT_ADDR(stub->next) + alias;
	}
	if (batch->actor.ac)
		r.rflags |= X86_EFLAGS_AC;
	/* User code ends its batch with OUT. */
	if (batch->actor.cpl) {
		r.rflags |= X86_EFLAGS_IOPL;
		r.rsp = AGENT_USER_STACK_TOP + alias;
	}
	return r;
}

u32 agent_stored_word(const struct agent_batch *batch, u32 i)
{
	return AGENT_RESULTS + RESULT_SIZE * i + user_alias(batch);
}

u64 agent_fault_rip(const struct agent_batch *batch, gva_t gva)
{
	bool code64 = state_modes[batch->state.mode].code64;
	const struct agent_code *stub = agent_code(batch->via, batch->access, code64);
	u32 alias = user_alias(batch);

	/* The forced fetch begins one byte before the page. */
	if (batch->access == AGENT_FETCH)
		return batch->via == VIA_FORCED ? (gva & ~0xfffull) - 1 : gva;
	if (!batch->careful)
		return AGENT_ADDR(stub->loop) + stub->loop_skip + alias;
	return AGENT_ADDR(stub->careful) + stub->careful_skip + alias;
}

/* What became of a case; the fast loops leave it to be seen from what they stored. */
u32 agent_result_status(const struct agent_result *r)
{
	if (r->status != STATUS_NOT_RUN)
		return r->status;
	if (r->rip)
		return STATUS_FAULT | PF_VECTOR;
	return r->value != VALUE_NONE ? STATUS_DONE : STATUS_NOT_RUN;
}

/* The case under way: the first without a result. */
static u32 first_unfinished(const struct agent_result *results, u32 from, u32 nr)
{
	while (from < nr && agent_result_status(&results[from]) != STATUS_NOT_RUN)
		from++;
	return from;
}

/* So many exits on purpose, and the case is not over: it never will be. */
#define MAX_ANSWERS 8192

/* A batch under way. */
struct run {
	struct guest *guest;
	const struct agent_batch *batch;
	u32 done;    /* cases with a result */
	u32 answers; /* exits answered since the last of them */
};

/*
 * With a batch over and a result of its last case, whoever compares them looks at each; should
 * one before have none, he finds it.
 */
static bool all_done(const struct run *run, u32 exit)
{
	const u32 last = run->batch->nr - 1;

	return agent_is_done(run->guest->vcpu, exit) &&
	       agent_result_status(&guest_results(run->guest)[last]) != STATUS_NOT_RUN;
}

static bool make_progress(struct run *run)
{
	u32 before = run->done;

	run->done = first_unfinished(guest_results(run->guest), before, run->batch->nr);
	return run->done > before;
}

static bool answer_exit(void *context, u32 exit)
{
	struct run *run = context;

	if (make_progress(run))
		run->answers = 0;
	return run->answers++ < MAX_ANSWERS &&
	       run->batch->service->answer(run->guest, run->batch, run->done, exit);
}

/* Runs from case run->done on. */
static u32 run_from(struct run *run, const struct kvm_sregs *sregs, int *error)
{
	struct guest *guest = run->guest;
	struct kvm_regs regs = batch_regs(run->batch, run->done);
	struct kvm_sregs at_first = *sregs;
	u32 exit, before, first = run->done;
	struct hang hang;

	hang_begin(&hang, guest, run->batch);
	load_pkru(guest, &run->batch->state, error);
	if (run->batch->in_l2)
		l1_enter(guest, &at_first, &regs);
	set_state(guest, &at_first, &run->batch->state);
	vcpu_regs_set(guest->vcpu, &regs);
	do {
		before = run->done;
		exit = vcpu_run_answering(guest->vcpu, hang.window_ms, error,
					  run->batch->service ? answer_exit : NULL, run);
		if (all_done(run, exit))
			run->done = run->batch->nr;
		else
			make_progress(run);
	} while (exit == VCPU_TIMEOUT && !hang_seen(&hang, run->done > before));
	if (run->batch->service && run->batch->service->settle)
		run->batch->service->settle(guest, run->batch, guest_results(guest), first,
					    run->done);
	return exit;
}

/* Which of an IDT's twins a batch takes. */
static u32 idt_twin(const struct agent_batch *batch)
{
	const struct state_mode_info *m = &state_modes[batch->state.mode];

	if (!batch->bare && agent_code(batch->via, batch->access, m->code64)->swapped)
		return AGENT_IDT_SWAPPED;
	return batch->careful || batch->actor.cpl || m->code64 != m->long_mode ? 0 : AGENT_IDT_STAY;
}

void agent_run(struct guest *guest, const struct agent_batch *batch)
{
	struct agent_result *results = guest_results(guest);
	struct kvm_sregs sregs = state_sregs(guest, &batch->state,
					     batch->careful ? 0 : batch->actor.cpl, batch->careful,
					     batch->bare);
	struct run run = { guest, batch, 0, 0 };
	u32 exit = 0, abnormal = 0, i;
	int error = 0;

	sregs.idt.base += idt_twin(batch);
	TEST_ASSERT(batch->nr <= AGENT_MAX_CASES, "batch of %u cases, at most %d", batch->nr,
		    AGENT_MAX_CASES);
	/* Fast loops find the address in the result's place. */
	if (batch->careful || batch->bare)
		memcpy(vm_gpa2hva(guest->vm, AGENT_CASES), batch->gvas, batch->nr * sizeof(gva_t));
	for (i = 0; i < batch->nr; i++)
		results[i] = (struct agent_result){ .value = VALUE_NONE, .cr2 = batch->gvas[i] };
	if (batch->careful)
		write_params(guest, batch, user_alias(batch));
	write_hole(guest, batch);
	while (run.done < batch->nr && abnormal < MAX_ABNORMAL && exit != VCPU_TIMEOUT) {
		exit = run_from(&run, &sregs, &error);
		/* Else KVM would finish the instruction over the registers of the next run. */
		if (exit == KVM_EXIT_IO || exit == KVM_EXIT_MMIO)
			vcpu_run_complete_io(guest->vcpu);
		/* A bare loop leaves no results to count. */
		if (agent_is_done(guest->vcpu, exit) && (run.done == batch->nr || batch->bare))
			break;
		/* With all results there, it is the last case that did not end well. */
		if (run.done == batch->nr)
			run.done--;
		results[run.done].status = STATUS_EXIT | (exit & STATUS_EXIT_MASK);
		results[run.done].cr2 = agent_exit_detail(guest->vcpu, exit, error);
		if (batch->in_l2)
			l1_leave(guest, exit, &results[run.done]);
		run.done++;
		abnormal++;
		vcpu_events_clear(guest->vcpu);
		guest->state_valid = false;
	}
	if (batch->ad_behind)
		tables_tell_ad(guest, batch, results);
	for (i = 0; batch->results && i < batch->nr; i++) {
		batch->results[i] = results[i];
		batch->results[i].status = agent_result_status(&results[i]);
	}
}

const char *agent_probe(struct guest *guest, const struct agent_batch *like,
			void (*run)(struct guest *guest, const struct agent_batch *batch))
{
	static char what[160];
	struct agent_result result;
	struct agent_batch batch = *like;
	struct kvm_sregs sregs = state_sregs(guest, &like->state, like->actor.cpl, false, false);
	gva_t gva = AGENT_PROBE + agent_access_offset(like->access);
	u32 tag = agent_tag(like->access, AGENT_PROBE);
	int err = __vcpu_sregs_set(guest->vcpu, &sregs);

	batch.nr = 1;
	batch.results = &result;
	if (err) {
		snprintf(what, sizeof(what), "KVM_SET_SREGS: %s", strerror(err));
		return what;
	}
	/* Descriptor tables are the supervisor's, whoever uses them. */
	if (like->access != AGENT_LDT)
		gva += user_alias(&batch);
	batch.gvas = &gva;
	run(guest, &batch);
	if (result.status == STATUS_DONE && result.value == tag)
		return NULL;
	if (result.status == STATUS_DONE)
		snprintf(what, sizeof(what), "value %#x for %#x", result.value, tag);
	else if (result.status & STATUS_EXIT)
		snprintf(what, sizeof(what), "exit %s %#llx",
			 exit_reason_str(result.status & STATUS_EXIT_MASK),
			 (unsigned long long)result.cr2);
	else
		snprintf(what, sizeof(what), "exception %u error code %#x at rip %#llx",
			 result.status & 0xff, result.error, (unsigned long long)result.rip);
	return what;
}
