// SPDX-License-Identifier: GPL-2.0-only
/*
 * async_pf_test - an asynchronous page fault is a page fault, and there is none without paging.
 *
 * Proves: when the host has a page of the guest's memory still to come, and the guest has asked
 * to be told (MSR_KVM_ASYNC_PF_EN), it gets a #PF that is no fault of its tables only with
 * CR0.PG=1, and at CPL 0 only if it asked for that; otherwise the access waits and ends as
 * with the page there.  Where it may be told, it is.  Documentation/virt/kvm/x86/msr.rst;
 * kvm_can_deliver_async_pf().  The local APIC is not enabled by its own register: the interrupt
 * that says that a page is there never comes, a vCPU that waits tries its access again and again.
 *
 * Would catch: an asynchronous page fault for a guest without paging (57cb3bb0dc89), or none for
 * one with it.
 *
 * Needs: /dev/kvm with KVM_CAP_ASYNC_PF_INT and KVM_CAP_SPLIT_IRQCHIP, userfaultfd.  Where a
 * guest with paging, at CPL 3, is told nothing either, nothing is proven: the subtests skip.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm_para.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "case.h"
#include "report.h"
#include "shared_tables.h"
#include "test_assert.h"
#include "x86.h"

#define PAGE 0x1000
/* Where the page is: guest physical address, and the same as linear one. */
#define LATE_GPA 0x80000000ull
#define APF_DATA DATA(0)
#define APF_VECTOR 0xf0
#define WRITE_OFFSET 0x100
#define WRITTEN 0x5a5a5a5a

static const struct test_about about = {
	.name = "async_pf_test",
	.proves = "asynchronous page faults come only with paging, and at CPL 0 only if asked for",
	.has_cases = true,
	.tags = "async-pf,native",
};

static const struct mmu_state states[] = {
	{ MODE_NOPG, 0 },
	{ MODE_NOPG, FLAG_WP | FLAG_NX },
	{ MODE_2LEVEL, FLAG_WP },
	{ MODE_PAE, FLAG_WP | FLAG_NX },
	{ MODE_COMPAT4, FLAG_WP | FLAG_NX },
	{ MODE_4LEVEL, FLAG_WP | FLAG_NX },
	{ MODE_5LEVEL, FLAG_WP | FLAG_NX },
};

struct late_case {
	struct mmu_state state;
	u8 cpl;
	enum seat_op op;
	bool always; /* CPL 0, too, is to be told */
};

/* The page that comes late, and the thread that brings it when somebody waits for it. */
static struct {
	u8 *host, page[PAGE];
	int uffd, stop[2];
	pthread_t thread;
	struct vm *vm; /* of the last access */
	bool broken, ready;
	bool delivers; /* with paging, at CPL 3 */
} late;

static struct shared_tables *shared;
static struct test_options options;
static unsigned int nr_wanted; /* cases of this subtest that were asked for */

static void *bring_page(void *unused)
{
	struct pollfd fds[] = { { .fd = late.uffd, .events = POLLIN },
				{ .fd = late.stop[0], .events = POLLIN } };
	struct uffdio_copy copy = { .dst = (uintptr_t)late.host, .src = (uintptr_t)late.page,
				    .len = PAGE };
	struct uffd_msg msg;

	(void)unused;
	while (poll(fds, ARRAY_SIZE(fds), -1) > 0 && !fds[1].revents)
		if (read(late.uffd, &msg, sizeof(msg)) == sizeof(msg) &&
		    msg.event == UFFD_EVENT_PAGEFAULT)
			ioctl(late.uffd, UFFDIO_COPY, &copy);
	return NULL;
}

