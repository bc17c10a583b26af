// SPDX-License-Identifier: GPL-2.0-only
/* vCPUs: registers, and running them under a watchdog. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cpu_offer.h"
#include "kvm_calls.h"
#include "kvm_private_memory.h"
#include "test_assert.h"
#include "vm.h"

#define WATCHDOG_SIGNAL SIGRTMIN

int __vcpu_ioctl(struct vcpu *vcpu, unsigned long request, void *arg)
{
	return ioctl(vcpu->fd, request, arg) < 0 ? errno : 0;
}

struct vcpu *vm_vcpu_add(struct vm *vm, u32 id)
{
	struct vcpu *vcpu = calloc(1, sizeof(*vcpu));
	struct kvm_cpuid2 *cpuid;
	u32 nent;
	int err;

	TEST_ASSERT(vcpu, "out of memory");
	vcpu->vm = vm;
	vcpu->id = id;
	/* Even if nothing comes of it: vm_free() then knows of it. */
	vcpu->next = vm->vcpus;
	vm->vcpus = vcpu;
	vcpu->kvm = vmm_vcpu_add(vm->kvm, id, &vcpu->fd, &vcpu->run);
	cpuid = kvm_supported_cpuid(vm->kvm_fd);
	cpu_offer_apply(cpuid);
	err = __vcpu_set_cpuid(vcpu, cpuid);
	nent = cpuid->nent;
	free(cpuid);
	TEST_ASSERT(!err, "KVM_SET_CPUID2 vcpu %u nent %u: %s", id, nent,
		    vm_strerror(vm, err));
	return vcpu;
}

void vcpu_regs_get(struct vcpu *vcpu, struct kvm_regs *regs)
{
	vmm_regs_get(vcpu->kvm, regs);
}

void vcpu_regs_set(struct vcpu *vcpu, const struct kvm_regs *regs)
{
	vmm_regs_set(vcpu->kvm, regs);
}

void vcpu_sregs_get(struct vcpu *vcpu, struct kvm_sregs *sregs)
{
	vmm_sregs_get(vcpu->kvm, sregs);
}

int __vcpu_sregs_set(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	return vmm_sregs_set(vcpu->kvm, sregs);
}

void vcpu_sregs_set(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	int err = __vcpu_sregs_set(vcpu, sregs);

	TEST_ASSERT(!err, "KVM_SET_SREGS vcpu %u cr0 %#llx cr3 %#llx cr4 %#llx efer %#llx: %s",
		    vcpu->id, sregs->cr0, sregs->cr3, sregs->cr4, sregs->efer,
		    vm_strerror(vcpu->vm, err));
}

int __vcpu_sregs2_set(struct vcpu *vcpu, const struct kvm_sregs *s, const u64 *pdptrs)
{
	struct kvm_sregs2 s2 = {
		.cs = s->cs, .ds = s->ds, .es = s->es, .fs = s->fs, .gs = s->gs, .ss = s->ss,
		.tr = s->tr, .ldt = s->ldt, .gdt = s->gdt, .idt = s->idt,
		.cr0 = s->cr0, .cr2 = s->cr2, .cr3 = s->cr3, .cr4 = s->cr4, .cr8 = s->cr8,
		.efer = s->efer, .apic_base = s->apic_base,
	};

	if (pdptrs) {
		s2.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
		memcpy(s2.pdptrs, pdptrs, sizeof(s2.pdptrs));
	}
	return __vcpu_ioctl(vcpu, KVM_SET_SREGS2, &s2);
}

void vcpu_events_clear(struct vcpu *vcpu)
{
	struct kvm_vcpu_events events;

	vmm_events_get(vcpu->kvm, &events);
	memset(&events.exception, 0, sizeof(events.exception));
	memset(&events.interrupt, 0, sizeof(events.interrupt));
	memset(&events.nmi, 0, sizeof(events.nmi));
	events.flags &= ~(KVM_VCPUEVENT_VALID_SMM | KVM_VCPUEVENT_VALID_PAYLOAD |
			  KVM_VCPUEVENT_VALID_TRIPLE_FAULT);
	vmm_events_set(vcpu->kvm, &events);
}

void vcpu_settle(struct vcpu *vcpu)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct kvm_vcpu_events events;

	vmm_events_get(vcpu->kvm, &events);
	memset(&events.smi, 0, sizeof(events.smi));
	events.flags = KVM_VCPUEVENT_VALID_SMM;
	vmm_events_set(vcpu->kvm, &events);
	vmm_mp_state_set(vcpu->kvm, &runnable);
}

u64 vcpu_get_msr(struct vcpu *vcpu, u32 index)
{
	return vmm_msr_get(vcpu->kvm, index);
}

int __vcpu_set_msr(struct vcpu *vcpu, u32 index, u64 value)
{
	return vmm_msr_set(vcpu->kvm, index, value);
}

void vcpu_set_msr(struct vcpu *vcpu, u32 index, u64 value)
{
	int err = __vcpu_set_msr(vcpu, index, value);

	TEST_ASSERT(!err, "KVM_SET_MSRS vcpu %u msr %#x value %#llx: %s", vcpu->id, index,
		    (unsigned long long)value, vm_strerror(vcpu->vm, err));
}

