/* SPDX-License-Identifier: GPL-2.0-only */
/* Starting a 32-bit ELF image as a boot loader does that follows the Multiboot specification 0.6.96. */
#ifndef KMC_FLAT_MULTIBOOT_H
#define KMC_FLAT_MULTIBOOT_H

#include "vm.h"

/*
 * The image's loadable segments to where they want to be, in a VM with ram bytes of memory from
 * 0; returns its entry. Ends the scope where the file is no such image or does not fit.
 */
u32 multiboot_load(struct vm *vm, u64 ram, const char *path);

/*
 * Boot information with that command line (3.3), and registers (3.2): protected mode, flat segments,
 * no paging, interrupts off. Below 64 KByte, where no image is.
 */
void multiboot_enter(struct vcpu *vcpu, u64 ram, u32 entry, const char *command_line);

#endif
