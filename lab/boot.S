/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Boot sector for emulators that cannot load a kernel themselves.  The BIOS would read a
 * kernel and its initramfs through INT 13h, which takes an emulated CPU most of a minute;
 * this reads them from the first ATA disk by programmed I/O in a second or two.
 *
 * The disk, made by emulator-bochs.sh, in sectors of 512 bytes:
 *   0      this
 *   1..8   header: sectors of the kernel image (u32), sectors and bytes of the initramfs
 *          (u32 each), command line (ends with a NUL)
 *   9..    kernel image (bzImage), initramfs
 *
 * Linux/x86 boot protocol, 32-bit entry: Documentation/arch/x86/boot.rst in the kernel.
 */
	.set HEADER, 0x7e00             /* right behind this sector */
	.set HEADER_SECTORS, 8
	.set BOOT_PARAMS, 0x10000       /* struct boot_params, one page */
	.set KERNEL, 0x1000000
	.set INITRAMFS, 0x10000000      /* far above what the kernel unpacks to */

	/* In struct boot_params and at the start of a bzImage. */
	.set E820_ENTRIES, 0x1e8
	.set SETUP_HEADER, 0x1f1        /* its first byte: sectors of real-mode code */
	.set VID_MODE, 0x1fa
	.set HEADER_END, 0x201          /* byte: setup header ends at 0x202 + this */
	.set TYPE_OF_LOADER, 0x210
	.set CODE32_START, 0x214
	.set RAMDISK_IMAGE, 0x218
	.set RAMDISK_SIZE, 0x21c
	.set CMD_LINE_PTR, 0x228
	.set E820_TABLE, 0x2d0
	.set E820_ENTRY_SIZE, 20
	.set NORMAL_VIDEO, 0xffff
	.set UNKNOWN_LOADER, 0xff

	/* A CMOS byte nobody uses: survives a reset, is zero at power-on. */
	.set CMOS_INDEX, 0x7f
	.set CMOS_BOOTED, 0x4b
	.set CMOS_PORT, 0x70
	.set SHUTDOWN_PORT, 0x8900      /* Bochs ends when "Shutdown" is written here */
	.set A20_PORT, 0x92

	.set ATA, 0x1f0
	.set ATA_READ_SECTORS, 0x20
	.set ATA_LBA_MASTER, 0xe0
	.set ATA_BUSY_DRQ, 0x88
	.set ATA_DRQ, 0x08

	.code16
	.globl _start
_start:
	cli
	ljmp	$0, $1f
1:	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$_start, %sp

	/* Here for the second time: the guest was reset.  One boot is one run. */
	movb	$CMOS_INDEX, %al
	outb	%al, $CMOS_PORT
	inb	$CMOS_PORT + 1, %al
	cmpb	$CMOS_BOOTED, %al
	je	shut_down
	movb	$CMOS_INDEX, %al
	outb	%al, $CMOS_PORT
	movb	$CMOS_BOOTED, %al
	outb	%al, $CMOS_PORT + 1

	movw	$BOOT_PARAMS >> 4, %ax
	movw	%ax, %es
	xorl	%eax, %eax
	xorw	%di, %di
	movw	$4096 / 4, %cx
	cld
	rep stosl

	/* The BIOS knows the memory map. */
	movw	$E820_TABLE, %di
	xorl	%ebx, %ebx
2:	movl	$0xe820, %eax
	movl	$0x534d4150, %edx       /* "SMAP" */
	movl	$E820_ENTRY_SIZE, %ecx
	int	$0x15
	jc	3f
	addw	$E820_ENTRY_SIZE, %di
	incb	%es:E820_ENTRIES
	testl	%ebx, %ebx
	jnz	2b
3:	cli
	inb	$A20_PORT, %al
	orb	$2, %al
	outb	%al, $A20_PORT
	lgdt	gdt_pointer
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmp	$0x10, $4f

shut_down:
	movw	$shutdown, %si
	movw	$SHUTDOWN_PORT, %dx
	movw	$8, %cx
	rep outsb
	hlt
shutdown:
	.ascii	"Shutdown"

	.code32
4:	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss

	movl	$1, %ebp
	movl	$HEADER_SECTORS, %ebx
	movl	$HEADER, %edi
	call	read_sectors
	movl	HEADER, %ebx
	movl	$KERNEL, %edi
	call	read_sectors
	movl	HEADER + 4, %ebx
	movl	$INITRAMFS, %edi
	call	read_sectors

	movl	$KERNEL, %esi
	movzbl	HEADER_END(%esi), %ecx
	addl	$0x202 - SETUP_HEADER, %ecx
	movzbl	SETUP_HEADER(%esi), %edx
	incl	%edx
	shll	$9, %edx
	addl	%esi, %edx              /* where protected-mode code begins */
	addl	$SETUP_HEADER, %esi
	movl	$BOOT_PARAMS + SETUP_HEADER, %edi
	rep movsb
	movl	$BOOT_PARAMS, %esi
	movw	$NORMAL_VIDEO, VID_MODE(%esi)
	movb	$UNKNOWN_LOADER, TYPE_OF_LOADER(%esi)
	movl	%edx, CODE32_START(%esi)
	movl	$INITRAMFS, RAMDISK_IMAGE(%esi)
	movl	HEADER + 8, %eax
	movl	%eax, RAMDISK_SIZE(%esi)
	movl	$HEADER + 12, CMD_LINE_PTR(%esi)
	xorl	%ebx, %ebx
	xorl	%ebp, %ebp
	xorl	%edi, %edi
	jmp	*%edx                   /* esi = boot_params */

	/* Reads ebx sectors from sector ebp on to edi; moves ebp and edi past them. */
read_sectors:
	movw	$ATA + 2, %dx
	movb	$1, %al                 /* one sector */
	outb	%al, %dx
	movl	%ebp, %eax              /* sector number: 8 bits to each of three ports... */
	incw	%dx
	outb	%al, %dx
	shrl	$8, %eax
	incw	%dx
	outb	%al, %dx
	shrl	$8, %eax
	incw	%dx
	outb	%al, %dx
	shrl	$8, %eax
	orb	$ATA_LBA_MASTER, %al    /* ...and 4 here */
	incw	%dx
	outb	%al, %dx
	incw	%dx
	movb	$ATA_READ_SECTORS, %al
	outb	%al, %dx
1:	inb	%dx, %al
	andb	$ATA_BUSY_DRQ, %al
	cmpb	$ATA_DRQ, %al
	jne	1b
	movl	$512 / 2, %ecx
	movw	$ATA, %dx
	rep insw
	incl	%ebp
	decl	%ebx
	jnz	read_sectors
	ret

	.balign	8
gdt:	.quad	0, 0
	.quad	0x00cf9b000000ffff      /* 0x10: flat code, as the boot protocol asks */
	.quad	0x00cf93000000ffff      /* 0x18: flat data */
gdt_pointer:
	.word	4 * 8 - 1
	.long	gdt

	.org	510
	.word	0xaa55
