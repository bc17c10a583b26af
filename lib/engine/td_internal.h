/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kinds of TD (td_emulated.c, td_real.c) do for td_guest.c. */
#ifndef KMC_TD_INTERNAL_H
#define KMC_TD_INTERNAL_H

#include "td_guest.h"
#include "test_assert.h"

enum td_event {
	TD_EVENT_MORE,    /* the mailbox is done, or the payload has booted */
	TD_EVENT_EXIT,    /* the VMM has to do something: *exit */
	TD_EVENT_STOPPED, /* v->stopped says why */
};

/* What KVM_EXIT_MEMORY_FAULT says, for headers that do not know it: at &run->hw. */
struct memory_fault {
	u64 flags, gpa, size;
};

struct td_kind_ops {
	/* Makes VM and vCPUs; what is in *td is freed by td_guest_free() in any case. */
	void (*create)(struct td_guest *td);
	void (*destroy)(struct td_guest *td);
	/* Runs until something is to be done. */
	enum td_event (*run)(struct td_vcpu *v, struct td_exit *exit);
	/* Behind TD_EXIT_MAP: 0, EAGAIN or EINVAL, as KVM takes it. */
	void (*map_done)(struct td_vcpu *v, int error);
	/* Test pages become private or shared; all were not.  Returns an errno value. */
	int (*convert)(struct td_guest *td, gpa_t gpa, u64 pages, bool private);
};

extern const struct td_kind_ops td_emulated_ops, td_real_ops;

/* Index of a page of test memory, by its address without the shared bit; -1: it is none. */
s64 td_test_page(const struct td_guest *td, gpa_t gpa);
/*
 * Behind test_scope_enter(): frees the TD, and goes on with what ended its scope, if anything
 * did (how).  Returns the pages converted.
 */
u64 td_guest_end(struct td_guest *td, enum test_end how, const struct test_scope *scope);
/* KVM_SET_MEMORY_ATTRIBUTES; returns an errno value. */
int td_set_private(struct td_guest *td, gpa_t gpa, u64 size, bool private);
/* TD_EVENT_STOPPED, and why. */
enum td_event td_stop(struct td_vcpu *v, const char *fmt, ...)
	__printf(2, 3);
/*
 * So many bytes that no one has touched, aligned to 2 MBytes; huge: with pages of that size if
 * possible.
 */
u8 *td_map_aligned(u64 size, int protection, bool huge);

/* td_emulated_calls.c: goes on with the TDCALL that the vCPU is in.  true: *event is the result. */
bool td_emulated_call(struct td_vcpu *v, struct td_exit *exit, enum td_event *event);
/* It is over: these registers are its result. */
void td_emulated_finish(struct td_vcpu *v, struct kvm_regs *regs);
/* Delivers a #VE for an EPT violation: regs as before the access. */
void td_emulated_ve(struct td_vcpu *v, struct kvm_regs *regs, gva_t gla, gpa_t gpa);
/* The page becomes accepted: private memory, and zero.  Under td->lock. */
int td_emulated_accept(struct td_guest *td, u64 page);

#endif
