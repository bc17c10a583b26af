// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TD that runs, played in front of the stand-in for a TDX host (tests/standin/): what KVM_RUN
 * does with the payload's mailbox, from the memory that it was given and from the tables that
 * were loaded, walked by the architecture walker.  So tdx_shared_bit_test can run all it does with a
 * TD where there is none.  Written from Linux 7.3 arch/x86/kvm/vmx/tdx.c as the test's other parts
 * are: it proves what the test makes of answers, and nothing about KVM or TDX.
 *
 * deviation=NAME, in the environment variable STANDIN: keep-private (accepting does not zero),
 * fault-gpa (with the shared bit), fault-flag, map-part (the last page of a part stays as it was),
 * no-ve (unaccepted memory can be read), r11, leak (shared accesses reach private memory).
 */
#include <asm/kvm_para.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../standin/standin.h"
#include "../td_image_walk.h"
#include "td_guest.h"
#include "tdx.h"

int __wrap_standin_ioctl(int fd, unsigned long request, void *arg);
int __real_standin_ioctl(int fd, unsigned long request, void *arg);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len);

#define MAILBOXES 0x200000 /* of the TD's first memslot */
#define GMEM_TEST 0x400000 /* where test memory is in the guest_memfd: td_real.c */

struct played_vcpu {
	u32 id;
	bool booted, waiting, mapping;
	gpa_t map_next, map_end;
	u64 ve_gpa;
};

/* One TD at a time. */
static struct {
	u8 low[TD_LOW_SIZE], test[TD_TEST_SIZE]; /* private */
	u8 *mailboxes, *shared;
	bool private[TD_TEST_PAGES], accepted[TD_TEST_PAGES], reset_loaded;
	struct played_vcpu vcpu[STANDIN_MAX_FD];
} td;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static s64 page_of(gpa_t bare)
{
	return bare >= TD_TEST_GPA && bare - TD_TEST_GPA < TD_TEST_SIZE ?
		       (s64)((bare - TD_TEST_GPA) / TD_PAGE_SIZE) :
		       -1;
}

static u32 translate(unsigned int gpaw, gva_t gva, enum access_kind kind, gpa_t *gpa)
{
	const struct walk_result r = td_image_walk(td.low, gpaw, gva, kind);

	*gpa = r.gpa;
	return r.outcome == WALK_OK ? 0 : r.error_code | 1;
}

/* KVM_RUN fails with EFAULT. */
static bool memory_fault(struct kvm_run *run, gpa_t gpa, bool private, gpa_t bit)
{
	const u64 fault[] = {
		private != standin_deviates("fault-flag") ? KVM_MEMORY_EXIT_FLAG_PRIVATE : 0,
		((standin_deviates("fault-gpa") ? gpa : gpa & ~bit)) & ~0xfffull,
		TD_PAGE_SIZE,
	};

	memcpy(&run->hw, fault, sizeof(fault));
	run->exit_reason = KVM_EXIT_MEMORY_FAULT;
	return false;
}

static void exception(struct td_box_result *r, u32 vector, u32 error, gva_t cr2)
{
	r->vector = vector;
	r->error = error;
	r->cr2 = cr2;
	r->ended = TD_ENDED_EXCEPTION;
}

static void virtualization_exception(struct td_box_result *r, gpa_t gpa)
{
	r->rax = 0;
	r->rcx = TD_VE_EPT_VIOLATION;
	r->r9 = gpa;
	exception(r, TD_VE_VECTOR, 0, 0);
}

static void do_access(const struct td_box_op *op, u8 *at, struct td_box_result *r)
{
	u64 word = op->value;

	if (op->what == TD_DO_WRITE)
		memcpy(at, &word, sizeof(word));
	else
		memcpy(&word, at, sizeof(word));
	r->rax = op->what == TD_DO_FETCH ? (u32)(word >> 8) : word;
	r->ended = TD_ENDED_DONE;
}

/* false: an exit. */
static bool access_memory(unsigned int gpaw, const struct td_box_op *op, struct td_box_result *r,
			  struct kvm_run *run)
{
	static const enum access_kind kinds[] = { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };
	const gpa_t bit = BIT_ULL(gpaw - 1);
	gpa_t gpa;
	const u32 error = translate(gpaw, op->gva, kinds[op->what], &gpa);
	const bool private = !(gpa & bit);
	const s64 page = page_of(gpa & ~bit);

