// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the host card.  Facts are read where they are: module parameters from
 * sysfs, what a guest can be offered from KVM itself.  None is concluded from
 * the name of a backend.
 */
#include <ctype.h>
#include <cpuid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host.h"
#include "host_file.h"

#ifndef KVM_CAP_VM_TYPES
#define KVM_CAP_VM_TYPES 235
#endif
#define VM_TYPE_TDX 5 /* KVM_X86_TDX_VM; older headers lack it */

#define MODULES "/sys/module"
#define NODES "/sys/devices/system/node"
#define MAX_CPUID_ENTRIES 256
#define MAX_BACKENDS 8

const char *kvm_device_path(void)
{
	const char *path = getenv("KVM_DEVICE");

	return path && *path ? path : "/dev/kvm";
}

/* snprintf() whose truncation is meant: a card's field is as long as it is. */
static void set_text(char *field, size_t size, const char *fmt, ...)
	__printf(3, 4);

static void set_text(char *field, size_t size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(field, size, fmt, args);
	va_end(args);
}

/* Module parameters read Y/N when they are bool and a number when they are int. */
enum tristate module_parameter(const char *module, const char *parameter)
{
	char path[256], value[32];

	set_text(path, sizeof(path), MODULES "/%s/parameters/%s", module, parameter);
	if (!host_read_line(path, value, sizeof(value)))
		return UNKNOWN;
	if (value[0] == 'Y')
		return YES;
	if (value[0] == 'N')
		return NO;
	if (value[0] == '-' || !isdigit((unsigned char)value[0]))
		return UNKNOWN; /* -1 is "the kernel decides" */
	return atoi(value) ? YES : NO;
}

static void read_cpu(struct host_card *card)
{
	unsigned int a, b, c, d, leaf;
	char text[49] = "";

	if (__get_cpuid(0, &a, &b, &c, &d)) {
		memcpy(text, &b, 4);
		memcpy(text + 4, &d, 4);
		memcpy(text + 8, &c, 4);
		text[12] = '\0';
		set_text(card->cpu_vendor, sizeof(card->cpu_vendor), "%s", text);
	}
	if (__get_cpuid_max(0x80000000, NULL) < 0x80000004)
		return;
	memset(text, 0, sizeof(text));
	for (leaf = 0; leaf < 3; leaf++) {
		__cpuid(0x80000002 + leaf, a, b, c, d);
		memcpy(text + 16 * leaf, &a, 4);
		memcpy(text + 16 * leaf + 4, &b, 4);
		memcpy(text + 16 * leaf + 8, &c, 4);
		memcpy(text + 16 * leaf + 12, &d, 4);
	}
	set_text(card->cpu_model, sizeof(card->cpu_model), "%s", text + strspn(text, " "));
}

/* The hypervisor leaf says what runs this host; names used by known issues. */
static void read_hypervisor(struct host_card *card)
{
	unsigned int a, b, c, d;
	char signature[13];
	int i;

	if (!__get_cpuid(1, &a, &b, &c, &d))
		return;
	if (!(c & (1U << 31))) {
		set_text(card->emulator, sizeof(card->emulator), "none");
		return;
	}
	__cpuid(0x40000000, a, b, c, d);
	memcpy(signature, &b, 4);
	memcpy(signature + 4, &c, 4);
	memcpy(signature + 8, &d, 4);
	signature[12] = '\0';
	for (i = 0; signature[i]; i++)
		if (!isprint((unsigned char)signature[i]))
			signature[i] = '?';
	if (!strcmp(signature, "TCGTCGTCGTCG"))
		set_text(card->emulator, sizeof(card->emulator), "qemu-tcg");
	else if (!strcmp(signature, "KVMKVMKVM"))
		set_text(card->emulator, sizeof(card->emulator), "kvm");
	else
		set_text(card->emulator, sizeof(card->emulator), "%s",
			 signature[0] ? signature : "unnamed");
}

/*
 * The lab says on the kernel command line which emulator it is, with the version
 * that no CPUID leaf tells: lab.emulator=<name>-<version>.
 */