/*
 * The watchdog.  A signal alone could arrive just before KVM_RUN and be lost, so
 * the handler also sets immediate_exit, which KVM checks on entry.
 */
static __thread struct kvm_run *watched_run;
static __thread volatile sig_atomic_t watchdog_expired;

static void watchdog_handler(int sig)
{
	(void)sig;
	watchdog_expired = 1;
	if (watched_run)
		watched_run->immediate_exit = 1;
}

static timer_t watchdog_timer(clockid_t clock)
{
	struct sigaction action = { .sa_handler = watchdog_handler };
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = WATCHDOG_SIGNAL,
	};
	timer_t timer;

	sigaction(WATCHDOG_SIGNAL, &action, NULL);
	event._sigev_un._tid = syscall(SYS_gettid);
	TEST_ASSERT(!timer_create(clock, &event, &timer), "timer_create clock %d: %s", (int)clock,
		    strerror(errno));
	return timer;
}

/* 0 disarms.  The interval is for a signal that comes too early: it will come again. */
static void timer_set(timer_t timer, u64 ms)
{
	struct itimerspec when = {
		.it_value = { ms / 1000, (ms % 1000) * 1000000L },
		.it_interval = { 0, ms ? 100 * 1000000L : 0 },
	};

	timer_settime(timer, 0, &when, NULL);
}

static void watchdog_set(unsigned int ms)
{
	static __thread bool created;
	static __thread timer_t cpu, wall;

	if (!created) {
		cpu = watchdog_timer(CLOCK_THREAD_CPUTIME_ID);
		wall = watchdog_timer(CLOCK_MONOTONIC);
		created = true;
	}
	timer_set(cpu, ms);
	timer_set(wall, (u64)ms * VCPU_WALL_FACTOR);
}

/* A vCPU of tdx_abi_test's TDs is made step by step, by ioctls alone, and has no other half. */
static int run_once(struct vcpu *vcpu)
{
	return vcpu->kvm ? vmm_run(vcpu->kvm) : __vcpu_ioctl(vcpu, KVM_RUN, NULL);
}

u32 vcpu_run_answering(struct vcpu *vcpu, unsigned int timeout_ms, int *error,
		       bool (*answer)(void *context, u32 exit), void *context)
{
	bool again;
	int err;

	watchdog_expired = 0;
	vcpu->run->immediate_exit = 0;
	watched_run = vcpu->run;
	watchdog_set(timeout_ms);
	do {
		err = run_once(vcpu);
		/* An answered exit is completed even when time is up: by a KVM_RUN that ends at once. */
		again = err ? (err == EINTR || err == EAGAIN) && !watchdog_expired :
			      answer && answer(context, vcpu->run->exit_reason);
	} while (again);
	watchdog_set(0);
	watched_run = NULL;
	vcpu->run->immediate_exit = 0;
	if (!err)
		return vcpu->run->exit_reason;
	if (watchdog_expired && err == EINTR)
		return VCPU_TIMEOUT;
	if (error)
		*error = err;
	return VCPU_RUN_ERROR;
}

u32 vcpu_run(struct vcpu *vcpu, unsigned int timeout_ms, int *error)
{
	return vcpu_run_answering(vcpu, timeout_ms, error, NULL, NULL);
}

void vcpu_run_complete_io(struct vcpu *vcpu)
{
	vmm_run_complete_io(vcpu->kvm);
}

const char *exit_reason_str(u32 reason)
{
	static const char *const names[] = {
		[KVM_EXIT_UNKNOWN] = "UNKNOWN",
		[KVM_EXIT_EXCEPTION] = "EXCEPTION",
		[KVM_EXIT_IO] = "IO",
		[KVM_EXIT_HYPERCALL] = "HYPERCALL",
		[KVM_EXIT_DEBUG] = "DEBUG",
		[KVM_EXIT_HLT] = "HLT",
		[KVM_EXIT_MMIO] = "MMIO",
		[KVM_EXIT_IRQ_WINDOW_OPEN] = "IRQ_WINDOW_OPEN",
		[KVM_EXIT_SHUTDOWN] = "SHUTDOWN",
		[KVM_EXIT_FAIL_ENTRY] = "FAIL_ENTRY",
		[KVM_EXIT_INTR] = "INTR",
		[KVM_EXIT_INTERNAL_ERROR] = "INTERNAL_ERROR",
		[KVM_EXIT_SYSTEM_EVENT] = "SYSTEM_EVENT",
		[KVM_EXIT_MEMORY_FAULT] = "MEMORY_FAULT",
		[KVM_EXIT_TDX] = "TDX",
	};

	if (reason == VCPU_TIMEOUT)
		return "TIMEOUT";
	if (reason == VCPU_RUN_ERROR)
		return "RUN_ERROR";
	return reason < ARRAY_SIZE(names) && names[reason] ? names[reason] : "OTHER";
}

void exit_text(u32 reason, u64 detail, char text[EXIT_TEXT_LEN])
{
	snprintf(text, EXIT_TEXT_LEN, "exit %s %#llx", exit_reason_str(reason),
		 (unsigned long long)detail);
}
