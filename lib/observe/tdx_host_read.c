// SPDX-License-Identifier: GPL-2.0-only
/* Collecting what a host says about TDX.  Only reads; /dev/kvm is asked for its VM types. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <numa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host_file.h"
#include "kvm_private_memory.h"
#include "tdx_host.h"

#define CPUS "/sys/devices/system/cpu"
#define NODES "/sys/devices/system/node"
#define CGROUPS "/sys/fs/cgroup"

/* The bits in which CPUs must not differ: those that a check looks at. */
static const struct {
	u32 number;
	u64 same;
} msrs[TDX_NR_MSRS] = {
	[TDX_MSR_KEYID_PARTITIONING] = { 0x87, ~0ull },
	[TDX_MSR_FEATURE_CONTROL] = { 0x3a, BIT_ULL(18) | BIT_ULL(0) },
	[TDX_MSR_MCHECK] = { 0xa0, ~0ull },
	[TDX_MSR_PLATFORM_INFO] = { 0xce, BIT_ULL(27) },
	[TDX_MSR_MTRRCAP] = { 0xfe, BIT_ULL(15) },
	[TDX_MSR_TME_CAPABILITY] = { 0x981, ~0ull },
	[TDX_MSR_TME_ACTIVATE] = { 0x982, ~0ull },
	[TDX_MSR_SEAMRR_BASE] = { 0x1400, 0 },
	[TDX_MSR_SEAMRR_MASK] = { 0x1401, BIT_ULL(11) | BIT_ULL(10) },
};

static void read_cpuid(struct tdx_host *host)
{
	struct host_cpuid c = host_cpuid(0, 0);

	memcpy(host->vendor, &c.ebx, 4);
	memcpy(host->vendor + 4, &c.edx, 4);
	memcpy(host->vendor + 8, &c.ecx, 4);
	c = host_cpuid(1, 0);
	host->family = c.eax >> 8 & 0xf;
	host->model = (c.eax >> 4 & 0xf) | (c.eax >> 12 & 0xf0);
	host->vmx = c.ecx >> 5 & 1;
	host->hypervisor = c.ecx >> 31;
	host->self_snoop = c.edx >> 27 & 1;
	c = host_cpuid(7, 0);
	host->tme = c.ecx >> 13 & 1;
	host->movdir64b = c.ecx >> 28 & 1;
}

/* Is a word in a line of words? */
static bool has_word(const char *line, const char *word)
{
	size_t len = strlen(word);
	const char *at = line;

	for (at = strstr(at, word); at; at = strstr(at + 1, word))
		if ((at == line || isspace((unsigned char)at[-1])) &&
		    (!at[len] || isspace((unsigned char)at[len])))
			return true;
	return false;
}

static void read_cpuinfo(struct tdx_host *host)
{
	static char line[16384];

	host->cpuinfo = host_find_line("/proc/cpuinfo", "flags", line, sizeof(line));
	host->platform_flag = host->cpuinfo && has_word(line, "tdx_host_platform");
	if (host_find_line("/proc/cpuinfo", "vmx flags", line, sizeof(line)))
		host->ept_5level = has_word(line, "ept_5level");
	if (host_find_line("/proc/cpuinfo", "bugs", line, sizeof(line)))
		host->pw_mce_bug = has_word(line, "tdx_pw_mce");
	if (host_read_line("/proc/cmdline", line, sizeof(line)))
		host->requested =
			has_word(line, "kvm_intel.tdx=1") || has_word(line, "kvm_intel.tdx=Y") ||
			has_word(line, "kvm_intel.tdx=on") || has_word(line, "kvm-intel.tdx=1") ||
			has_word(line, "kvm_intel.tdx");
}

static void read_msrs_of(void *context, unsigned int cpu)
{
	struct tdx_host *host = context;
	bool first = !host->online_cpus++;
	u64 value;
	int i, err;

	for (i = 0; i < TDX_NR_MSRS; i++) {
		struct tdx_msr_value *msr = &host->msr[i];

		if (!first && msr->error)
			continue;
		err = host_msr_read(cpu, msr->number, &value);
		if (err) {
			msr->error = err;
		} else if (first) {
			msr->value = value;
		} else if ((value ^ msr->value) & msrs[i].same && !msr->differs) {
			msr->differs = true;
			msr->other_cpu = cpu;
			msr->other_value = value;
		}
	}
}

static void read_package_of(void *context, unsigned int cpu)
{
	struct tdx_host *host = context;
	char path[96], line[32];
	unsigned int i;
	int package;

	snprintf(path, sizeof(path), CPUS "/cpu%u/topology/physical_package_id", cpu);
	if (!host_read_line(path, line, sizeof(line)))
		return;
	package = atoi(line);
	for (i = 0; i < host->nr_packages; i++)
		if (host->package[i] == package)
			return;
	if (host->nr_packages < TDX_MAX_PACKAGES)
		host->package[host->nr_packages++] = package;
}

