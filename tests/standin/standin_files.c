// SPDX-License-Identifier: GPL-2.0-only
/* Files, CPUID and nodes of the host that is played, and what is left open at the end. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <numa.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host_file.h"
#include "standin.h"

struct standin_object standin_objects[STANDIN_MAX_FD];

int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
int __real_ioctl(int fd, unsigned long request, ...);
ssize_t __real_pread(int fd, void *buffer, size_t size, off_t offset);
void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t size);
FILE *__real_fopen(const char *path, const char *mode);
DIR *__real_opendir(const char *path);

int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, ...);
ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t size);
FILE *__wrap_fopen(const char *path, const char *mode);
DIR *__wrap_opendir(const char *path);
struct host_cpuid __wrap_host_cpuid(u32 leaf, u32 subleaf);
int __wrap_numa_available(void);
int __wrap_numa_max_node(void);
long long __wrap_numa_node_size64(int node, long long *free_bytes);
int __wrap_numa_node_to_cpus(int node, struct bitmask *mask);
long __wrap_set_mempolicy(int mode, const unsigned long *nodes, unsigned long max);

const char *standin_setting(const char *name, char *value, size_t size)
{
	const char *at = getenv("STANDIN") ?: "";
	size_t len = strlen(name);

	for (; *at; at += strcspn(at, " "), at += strspn(at, " "))
		if (!strncmp(at, name, len) && at[len] == '=') {
			snprintf(value, size, "%.*s", (int)strcspn(at + len + 1, " "),
				 at + len + 1);
			return value;
		}
	return NULL;
}

u64 standin_number(const char *name, u64 otherwise)
{
	char value[32];

	return standin_setting(name, value, sizeof(value)) ? strtoull(value, NULL, 0) : otherwise;
}

bool standin_deviates(const char *name)
{
	char value[64];

	return standin_setting("deviation", value, sizeof(value)) && !strcmp(value, name);
}

void standin_only_reads(const char *what)
{
	if (!standin_number("reads", 0))
		return;
	fprintf(stderr, "standin: %s\n", what);
	fflush(stdout);
	_exit(98);
}

static bool played(const char *path)
{
	static const char *const begins[] = { "/sys/",         "/proc/cpuinfo",
					      "/proc/cmdline", "/proc/self/cgroup",
					      "/dev/kmsg",     "/dev/cpu/" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(begins); i++)
		if (!strncmp(path, begins[i], strlen(begins[i])))
			return true;
	return false;
}

static const char *at_root(const char *path, char *text, size_t size)
{
	const char *root = getenv("STANDIN_ROOT");

	if (!root || !played(path))
		return path;
	snprintf(text, size, "%s%s", root, path);
	return text;
}

int standin_open(enum standin_kind kind)
{
	int fd = __real_open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd >= STANDIN_MAX_FD) {
		__real_close(fd);
		errno = EMFILE;
		return -1;
	}
	if (fd >= 0) {
		memset(&standin_objects[fd], 0, sizeof(standin_objects[fd]));
		standin_objects[fd].kind = kind;
	}
	return fd;
}

int __wrap_open(const char *path, int flags, ...)
{
	char text[4096];
	va_list args;
	int mode, fd;

	va_start(args, flags);
	mode = va_arg(args, int);
	va_end(args);
	if (!strcmp(path, "/dev/kvm")) {
		errno = standin_number("no_kvm", 0);
		return errno ? -1 : standin_open(STANDIN_KVM);
	}
	if (played(path) && (flags & O_ACCMODE) != O_RDONLY)
		standin_only_reads(path);
	fd = __real_open(at_root(path, text, sizeof(text)), flags, mode);
	if (fd >= 0 && fd < STANDIN_MAX_FD && !strncmp(path, "/dev/cpu/", 9))
		standin_objects[fd].kind = STANDIN_MSR;
	return fd;
}

int __wrap_close(int fd)
{
	if (fd >= 0 && fd < STANDIN_MAX_FD)
		standin_objects[fd].kind = STANDIN_NONE;
	return __real_close(fd);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (fd < 0 || fd >= STANDIN_MAX_FD || standin_objects[fd].kind == STANDIN_NONE)
		return __real_ioctl(fd, request, arg);
	return standin_ioctl(fd, request, arg);
}

/* The file of an MSR device has lines "number value"; others are EIO, as on a CPU without them. */
ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset)
{
	unsigned long long number, value;
	char text[4096], *line;
	ssize_t n;

	if (fd < 0 || fd >= STANDIN_MAX_FD || standin_objects[fd].kind != STANDIN_MSR)
		return __real_pread(fd, buffer, size, offset);
	n = __real_pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (sscanf(line, "%llx %llx", &number, &value) == 2 && number == (u64)offset) {
			memcpy(buffer, &value, size);
			return size;
		}
	errno = EIO;
	return -1;
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	bool vcpu = fd >= 0 && fd < STANDIN_MAX_FD && standin_objects[fd].kind == STANDIN_VCPU;
	void *p;

	if (!vcpu)
		return __real_mmap(at, size, protection, flags, fd, offset);
	p = __real_mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	standin_objects[fd].run = p;
	return p;
}

