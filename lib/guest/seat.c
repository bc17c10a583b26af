// SPDX-License-Identifier: GPL-2.0-only
/* Seats: see include/seat.h. */
#include <stdio.h>
#include <string.h>

#include "guest_internal.h"
#include "seat.h"
#include "test_assert.h"
#include "x86.h"

/* An access may cross no page, so one exit and a retry are all that can come. */
#define MAX_MMIO 4

#define LABELS(name) extern const u8 name##32[], name##64[], name##32_next[], name##64_next[]
LABELS(agent_read);
LABELS(agent_fetch);
LABELS(agent_store);
LABELS(agent_store_wide);
LABELS(agent_invlpg);
LABELS(agent_cr3);
LABELS(agent_pge);
LABELS(agent_pcide);
LABELS(agent_invpcid);

const char *const seat_op_names[NR_SEAT_OPS] = {
	"read", "fetch", "write", "write-wide", "invlpg", "mov-cr3", "cr4-pge", "cr4-pcide",
	"invpcid",
};

#define CODE(name) { { name##32, name##64 }, { name##32_next, name##64_next } }
static const struct {
	const u8 *loop[2], *next[2];
} code[NR_SEAT_OPS] = {
	[SEAT_READ] = CODE(agent_read),
	[SEAT_FETCH] = CODE(agent_fetch),
	[SEAT_STORE] = CODE(agent_store),
	[SEAT_STORE_WIDE] = CODE(agent_store_wide),
	[SEAT_INVLPG] = CODE(agent_invlpg),
	[SEAT_CR3] = CODE(agent_cr3),
	[SEAT_PGE] = CODE(agent_pge),
	[SEAT_PCIDE] = CODE(agent_pcide),
	[SEAT_INVPCID] = CODE(agent_invpcid),
};

static u64 seat_base(const struct seat *seat)
{
	return AGENT_SEATS + (u64)seat->nr * SEAT_SIZE;
}

static u32 seat_alias(const struct seat *seat)
{
	bool paging = state_modes[seat->state.mode].paging != PAGING_NONE;

	return seat->cpl && paging ? AGENT_USER_ALIAS : 0;
}

static struct agent_result *seat_slot(const struct seat *seat)
{
	return vm_gpa2hva(seat->guest->vm, seat_base(seat) + SEAT_RESULT);
}

void seat_init(struct seat *seat, struct guest *guest, u32 nr)
{
	u8 *base;
	u64 stack, df;
	u32 ss = SEL_DATA;

	TEST_ASSERT(nr < MAX_SEATS, "more than %d seats", MAX_SEATS);
	*seat = (struct seat){ .guest = guest, .nr = nr };
	seat->vcpu = nr ? vm_vcpu_add(guest->vm, nr) : guest->vcpu;
	base = vm_gpa2hva(guest->vm, seat_base(seat));
	stack = seat_base(seat) + SEAT_STACK_TOP;
	df = seat_base(seat) + SEAT_DF_STACK_TOP;
	memcpy(base + SEAT_TSS64 + 4, &stack, 8);
	memcpy(base + SEAT_TSS64 + 0x24, &df, 8); /* IST1 */
	memcpy(base + SEAT_TSS32 + 4, &stack, 4);
	memcpy(base + SEAT_TSS32 + 8, &ss, 4);
}

void seat_assign(struct seat *seat, const struct mmu_state *state, u64 cr3)
{
	seat->state = *state;
	seat->cr3 = cr3;
	seat->entered = false;
	seat->pcide = false;
}

int __seat_enter(struct seat *seat, u8 cpl)
{
	bool lm = state_modes[seat->state.mode].long_mode;
	struct kvm_sregs s = state_sregs(seat->guest, &seat->state, cpl, false, false);
	int err;

	s.cr3 = seat->cr3;
	s.cr4 |= seat->pcide ? X86_CR4_PCIDE : 0;
	s.tr.base = seat_base(seat) + (lm ? SEAT_TSS64 : SEAT_TSS32);
	err = __vcpu_sregs_set(seat->vcpu, &s);
	seat->entered = !err;
	seat->cpl = cpl;
	return err;
}

bool seat_enter(struct seat *seat, u8 cpl)
{
	int err;

	if (seat->entered && seat->cpl == cpl)
		return false;
	err = __seat_enter(seat, cpl);
	TEST_ASSERT(!err, "KVM_SET_SREGS vcpu %u cr3 %#llx cpl %u: %s", seat->vcpu->id,
		    (unsigned long long)seat->cr3, cpl, strerror(err));
	return true;
}

static struct kvm_regs seat_regs(const struct seat *seat, enum seat_op op, u64 value)
{
	bool code64 = state_modes[seat->state.mode].code64;
	u32 alias = seat_alias(seat);
	u64 base = seat_base(seat);