static void set_up_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	late.uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	TEST_REQUIRE(late.uffd >= 0 && !ioctl(late.uffd, UFFDIO_API, &api),
		     "userfaultfd: %s (needs root, and CONFIG_USERFAULTFD)", strerror(errno));
	late.broken = true;
	late.host = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(late.host != MAP_FAILED && !pipe2(late.stop, O_CLOEXEC), "no memory or files");
	range.range.start = (uintptr_t)late.host;
	range.range.len = PAGE;
	TEST_ASSERT(!ioctl(late.uffd, UFFDIO_REGISTER, &range), "UFFDIO_REGISTER: %s",
		    strerror(errno));
	guest_fill_page(late.page, guest_page_tag(LATE_GPA));
	TEST_ASSERT(!pthread_create(&late.thread, NULL, bring_page, NULL), "no thread");
	late.ready = true;
	late.broken = false;
}

static void map_page(void)
{
	shared_reset(shared);
	shared_put(shared, ROOT_PD(0) + 4 * (LATE_GPA >> 22), TABLE(2) | E_RW, 4);
	shared_put(shared, TABLE(2), LATE_GPA | E_RW, 4);
	shared_put(shared, ROOT_PAE(0) + 8 * (LATE_GPA >> 30), TABLE(1) | E_PAE, 8);
	shared_put(shared, ROOT_PDPT(0) + 8 * (LATE_GPA >> 30), TABLE(1) | E_RW, 8);
	shared_put(shared, TABLE(1), TABLE(0) | E_RW, 8);
	shared_put(shared, TABLE(0), LATE_GPA | E_RW, 8);
}

static struct vm *make_vm(void)
{
	struct vm *vm = vm_create_sharing(shared->guest->vm);
	int err;

	vm_add_local_apics(vm);
	err = __vm_slot_add(vm, ARENA_GPA, ARENA_PAGES * PAGE, shared_host(shared, ARENA_GPA), -1,
			    0);
	if (!err)
		err = __vm_slot_add(vm, LATE_GPA, PAGE, late.host, -1, 0);
	TEST_ASSERT(!err, "KVM_SET_USER_MEMORY_REGION: %s", strerror(err));
	return vm;
}

static gva_t address_of(enum seat_op op)
{
	return LATE_GPA + (op == SEAT_FETCH ? DATA_FETCH_OFFSET : op == SEAT_STORE ? WRITE_OFFSET : 0);
}

/* What is read, fetched, or in memory behind a write. */
static u32 value_of(enum seat_op op)
{
	u32 value = WRITTEN;

	if (op == SEAT_READ)
		memcpy(&value, late.page, sizeof(value));
	if (op == SEAT_FETCH)
		guest_page_code_tag(late.page + DATA_FETCH_OFFSET, &value);
	return value;
}

static void leave_seat(void)
{
	if (late.vm)
		vm_free(late.vm);
	late.vm = NULL;
}

/* In a VM of its own, as what KVM still has to say comes later. */
static void take_seat(struct seat *seat, const struct mmu_state *state)
{
	leave_seat();
	late.vm = make_vm();
	seat_init(seat, shared->guest, 0);
	seat->vcpu = vm_vcpu_add(late.vm, 0);
	seat->interrupts = true; /* without, KVM waits for the page itself */
	seat_assign(seat, state, shared_root(state, 0));
	shared_clean_pdptes(shared);
}

/* Was the guest told? */
static bool make_access(const struct late_case *c, struct seat_result *result)
{
	struct kvm_vcpu_pv_apf_data *data = (void *)shared_host(shared, APF_DATA);
	struct seat seat;

	take_seat(&seat, &c->state);
	seat_enter(&seat, c->cpl);
	vcpu_set_msr(seat.vcpu, MSR_APIC_BASE, APIC_BASE_ADDR | APIC_BASE_ENABLE | APIC_BASE_BSP);
	memset(data, 0, sizeof(*data));
	vcpu_set_msr(seat.vcpu, MSR_KVM_ASYNC_PF_INT, APF_VECTOR);
	vcpu_set_msr(seat.vcpu, MSR_KVM_ASYNC_PF_EN,
		     APF_DATA | KVM_ASYNC_PF_ENABLED | KVM_ASYNC_PF_DELIVERY_AS_INT |
			     (c->always ? KVM_ASYNC_PF_SEND_ALWAYS : 0));
	TEST_ASSERT(!madvise(late.host, PAGE, MADV_DONTNEED), "MADV_DONTNEED: %s", strerror(errno));
	seat_run(&seat, c->op, address_of(c->op), WRITTEN, result);
	if (c->op == SEAT_STORE)
		memcpy(&result->value, late.host + WRITE_OFFSET, sizeof(result->value));
	leave_seat();
	return result->status == (STATUS_FAULT | PF_VECTOR) && data->flags;
}

