// SPDX-License-Identifier: GPL-2.0-only
/*
 * The string engine: OUTS reads memory, INS writes it, and KVM walks for them.
 *
 * KVM intercepts port I/O.  For IN and OUT the registers are all it needs; INS and OUTS
 * go to the emulator (io_interception() and handle_io() ask "string?"), which walks the page tables
 * in software, with nested paging, too, and injects the fault.  The intercept comes before the
 * access to memory (APM2 15.10, SDM 3C 26.1.2: "I/O instructions"), so the CPU's own
 * walker has no say.
 *
 * OUTS: what was read is what the port gets; it collects in the coalesced ring where there is one.
 * INS: one exit per access, also for one that then faults: KVM asks for the data first, and a
 * manual allows that (SDM 2A, INS: the port may be read although the write faults).
 */
#include <string.h>

#include "coalesced.h"
#include "engine.h"
#include "io_answers.h"
#include "test_assert.h"

#define IO_SIZE 4

/* What OUTS put out since the vCPU was started, in order. */
static u32 outs[AGENT_MAX_CASES + 1], nr_outs;

static void note_out(u32 data)
{
	TEST_ASSERT(nr_outs < ARRAY_SIZE(outs), "more than %u OUTS of a batch",
		    (u32)ARRAY_SIZE(outs));
	outs[nr_outs++] = data;
}

static void empty_ring(struct vcpu *vcpu)
{
	u32 len, data;
	u16 port;

	while (vcpu_coalesced_out(vcpu, &port, &len, &data)) {
		TEST_ASSERT(port == AGENT_STRING_PORT && len == IO_SIZE,
			    "coalesced OUT of %u bytes to port %#x", len, port);
		note_out(data);
	}
}

static bool answer(struct guest *guest, const struct agent_batch *batch, u32 i, u32 exit)
{
	struct kvm_run *run = guest->vcpu->run;
	u8 *data = (u8 *)run + run->io.data_offset;
	u32 word;

	empty_ring(guest->vcpu);
	if (exit != KVM_EXIT_IO || run->io.port != AGENT_STRING_PORT ||
	    run->io.size != IO_SIZE || run->io.count != 1 || i == batch->nr)
		return false;
	if (run->io.direction == KVM_EXIT_IO_OUT && batch->access == AGENT_READ) {
		memcpy(&word, data, sizeof(word));
		note_out(word);
		return true;
	}
	if (run->io.direction == KVM_EXIT_IO_IN && batch->access == AGENT_WRITE) {
		word = stores_word(guest, batch, i);
		memcpy(data, &word, sizeof(word));
		return true;
	}
	return false;
}

/* The ring keeps the order: the n-th OUT is that of the n-th case that completed. */
static void settle_outs(struct agent_result *results, u32 first, u32 end)
{
	u32 i, n = 0;

	for (i = first; i < end; i++)
		if (agent_result_status(&results[i]) == STATUS_DONE)
			results[i].value = n < nr_outs ? outs[n++] : 0;
	/* One that put its data out and then did not survive may be there besides. */
	TEST_ASSERT(nr_outs - n <= 1, "%u OUTS more than cases that completed", nr_outs - n);
	nr_outs = 0;
}

static void settle(struct guest *guest, const struct agent_batch *batch,
		   struct agent_result *results, u32 first, u32 end)
{
	if (batch->access == AGENT_WRITE)
		stores_settle(guest, batch, results, first, end);
	else
		settle_outs(results, first, end);
}

static const struct agent_service service = { answer, settle };

static void string_run(struct guest *guest, const struct agent_batch *batch)
{
	struct agent_batch b = *batch;

	if (!guest->coalesces)
		vm_coalesce_ports(guest->vm, AGENT_STRING_PORT, IO_SIZE);
	guest->coalesces = true;
	b.service = &service;
	nr_outs = 0;
	stores_begin();
	agent_run(guest, &b);
}

static const char *string_unsupported(const struct guest *guest, const struct agent_batch *batch)
{
	(void)guest;
	return batch->access == AGENT_READ || batch->access == AGENT_WRITE ?
		       NULL : "string I/O reads (OUTS) and writes (INS) memory, nothing else";
}

const struct engine engine_string = {
	.name = "string",
	.does = "OUTS and INS, whose memory operand KVM walks in software",
	.via = VIA_STRING,
	.host_lacks = engine_lacks_nothing,
	.unsupported = string_unsupported,
	.run = string_run,
};
