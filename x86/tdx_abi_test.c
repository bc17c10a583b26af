// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdx_abi_test - KVM's ioctls for TDs: their order, their arguments, and where the shared bit shows.
 *
 * Proves, at GPAW 48 and 52: a TD is made in the documented order and runs; each command at each
 * other stage, and each wrong argument, is refused with the errno it must be, and changes nothing: the same TD
 * is finished and run afterwards.  Memslots end below the shared bit, which moves with the
 * GPAW; regions and pre-faults are given without the bit; what goes in comes back (GPAW in
 * CPUID, what is left of a region or a range).  On every host, with TDX or without: what KVM
 * answers where there is no TD.
 *
 * Would catch: aa2024c01a9a, 8046d29dde17 (PRE_FAULT with the shared bit), a shared bit that does
 * not follow the GPAW, states of a TD that can be skipped or entered twice, and a kernel whose
 * interface is another one (KVM_TDX_CAPABILITIES: ENOTTY).
 *
 * Needs: /dev/kvm; for all subtests but non-td/... a TDX host.  An errno by which a TD cannot be
 * made is explained from what tdx_host_test reads.
 */
#include <numaif.h>
#include <stdlib.h>

#include "tdx_abi_case.h"
#include "tdx_abi_non_td.h"
#include "tdx_abi_order.h"
#include "tdx_abi_arguments.h"
#include "tdx_host.h"
#include "tdx_status.h"

static const struct test_about about = {
	.name = "tdx_abi_test",
	.proves =
		"KVM's ioctls for TDs: their order, their arguments, and where the shared bit shows",
	.tags = "tdx,abi",
};

static bool cannot_be_made[2]; /* at GPAW 48, 52: said once */

static unsigned int gpaw_of(const struct subtest *self)
{
	return atoi(self->name + strlen("gpaw"));
}

/* GPAW 52 on a CPU that has no 5-level EPT is refused, as it must be. */
static bool rightly_refused(const struct td *td, int err)
{
	return td->gpaw == TDX_GPAW_5LEVEL && !host.ept_5level && err == EINVAL && !td->hw_error &&
	       !strcmp(td->step, "KVM_TDX_INIT_VM");
}

/* A step of the right order failed: what that comes from.  Does not come back. */
static void explain_and_end(const struct subtest *self, const struct td *td, int err)
{
	struct tdx_finding finding;
	char name[96], status[TDX_STATUS_LEN];
	bool known = tdx_explain(&host, td->step, err, td->gpaw, td->hw_error, &finding);

	if (td->hw_error) {
		tdx_status_text(td->hw_error, status);
		report_note("hw_error: %s", status);
	}
	if (known) {
		report_note("  read:   %s", finding.read);
		report_note("  means:  %s", finding.means);
		if (finding.change[0])
			report_note("  change: %s", finding.change);
	}
	TEST_REQUIRE(!rightly_refused(td, err), "%s; %s", finding.means, finding.change);
	cannot_be_made[td->gpaw == TDX_GPAW_5LEVEL] = true;
	snprintf(name, sizeof(name), "%s/%s", td_stage_name(td->stage), td->step);
	check_errno(self, name, 0, 0, err);
}

/* The steps to a stage.  False: a step failed, which is the subtest's result. */
static bool build(const struct subtest *self, struct td *td, enum td_stage stage)
{
	int err = td_build(td, stage);

	if (err)
		explain_and_end(self, td, err);
	return !err;
}

/* Runs body() with a TD that nothing has been done to, and gives it back however it ends. */
static void with_td(const struct subtest *self,
		    void (*body)(const struct subtest *self, struct td *td))
{
	unsigned int gpaw = gpaw_of(self);
	struct test_scope scope;
	static struct td td;
	int end, err;

	TEST_REQUIRE(!host.kvm_error[0], "%s", host.kvm_error);
	TEST_REQUIRE(host.vm_types > 0 && host.vm_types >> KVM_X86_TDX_VM & 1,
		     "KVM makes no TDs here (KVM_CAP_VM_TYPES %#x): tdx_host_test says why",
		     host.vm_types);
	TEST_REQUIRE(!cannot_be_made[gpaw == TDX_GPAW_5LEVEL],
		     "no TD can be made with GPAW %u, see above", gpaw);
	err = td_start(&td, gpaw);
	end = setjmp(*test_scope_enter(&scope));
	if (!end) {
		TEST_ASSERT(!err, "%s: %s", td.step, strerror(err));
		body(self, &td);
		test_scope_leave(&scope);
	}
	td_free(&td);
	if (end)
		test_end_again(end, &scope);
}