	return (struct kvm_regs){
		.rip = AGENT_ADDR(code[op].loop[code64]) + alias,
		.rbp = AGENT_ADDR(code[op].next[code64]) + alias,
		.rdi = base + SEAT_RESULT + alias,
		.rdx = (u32)-alias,
		.rcx = 1,
		.rax = value,
		.rflags = X86_EFLAGS_FIXED | (seat->cpl ? X86_EFLAGS_IOPL : 0) |
			  (seat->interrupts ? X86_EFLAGS_IF : 0),
		/* The supervisor's half of the stack page: the TSS's top is user code's. */
		.rsp = seat->cpl ? base + SEAT_USER_STACK_TOP + alias : base + SEAT_STACK_TOP - 0x800,
	};
}

/* KVM goes on with the instruction at the next KVM_RUN. */
static void answer_mmio(struct kvm_run *run, struct seat_result *result)
{
	if (!result->nr_mmio++) {
		result->mmio_gpa = run->mmio.phys_addr;
		result->mmio_write = run->mmio.is_write;
		result->mmio_len = run->mmio.len;
		if (run->mmio.is_write)
			memcpy(&result->mmio_data, run->mmio.data,
			       run->mmio.len < 8 ? run->mmio.len : 8);
	}
	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
}

void seat_run(struct seat *seat, enum seat_op op, gva_t gva, u64 value,
	      struct seat_result *result)
{
	struct agent_result *slot = seat_slot(seat);
	struct kvm_regs regs = seat_regs(seat, op, value);
	u32 exit, idle = 0;
	int error = 0;

	*result = (struct seat_result){ 0 };
	*slot = (struct agent_result){ .value = VALUE_NONE, .cr2 = gva };
	vcpu_regs_set(seat->vcpu, &regs);
	do {
		exit = vcpu_run(seat->vcpu, seat->guest->timeout_ms, &error);
		if (exit == KVM_EXIT_MMIO)
			answer_mmio(seat->vcpu->run, result);
		/* One window without a result proves nothing, see agent.c. */
		if (exit == VCPU_TIMEOUT)
			idle++;
	} while ((exit == KVM_EXIT_MMIO && result->nr_mmio < MAX_MMIO) ||
		 (exit == VCPU_TIMEOUT && idle < HANG_WINDOWS));
	if (exit == KVM_EXIT_IO || exit == KVM_EXIT_MMIO)
		vcpu_run_complete_io(seat->vcpu);
	result->status = agent_result_status(slot);
	result->error = slot->error;
	result->value = slot->value;
	result->cr2 = slot->cr2;
	result->rip = slot->rip;
	if (agent_is_done(seat->vcpu, exit) && result->status != STATUS_NOT_RUN) {
		if (op == SEAT_CR3 && result->status == STATUS_DONE)
			seat->cr3 = gva & ~X86_CR3_KEEP;
		if (op == SEAT_PCIDE && result->status == STATUS_DONE)
			seat->pcide = !seat->pcide;
		return;
	}
	result->status = STATUS_EXIT | (exit & STATUS_EXIT_MASK);
	result->cr2 = agent_exit_detail(seat->vcpu, exit, error);
	vcpu_events_clear(seat->vcpu);
	seat->entered = false;
}

const char *seat_probe(struct seat *seat, u8 cpl)
{
	static char what[96];
	struct seat_result r;
	int err = __seat_enter(seat, cpl);

	if (err) {
		snprintf(what, sizeof(what), "KVM_SET_SREGS: %s", strerror(err));
		return what;
	}
	seat_run(seat, SEAT_READ, AGENT_PROBE + seat_alias(seat), 0, &r);
	if (r.status == STATUS_DONE && r.value == guest_page_tag(AGENT_PROBE))
		return NULL;
	if (r.status & STATUS_EXIT)
		exit_text(r.status & STATUS_EXIT_MASK, r.cr2, what);
	else
		snprintf(what, sizeof(what), "status %#x error %#x value %#x rip %#llx", r.status,
			 r.error, r.value, (unsigned long long)r.rip);
	return what;
}

void seat_invpcid(struct seat *seat, enum invpcid type, u32 pcid, gva_t gva,
		  struct seat_result *result)
{
	u64 at = seat_base(seat) + SEAT_INVPCID_AT, descriptor[2] = { pcid, gva };

	memcpy(vm_gpa2hva(seat->guest->vm, at), descriptor, sizeof(descriptor));
	seat_run(seat, SEAT_INVPCID, at, type, result);
}

u64 seat_fault_rip(const struct seat *seat, enum seat_op op, gva_t gva)
{
	bool code64 = state_modes[seat->state.mode].code64;

	if (op == SEAT_FETCH)
		return gva;
	/* Behind the load of the address, 4 bytes in 64-bit code, else 3. */
	return AGENT_ADDR(code[op].loop[code64]) + (code64 ? 4 : 3) + seat_alias(seat);
}
