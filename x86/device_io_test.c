// SPDX-License-Identifier: GPL-2.0-only
/*
 * device_io_test - instructions that KVM emulates between memory and a device.
 *
 * Proves: INS, OUTS, and MOVS, CMPS, PUSH, POP and ADD with an operand where the guest has no
 * memory, move the right words between memory and the device, in each size, with a segment
 * override, with REP, forwards and backwards, and advance their registers by what was
 * moved; a page fault half-way leaves registers and memory from which the instruction goes on
 * where it was, with nothing lost; permission to use a port (IOPL, the TSS's bitmap)
 * is asked for before memory is touched.
 *
 * Would catch: a fault that loses elements already moved, a wrong address for an element across
 * two pages, half of a store left behind by a fault, REP counts wrong behind a batch of I/O.
 *
 * Needs: /dev/kvm.
 */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "snippet.h"
#include "x86.h"

#define DEVICE_PORT 16
#define DEVICE_OFFSET 0x100 /* in the hole: there is room below, too */
#define MAX_WORDS 2048
#define PAGE 4096
#define ADDEND 0x01010101u

#include "device_io_rows.h"

static const struct test_about about = {
	.name = "device_io_test",
	.proves = "INS, OUTS, MOVS, CMPS, PUSH, POP and ADD with a device move the right words and\n"
		  "survive page faults half-way",
	.tags = "walk,kvm,io",
};

static const char *const states[] = { "4level/wp,nx", "compat4/wp,nx", "pae/wp,nx", "2level/wp" };

struct trial {
	char name[64];
	struct mmu_state state;
	u8 cpl;
	u8 size; /* bytes of an element */
	const struct row *row;
};

/* What went to and from the device. */
struct device_log {
	const struct trial *trial;
	u32 nr;                /* elements */
	u64 word[MAX_WORDS];
	char trouble[80];      /* empty, or an exit that was not expected */
	bool ended;            /* by itself */
};

/* What should come of a row. */
struct expectation {
	u32 done;   /* elements moved */
	u32 vector; /* 0: completes */
	u32 error;
	u64 cr2;
};

static struct guest *guest;
static u8 page_before[PAGE], page_expected[PAGE];

/* One full entry per level, and behind it an absent one in the last table. */
static void prepare(void)
{
	static struct variant_list lists[NR_TABLE_AREAS][MAX_LEVELS + 1];
	int area, level;

	if (guest)
		return;
	for (area = 0; area < NR_TABLE_AREAS; area++) {
		enum paging_mode mode = area_shape(area)->mode;

		for (level = 1; level <= paging_formats[mode].levels; level++) {
			lists[area][level].nr = 1;
			lists[area][level].bits[0] = variant_full(mode, level);
		}
	}
	guest = guest_create(lists);
}

static u64 element(const void *from, u8 size)
{
	u64 value = 0;

	memcpy(&value, from, size);
	return value;
}

/* Bytes from one element to the next. */
static s32 stride(const struct trial *t)
{
	return t->row->down ? -t->size : t->size;
}

/* Where element n lies in the page; PUSH stores below its pointer. */
static s32 element_offset(const struct trial *t, u32 n)
{
	bool push = t->row->stack && t->row->action == FROM_DEVICE;

	return t->row->offset + (s32)n * stride(t) - (push ? t->size : 0);
}

/* The n-th word of a device that is read from. */
static u64 device_word(const struct trial *t, u32 n)
{
	u64 word = 0xc0d1e2f3a0b1c2d3ull + n * 0x0102030401020305ull;
	s32 offset = element_offset(t, n);

	if (t->row->action == COMPARE && n != FIRST_DIFFERENT && offset + t->size <= PAGE)
		return element(page_before + offset, t->size);
	return element(&word, t->size);
}