/* The TD is finished and runs: into the UD2 at its reset vector, a triple fault without IDT. */
static void finish_and_run(const struct subtest *self, struct td *td)
{
	int error = 0;
	u32 exit;

	if (!build(self, td, TD_FINAL))
		return;
	exit = vcpu_run(&td->vcpu, 1000, &error);
	report_note("KVM_RUN: exit %s %s", exit_reason_str(exit), error ? strerror(error) : "");
	check_number(self, "final/KVM_RUN/exit", KVM_EXIT_SHUTDOWN, exit);
}

static void right_order(const struct subtest *self, struct td *td)
{
	char name[64];

	while (td->stage < TD_FINAL) {
		if (!build(self, td, td->stage + 1))
			return;
		snprintf(name, sizeof(name), "%s", td_stage_name(td->stage));
		check_errno(self, name, 0, 0, 0);
	}
	report_note("attributes %#llx, XFAM %#llx, %u configurable CPUID leaves",
		    (unsigned long long)td->caps->supported_attrs,
		    (unsigned long long)td->caps->supported_xfam, td->caps->cpuid.nent);
	finish_and_run(self, td);
}

/* All wrong calls of a kind at each stage of one TD, which must not mind. */
static void through_stages(const struct subtest *self, struct td *td,
			   bool (*at_stage)(const struct subtest *self, struct td *td))
{
	while (td->stage < TD_FINAL)
		if (!build(self, td, td->stage + 1) || !at_stage(self, td))
			return;
	finish_and_run(self, td);
}

static void wrong_order(const struct subtest *self, struct td *td)
{
	through_stages(self, td, order_at_stage);
}

static void wrong_arguments(const struct subtest *self, struct td *td)
{
	through_stages(self, td, arguments_at_stage);
}

/* A vCPU before the split irqchip is asked for. */
static void no_irqchip(const struct subtest *self, struct td *td)
{
	int err;

	if (!build(self, td, TD_CREATED))
		return;
	err = td_init_vm(td);
	check_errno(self, "KVM_TDX_INIT_VM", ANYTHING, ANYTHING, err);
	TEST_REQUIRE(!err, "this kernel wants the capabilities before KVM_TDX_INIT_VM");
	check_errno(self, "KVM_CREATE_VCPU", EINVAL, EINVAL, order_create_vcpu(td));
}

/* With its memory there before KVM_TDX_INIT_VCPU, it is for that alone that no page can be added. */
static void memory_first(const struct subtest *self, struct td *td)
{
	if (!build(self, td, TD_VCPU))
		return;
	check_errno(self, "memory", 0, 0, td_add_memory(td));
	if (!check_errno(self, "vcpu/KVM_TDX_INIT_MEM_REGION", EINVAL, EINVAL,
			 order_init_mem_region(td)))
		return;
	finish_and_run(self, td);
}

/*
 * The shared bit, seen from the VMM
 */
static void try_slot(const struct subtest *self, struct td *td, const char *when, const char *name,
		     gpa_t gpa, u64 size, int expected)
{
	char text[96];
	int err;

	snprintf(text, sizeof(text), "%s/%s", when, name);
	err = td_set_slot(td, 1, gpa, size, td->shared, -1);
	check_errno(self, text, expected, expected, err);
	if (!err)
		td_set_slot(td, 1, gpa, 0, td->shared, -1);
}

