// SPDX-License-Identifier: GPL-2.0-only
/* Checks of what TDs run out of, and what an errno of a TDX ioctl comes from. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kvm_private_memory.h"
#include "tdx.h"
#include "tdx_checks.h"
#include "tdx_host.h"
#include "tdx_status.h"

#define ALL_PACKAGES "a key has to be programmed in each package, by a CPU of it"
#define ONLINE_CPUS \
	"bring a CPU of each package online: echo 1 > /sys/devices/system/cpu/cpuN/online"

void tdx_check_run_packages(const struct tdx_host *h, struct tdx_finding *f)
{
	unsigned int i;

	tdx_read(f, "%u of %u CPUs online, in %u packages", h->online_cpus, h->present_cpus,
		 h->nr_packages);
	if (h->online_cpus >= h->present_cpus) {
		tdx_found(f, TDX_GOOD, "no CPU is offline, so each package has an online one", "");
		return;
	}
	/* The package of an offline CPU cannot be read; a node without a CPU tells. */
	for (i = 0; i < h->nr_nodes; i++) {
		if (h->node[i].online_cpus || h->node[i].bytes <= 0)
			continue;
		tdx_read(f, "; node %u has memory and no online CPU", h->node[i].id);
		tdx_found(
			f, TDX_BAD,
			"a package may have no online CPU; then no TD can be made (EIO): " ALL_PACKAGES,
			ONLINE_CPUS);
		return;
	}
	tdx_found(f, TDX_GOOD, "CPUs are offline, but each node that has memory has an online one",
		  "");
}

void tdx_check_run_nodes(const struct tdx_host *h, struct tdx_finding *f)
{
	unsigned int i, offline = 0;
	long long total = 0;

	for (i = 0; i < h->nr_nodes; i++) {
		const struct tdx_node *node = &h->node[i];

		tdx_read(f, "%snode %u: %lld MB, %u CPUs", i ? "; " : "", node->id,
			 node->bytes >> 20, node->online_cpus);
		if (node->offline_blocks)
			tdx_read(f, ", %u memory blocks offline", node->offline_blocks);
		offline += node->offline_blocks;
		total += node->bytes;
	}
	if (!h->nr_nodes) {
		tdx_read(f, "libnuma: no nodes");
		tdx_found(f, TDX_CANNOT_TELL, "this kernel has no NUMA support", "");
	} else if (!total) {
		tdx_found(f, TDX_BAD, "no node has memory", "");
	} else if (offline) {
		tdx_found(
			f, TDX_GOOD,
			"memory of the time the module was initialized is TDX memory; blocks that were offline then, and hot-added ones, cannot be brought online any more",
			"");
	} else {
		tdx_found(
			f, TDX_GOOD,
			"all memory that was there at boot is TDX memory on its own node; memory added later will be refused",
			"");
	}
}

void tdx_check_run_keyids(const struct tdx_host *h, struct tdx_finding *f)
{
	if (h->keyids < 0) {
		tdx_read(f, "misc.capacity: no tdx");
		tdx_found(
			f, TDX_CANNOT_TELL,
			"KeyIDs are not counted: no misc controller of cgroup v2, or KVM without TDX",
			"");
		return;
	}
	tdx_read(f, "misc.capacity: tdx %lld; in use: %lld", h->keyids, h->keyids_used);
	if (h->cgroup_max >= 0)
		tdx_read(f, "; this cgroup: %lld of %lld", h->cgroup_used, h->cgroup_max);
	if (!h->keyids)
		tdx_found(f, TDX_BAD, "KVM has no KeyID for TDs",
			  "BIOS: a greater \"TME-MT/TDX key split\"");
	else if (h->keyids_used >= h->keyids)
		tdx_found(f, TDX_BAD, "all KeyIDs are used up: making a TD fails with ENOSPC",
			  "end TDs, or BIOS: a greater \"TME-MT/TDX key split\"");
	else if (h->cgroup_max >= 0 && h->cgroup_used >= h->cgroup_max)
		tdx_found(f, TDX_BAD, "this cgroup may not make another TD (EBUSY)",
			  "raise tdx in its misc.max");
	else
		tdx_found(f, TDX_GOOD, "each TD takes one KeyID, and some are free", "");
}

