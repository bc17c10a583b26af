// SPDX-License-Identifier: GPL-2.0-only
/*
 * async_pf_test - an asynchronous page fault is a page fault, and there is none without paging.
 *
 * Proves: when the host has a page of the guest's memory still to come, and the guest has asked
 * to be told (MSR_KVM_ASYNC_PF_EN), it gets a #PF that is no fault of its tables only with
 * CR0.PG=1, and at CPL 0 only if it asked for that; otherwise the access waits and ends as
 * with the page there.  Documentation/virt/kvm/x86/msr.rst; kvm_can_deliver_async_pf().
 *
 * Would catch: an asynchronous page fault for a guest without paging (57cb3bb0dc89).
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
#define MSR_APIC_BASE 0x1b
#define APIC_BASE 0xfee00900ull /* enabled, of the bootstrap processor */

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
	late.host = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(late.host != MAP_FAILED && !pipe2(late.stop, O_CLOEXEC), "no memory or files");
	range.range.start = (uintptr_t)late.host;
	range.range.len = PAGE;
	TEST_ASSERT(!ioctl(late.uffd, UFFDIO_REGISTER, &range), "UFFDIO_REGISTER: %s",
		    strerror(errno));
	guest_fill_page(late.page, guest_page_tag(LATE_GPA));
	TEST_ASSERT(!pthread_create(&late.thread, NULL, bring_page, NULL), "no thread");
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

/* In a VM of its own, as what KVM still has to say comes later: the caller frees it. */
static struct vm *take_seat(struct seat *seat, const struct mmu_state *state)
{
	struct vm *vm = make_vm();

	seat_init(seat, shared->guest, 0);
	seat->vcpu = vm_vcpu_add(vm, 0);
	seat->interrupts = true; /* without, KVM waits for the page itself */
	seat_assign(seat, state, shared_root(state, 0));
	return vm;
}

/* Was the guest told? */
static bool make_access(const struct late_case *c, struct seat_result *result)
{
	struct kvm_vcpu_pv_apf_data *data = (void *)shared_host(shared, APF_DATA);
	struct seat seat;
	struct vm *vm = take_seat(&seat, &c->state);

	seat_enter(&seat, c->cpl);
	vcpu_set_msr(seat.vcpu, MSR_APIC_BASE, APIC_BASE);
	memset(data, 0, sizeof(*data));
	vcpu_set_msr(seat.vcpu, MSR_KVM_ASYNC_PF_INT, APF_VECTOR);
	vcpu_set_msr(seat.vcpu, MSR_KVM_ASYNC_PF_EN,
		     APF_DATA | KVM_ASYNC_PF_ENABLED | KVM_ASYNC_PF_DELIVERY_AS_INT |
			     (c->always ? KVM_ASYNC_PF_SEND_ALWAYS : 0));
	madvise(late.host, PAGE, MADV_DONTNEED);
	seat_run(&seat, c->op, address_of(c->op), WRITTEN, result);
	if (c->op == SEAT_STORE)
		memcpy(&result->value, late.host + WRITE_OFFSET, sizeof(result->value));
	vm_free(vm);
	return result->status == (STATUS_FAULT | PF_VECTOR) && data->flags;
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
	struct vm *vm = take_seat(&seat, state);

	f.observed = seat_probe(&seat, 0);
	vm_free(vm);
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

static void try_case(const struct late_case *c, unsigned int *told)
{
	const bool paging = state_modes[c->state.mode].paging != PAGING_NONE;
	const bool may_be_told = paging && (c->cpl || c->always);
	char id[CASE_ID_LEN], expected[64], observed[96];
	struct case_failure f = { .id = id, .expected = expected, .observed = observed,
				  .rule = paging ? "async-pf-cpl" : "async-pf-paging" };
	struct seat_result r;
	bool was_told;

	late_case_id(c, id);
	if (!is_wanted(id))
		return;
	was_told = make_access(c, &r);
	report_cases(1);
	*told += was_told;
	snprintf(expected, sizeof(expected), "ok value=%#x%s", value_of(c->op),
		 may_be_told ? ", or an asynchronous #PF" : "");
	if (was_told)
		snprintf(observed, sizeof(observed), "asynchronous #PF(%#x), token %#llx", r.error,
			 (unsigned long long)r.cr2);
	else if (r.status == STATUS_DONE)
		snprintf(observed, sizeof(observed), "ok value=%#x%s", r.value,
			 r.nr_mmio ? " by MMIO" : "");
	else
		snprintf(observed, sizeof(observed), "status %#x error %#x cr2 %#llx", r.status,
			 r.error, (unsigned long long)r.cr2);
	if (options.case_id)
		report_note("case      %s\nexpected  %s\nobserved  %s", id, expected, observed);
	if (was_told ? may_be_told && !r.error :
		       r.status == STATUS_DONE && !r.nr_mmio && r.value == value_of(c->op))
		return;
	report_failure(&f);
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
	TEST_REQUIRE(late.host, "see the first subtest");
	map_page();
	late.delivers = late.delivers || make_access(&user, &r);
	TEST_REQUIRE(late.delivers, "this host delivers no asynchronous page faults");
}

static void run_state(const struct subtest *self)
{
	static const enum seat_op ops[] = { SEAT_READ, SEAT_FETCH, SEAT_STORE };
	struct late_case c = { .state = *(const struct mmu_state *)self->data };
	const char *missing;
	unsigned int told = 0, i;

	set_up();
	missing = state_missing(&c.state, &shared->guest->cpu);
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	nr_wanted = 0;
	if (!runs(&c.state)) {
		TEST_ASSERT(nr_wanted, "the agent does not run in this state");
		return;
	}
	for (c.always = false; ; c.always = true) {
		for (c.cpl = 0; c.cpl <= 3; c.cpl += 3)
			for (i = 0; i < ARRAY_SIZE(ops); i++) {
				c.op = ops[i];
				try_case(&c, &told);
			}
		if (c.always)
			break;
	}
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
				     "%s: malformed case id '%s': STATE/CPL/ACCESS/told-user or told-always\n",
			about.name, nr ? options.after : options.case_id);
		return KSFT_USAGE;
	}
	code = report_run(&about, &options, subtests, nr);
	if (late.host) {
		if (write(late.stop[1], "", 1) == 1)
			pthread_join(late.thread, NULL);
		close(late.uffd);
	}
	shared_free(shared);
	return code;
}