static void memslot_limit(const struct subtest *self, struct td *td)
{
	gpa_t bit = tdx_shared_bit(td->gpaw), bit48 = tdx_shared_bit(TDX_GPAW_4LEVEL);

	if (!build(self, td, TD_CAPS))
		return;
	/* KVM does not know the width yet. */
	try_slot(self, td, "before-init-vm", "at-the-bit", bit, PAGE, 0);
	if (!build(self, td, TD_VM))
		return;
	try_slot(self, td, "vm", "last-page-below", bit - PAGE, PAGE, 0);
	try_slot(self, td, "vm", "reaches-the-bit", bit - PAGE, 2 * PAGE, EINVAL);
	try_slot(self, td, "vm", "at-the-bit", bit, PAGE, EINVAL);
	try_slot(self, td, "vm", "above-the-bit", bit + 0x40000000, PAGE, EINVAL);
	/* This is how the limit is seen to move. */
	try_slot(self, td, "vm", "at-bit-47", bit48, PAGE, bit == bit48 ? EINVAL : 0);
	try_slot(self, td, "vm", "at-bit-51", tdx_shared_bit(TDX_GPAW_5LEVEL), PAGE,
		 bit == bit48 ? ANYTHING : EINVAL);
}

/* With the shared bit: not refused by any kernel known, so only noted. */
static void try_attributes(const struct subtest *self, struct td *td)
{
	struct kvm_memory_attributes attributes = {
		.address = TD_RAM_GPA | tdx_shared_bit(td->gpaw),
		.size = PAGE,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};

	check_errno(self, "attributes-with-shared-bit", ANYTHING, ANYTHING,
		    __vm_ioctl(&td->vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes));
	attributes.attributes = 0;
	__vm_ioctl(&td->vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes);
}

#define REGION_PAGES 3

/* The three words are moved on past what was added; the last region is measured, the first is not. */
static void mem_region(const struct subtest *self, struct td *td)
{
	u32 flags[] = { 0, TDX_MEASURE };
	size_t i;

	if (!build(self, td, TD_MEMORY))
		return;
	try_attributes(self, td);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		u64 source = (uintptr_t)td->shared;
		gpa_t gpa = TD_RAM_GPA + i * REGION_PAGES * PAGE;
		struct tdx_mem_region region = { source, gpa, REGION_PAGES };

		check_errno(self, i ? "measured" : "not-measured", 0, 0,
			    td_init_mem_region(td, &region, flags[i]));
		check_number(self, "source-after", source + REGION_PAGES * PAGE,
			     region.source_addr);
		check_number(self, "gpa-after", gpa + REGION_PAGES * PAGE, region.gpa);
		check_number(self, "pages-after", 0, region.nr_pages);
	}
	finish_and_run(self, td);
}

/* GPAW goes in and comes back; with too little room the number that it takes comes back. */
static void cpuid(const struct subtest *self, struct td *td)
{
	struct kvm_cpuid_entry2 *leaf;
	struct kvm_cpuid2 *few = NULL;
	u32 nent;

	if (!build(self, td, TD_VCPU))
		return;
	leaf = cpuid_entry(td->cpuid, TDX_GPAW_LEAF, 0);
	check_number(self, "gpaw-leaf", 1, !!leaf);
	if (leaf)
		check_number(self, "gpaw", td->gpaw, leaf->eax >> TDX_GPAW_SHIFT & 0xff);
	nent = td->cpuid->nent;
	check_errno(self, "one-too-few", E2BIG, E2BIG, td_get_cpuid(td, nent - 1, &few));
	check_number(self, "one-too-few-nent", nent, few ? few->nent : 0);
	free(few);
	few = NULL;
	check_errno(self, "just-enough", 0, 0, td_get_cpuid(td, nent, &few));
	free(few);
}

