// SPDX-License-Identifier: GPL-2.0-only
/* The host side of scripts: see include/script.h. */
#include <stdio.h>
#include <string.h>

#include "guest_internal.h"
#include "labels.h"
#include "script.h"
#include "test_assert.h"
#include "x86.h"

#define SCRIPT_ADDR(label) ((u64)((label) - script_start) + SCRIPT_CODE)

static struct script_op *guest_ops(const struct guest *guest)
{
	return vm_gpa2hva(guest->vm, SCRIPT_OPS);
}

static struct agent_result *guest_script_results(const struct guest *guest)
{
	return vm_gpa2hva(guest->vm, SCRIPT_RESULTS);
}

static void put_idtr(u8 *p, u64 base, u16 limit)
{
	memcpy(p, &limit, sizeof(limit));
	memcpy(p + 2, &base, sizeof(base));
}

void script_install(struct guest *guest)
{
	u8 *ram = vm_gpa2hva(guest->vm, 0);

	memcpy(ram + SCRIPT_CODE, script_start, script_end - script_start);
	put_idtr(ram + SCRIPT_IDTR64, AGENT_IDT64_CAREFUL, 16 * 32 - 1);
	put_idtr(ram + SCRIPT_IDTR32, AGENT_IDT32_CAREFUL, 8 * 32 - 1);
}

void script_begin(struct script *script, struct guest *guest)
{
	*script = (struct script){ .guest = guest };
	*(u32 *)vm_gpa2hva(guest->vm, SCRIPT_L1_PDPTES) = 0;
}

static void add_op(struct script *script, struct script_op op)
{
	TEST_ASSERT(script->nr_ops < SCRIPT_MAX_OPS, "script of more than %d operations",
		    SCRIPT_MAX_OPS);
	guest_ops(script->guest)[script->nr_ops++] = op;
}

static u32 forced_op(u32 op)
{
	switch (op) {
	case SCRIPT_CR0:
		return SCRIPT_FORCED_CR0;
	case SCRIPT_CR3:
		return SCRIPT_FORCED_CR3;
	case SCRIPT_CR4:
		return SCRIPT_FORCED_CR4;
	case SCRIPT_EFER:
		return SCRIPT_FORCED_EFER;
	case SCRIPT_LMSW:
		return SCRIPT_FORCED_LMSW;
	case SCRIPT_CLTS:
		return SCRIPT_FORCED_CLTS;
	default:
		return op;
	}
}

void script_add(struct script *script, u32 op, u64 value)
{
	if (script->forced)
		op = forced_op(op);
	/* A pair of these has one result. */
	if (op == SCRIPT_REGS || op == SCRIPT_TRY)
		script->nr_results++;
	add_op(script, (struct script_op){ .op = op, .value = value });
}

void script_add_store(struct script *script, u32 gva, u64 value)
{
	add_op(script, (struct script_op){ SCRIPT_STORE, gva, value });
}

void script_add_invlpga(struct script *script, gva_t address, u32 asid)
{
	add_op(script, (struct script_op){ SCRIPT_INVLPGA, asid, address });
}

void script_add_cases(struct script *script, u32 first, u32 nr)
{
	if (!nr)
		return;
	add_op(script, (struct script_op){ SCRIPT_ACCESS, nr, SCRIPT_CASES + first * CASE_SIZE });
	script->nr_results += nr;
}

bool script_has_room(const struct script *script, u32 nr_ops, u32 nr_results)
{
	return script->nr_ops + nr_ops < SCRIPT_MAX_OPS &&
	       script->nr_results + nr_results <= SCRIPT_MAX_RESULTS;
}

void script_set_case(struct guest *guest, u32 i, const struct mmu_state *state,
		     const struct actor *actor, enum agent_access access, enum agent_via via,
		     gva_t gva)
{
	const struct state_mode_info *m = &state_modes[state->mode];
	struct script_case *c = vm_gpa2hva(guest->vm, SCRIPT_CASES);
	u32 alias = actor->cpl && m->paging != PAGING_NONE ? AGENT_USER_ALIAS : 0;
	bool same_code = m->code64 == m->long_mode;

	TEST_ASSERT(i < SCRIPT_MAX_CASES, "more than %d accesses", (int)SCRIPT_MAX_CASES);
	c += i;
	*c = (struct script_case){
		.gva = gva,
		.stub = agent_stub(via, access, m->code64) + alias,
		.resume = agent_return_stub(m->code64) + alias,
		.flags = X86_EFLAGS_FIXED | (actor->ac ? X86_EFLAGS_AC : 0),
		.alias = alias,
	};
	if (!actor->cpl && same_code) {
		c->resume = SCRIPT_ADDR(m->long_mode ? script_after64 : script_after32);
		return;
	}
	c->cs = m->code64 ? SEL_USER_CODE64 : SEL_USER_CODE32;
	c->ss = SEL_USER_DATA;
	c->sp = AGENT_USER_STACK_TOP + alias;
	if (!actor->cpl) { /* compatibility mode: the interpreter runs 64-bit code */
		c->cs = SEL_CODE32;
		c->ss = SEL_DATA;
		c->sp = AGENT_STACK_TOP;
	}
}

void script_clean_pdptes(const struct guest *guest, const struct mmu_state *state)
{
	u64 *pdpte;
	int i;

	if (!guest->marks_pdptes || state->mode != MODE_PAE)
		return;
	pdpte = vm_gpa2hva(guest->vm, guest_walk_regs(guest, state).cr3);
	for (i = 0; i < 4; i++)
		pdpte[i] &= ~(u64)PTE_A;
}

struct kvm_sregs script_sregs(const struct guest *guest, const struct mmu_state *state)
{
	return state_sregs(guest, state, 0, true, false);
}