void tdx_check_run_kexec(const struct tdx_host *h, struct tdx_finding *f)
{
	/* Sapphire Rapids and Emerald Rapids, as in the kernel's check_tdx_erratum(). */
	bool erratum = h->pw_mce_bug || (h->family == 6 && (h->model == 0x8f || h->model == 0xcf));

	tdx_read(f, "family %u model %#x, bug tdx_pw_mce %s", h->family, h->model,
		 h->pw_mce_bug ? "yes" : "no");
	tdx_found(
		f, TDX_GOOD,
		erratum ?
			"erratum of this CPU: partial writes to private memory poison it; kernels refuse kexec and kdump once TDX is on, unless module and kernel can shut TDX down" :
			"no erratum known that forbids kexec",
		"");
}

/* Lines by which a TD that was being made or run failed, the rest of the machine being well. */
static const struct {
	const char *text, *and_text, *means, *change;
} run_lines[] = {
	{ "All packages need to have online CPU", NULL,
	  "a TD could not be made (EIO): " ALL_PACKAGES, ONLINE_CPUS },
	{ "HKID", "is leaked",
	  "a KeyID was lost until the next boot: the module would not give it back",
	  "report it to the kernel's maintainers; reboot" },
	{ "SEAMCALL TDH_", "failed", "a SEAMCALL for a TD failed, which KVM holds for a bug",
	  "report it to the kernel's maintainers, with the line" },
};

void tdx_check_run_log(const struct tdx_host *h, struct tdx_finding *f)
{
	size_t i;
	int line;

	if (h->log.error) {
		tdx_read(f, "/dev/kmsg: %s", strerror(h->log.error));
		tdx_found(f, TDX_CANNOT_TELL, "the kernel's log cannot be read", "run as root");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(run_lines); i++) {
		line = kernel_log_last(&h->log, run_lines[i].text, run_lines[i].and_text);
		if (line < 0)
			continue;
		tdx_read(f, "log: %s", h->log.line[line]);
		tdx_found(f, TDX_BAD, run_lines[i].means, run_lines[i].change);
		return;
	}
	tdx_read(f, "log: nothing of the kind");
	tdx_found(f, TDX_GOOD, "no TD has failed since boot, as far as the log goes", "");
}

/*
 * Errors of ioctls
 */

static void explain_init_vm(const struct tdx_host *h, int error, unsigned int gpaw, u64 hw_error,
			    struct tdx_finding *f)
{
	char text[TDX_STATUS_LEN];

	if (hw_error) {
		tdx_status_text(hw_error, text);
		tdx_found(f, TDX_BAD, "", "");
		snprintf(f->means, sizeof(f->means), "TDH.MNG.INIT failed with %s", text);
		if (hw_error == (TDX_STATUS_OPERAND_INVALID | 0x45))
			snprintf(
				f->change, sizeof(f->change),
				"the CPUID configuration is refused (RCX, in the kernel's log, names the leaf): take fewer bits, or update the module");
	} else if (error == EINVAL && gpaw == 52 && !h->ept_5level) {
		tdx_found(f, TDX_BAD, "GPAW 52 needs 5-level EPT, which this CPU has not",
			  "use GPAW 48");
	} else if (error == EIO) {
		tdx_found(f, TDX_BAD, "often: " ALL_PACKAGES,
			  ONLINE_CPUS "; the kernel's log has the reason");
	} else if (error == ENOSPC) {
		tdx_found(f, TDX_BAD, "all KeyIDs are used up",
			  "end TDs, or BIOS: a greater \"TME-MT/TDX key split\"");
	} else if (error == EAGAIN) {
		tdx_found(f, TDX_BAD, "the CPU had no entropy for a key", "try again");
	} else if (error == EBUSY) {
		tdx_found(f, TDX_BAD, "this cgroup may not make another TD",
			  "raise tdx in its misc.max");
	}
}

bool tdx_explain(const struct tdx_host *h, const char *step, int error, unsigned int gpaw,
		 u64 hw_error, struct tdx_finding *f)
{
	memset(f, 0, sizeof(*f));
	tdx_read(f, "%s: %s", step, strerror(error));
	if (!strcmp(step, "KVM_TDX_INIT_VM"))
		explain_init_vm(h, error, gpaw, hw_error, f);
	else if (!strcmp(step, "KVM_TDX_CAPABILITIES") && error == ENOTTY)
		tdx_found(
			f, TDX_BAD,
			"KVM offers the VM type and does not know the command: kernel and userspace have different versions of the TDX interface",
			"an upstream kernel (6.16 or newer); out-of-tree TDX kernels have another interface");
	else if (!strcmp(step, "KVM_CREATE_VM") && error == EINVAL)
		tdx_found(f, TDX_BAD, "VMMs say \"vm-type tdx not supported\"",
			  "run tdx_host_test: it says why");
	return f->means[0];
}