/* Private pages can be pre-faulted once the TD is finished, and the range is moved on. */
static void pre_fault_td(const struct subtest *self, struct td *td)
{
	struct kvm_pre_fault_memory range = { .gpa = TD_RAM_GPA, .size = 4 * PAGE };

	if (!build(self, td, TD_FINAL))
		return;
	check_errno(self, "private", 0, 0, td_pre_fault(td, &range));
	check_number(self, "gpa-after", TD_RAM_GPA + 4 * PAGE, range.gpa);
	check_number(self, "size-after", 0, range.size);
	range = (struct kvm_pre_fault_memory){ .gpa = 0x1000000, .size = PAGE };
	check_errno(self, "no-slot", ENOENT, ENOENT, td_pre_fault(td, &range));
	finish_and_run(self, td);
}

/* A TD whose memory comes from this node alone, as a bit of a mask; 0: from anywhere again. */
static void memory_from(unsigned long nodes)
{
	long err = nodes ? set_mempolicy(MPOL_BIND, &nodes, 8 * sizeof(nodes)) :
			   set_mempolicy(MPOL_DEFAULT, NULL, 0);

	TEST_ASSERT(!err, "set_mempolicy nodes %#lx: %s", nodes, strerror(errno));
}

/* Each node's memory can be a TD's: its pages, and those that the module keeps about it. */
static void each_node(const struct subtest *self, struct td *td)
{
	unsigned int i, gpaw = td->gpaw;
	char name[32];
	int err = 0;

	for (i = 0; i < host.nr_nodes && !err; i++) {
		struct kvm_pre_fault_memory range = { .gpa = TD_RAM_GPA, .size = TD_RAM_SIZE };

		if (host.node[i].bytes <= 0)
			continue;
		td_free(td);
		memory_from(1ul << host.node[i].id);
		err = td_start(td, gpaw) ?: td_build(td, TD_FINAL) ?: td_pre_fault(td, &range);
		memory_from(0);
		snprintf(name, sizeof(name), "node-%u", host.node[i].id);
		if (td->stage < TD_FINAL) {
			report_note("%s", name);
			explain_and_end(self, td, err);
		} else {
			check_errno(self, name, 0, 0, err);
		}
	}
	TEST_REQUIRE(i, "libnuma knows no nodes");
}

#define WITH_TD(name)                                      \
	static void run_##name(const struct subtest *self) \
	{                                                  \
		with_td(self, name);                       \
	}
WITH_TD(right_order)
WITH_TD(wrong_order)
WITH_TD(wrong_arguments)
WITH_TD(no_irqchip)
WITH_TD(memory_first)
WITH_TD(memslot_limit)
WITH_TD(mem_region)
WITH_TD(cpuid)
WITH_TD(pre_fault_td)
WITH_TD(each_node)

#define AT_GPAW(gpaw) \
	{ "gpaw" #gpaw "/right-order", run_right_order, NULL }, \
	{ "gpaw" #gpaw "/wrong-order", run_wrong_order, NULL }, \
	{ "gpaw" #gpaw "/wrong-arguments", run_wrong_arguments, NULL }, \
	{ "gpaw" #gpaw "/no-irqchip", run_no_irqchip, NULL }, \
	{ "gpaw" #gpaw "/memory-first", run_memory_first, NULL }, \
	{ "gpaw" #gpaw "/memslot-limit", run_memslot_limit, NULL }, \
	{ "gpaw" #gpaw "/mem-region", run_mem_region, NULL }, \
	{ "gpaw" #gpaw "/cpuid", run_cpuid, NULL }, \
	{ "gpaw" #gpaw "/pre-fault", run_pre_fault_td, NULL }, \
	{ "gpaw" #gpaw "/each-node", run_each_node, NULL }

static const struct subtest subtests[] = {
	{ "non-td/vm-types", run_vm_types, NULL },
	{ "non-td/commands", run_commands, NULL },
	{ "non-td/private-memory", run_private_memory, NULL },
	{ "non-td/pre-fault", run_pre_fault_vm, NULL },
	AT_GPAW(48),
	AT_GPAW(52),
};

int main(int argc, char **argv)
{
	struct test_options options;
	int code;

	test_options_parse(&about, argc, argv, &options);
	tdx_host_read(&host);
	code = report_run(&about, &options, subtests, ARRAY_SIZE(subtests));
	tdx_host_free(&host);
	return code;
}
