// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "multiboot.h"
#include "test_assert.h"
#include "x86.h"

#define BOOT_INFO 0x9000
#define COMMAND_LINE 0x9100
#define COMMAND_LINE_SIZE 0xf00
#define MULTIBOOT_MAGIC 0x2badb002
#define HAS_MEMORY 1u
#define HAS_COMMAND_LINE 4u

struct boot_info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline;
};

u32 multiboot_load(struct vm *vm, u64 ram, const char *path)
{
	FILE *file = fopen(path, "r");
	Elf32_Ehdr head;
	Elf32_Phdr part;
	u32 i;

	TEST_ASSERT(file && fread(&head, sizeof(head), 1, file) == 1 &&
		    !memcmp(head.e_ident, ELFMAG, SELFMAG) && head.e_ident[EI_CLASS] == ELFCLASS32,
		    "%s: no 32-bit ELF file", path);
	for (i = 0; i < head.e_phnum; i++) {
		TEST_ASSERT(!fseek(file, head.e_phoff + i * sizeof(part), SEEK_SET) &&
			    fread(&part, sizeof(part), 1, file) == 1 && part.p_memsz < ram &&
			    part.p_filesz <= part.p_memsz && part.p_paddr < ram - part.p_memsz,
			    "%s: segment %u", path, i);
		if (part.p_type != PT_LOAD)
			continue;
		TEST_ASSERT(!fseek(file, part.p_offset, SEEK_SET) &&
			    fread(vm_gpa2hva(vm, part.p_paddr), 1, part.p_filesz, file) ==
				    part.p_filesz, "%s: segment %u is cut short", path, i);
	}
	fclose(file);
	return head.e_entry;
}

void multiboot_enter(struct vcpu *vcpu, u64 ram, u32 entry, const char *command_line)
{
	const struct boot_info info = {
		.flags = HAS_MEMORY | HAS_COMMAND_LINE,
		.mem_lower = 640,
		.mem_upper = (ram >> 10) - 1024,
		.cmdline = COMMAND_LINE,
	};
	const struct kvm_segment data = { .limit = 0xffffffff, .selector = 0x10, .type = 3, .present = 1,
					  .db = 1, .s = 1, .g = 1 };
	struct kvm_regs regs = { .rip = entry, .rax = MULTIBOOT_MAGIC, .rbx = BOOT_INFO,
				 .rflags = X86_EFLAGS_FIXED };
	struct kvm_sregs sregs;

	TEST_ASSERT(strlen(command_line) < COMMAND_LINE_SIZE, "too many arguments");
	memcpy(vm_gpa2hva(vcpu->vm, BOOT_INFO), &info, sizeof(info));
	strcpy(vm_gpa2hva(vcpu->vm, COMMAND_LINE), command_line);
	vcpu_sregs_get(vcpu, &sregs);
	sregs.cr0 |= X86_CR0_PE;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = sregs.cs = data;
	sregs.cs.selector = 0x08;
	sregs.cs.type = 11;
	vcpu_sregs_set(vcpu, &sregs);
	vcpu_regs_set(vcpu, &regs);
}
