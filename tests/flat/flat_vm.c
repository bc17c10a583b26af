// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boots one multiboot image (ELF, 32-bit) that is a test by itself, on one vCPU with an in-kernel
 * interrupt controller and timer, and passes on what it says and how it ends:
 *
 *   flat_vm IMAGE [ARGUMENT...]
 *
 * What such images expect of a machine, beside KVM's part: a serial port at 0x3f8, a port 0x510
 * that tells the size of memory and the number of CPUs (QEMU's firmware configuration), and a port
 * 0xf4 whose first write ends the run. Everything else reads as all ones.
 *
 * Exit: 0 the image wrote 0 to port 0xf4, 1 another value, or the image or KVM is of no use, 3 the
 * vCPU stopped before, 4 the image said that it skips (77) or there is no KVM, 2 bad usage.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "multiboot.h"
#include "test_assert.h"
#include "vm.h"

#define PORT_SERIAL 0x3f8
#define PORT_SERIAL_STATUS (PORT_SERIAL + 5)
#define SERIAL_IDLE 0x60
#define PORT_CONFIG 0x510
#define PORT_EXIT 0xf4

#define CONFIG_RAM_SIZE 0x03
#define CONFIG_NR_CPUS 0x05

#define EXIT_STATUS_SKIP 77
#define MEMORY (128ull << 20)

struct machine {
	struct vm *vm;
	struct vcpu *vcpu;
	u64 config; /* what is left of the value asked for */
	bool ended;
	u32 code;
};

static _Noreturn void refuse(const char *what, const char *why)
{
	fprintf(stderr, "flat_vm: %s: %s\n", what, why);
	exit(2);
}

/* What a boot loader hands on: the words, the image's name first. */
static const char *command_line(char **words)
{
	static char line[1024];
	size_t length = 0;

	for (; *words; words++) {
		if (length + strlen(*words) + 2 > sizeof(line))
			refuse(*words, "too many arguments");
		length += sprintf(line + length, "%s%s", length ? " " : "", *words);
	}
	return line;
}

static void make_machine(struct machine *m)
{
	struct kvm_pit_config pit = { 0 };
	int err;

	m->vm = vm_create_barebones();
	err = __vm_ioctl(m->vm, KVM_CREATE_IRQCHIP, NULL);
	TEST_ASSERT(!err, "KVM_CREATE_IRQCHIP: %s", strerror(err));
	err = __vm_ioctl(m->vm, KVM_CREATE_PIT2, &pit);
	TEST_ASSERT(!err, "KVM_CREATE_PIT2: %s", strerror(err));
	vm_mem_add(m->vm, 0, MEMORY, VM_ANY_NODE);
	m->vcpu = vm_vcpu_add(m->vm, 0);
}

static void ask_config(struct machine *m, u16 item)
{
	m->config = item == CONFIG_RAM_SIZE ? MEMORY : item == CONFIG_NR_CPUS ? 1 : 0;
}

static u32 read_port(struct machine *m, u16 port)
{
	u8 byte = m->config;

	if (port == PORT_SERIAL_STATUS)
		return SERIAL_IDLE;
	if (port == PORT_CONFIG + 1) {
		m->config >>= 8;
		return byte;
	}
	/* The line control register is read before it is written. */
	return port >= PORT_SERIAL && port < PORT_SERIAL + 8 ? 0 : ~0u;
}

static void write_port(struct machine *m, u16 port, u32 value)
{
	if (port == PORT_SERIAL) {
		if ((char)value != '\r')
			putchar((char)value);
		if ((char)value == '\n')
			fflush(stdout);
	} else if (port == PORT_CONFIG) {
		ask_config(m, value);
	} else if (port == PORT_EXIT) {
		m->ended = true;
		m->code = value;
	}
}

static void serve_io(struct machine *m)
{
	struct kvm_run *run = m->vcpu->run;
	u8 *data = (u8 *)run + run->io.data_offset;
	u32 value, i;

	for (i = 0; i < run->io.count && !m->ended; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_IN) {
			value = read_port(m, run->io.port);
			memcpy(data, &value, run->io.size);
			continue;
		}
		value = 0;
		memcpy(&value, data, run->io.size);
		write_port(m, run->io.port, value);
	}
}

/* Until the image ends its run; false if it cannot go on. */
static bool run_machine(struct machine *m)
{
	struct kvm_run *run = m->vcpu->run;

	while (!m->ended) {
		if (ioctl(m->vcpu->fd, KVM_RUN, NULL)) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			fprintf(stderr, "flat_vm: KVM_RUN: %s\n", strerror(errno));
			return false;
		}
		if (run->exit_reason == KVM_EXIT_IO) {
			serve_io(m);
		} else if (run->exit_reason == KVM_EXIT_MMIO) {
			if (!run->mmio.is_write)
				memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		} else if (run->exit_reason != KVM_EXIT_INTR) {
			fprintf(stderr, "flat_vm: exit %s\n", exit_reason_str(run->exit_reason));
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	struct machine m = { 0 };
	bool ended;

	if (argc < 2)
		refuse("usage", "flat_vm IMAGE [ARGUMENT...]");
	make_machine(&m);
	multiboot_enter(m.vcpu, MEMORY, multiboot_load(m.vm, MEMORY, argv[1]),
			command_line(argv + 1));
	ended = run_machine(&m);
	fflush(stdout);
	vm_free(m.vm);
	if (!ended)
		return 3;
	return !m.code ? 0 : m.code == EXIT_STATUS_SKIP ? 4 : 1;
}