static void count_cpu(void *context, unsigned int cpu)
{
	(void)cpu;
	++*(unsigned int *)context;
}

static void read_cpus(struct tdx_host *host)
{
	char online[4096], present[4096];
	int i;

	for (i = 0; i < TDX_NR_MSRS; i++)
		host->msr[i] = (struct tdx_msr_value){ .number = msrs[i].number };
	if (!host_read_line(CPUS "/online", online, sizeof(online)))
		snprintf(online, sizeof(online), "0");
	host_each_in_list(online, read_msrs_of, host);
	host_each_in_list(online, read_package_of, host);
	if (host_read_line(CPUS "/present", present, sizeof(present)))
		host_each_in_list(present, count_cpu, &host->present_cpus);
}

/* Blocks of memory of a node that are there and not in use. */
static unsigned int offline_blocks(unsigned int node)
{
	char path[300], state[32];
	unsigned int nr = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), NODES "/node%u", node);
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "memory", 6) ||
		    !isdigit((unsigned char)entry->d_name[6]))
			continue;
		snprintf(path, sizeof(path), NODES "/node%u/%.32s/state", node, entry->d_name);
		nr += host_read_line(path, state, sizeof(state)) && !strcmp(state, "offline");
	}
	closedir(dir);
	return nr;
}

static void read_nodes(struct tdx_host *host)
{
	struct bitmask *cpus;
	int id, last;

	if (numa_available() < 0)
		return;
	last = numa_max_node();
	cpus = numa_allocate_cpumask();
	for (id = 0; id <= last && host->nr_nodes < TDX_MAX_NODES; id++) {
		struct tdx_node *node = &host->node[host->nr_nodes];

		node->bytes = numa_node_size64(id, NULL);
		if (node->bytes < 0)
			continue; /* numbers may have gaps */
		node->id = id;
		numa_bitmask_clearall(cpus);
		if (!numa_node_to_cpus(id, cpus))
			node->online_cpus = numa_bitmask_weight(cpus);
		node->offline_blocks = offline_blocks(id);
		host->nr_nodes++;
	}
	numa_bitmask_free(cpus);
}

/* "tdx 31" in a file of the misc controller; -1: none, or no limit. */
static long long misc_value(const char *folder, const char *name)
{
	char path[4400], line[128];

	snprintf(path, sizeof(path), CGROUPS "%s/%s", folder, name);
	if (!host_find_line(path, "tdx ", line, sizeof(line)) ||
	    !isdigit((unsigned char)line[strlen("tdx ")]))
		return -1;
	return strtoll(line + strlen("tdx "), NULL, 10);
}

static void read_keyids(struct tdx_host *host)
{
	char line[4200];

	host->keyids = misc_value("", "misc.capacity");
	host->keyids_used = misc_value("", "misc.current");
	host->cgroup_max = host->cgroup_used = -1;
	if (!host_find_line("/proc/self/cgroup", "0::/", line, sizeof(line)))
		return;
	host->cgroup_max = misc_value(line + strlen("0::"), "misc.max");
	host->cgroup_used = misc_value(line + strlen("0::"), "misc.current");
}

static void read_parameters(struct tdx_host *host)
{
	DIR *dir = opendir("/sys/module/kvm_intel");

	host->kvm_intel = dir;
	if (dir)
		closedir(dir);
	host->tdx = module_parameter("kvm_intel", "tdx");
	host->ept = module_parameter("kvm_intel", "ept");
	host->ept_ad = module_parameter("kvm_intel", "eptad");
	host->apicv = module_parameter("kvm_intel", "enable_apicv");
	host->tdp_mmu = module_parameter("kvm", "tdp_mmu");
	host->mmio_caching = module_parameter("kvm", "mmio_caching");
}

static void read_kvm(struct tdx_host *host)
{
	const char *path = kvm_device_path();
	int fd = open(path, O_RDWR | O_CLOEXEC);

	host->vm_types = -1;
	if (fd < 0) {
		snprintf(host->kvm_error, sizeof(host->kvm_error), "%s: %s", path, strerror(errno));
		return;
	}
	host->vm_types = ioctl(fd, KVM_CHECK_EXTENSION, (unsigned long)KVM_CAP_VM_TYPES);
	if (host->vm_types < 0)
		snprintf(host->kvm_error, sizeof(host->kvm_error),
			 "%s: KVM_CHECK_EXTENSION KVM_CAP_VM_TYPES: %s", path, strerror(errno));
	close(fd);
}

void tdx_host_read(struct tdx_host *host)
{
	memset(host, 0, sizeof(*host));
	read_cpuid(host);
	read_cpuinfo(host);
	read_cpus(host);
	kernel_log_read(&host->log);
	read_parameters(host);
	read_kvm(host);
	read_nodes(host);
	read_keyids(host);
}

void tdx_host_free(struct tdx_host *host)
{
	kernel_log_free(&host->log);
}