/* The device keeps its place, as a FIFO does: a word read is a word gone. */
static void exchange(struct device_log *log, bool reads, u8 *data)
{
	const struct trial *t = log->trial;
	u64 word;

	if (reads) {
		word = device_word(t, log->nr);
		memcpy(data, &word, t->size);
	}
	log->word[log->nr++] = element(data, t->size);
}

static bool answer_port(struct device_log *log, struct kvm_run *run)
{
	const struct trial *t = log->trial;
	bool reads = run->io.direction == KVM_EXIT_IO_IN;
	u8 *data = (u8 *)run + run->io.data_offset;
	u32 i;

	if (t->row->device != PORT || run->io.port != DEVICE_PORT || run->io.size != t->size ||
	    reads != (t->row->action == FROM_DEVICE) || log->nr + run->io.count > MAX_WORDS) {
		snprintf(log->trouble, sizeof(log->trouble), "%s port %#x size %u count %u",
			 reads ? "IN" : "OUT", run->io.port, run->io.size, run->io.count);
		return false;
	}
	for (i = 0; i < run->io.count; i++)
		exchange(log, reads, data + i * t->size);
	return true;
}

static bool answer_hole(struct device_log *log, struct kvm_run *run)
{
	const struct trial *t = log->trial;
	bool reads = !run->mmio.is_write, add = t->row->action == ADD;
	gpa_t gpa = HOLE_GPA + DEVICE_OFFSET + (add ? 0 : (s64)log->nr * stride(t));

	if (t->row->device != HOLE || run->mmio.phys_addr != gpa || run->mmio.len != t->size ||
	    reads != (add ? !log->nr : t->row->action != TO_DEVICE) || log->nr == MAX_WORDS) {
		snprintf(log->trouble, sizeof(log->trouble), "MMIO %s at %#llx of %u",
			 reads ? "read" : "write", (unsigned long long)run->mmio.phys_addr,
			 run->mmio.len);
		return false;
	}
	exchange(log, reads, run->mmio.data);
	return true;
}

static bool answer(void *context, struct vcpu *vcpu, u32 exit)
{
	if (exit == KVM_EXIT_IO)
		return answer_port(context, vcpu->run);
	return exit == KVM_EXIT_MMIO && answer_hole(context, vcpu->run);
}

/* Elements one by one, as the manuals write REP (SDM 2B, REP), faults included (3A 6.5). */
static struct expectation expect(const struct trial *t, gva_t gva)
{
	const struct row *r = t->row;
	struct expectation e = { 0 };
	bool stores = r->action == FROM_DEVICE;

	memcpy(page_expected, page_before, PAGE);
	if (r->port_bitmap && r->forbidden && t->cpl) {
		e.vector = GP_VECTOR;
		return e;
	}
	for (; e.done < r->count; e.done++) {
		s32 offset = element_offset(t, e.done);
		u64 word = device_word(t, e.done);

		if (r->action == COMPARE && e.done > FIRST_DIFFERENT)
			break;
		if (r->action == ADD)
			continue;
		if (offset + t->size > PAGE) {
			e.vector = PF_VECTOR;
			e.error = (stores ? PFERR_WRITE : 0) | (t->cpl ? PFERR_USER : 0);
			e.cr2 = gva + (offset < PAGE ? PAGE : offset);
			break;
		}
		if (stores)
			memcpy(page_expected + offset, &word, t->size);
	}
	return e;
}

/* A fault's RIP is that of the instruction behind STD or CLD. */
static void check_end(const struct expectation *e, const struct snippet_end *end, char *what,
		      size_t len)
{
	u32 status = e->vector ? STATUS_FAULT | e->vector : STATUS_DONE;

	if (end->status & STATUS_EXIT)
		snprintf(what, len, "exit %s %#llx", exit_reason_str(end->status & STATUS_EXIT_MASK),
			 (unsigned long long)end->cr2);
	else if (end->status != status || end->error != e->error || end->cr2 != e->cr2)
		snprintf(what, len, "status %#x error %#x cr2 %#llx, not status %#x error %#x cr2 %#llx",
			 end->status, end->error, (unsigned long long)end->cr2, status, e->error,
			 (unsigned long long)e->cr2);
	else if (e->vector && end->rip != 1)
		snprintf(what, len, "rip +%#llx, not +1", (unsigned long long)end->rip);
}