	if (error) {
		exception(r, PF_VECTOR, error, op->gva);
	} else if (page < 0 && !private) {
		virtualization_exception(r, gpa);
	} else if (page < 0 || td.private[page] != private) {
		return memory_fault(run, gpa, private, bit);
	} else if (private && !td.accepted[page] && !standin_deviates("no-ve")) {
		virtualization_exception(r, gpa);
	} else {
		const bool side = private || standin_deviates("leak");

		do_access(op, (side ? td.test : td.shared) + ((gpa & ~bit) - TD_TEST_GPA), r);
	}
	return true;
}

static void status(struct td_box_result *r, u64 r10, u64 r11)
{
	r->r10 = r10;
	r->r11 = standin_deviates("r11") ? r11 + TD_PAGE_SIZE : r11;
	r->ended = TD_ENDED_DONE;
}

/* tdx_map_gpa(), __tdx_map_gpa(), tdx_complete_vmcall_map_gpa(). */
static bool map_gpa(unsigned int gpaw, struct played_vcpu *v, const struct td_box_op *op,
		    struct td_box_result *r, struct kvm_run *run)
{
	const gpa_t bit = BIT_ULL(gpaw - 1), gpa = op->r12, last = gpa + op->r13 - 1;

	if (v->mapping) {
		v->mapping = false;
		if (run->hypercall.ret) {
			status(r, run->hypercall.ret == EAGAIN ? 1 : TDVMCALL_INVALID_OPERAND,
			       v->map_next);
			return true;
		}
		v->map_next += TD_LARGE_SIZE;
		if (v->map_next >= v->map_end) {
			status(r, 0, TDVMCALL_MAP_GPA);
			return true;
		}
	} else if (last + 1 <= gpa || gpa >> 52 || last >> 52 ||
		   (gpaw == 48 && (gpa | last) >> 48) || (gpa & bit) != (last & bit)) {
		status(r, TDVMCALL_INVALID_OPERAND, gpa);
		return true;
	} else if ((gpa | op->r13) % TD_PAGE_SIZE) {
		status(r, TDVMCALL_ALIGN_ERROR, gpa);
		return true;
	} else {
		v->map_next = gpa;
		v->map_end = gpa + op->r13;
	}
	v->mapping = true;
	run->exit_reason = KVM_EXIT_HYPERCALL;
	run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
	run->hypercall.ret = 0;
	run->hypercall.args[0] = v->map_next & ~bit;
	run->hypercall.args[1] = (v->map_end - v->map_next < TD_LARGE_SIZE ?
					  v->map_end - v->map_next :
					  TD_LARGE_SIZE) /
				 TD_PAGE_SIZE;
	run->hypercall.args[2] = gpa & bit ? 0 : 1 << 4;
	return false;
}

static bool accept(unsigned int gpaw, const struct td_box_op *op, struct td_box_result *r,
		   struct kvm_run *run)
{
	const gpa_t bit = BIT_ULL(gpaw - 1), gpa = op->rcx & ~0xfffull;
	const s64 page = page_of(gpa);

	r->ended = TD_ENDED_DONE;
	r->rax = 0;
	if (gpa & bit || gpa >> gpaw) {
		r->rax = TDACCEPT_OPERAND_RCX;
	} else if (page < 0 || !td.private[page]) {
		r->ended = 0;
		return memory_fault(run, gpa, true, bit);
	} else if (op->rcx & 7) {
		r->rax = TDACCEPT_SIZE_MISMATCH | 0x100; /* a level in the low half */
	} else if (td.accepted[page]) {
		r->rax = TDACCEPT_ALREADY | 0x100;
	} else {
		td.accepted[page] = true;
		if (!standin_deviates("keep-private"))
			memset(td.test + page * TD_PAGE_SIZE, 0, TD_PAGE_SIZE);
	}
	return true;
}

static int fails(int error)
{
	errno = error;
	return -1;
}

static int asks_for_more(struct kvm_run *run, struct played_vcpu *v)
{
	v->waiting = true;
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.port = TD_PORT;
	run->io.size = 4;
	return 0;
}

