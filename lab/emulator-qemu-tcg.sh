# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Back end: QEMU's own translator (TCG), which emulates SVM and nested paging.
#
# A back end says which devices its guest has and how it is started; run.sh
# does the rest.  It defines:
#   emulator_modules   modules the guest needs to see the results disk
#   emulator_disk      that disk's name in the guest
#   emulator_console   the guest's serial console, which must come out of the
#                      emulator's stdout
#   emulator_check     is it installed?  one line and exit 2 if not
#   emulator_version   prints the version, as it goes into the host card
#   emulator_prepare KERNEL INITRD CMDLINE DISK TMPDIR
#                      sets the array emulator_command; the command ends when
#                      the guest powers off, resets or panics
# shellcheck disable=SC2034,SC2054  # read by run.sh; QEMU's arguments contain commas

emulator_modules="virtio_pci virtio_blk"
emulator_disk=/dev/vda
emulator_console=ttyS0

emulator_check()
{
	command -v qemu-system-x86_64 >/dev/null ||
		die "qemu-system-x86_64 is not installed (Debian package qemu-system-x86)"
}

emulator_version()
{
	qemu-system-x86_64 --version | sed -n '1s/^QEMU emulator version \([^ ]*\).*/\1/p'
}

emulator_prepare()
{
	local kernel=$1 initrd=$2 cmdline=$3 disk=$4

	# -smp 1: TCG gains nothing from a second CPU here.
	# -no-reboot: with panic=-1 a panic ends the emulator at once.
	# cache=unsafe drops flushes only: what the guest wrote is in the page
	# cache of this machine and outlives the guest and the emulator.
	emulator_command=(
		qemu-system-x86_64 -nodefaults -no-user-config
		-display none -serial stdio -monitor none -no-reboot
		-machine pc -accel tcg -cpu max -smp 1 -m 1024
		-kernel "$kernel" -initrd "$initrd" -append "$cmdline"
		-drive "file=$disk,if=none,id=results,format=raw,cache=unsafe"
		-device virtio-blk-pci,drive=results
	)
}
