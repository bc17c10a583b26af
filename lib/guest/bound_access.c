// SPDX-License-Identifier: GPL-2.0-only
/* The host side of include/bound_access.h. */
#include <string.h>

#include "bound_access.h"
#include "guest_internal.h"
#include "labels.h"
#include "test_assert.h"
#include "x86.h"

#define BP_VECTOR 3
#define NR_EXCEPTIONS 32

#define BOUND_ADDR(label) ((u64)((label) - bound_start) + BOUND_CODE)

#define CODE(x) extern const u8 bound_##x[], bound_##x##_at[], bound_##x##_end[]
CODE(read);
CODE(write);
CODE(jmp);
CODE(call);
CODE(ret);
CODE(stack_read);
CODE(stack_write);
CODE(push);
CODE(pop);

#define ROW(x, k, s, n) { bound_##x, bound_##x##_at, bound_##x##_end, ACCESS_##k, s, n }
static const struct {
	const u8 *stub, *at, *end;
	enum access_kind kind;
	bool stack;
	u8 size;
} kinds[NR_BOUND_KINDS] = {
	[BOUND_READ] = ROW(read, READ, false, 4),
	[BOUND_WRITE] = ROW(write, WRITE, false, 4),
	[BOUND_JMP] = ROW(jmp, FETCH, false, 1),
	[BOUND_CALL] = ROW(call, FETCH, false, 1),
	[BOUND_RET] = ROW(ret, FETCH, false, 1),
	[BOUND_STACK_READ] = ROW(stack_read, READ, true, 4),
	[BOUND_STACK_WRITE] = ROW(stack_write, WRITE, true, 4),
	[BOUND_PUSH] = ROW(push, WRITE, true, 8),
	[BOUND_POP] = ROW(pop, READ, true, 8),
};

const char *const bound_kind_names[NR_BOUND_KINDS] = {
	"read", "write", "jmp", "call", "ret", "stack-read", "stack-write", "push", "pop",
};

struct walk_access bound_access(enum bound_kind kind, u8 cpl, gva_t gva)
{
	return (struct walk_access){ .gva = gva, .kind = kinds[kind].kind, .cpl = cpl,
				     .stack = kinds[kind].stack, .size = kinds[kind].size };
}

u64 bound_fault_rip(enum bound_kind kind, u8 cpl)
{
	return BOUND_ADDR(kinds[kind].at) + (cpl ? AGENT_USER_ALIAS : 0);
}

void bound_lists(struct variant_list lists[NR_TABLE_AREAS][MAX_LEVELS + 1])
{
	static const enum table_area areas[] = { AREA_4LEVEL, AREA_5LEVEL };
	unsigned int i;
	int level;

	for (i = 0; i < ARRAY_SIZE(areas); i++) {
		const struct table_shape *shape = area_shape(areas[i]);

		for (level = 1; level <= paging_formats[shape->mode].levels; level++) {
			struct variant_list *list = &lists[areas[i]][level];

			while (list->nr < variant_max(shape, level))
				list->bits[list->nr++] = VARIANT_FULL;
		}
	}
}

/* SDM 3A 6.14.1; user code may raise INT3. */
static void put_gate(u8 *idt, int vector)
{
	const u64 handler = BOUND_ADDR(bound_stubs) + 16 * vector;
	const u64 low = (handler & 0xffff) | SEL_CODE64 << 16 | 1ull << 32 /* IST1 */ |
			(vector == BP_VECTOR ? 0xeeull : 0x8eull) << 40 |
			(handler & 0xffff0000) << 32;
	const u64 high = handler >> 32;

	memcpy(idt + 16 * vector, &low, sizeof(low));
	memcpy(idt + 16 * vector + 8, &high, sizeof(high));
}

void bound_install(struct guest *guest)
{
	u8 *ram = vm_gpa2hva(guest->vm, 0);
	int v;

	memcpy(ram + BOUND_CODE, bound_start, bound_end - bound_start);
	for (v = 0; v < NR_EXCEPTIONS; v++)
		put_gate(ram + BOUND_IDT, v);
	memset(ram + DATA_PAGE, BOUND_FILL, 0x1000);
}