static int run_vcpu(int fd)
{
	const struct standin_object *vcpu = &standin_objects[fd], *vm = &standin_objects[vcpu->vm];
	struct played_vcpu *v = &td.vcpu[fd];
	struct td_mailbox *box = (struct td_mailbox *)(td.mailboxes + v->id * TD_MAILBOX_SIZE);
	struct kvm_run *run = vcpu->run;

	if (!vcpu->vcpu_initialized || !vm->final)
		return fails(EINVAL);
	if (!td.reset_loaded)
		return fails(EIO);
	if (!v->booted) {
		v->booted = true;
		box->gpaw = vm->gpaw;
		return asks_for_more(run, v);
	}
	if (v->waiting)
		box->at = 0;
	v->waiting = false;
	for (; box->at < box->nr; box->at++) {
		const struct td_box_op *op = &box->op[box->at];
		struct td_box_result *r = &box->result[box->at];

		if (op->what != TD_DO_CALL) {
			if (!access_memory(vm->gpaw, op, r, run))
				return fails(EFAULT);
		} else if (op->rax == TDG_MEM_PAGE_ACCEPT) {
			if (!accept(vm->gpaw, op, r, run))
				return fails(EFAULT);
		} else if (!map_gpa(vm->gpaw, v, op, r, run)) {
			return 0;
		}
	}
	return asks_for_more(run, v);
}

/* What the test tells KVM, and the stand-in answers. */
static void note_slot(const struct kvm_userspace_memory_region2 *slot)
{
	u8 *host = (u8 *)(uintptr_t)slot->userspace_addr;

	if (!slot->guest_phys_addr)
		td.mailboxes = host + MAILBOXES;
	if (slot->guest_phys_addr == TD_TEST_GPA)
		td.shared = host;
}

static void note_attributes(const struct kvm_memory_attributes *a)
{
	const bool private = a->attributes & KVM_MEMORY_ATTRIBUTE_PRIVATE;
	u64 offset, skip = standin_deviates("map-part") && a->size > TD_PAGE_SIZE && !private;

	for (offset = 0; offset < a->size - skip * TD_PAGE_SIZE; offset += TD_PAGE_SIZE) {
		const s64 page = page_of(a->address + offset);

		if (page < 0 || td.private[page] == private)
			continue;
		td.private[page] = private;
		td.accepted[page] = false;
	}
}

static void note_region(const struct tdx_mem_region *r)
{
	const u8 *source = (const u8 *)(uintptr_t)r->source_addr;

	if (r->gpa + r->nr_pages * TD_PAGE_SIZE <= TD_LOW_SIZE)
		memcpy(td.low + r->gpa, source, r->nr_pages * TD_PAGE_SIZE);
	if (r->gpa == TD_RESET_GPA)
		td.reset_loaded = source[0xff0] == 0xe9;
}

static int ioctl_locked(int fd, unsigned long request, void *arg)
{
	const struct tdx_cmd *cmd = arg;
	int answer;

	if (standin_objects[fd].kind == STANDIN_VCPU && request == KVM_RUN) {
		answer = __real_standin_ioctl(fd, request, arg);
		return answer ? answer : run_vcpu(fd);
	}
	if (request == KVM_MEMORY_ENCRYPT_OP && cmd->id == TDX_INIT_MEM_REGION)
		note_region((const void *)(uintptr_t)cmd->data);
	answer = __real_standin_ioctl(fd, request, arg);
	if (answer < 0)
		return answer;
	if (request == KVM_CREATE_VM)
		memset(&td, 0, sizeof(td));
	else if (request == KVM_CREATE_VCPU)
		td.vcpu[answer] = (struct played_vcpu){ .id = (uintptr_t)arg };
	else if (request == KVM_SET_USER_MEMORY_REGION2)
		note_slot(arg);
	else if (request == KVM_SET_MEMORY_ATTRIBUTES)
		note_attributes(arg);
	return answer;
}

int __wrap_standin_ioctl(int fd, unsigned long request, void *arg)
{
	int answer, error;

	pthread_mutex_lock(&lock);
	answer = ioctl_locked(fd, request, arg);
	error = errno;
	pthread_mutex_unlock(&lock);
	errno = error;
	return answer;
}

/* A hole in the guest_memfd: these pages are given back. */
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len)
{
	(void)mode;
	if (fd < 0 || fd >= STANDIN_MAX_FD || standin_objects[fd].kind != STANDIN_MEMFD ||
	    offset < GMEM_TEST || offset + len > GMEM_TEST + TD_TEST_SIZE) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}