/* Not told, and as with the page there. */
static bool has_waited(const struct seat_result *r, enum seat_op op)
{
	return r->status == STATUS_DONE && !r->nr_mmio && r->value == value_of(op);
}

static bool is_wanted(const char *id)
{
	if (options.case_id && strcmp(options.case_id, id))
		return false;
	nr_wanted++;
	return true;
}

/* A state that the agent cannot run in is one failing case. */
static bool runs(const struct mmu_state *state)
{
	char name[STATE_NAME_LEN], id[CASE_ID_LEN];
	struct case_failure f = { .id = id, .expected = "agent runs" };
	struct seat seat;

	take_seat(&seat, state);
	f.observed = seat_probe(&seat, 0);
	leave_seat();
	state_name(state, name);
	snprintf(id, sizeof(id), "%s/probe", name);
	if (is_wanted(id)) {
		report_cases(1);
		if (f.observed)
			report_failure(&f);
	}
	return !f.observed;
}

static void late_case_id(const struct late_case *c, char id[CASE_ID_LEN])
{
	char state[STATE_NAME_LEN];

	state_name(&c->state, state);
	snprintf(id, CASE_ID_LEN, "%s/cpl%u/%s/%s", state, c->cpl, seat_op_names[c->op],
		 c->always ? "told-always" : "told-user");
}

static bool may_be_told(const struct late_case *c)
{
	return state_modes[c->state.mode].paging != PAGING_NONE && (c->cpl || c->always);
}

static void report_case(const struct case_failure *f, bool right)
{
	report_cases(1);
	if (options.case_id)
		report_note("case      %s\nexpected  %s\nobserved  %s", f->id, f->expected,
			    f->observed);
	if (!right)
		report_failure(f);
}

static void judge(const struct late_case *c, const char *id, const struct seat_result *r,
		  bool was_told)
{
	const bool paging = state_modes[c->state.mode].paging != PAGING_NONE;
	char expected[64], observed[96];
	struct case_failure f = { .id = id, .expected = expected, .observed = observed,
				  .rule = paging ? "async-pf-cpl" : "async-pf-paging" };

	snprintf(expected, sizeof(expected), "ok value=%#x%s", value_of(c->op),
		 may_be_told(c) ? ", or an asynchronous #PF" : "");
	if (was_told)
		snprintf(observed, sizeof(observed), "asynchronous #PF(%#x), token %#llx", r->error,
			 (unsigned long long)r->cr2);
	else if (r->status == STATUS_DONE)
		snprintf(observed, sizeof(observed), "ok value=%#x%s", r->value,
			 r->nr_mmio ? " by MMIO" : "");
	else
		snprintf(observed, sizeof(observed), "status %#x error %#x cr2 %#llx", r->status,
			 r->error, (unsigned long long)r->cr2);
	report_case(&f, was_told ? may_be_told(c) && !r->error : has_waited(r, c->op));
}

/* Makes the access if it is asked for, or counts for another case; was the guest told? */
static bool try_case(const struct late_case *c, bool counts)
{
	char id[CASE_ID_LEN];
	struct seat_result r;
	bool wanted, was_told;

	late_case_id(c, id);
	wanted = is_wanted(id);
	if (!wanted && !counts)
		return false;
	was_told = make_access(c, &r);
	if (wanted)
		judge(c, id, &r, was_told);
	return was_told;
}