struct kvm_regs script_regs(const struct mmu_state *state, bool again)
{
	const struct state_mode_info *m = &state_modes[state->mode];
	const u8 *entry = m->code64 || (m->long_mode && again) ? script_entry64 : script_entry32;

	return (struct kvm_regs){
		.rip = SCRIPT_ADDR(entry),
		.rsi = SCRIPT_OPS,
		.rdi = SCRIPT_RESULTS,
		.rsp = AGENT_DRIVER_STACK_TOP,
		.rflags = X86_EFLAGS_FIXED,
	};
}

void script_add_pkru(struct script *script, const struct mmu_state *state)
{
	if (state->flags & FLAG_PKE)
		script_add(script, SCRIPT_PKRU, state_pkru(state));
}

void script_add_start(struct script *script, const struct mmu_state *state)
{
	if (state_modes[state->mode].long_mode && !state_modes[state->mode].code64)
		script_add(script, SCRIPT_TO64, 0);
	script_add_pkru(script, state);
}

struct agent_result script_result(const struct guest *guest, u32 i)
{
	struct agent_result r = guest_script_results(guest)[i];

	r.status = agent_result_status(&r);
	return r;
}

/* The result under way: the first that is not there. */
static u32 first_missing(const struct script *script, u32 from)
{
	const struct agent_result *results = guest_script_results(script->guest);

	while (from < script->nr_results && agent_result_status(&results[from]) != STATUS_NOT_RUN)
		from++;
	return from;
}

struct script_end script_run(struct script *script, struct vcpu *vcpu)
{
	struct agent_result *results = guest_script_results(script->guest);
	struct script_end end = { 0 };
	u32 i, before, idle = 0;
	int error = 0;

	add_op(script, (struct script_op){ SCRIPT_DONE, 0, 0 });
	for (i = 0; i < script->nr_results; i++)
		results[i] = (struct agent_result){ .value = VALUE_NONE };
	/* As for batches: a vCPU that still finishes accesses does not hang. */
	do {
		before = end.nr_results;
		end.exit = vcpu_run(vcpu, script->guest->timeout_ms, &error);
		end.nr_results = first_missing(script, before);
		idle = end.nr_results > before ? 0 : idle + 1;
	} while (end.exit == VCPU_TIMEOUT && idle < HANG_WINDOWS);
	end.detail = agent_exit_detail(vcpu, end.exit, error);
	if (end.exit == KVM_EXIT_IO || end.exit == KVM_EXIT_MMIO)
		vcpu_run_complete_io(vcpu);
	end.done = agent_is_done(vcpu, end.exit) && end.nr_results == script->nr_results;
	return end;
}

u32 script_run_other(const struct guest *guest, struct vcpu *vcpu, int *error)
{
	u32 exit, idle = 0;

	do {
		exit = vcpu_run(vcpu, guest->timeout_ms, error);
	} while (exit == VCPU_TIMEOUT && ++idle < HANG_WINDOWS);
	return exit;
}

struct agent_batch script_batch(const struct mmu_state *state, const struct actor *actor,
				enum agent_access access)
{
	return (struct agent_batch){ .state = *state, .actor = *actor, .access = access,
				     .careful = true, .no_ad = true, .nr = 1 };
}

const struct script_op *script_ops(const struct script *script)
{
	return guest_ops(script->guest);
}

void script_op_text(const struct script_op *op, char text[SCRIPT_OP_TEXT_LEN])
{
	static const char *const names[NR_SCRIPT_OPS] = {
		"exit", "accesses", "MOV CR0", "MOV CR3", "MOV CR4", "WRMSR EFER", "WRPKRU",
		"to compatibility mode", "to 64-bit code", "LIDT", "LTR", "LMSW", "CLTS",
		"read registers", "try", "tried", "clear A in PDPTEs at", "store", "INVLPG",
		"VMLOAD", "VMRUN", "VMMCALL", "INVLPGA", "forced MOV CR0", "forced MOV CR3",
		"forced MOV CR4", "forced WRMSR EFER", "forced LMSW", "forced CLTS",
	};

	switch (op->op) {
	case SCRIPT_ACCESS:
		snprintf(text, SCRIPT_OP_TEXT_LEN, "%u accesses", op->count);
		break;
	case SCRIPT_STORE:
		snprintf(text, SCRIPT_OP_TEXT_LEN, "store %#llx at %#x",
			 (unsigned long long)op->value, op->count);
		break;
	case SCRIPT_INVLPGA:
		snprintf(text, SCRIPT_OP_TEXT_LEN, "INVLPGA %#llx, ASID %u",
			 (unsigned long long)op->value, op->count);
		break;
	case SCRIPT_INVLPG:
	case SCRIPT_CR0:
	case SCRIPT_CR3:
	case SCRIPT_CR4:
	case SCRIPT_EFER:
	case SCRIPT_PKRU:
	case SCRIPT_LIDT:
	case SCRIPT_LTR:
	case SCRIPT_LMSW:
	case SCRIPT_CLEAN:
	case SCRIPT_VMLOAD:
	case SCRIPT_VMRUN:
	case SCRIPT_FORCED_CR0:
	case SCRIPT_FORCED_CR3:
	case SCRIPT_FORCED_CR4:
	case SCRIPT_FORCED_EFER:
	case SCRIPT_FORCED_LMSW:
		snprintf(text, SCRIPT_OP_TEXT_LEN, "%s %#llx", names[op->op],
			 (unsigned long long)op->value);
		break;
	default:
		snprintf(text, SCRIPT_OP_TEXT_LEN, "%s", names[op->op]);
	}
}
