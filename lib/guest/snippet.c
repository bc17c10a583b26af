// SPDX-License-Identifier: GPL-2.0-only
/* Snippets: see include/snippet.h. */
#include <string.h>

#include "guest_internal.h"
#include "snippet.h"
#include "test_assert.h"
#include "x86.h"

#define NR_VECTORS 32
#define HANDLER_SIZE 4
#define TSS_IOMAP 102
#define TSS_SIZE 0x68
#define TSS_AVAILABLE 9
#define IOMAP_SIZE (256 / 8 + 1)
/* Exits that a snippet may make. */
#define MAX_EXITS 65536

static bool paging(const struct mmu_state *state)
{
	return state_modes[state->mode].paging != PAGING_NONE;
}

static u32 alias_of(const struct mmu_state *state, u8 cpl)
{
	return cpl && paging(state) ? AGENT_USER_ALIAS : 0;
}

gva_t snippet_hole(const struct mmu_state *state, u8 cpl)
{
	return paging(state) ? AGENT_HOLE + alias_of(state, cpl) : HOLE_GPA;
}

static void put_gate(u8 *idt, u32 vector, bool lm)
{
	u64 handler = SNIPPET_HANDLERS + vector * HANDLER_SIZE;
	u64 low = (handler & 0xffff) | (u64)(lm ? SEL_CODE64 : SEL_CODE32) << 16 | 0x8eull << 40 |
		  (handler & 0xffff0000) << 32;
	u64 high = 0;

	memcpy(idt + vector * (lm ? 16 : 8), &low, sizeof(low));
	if (lm)
		memcpy(idt + vector * 16 + 8, &high, sizeof(high));
}

/* A handler says which one it is, and exits: push $vector; out %al, $AGENT_DONE_PORT. */
static void write_handlers(u8 *ram)
{
	u32 v;

	for (v = 0; v < NR_VECTORS; v++) {
		const u8 handler[HANDLER_SIZE] = { 0x6a, v, 0xe6, AGENT_DONE_PORT };

		memcpy(ram + SNIPPET_HANDLERS + v * HANDLER_SIZE, handler, sizeof(handler));
		put_gate(ram + SNIPPET_IDT64, v, true);
		put_gate(ram + SNIPPET_IDT32, v, false);
	}
}

/*
 * The I/O map lies behind the TSS proper and ends with a byte of ones (SDM 1 19.5.2); user code may
 * always say that it is done.
 */
static void write_tss(u8 *ram, u32 tss, u32 from, u64 ports_forbidden)
{
	const u16 iomap = TSS_SIZE;

	memcpy(ram + tss, ram + from, TSS_SIZE);
	memcpy(ram + tss + TSS_IOMAP, &iomap, sizeof(iomap));
	memset(ram + tss + TSS_SIZE, 0xff, IOMAP_SIZE);
	memcpy(ram + tss + TSS_SIZE, &ports_forbidden, sizeof(ports_forbidden));
	ram[tss + TSS_SIZE + AGENT_DONE_PORT / 8] &= ~(1 << AGENT_DONE_PORT % 8);
}

static void enter(struct guest *guest, const struct snippet *s)
{
	bool lm = state_modes[s->state.mode].long_mode;
	u32 alias = alias_of(&s->state, s->cpl);
	struct kvm_sregs sregs = state_sregs(guest, &s->state, s->cpl, true, false);
	struct kvm_regs regs = s->regs;

	sregs.idt.base = lm ? SNIPPET_IDT64 : SNIPPET_IDT32;
	sregs.tr.base = lm ? SNIPPET_TSS64 : SNIPPET_TSS32;
	sregs.tr.limit = TSS_SIZE + IOMAP_SIZE - 1;
	/* See emulator_quirks(): QEMU looks for an I/O map in an available TSS only. */
	if (guest->tss32_type == TSS_AVAILABLE)
		sregs.tr.type = TSS_AVAILABLE;
	sregs.fs.base = s->fs_base;
	sregs.gs.base = s->gs_base;
	regs.rip = SNIPPET_CODE + alias;
	if (!regs.rsp)
		regs.rsp = s->cpl ? AGENT_USER_STACK_TOP + alias : AGENT_DRIVER_STACK_TOP;
	regs.rflags = X86_EFLAGS_FIXED | (u64)s->iopl << 12;
	vcpu_events_clear(guest->vcpu);
	vcpu_sregs_set(guest->vcpu, &sregs);
	vcpu_regs_set(guest->vcpu, &regs);
	/* PKRU and the agent's tables in memory are not as a batch leaves them. */
	guest->state_valid = false;
}