static void read_lab_emulator(struct host_card *card)
{
	char line[4096], *word, *state, *dash;

	if (!host_read_line("/proc/cmdline", line, sizeof(line)))
		return;
	for (word = strtok_r(line, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		if (strncmp(word, "lab.emulator=", strlen("lab.emulator=")))
			continue;
		word += strlen("lab.emulator=");
		/* Names contain dashes: the version begins at the first that a digit follows. */
		for (dash = strchr(word, '-'); dash; dash = strchr(dash + 1, '-'))
			if (isdigit((unsigned char)dash[1]))
				break;
		if (dash) {
			*dash = '\0';
			set_text(card->emulator_version, sizeof(card->emulator_version), "%s",
				 dash + 1);
		}
		if (*word)
			set_text(card->emulator, sizeof(card->emulator), "%s", word);
		return;
	}
}

/* Collects the entries of a folder that look like vendor modules of KVM. */
static int list_backends(const char *folder, char names[][32])
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int nr = 0;

	if (!dir)
		return 0;
	while (nr < MAX_BACKENDS && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "kvm_", 4))
			set_text(names[nr++], 32, "%s", entry->d_name);
	closedir(dir);
	return nr;
}

/* Built into one kernel, only the vendor module whose CPU this is registers with KVM. */
static bool backend_possible(const char *name)
{
	unsigned int a, b, c, d;

	if (!strcmp(name, "kvm_intel"))
		return __get_cpuid(1, &a, &b, &c, &d) && (c & (1U << 5));
	if (!strcmp(name, "kvm_amd"))
		return __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & (1U << 2));
	return true;
}

/*
 * A loaded vendor module holds module kvm.  Built-in ones hold nothing: then the
 * candidates are all of them that this CPU allows.  If that leaves several, their
 * joined names are the answer, which no known issue's predicate matches.
 */
static void read_backend(struct host_card *card)
{
	char names[MAX_BACKENDS][32], joined[MAX_BACKENDS * 33] = "";
	bool one_possible = false;
	int nr, i;

	nr = list_backends(MODULES "/kvm/holders", names);
	if (nr != 1) {
		if (!nr)
			nr = list_backends(MODULES, names);
		for (i = 0; i < nr; i++)
			one_possible |= backend_possible(names[i]);
	}
	for (i = 0; i < nr; i++) {
		if (one_possible && !backend_possible(names[i]))
			continue;
		if (joined[0])
			strcat(joined, "+");
		strcat(joined, names[i]);
	}
	if (joined[0])
		set_text(card->backend, sizeof(card->backend), "%s", joined);
}

static void read_parameters(struct host_card *card)
{
	card->fep = module_parameter("kvm", "force_emulation_prefix");
	card->tdp_mmu = module_parameter("kvm", "tdp_mmu");
	card->nested = module_parameter(card->backend, "nested");
	card->tdp = module_parameter(card->backend, "npt");
	if (card->tdp == UNKNOWN)
		card->tdp = module_parameter(card->backend, "ept");
}

static void read_machine(struct host_card *card)
{
	struct dirent *entry;
	struct utsname name;
	DIR *dir;
	long nr;

	if (!uname(&name)) {
		set_text(card->kernel, sizeof(card->kernel), "%s", name.release);
		set_text(card->kernel_version, sizeof(card->kernel_version), "%s", name.version);
	}
	nr = sysconf(_SC_NPROCESSORS_ONLN);
	card->cpus = nr > 0 ? nr : -1;

	dir = opendir(NODES);
	if (dir) {
		card->numa_nodes = 0;
		while ((entry = readdir(dir)))
			if (!strncmp(entry->d_name, "node", 4) &&
			    isdigit((unsigned char)entry->d_name[4]))
				card->numa_nodes++;
		closedir(dir);
	} else if (!access("/sys/devices/system/cpu", F_OK)) {
		card->numa_nodes = 1; /* a kernel built without NUMA */
	}
}

static const struct kvm_cpuid_entry2 *find_leaf(const struct kvm_cpuid2 *cpuid, u32 function)
{
	u32 i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == function && !cpuid->entries[i].index)
			return &cpuid->entries[i];
	return NULL;
}

/* A leaf that KVM does not list is all zero for the guest: the feature is not there. */
static enum tristate has_bit(u32 word, int bit)
{
	return word >> bit & 1 ? YES : NO;
}