static void check_registers(const struct trial *t, const struct expectation *e,
			    const struct kvm_regs *before, const struct kvm_regs *after,
			    char *what, size_t len)
{
	const struct row *r = t->row;
	s64 moved = r->action == ADD || r->stack ? 0 : (s64)e->done * stride(t);
	s64 popped = !r->stack || !e->done ? 0 : r->action == FROM_DEVICE ? -t->size : t->size;
	bool out = r->device == PORT && r->action == TO_DEVICE;
	bool in = r->device == PORT && r->action == FROM_DEVICE;
	s64 si = in ? 0 : moved, di = out ? 0 : moved;
	s64 si_now = after->rsi - before->rsi, di_now = after->rdi - before->rdi;
	s64 sp_now = r->stack ? after->rsp - before->rsp : 0;
	u64 cx = before->rcx - (r->rep ? e->done : 0);

	if (after->rcx != cx || si_now != si || di_now != di || sp_now != popped)
		snprintf(what, len, "cx %#llx si %+lld di %+lld sp %+lld, not cx %#llx si %+lld di %+lld sp %+lld",
			 (unsigned long long)after->rcx, (long long)si_now, (long long)di_now,
			 (long long)sp_now, (unsigned long long)cx, (long long)si, (long long)di,
			 (long long)popped);
}

/*
 * Who reads a device may have read the word of the element that faults: INS by SDM 2A ("may
 * read from the I/O port without writing"), the others as there is no other order.
 */
static void check_device(const struct trial *t, const struct expectation *e,
			 const struct device_log *log, char *what, size_t len)
{
	bool one_more = t->row->action != TO_DEVICE && e->vector == PF_VECTOR;
	u32 i, nr = t->row->action == ADD ? 2 : e->done;
	u64 word;

	if (log->trouble[0]) {
		snprintf(what, len, "%s", log->trouble);
		return;
	}
	if (!log->ended)
		return;
	if (log->nr < nr || log->nr > nr + one_more) {
		snprintf(what, len, "%u words to or from the device, %u moved", log->nr, nr);
		return;
	}
	for (i = 0; i < nr; i++) {
		if (t->row->action == TO_DEVICE)
			word = element(page_before + element_offset(t, i), t->size);
		else if (t->row->action == ADD && i == 1)
			word = log->word[0] + ADDEND;
		else
			continue;
		if (log->word[i] != element(&word, t->size)) {
			snprintf(what, len, "word %u of %#llx, not %#llx", i,
				 (unsigned long long)log->word[i],
				 (unsigned long long)element(&word, t->size));
			return;
		}
	}
}

static void check_page(const u8 *page, char *what, size_t len)
{
	u32 i;

	for (i = 0; i < PAGE; i++)
		if (page[i] != page_expected[i]) {
			snprintf(what, len, "byte %#x of the page is %#x, not %#x", i, page[i],
				 page_expected[i]);
			return;
		}
}

/* Registers as the row wants them. */
static struct kvm_regs trial_regs(const struct trial *t, gva_t gva)
{
	const struct row *r = t->row;
	gva_t memory = gva + r->offset, device = snippet_hole(&t->state, t->cpl) + DEVICE_OFFSET;
	struct kvm_regs regs = { .rax = ADDEND, .rcx = r->count, .rdx = DEVICE_PORT };

	regs.rsi = regs.rdi = memory;
	if (r->device == HOLE && (r->action != TO_DEVICE || r->stack))
		regs.rsi = device;
	else if (r->device == HOLE)
		regs.rdi = device;
	if (r->stack)
		regs.rsp = memory;
	regs.rsi -= r->base;
	return regs;
}

