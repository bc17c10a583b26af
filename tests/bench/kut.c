// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boots an ELF file of kvm-unit-tests (tests/flat/multiboot.h), with a local APIC and what else it looks for: a serial port, QEMU's
 * configuration port (docs/specs/fw_cfg in QEMU: how many CPUs) and its exit port.
 *
 * Its `access` puts out a dot for every 65536 checks.  A check that fails puts out lines of text, each
 * character two exits, and on an emulated CPU a quarter of them fail: in guest memory the function
 * that does so is replaced by one that only notes the failure.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../flat/multiboot.h"
#include "kut.h"
#include "test_assert.h"
#include "vm.h"

#define RAM_SIZE 0x10000000ull
#define SERIAL 0x3f8
#define SERIAL_STATUS (SERIAL + 5)
#define SERIAL_READY 0x20
#define CONFIG_SELECT 0x510
#define CONFIG_DATA 0x511
#define CONFIG_NR_CPUS 5
#define EXIT_PORT 0xf4
#define REPORTER "ac_test_check"

struct kut {
	struct vm *vm;
	struct vcpu *vcpu;
	u16 selected;        /* key of the configuration port */
	u32 offset;          /* of its next byte */
	bool dot;            /* one has come */
	double at_most;      /* CPU time of this thread */
	bool over;
	char why[128];
};

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void port_in(struct kut *m, u16 port, u8 *data)
{
	*data = 0;
	if (port == SERIAL_STATUS)
		*data = SERIAL_READY;
	else if (port == CONFIG_DATA)
		*data = m->selected == CONFIG_NR_CPUS && !m->offset++;
}

static void port_out(struct kut *m, u16 port, const u8 *data)
{
	if (port == SERIAL) {
		m->dot |= *data == '.';
	} else if (port == CONFIG_SELECT) {
		memcpy(&m->selected, data, sizeof(m->selected));
		m->offset = 0;
	} else if (port == EXIT_PORT) {
		m->over = true;
	}
}

/* A device that is not there reads as 0. */
static bool serve(void *context, u32 exit)
{
	struct kut *m = context;
	struct kvm_run *run = m->vcpu->run;
	u8 *data = (u8 *)run + run->io.data_offset;
	double cpu = now(CLOCK_THREAD_CPUTIME_ID);
	u32 i;

	if (exit == KVM_EXIT_MMIO) {
		memset(run->mmio.data, 0, sizeof(run->mmio.data));
	} else if (exit == KVM_EXIT_IO) {
		memset(data, 0, run->io.direction == KVM_EXIT_IO_IN ? run->io.size * run->io.count : 0);
		for (i = 0; i < run->io.count; i++, data += run->io.size)
			if (run->io.direction == KVM_EXIT_IO_IN)
				port_in(m, run->io.port, data);
			else
				port_out(m, run->io.port, data);
	} else {
		return false;
	}
	return !m->over && !m->dot && cpu < m->at_most;
}

/* A part of the file, which the caller frees. */
static void *read_part(FILE *file, const char *path, u64 offset, u64 size)
{
	void *part = calloc(1, size + 1);

	TEST_ASSERT(part && size < RAM_SIZE && !fseek(file, offset, SEEK_SET) &&
		    fread(part, 1, size, file) == size, "%s is cut short", path);
	return part;
}

/* What is called as (test, bool *success, bool failed, text...) notes failures without text. */
static void silence(struct vm *vm, const char *path)
{
	/* test %dl, %dl; jz 1f; movb $0, (%rsi); 1: ret */
	static const u8 note_only[] = { 0x84, 0xd2, 0x74, 0x03, 0xc6, 0x06, 0x00, 0xc3 };
	FILE *file = fopen(path, "r");
	Elf32_Shdr *sections;
	Elf32_Ehdr head;
	u32 i, k, found = 0;

	TEST_ASSERT(file && fread(&head, sizeof(head), 1, file) == 1, "%s: no ELF file", path);
	sections = read_part(file, path, head.e_shoff, head.e_shnum * sizeof(*sections));

	for (i = 0; i < head.e_shnum; i++) {
		const Elf32_Shdr *s = &sections[i];
		Elf32_Sym *symbols;
		char *names;

		if (s->sh_type != SHT_SYMTAB || s->sh_link >= head.e_shnum)
			continue;
		symbols = read_part(file, path, s->sh_offset, s->sh_size);
		names = read_part(file, path, sections[s->sh_link].sh_offset,
				  sections[s->sh_link].sh_size);
		for (k = 0; k < s->sh_size / sizeof(*symbols); k++)
			if (symbols[k].st_name < sections[s->sh_link].sh_size &&
			    !strcmp(names + symbols[k].st_name, REPORTER) &&
			    symbols[k].st_value < RAM_SIZE - sizeof(note_only)) {
				memcpy(vm_gpa2hva(vm, symbols[k].st_value), note_only,
				       sizeof(note_only));
				found++;
			}
		free(names);
		free(symbols);
	}
	free(sections);
	fclose(file);
	/* Its lines would make it slow, and the ratio to it too good. */
	TEST_ASSERT(found == 1, "%s: %u functions named " REPORTER ", not 1", path, found);
}

struct kut *kut_start(const char *path)
{
	struct kut *m = calloc(1, sizeof(*m));
	int error;

	TEST_ASSERT(m, "out of memory");
	m->vm = vm_create_barebones();
	error = __vm_ioctl(m->vm, KVM_CREATE_IRQCHIP, NULL);
	TEST_REQUIRE(!error, "KVM_CREATE_IRQCHIP: %s", strerror(error));
	vm_mem_add(m->vm, 0, RAM_SIZE, VM_ANY_NODE);
	m->vcpu = vm_vcpu_add(m->vm, 0);
	multiboot_enter(m->vcpu, RAM_SIZE, multiboot_load(m->vm, RAM_SIZE, path), "access");
	silence(m->vm, path);
	return m;
}

double kut_next_dot(struct kut *m, unsigned int at_most)
{
	const double start = now(CLOCK_MONOTONIC);
	int error = 0;
	u32 exit;

	m->at_most = now(CLOCK_THREAD_CPUTIME_ID) + at_most;
	m->dot = false;
	exit = vcpu_run_answering(m->vcpu, at_most * 1000, &error, serve, m);
	if (m->dot)
		return now(CLOCK_MONOTONIC) - start;
	snprintf(m->why, sizeof(m->why), "no dot for another %u checks, exit %s", KUT_CHECKS_PER_DOT,
		 m->over ? "of its own" : exit_reason_str(exit));
	return 0;
}

const char *kut_why(const struct kut *m)
{
	return m->why;
}

void kut_free(struct kut *m)
{
	vm_free(m->vm);
	free(m);
}