static void read_supported_cpuid(struct host_card *card, int kvm)
{
	static const struct kvm_cpuid_entry2 absent;
	const struct kvm_cpuid_entry2 *leaf1, *leaf7, *ext1, *ext8;
	struct kvm_cpuid2 *cpuid;

	cpuid = calloc(1, sizeof(*cpuid) + MAX_CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return;
	cpuid->nent = MAX_CPUID_ENTRIES;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) < 0)
		goto out;
	leaf1 = find_leaf(cpuid, 1) ?: &absent;
	leaf7 = find_leaf(cpuid, 7) ?: &absent;
	ext1 = find_leaf(cpuid, 0x80000001) ?: &absent;
	ext8 = find_leaf(cpuid, 0x80000008) ?: &absent;

	card->pse36 = has_bit(leaf1->edx, 17);
	card->smep = has_bit(leaf7->ebx, 7);
	card->smap = has_bit(leaf7->ebx, 20);
	card->pku = has_bit(leaf7->ecx, 3);
	card->la57 = has_bit(leaf7->ecx, 16);
	card->nx = has_bit(ext1->edx, 20);
	card->gbpages = has_bit(ext1->edx, 26);
	card->lm = has_bit(ext1->edx, 29);
	if (ext8 != &absent && (ext8->eax & 0xff))
		card->maxphyaddr = ext8->eax & 0xff;
	/* A backend without the parameter still says what it offers: VMX or SVM. */
	if (card->nested == UNKNOWN)
		card->nested = leaf1->ecx & (1U << 5) || ext1->ecx & (1U << 2) ? YES : NO;
out:
	free(cpuid);
}

static void explain_open(char *text, size_t size, const char *path, int error)
{
	switch (error) {
	case ENOENT:
		set_text(text, size,
			 "%s does not exist: load kvm and its vendor module, or enable virtualization",
			 path);
		break;
	case EACCES:
	case EPERM:
		set_text(text, size,
			 "no permission to open %s: add yourself to group kvm or run as root", path);
		break;
	case ENODEV:
	case ENXIO:
		set_text(text, size, "%s has no driver behind it: load kvm and its vendor module",
			 path);
		break;
	default:
		set_text(text, size, "cannot open %s: %s", path, strerror(error));
	}
}

static void read_kvm(struct host_card *card)
{
	const char *path = kvm_device_path();
	char *error = card->kvm_error;
	size_t size = sizeof(card->kvm_error);
	int kvm, vm, version, types, smaller;

	kvm = open(path, O_RDWR | O_CLOEXEC);
	if (kvm < 0) {
		explain_open(error, size, path, errno);
		return;
	}
	version = ioctl(kvm, KVM_GET_API_VERSION, 0UL);
	if (version < 0) {
		set_text(error, size, "%s is not KVM: KVM_GET_API_VERSION: %s", path,
			 strerror(errno));
		goto out;
	}
	if (version != KVM_API_VERSION) {
		set_text(error, size, "%s speaks KVM API version %d, not %d", path, version,
			 KVM_API_VERSION);
		goto out;
	}
	read_supported_cpuid(card, kvm);
	smaller = ioctl(kvm, KVM_CHECK_EXTENSION, (unsigned long)KVM_CAP_SMALLER_MAXPHYADDR);
	if (smaller >= 0)
		card->smaller_maxphyaddr = smaller ? YES : NO;
	types = ioctl(kvm, KVM_CHECK_EXTENSION, (unsigned long)KVM_CAP_VM_TYPES);
	if (types >= 0)
		card->tdx = has_bit(types, VM_TYPE_TDX);
	/* The first thing a vendor module, or an outer hypervisor, can refuse. */
	do {
		vm = ioctl(kvm, KVM_CREATE_VM, 0UL);
	} while (vm < 0 && errno == EINTR);
	if (vm < 0)
		set_text(error, size, "%s refuses to create a VM: KVM_CREATE_VM: %s", path,
			 strerror(errno));
	else
		close(vm);
out:
	close(kvm);
}

void host_card_read(struct host_card *card)
{
	memset(card, 0, sizeof(*card));
	set_text(card->kernel, sizeof(card->kernel), "unknown");
	set_text(card->kernel_version, sizeof(card->kernel_version), "unknown");
	set_text(card->cpu_vendor, sizeof(card->cpu_vendor), "unknown");
	set_text(card->cpu_model, sizeof(card->cpu_model), "unknown");
	set_text(card->backend, sizeof(card->backend), "unknown");
	set_text(card->emulator, sizeof(card->emulator), "unknown");
	set_text(card->emulator_version, sizeof(card->emulator_version), "unknown");
	card->tdp = card->nested = card->fep = card->tdp_mmu = card->tdx = UNKNOWN;
	card->smaller_maxphyaddr = UNKNOWN;
	card->nx = card->gbpages = card->pse36 = card->smep = UNKNOWN;
	card->smap = card->pku = card->la57 = card->lm = UNKNOWN;
	card->maxphyaddr = card->numa_nodes = card->cpus = -1;

	read_machine(card);
	read_cpu(card);
	read_hypervisor(card);
	read_lab_emulator(card);
	read_backend(card);
	read_parameters(card);
	read_kvm(card);
}