static u64 pop(const u8 **frame, u32 size)
{
	u64 value = 0;

	memcpy(&value, *frame, size);
	*frame += size;
	return value;
}

/* What the handler found: vector, error code, and the frame (SDM 3A 6.12.1, 6.14.2). */
static void read_frame(struct guest *guest, struct snippet *s, struct snippet_end *end)
{
	static const u32 with_error = 0x60227d00;
	bool lm = state_modes[s->state.mode].long_mode;
	u32 size = lm ? 8 : 4, vector;
	const u8 *frame;
	struct kvm_sregs sregs;
	u64 sp;

	vcpu_regs_get(guest->vcpu, &s->regs);
	vcpu_sregs_get(guest->vcpu, &sregs);
	if (s->regs.rip - SNIPPET_HANDLERS > NR_VECTORS * HANDLER_SIZE) {
		end->status = STATUS_DONE;
		return;
	}
	frame = vm_gpa2hva(guest->vm, s->regs.rsp);
	TEST_ASSERT(frame, "the handler's stack is at %#llx", (unsigned long long)s->regs.rsp);
	vector = pop(&frame, size);
	if (vector < NR_VECTORS && with_error & 1u << vector)
		end->error = pop(&frame, size);
	s->regs.rip = pop(&frame, size);
	pop(&frame, size);
	s->regs.rflags = pop(&frame, size);
	sp = pop(&frame, size);
	if (lm || s->cpl)
		s->regs.rsp = sp;
	end->rip = s->regs.rip - SNIPPET_CODE - alias_of(&s->state, s->cpl);
	end->status = STATUS_FAULT | vector;
	if (vector == PF_VECTOR)
		end->cr2 = sregs.cr2;
}

void snippet_run(struct guest *guest, struct snippet *s, struct snippet_end *end)
{
	static const u8 out[] = { 0xe6, AGENT_DONE_PORT };
	u8 *ram = vm_gpa2hva(guest->vm, 0);
	u32 exit, n = 0;
	int error = 0;

	TEST_ASSERT(s->code_size <= SNIPPET_MAX_CODE, "%u bytes of code", s->code_size);
	*end = (struct snippet_end){ 0 };
	write_handlers(ram);
	write_tss(ram, SNIPPET_TSS64, AGENT_TSS64, s->ports_forbidden);
	write_tss(ram, SNIPPET_TSS32, AGENT_TSS32, s->ports_forbidden);
	memcpy(ram + SNIPPET_CODE, s->code, s->code_size);
	/* Not INT3: not every backend knows it in supervisor code and in compatibility mode. */
	memcpy(ram + SNIPPET_CODE + s->code_size, out, sizeof(out));
	enter(guest, s);
	do {
		exit = vcpu_run(guest->vcpu, guest->timeout_ms, &error);
	} while (!agent_is_done(guest->vcpu, exit) && n++ < MAX_EXITS && s->answer &&
		 s->answer(s->context, guest->vcpu, exit));
	if (exit == KVM_EXIT_IO || exit == KVM_EXIT_MMIO)
		vcpu_run_complete_io(guest->vcpu);
	if (agent_is_done(guest->vcpu, exit)) {
		read_frame(guest, s, end);
		return;
	}
	end->status = STATUS_EXIT | (exit & STATUS_EXIT_MASK);
	end->cr2 = agent_exit_detail(guest->vcpu, exit, error);
	vcpu_regs_get(guest->vcpu, &s->regs);
}