static void report(const struct trial *t, char what[][200], unsigned int nr)
{
	char observed[900] = "";
	size_t n = 0;
	unsigned int i;
	const struct case_failure f = {
		.id = t->name, .expected = "as the manuals say", .observed = observed,
		.rule = "device-io",
	};

	for (i = 0; i < nr; i++)
		if (what[i][0])
			n += snprintf(observed + n, sizeof(observed) - n, "%s%s", n ? "; " : "",
				      what[i]);
	if (n)
		report_failure(&f);
}

static void run_trial(const struct subtest *self)
{
	static struct device_log log;
	const struct trial *t = self->data;
	const struct row *r = t->row;
	const u16 full[MAX_LEVELS + 1] = { 0 };
	u8 code[8] = { r->down ? 0xfd : 0xfc }; /* std or cld */
	struct snippet s = {
		.state = t->state, .cpl = t->cpl, .iopl = r->port_bitmap ? 0 : 3,
		.ports_forbidden = r->forbidden ? ~0ull : ~(0xfull << DEVICE_PORT),
		.fs_base = r->base, .gs_base = r->base,
		.code = code, .code_size = r->code_size + 1,
		.answer = answer, .context = &log,
	};
	char what[4][200] = { "" };
	struct snippet_end end;
	struct expectation e;
	struct kvm_regs before;
	const char *missing;
	gva_t gva;
	u8 *page;
	u32 i;

	prepare();
	missing = state_missing(&t->state, &guest->cpu);
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	page = vm_gpa2hva(guest->vm, DATA_PAGE);
	for (i = 0; i < PAGE; i++)
		page_before[i] = page[i] = i * 7 + (i >> 8);
	memset(&log, 0, sizeof(log));
	log.trial = t;
	memcpy(code + 1, r->code, r->code_size);
	gva = guest_gva(guest, state_area(&t->state), full, 0);
	before = s.regs = trial_regs(t, gva);
	e = expect(t, gva);
	report_cases(1);
	snippet_run(guest, &s, &end);
	log.ended = !(end.status & STATUS_EXIT);

	check_end(&e, &end, what[0], sizeof(what[0]));
	check_device(t, &e, &log, what[2], sizeof(what[2]));
	/* A guest that did not get to an end has nothing else to tell. */
	if (log.ended) {
		check_registers(t, &e, &before, &s.regs, what[1], sizeof(what[1]));
		check_page(page, what[3], sizeof(what[3]));
	}
	report(t, what, ARRAY_SIZE(what));
}

static unsigned int make_trials(struct trial *trials)
{
	unsigned int nr = 0, i, k;
	int cpl;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		for (cpl = 0; cpl <= 3; cpl += 3)
			for (k = 0; k < ARRAY_SIZE(rows); k++) {
				struct trial *t = &trials[nr];

				if (rows[k].stack && !cpl)
					continue;
				*t = (struct trial){ .row = &rows[k], .cpl = cpl };
				TEST_ASSERT(!state_parse(states[i], strlen(states[i]), &t->state),
					    "state %s", states[i]);
				t->size = t->row->size;
				if (!t->size)
					t->size = state_modes[t->state.mode].code64 ? 8 : 4;
				snprintf(t->name, sizeof(t->name), "%s/cpl%d/%s", states[i], cpl,
					 rows[k].name);
				nr++;
			}
	return nr;
}

int main(int argc, char **argv)
{
	static struct trial trials[ARRAY_SIZE(states) * ARRAY_SIZE(rows) * 2];
	static struct subtest subtests[ARRAY_SIZE(trials)];
	struct test_options options;
	unsigned int nr, i;
	int code;

	test_options_parse(&about, argc, argv, &options);
	nr = make_trials(trials);
	for (i = 0; i < nr; i++)
		subtests[i] = (struct subtest){ trials[i].name, run_trial, &trials[i] };
	code = report_run(&about, &options, subtests, nr);
	guest_free(guest);
	return code;
}