static void write_cases(struct guest *guest, enum bound_kind kind, u8 cpl, const gva_t *gvas, u32 nr)
{
	const u32 alias = cpl ? AGENT_USER_ALIAS : 0;
	struct bound_case *c = vm_gpa2hva(guest->vm, AGENT_CASES);
	u32 i;

	TEST_ASSERT(nr * sizeof(*c) <= AGENT_RESULTS - AGENT_CASES, "%u cases", nr);
	for (i = 0; i < nr; i++)
		c[i] = (struct bound_case){
			.gva = gvas[i],
			.stub = BOUND_ADDR(kinds[kind].stub) + alias,
			.cs = cpl ? SEL_USER_CODE64 : SEL_CODE64,
			.ss = cpl ? SEL_USER_DATA : SEL_DATA,
			.sp = cpl ? AGENT_USER_STACK_TOP + alias : AGENT_STACK_TOP,
		};
}

/* INT3 ends what came through: behind the access, or at the target of a branch. */
static bool came_through(const struct agent_result *r, enum bound_kind kind, u8 cpl, gva_t gva)
{
	const u64 alias = cpl ? AGENT_USER_ALIAS : 0;

	if (r->status != (STATUS_FAULT | BP_VECTOR))
		return r->status == STATUS_DONE;
	return r->rip == (bound_is_branch(kind) ? gva + 1 : BOUND_ADDR(kinds[kind].end) + alias);
}

static struct kvm_regs start_regs(u32 from, u32 nr)
{
	return (struct kvm_regs){
		.rip = BOUND_ADDR(bound_entry),
		.rsi = AGENT_CASES + (u64)BOUND_SIZE * from,
		.rdi = AGENT_RESULTS + (u64)RESULT_SIZE * from,
		.rcx = nr - from,
		.rsp = AGENT_DRIVER_STACK_TOP,
		.rflags = X86_EFLAGS_FIXED,
	};
}

void bound_run(struct guest *guest, const struct mmu_state *state, enum bound_kind kind, u8 cpl,
	       const gva_t *gvas, u32 nr, struct agent_result *results)
{
	struct agent_result *r = vm_gpa2hva(guest->vm, AGENT_RESULTS);
	struct kvm_sregs sregs = state_sregs(guest, state, 0, true, false);
	u32 done = 0, before, exit, idle = 0, i;
	int error = 0;

	sregs.idt.base = BOUND_IDT;
	sregs.idt.limit = 16 * NR_EXCEPTIONS - 1;
	write_cases(guest, kind, cpl, gvas, nr);
	memset(r, 0, nr * sizeof(*r));
	while (done < nr && idle < HANG_WINDOWS) {
		struct kvm_regs regs = start_regs(done, nr);

		vcpu_sregs_set(guest->vcpu, &sregs);
		vcpu_regs_set(guest->vcpu, &regs);
		before = done;
		exit = vcpu_run(guest->vcpu, guest->timeout_ms, &error);
		if (exit == KVM_EXIT_IO || exit == KVM_EXIT_MMIO)
			vcpu_run_complete_io(guest->vcpu);
		while (done < nr && r[done].status != STATUS_NOT_RUN)
			done++;
		if (agent_is_done(guest->vcpu, exit) && done == nr)
			break;
		idle = done > before ? 0 : idle + 1;
		if (done == nr)
			done--;
		if (exit == VCPU_TIMEOUT && idle < HANG_WINDOWS)
			continue;
		r[done].status = STATUS_EXIT | (exit & STATUS_EXIT_MASK);
		r[done].cr2 = agent_exit_detail(guest->vcpu, exit, error);
		done++;
		if (exit != VCPU_TIMEOUT)
			idle = 0;
		vcpu_events_clear(guest->vcpu);
		guest->state_valid = false;
	}
	for (i = 0; i < nr; i++) {
		results[i] = r[i];
		if (came_through(&r[i], kind, cpl, gvas[i]))
			results[i].status = STATUS_DONE;
	}
}