/* Of the accesses at this level by which a guest may be told, is it told by one at least? */
static unsigned int try_level(const struct mmu_state *state, u8 cpl)
{
	static const enum seat_op ops[] = { SEAT_READ, SEAT_FETCH, SEAT_STORE };
	struct late_case c = { .state = *state, .cpl = cpl };
	const bool paging = state_modes[state->mode].paging != PAGING_NONE;
	char name[STATE_NAME_LEN], id[CASE_ID_LEN];
	struct case_failure f = { .id = id, .expected = "told by an asynchronous #PF",
				  .rule = "async-pf-told" };
	unsigned int told = 0, i;
	bool counts;

	state_name(state, name);
	snprintf(id, sizeof(id), "%s/cpl%u/told", name, cpl);
	counts = paging && is_wanted(id);
	for (i = 0; i < 2 * ARRAY_SIZE(ops) && !report_should_stop(); i++) {
		c.always = i >= ARRAY_SIZE(ops);
		c.op = ops[i % ARRAY_SIZE(ops)];
		told += try_case(&c, counts && may_be_told(&c));
	}
	if (counts && !report_should_stop()) {
		f.observed = told ? "told" : "never told";
		report_case(&f, told);
	}
	return told;
}

/* Once: is there anything to be seen on this host? */
static void set_up(void)
{
	const struct late_case user = { { MODE_4LEVEL, FLAG_WP | FLAG_NX }, 3, SEAT_READ, false };
	struct seat_result r;

	if (!shared) {
		shared = shared_create();
		TEST_REQUIRE(vm_check_cap(shared->guest->vm, KVM_CAP_ASYNC_PF_INT) > 0 &&
				     vm_check_cap(shared->guest->vm, KVM_CAP_SPLIT_IRQCHIP) > 0,
			     "no KVM_CAP_ASYNC_PF_INT, or no KVM_CAP_SPLIT_IRQCHIP");
		set_up_page();
	}
	TEST_ASSERT(!late.broken, "no page could be set up, see the first subtest");
	TEST_REQUIRE(late.ready, "see the first subtest");
	map_page();
	if (late.delivers)
		return;
	late.delivers = make_access(&user, &r);
	TEST_ASSERT(late.delivers || has_waited(&r, user.op),
		    "a read of the page in 4level/wp,nx at CPL 3: status %#x error %#x", r.status, r.error);
	TEST_REQUIRE(late.delivers, "this host delivers no asynchronous page faults");
}

static void run_state(const struct subtest *self)
{
	const struct mmu_state *state = self->data;
	const char *missing;
	unsigned int told;

	set_up();
	missing = state_missing(state, &shared->guest->cpu);
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	nr_wanted = 0;
	if (!runs(state)) {
		TEST_ASSERT(nr_wanted, "the agent does not run in this state");
		return;
	}
	told = try_level(state, 0);
	told += try_level(state, 3);
	TEST_ASSERT(nr_wanted, "there is no such case");
	report_note("told by an asynchronous page fault: %u", told);
}

int main(int argc, char **argv)
{
	static struct subtest subtests[ARRAY_SIZE(states)];
	static char names[ARRAY_SIZE(states)][STATE_NAME_LEN];
	unsigned int nr = 0, i;
	int code;

	test_options_parse(&about, argc, argv, &options);
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		state_name(&states[i], names[i]);
		if (!options.case_id || subtest_holds_case(names[i], options.case_id))
			subtests[nr++] = (struct subtest){ names[i], run_state, &states[i] };
	}
	if (!nr || options.after) {
		fprintf(stderr, nr ? "%s: a case starts from its own state, there is no --after: '%s'\n" :
				     "%s: malformed case id '%s': STATE/CPL/ACCESS/told-user or told-always, or STATE/CPL/told\n",
			about.name, nr ? options.after : options.case_id);
		return KSFT_USAGE;
	}
	code = report_run(&about, &options, subtests, nr);
	leave_seat();
	if (late.ready) {
		if (write(late.stop[1], "", 1) == 1)
			pthread_join(late.thread, NULL);
		close(late.uffd);
	}
	shared_free(shared);
	return code;
}