int __wrap_munmap(void *at, size_t size)
{
	int fd;

	for (fd = 0; fd < STANDIN_MAX_FD; fd++)
		if (standin_objects[fd].run == at)
			standin_objects[fd].run = NULL;
	return __real_munmap(at, size);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	char text[4096];

	if (played(path) && mode[0] != 'r')
		standin_only_reads(path);
	return __real_fopen(at_root(path, text, sizeof(text)), mode);
}

DIR *__wrap_opendir(const char *path)
{
	char text[4096];

	return __real_opendir(at_root(path, text, sizeof(text)));
}

/* Lines "leaf subleaf eax ebx ecx edx", all hexadecimal. */
struct host_cpuid __wrap_host_cpuid(u32 leaf, u32 subleaf)
{
	struct host_cpuid c = {};
	char text[4096];
	u32 l, s;
	FILE *file;

	snprintf(text, sizeof(text), "%s/played/cpuid", getenv("STANDIN_ROOT") ?: "");
	file = __real_fopen(text, "r");
	while (file && fgets(text, sizeof(text), file))
		if (sscanf(text, "%x %x %x %x %x %x", &l, &s, &c.eax, &c.ebx, &c.ecx, &c.edx) ==
			    6 &&
		    l == leaf && s == subleaf)
			break;
		else
			memset(&c, 0, sizeof(c));
	if (file)
		fclose(file);
	return c;
}

/* libnuma reads /sys by itself, but not through us where it is a shared library. */
#define NODE "/sys/devices/system/node/node%d/"

int __wrap_numa_available(void)
{
	return 0;
}

int __wrap_numa_max_node(void)
{
	return 7;
}

/* A file "bytes", for brevity. */
long long __wrap_numa_node_size64(int node, long long *free_bytes)
{
	char path[128], line[64];

	(void)free_bytes;
	snprintf(path, sizeof(path), NODE "bytes", node);
	return host_read_line(path, line, sizeof(line)) ? atoll(line) : -1;
}

static void set_bit(void *mask, unsigned int cpu)
{
	numa_bitmask_setbit(mask, cpu);
}

int __wrap_numa_node_to_cpus(int node, struct bitmask *mask)
{
	char path[128], line[256];

	snprintf(path, sizeof(path), NODE "cpulist", node);
	if (!host_read_line(path, line, sizeof(line)))
		return -1;
	host_each_in_list(line, set_bit, mask);
	return 0;
}

unsigned long standin_policy;

long __wrap_set_mempolicy(int mode, const unsigned long *nodes, unsigned long max)
{
	(void)mode;
	(void)max;
	standin_policy = nodes ? *nodes : 0;
	return 0;
}

/* Nothing that KVM has handed out may be left when the test ends. */
__attribute__((destructor)) static void look_for_leaks(void)
{
	static const char *const names[] = { "", "KVM", "VM", "vCPU", "guest_memfd", "MSR" };
	int fd, left = 0;

	for (fd = 0; fd < STANDIN_MAX_FD; fd++) {
		const struct standin_object *o = &standin_objects[fd];

		if (o->kind)
			fprintf(stderr, "standin: left open: %s, fd %d\n", names[o->kind], fd);
		if (o->run)
			fprintf(stderr, "standin: left mapped: vCPU, fd %d\n", fd);
		left += o->kind || o->run;
	}
	if (!left)
		return;
	fflush(stdout);
	_exit(99);
}
