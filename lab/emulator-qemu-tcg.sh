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
#   emulator_initrd    "plain" or "zstd", see initramfs.sh (plain)
#   emulator_cmdline   what the guest's kernel must be told besides (nothing)
#   emulator_version   prints the version, as it goes into the host card
#   emulator_prepare KERNEL INITRD CMDLINE DISK TMPDIR
#                      sets the array emulator_command; the command ends when
#                      the guest powers off, resets or panics
# The emulator comes from the packages in emulators.conf; emulator.sh says
# where it lies (emulator_root) and how its programs are started
# (emulator_loader).
# shellcheck disable=SC2034,SC2054,SC2154  # read by run.sh; QEMU's arguments contain commas; emulator.sh's variables

emulator_modules="virtio_pci virtio_blk"
emulator_disk=/dev/vda
emulator_console=ttyS0
emulator_initrd=plain

emulator_version()
{
	"${emulator_loader[@]}" "$emulator_root/usr/bin/qemu-system-x86_64" --version |
		sed -n '1s/^QEMU emulator version \([^ ]*\).*/\1/p'
}

emulator_prepare()
{
	local kernel=$1 initrd=$2 cmdline=$3 disk=$4

	# The accelerator is a module of QEMU's own.
	# -smp 1: with more, interrupts from one CPU to another are lost (docs/lab.md).
	# Two NUMA nodes: pages of guests are to migrate.
	# -no-reboot: with panic=-1 a panic ends the emulator at once.
	# werror: a full disk here is an error there, not a guest that stands still.
	# cache=unsafe drops flushes only: what the guest wrote is in the page
	# cache of this machine and outlives the guest and the emulator.
	emulator_command=(
		env "QEMU_MODULE_DIR=$emulator_root/usr/lib/x86_64-linux-gnu/qemu"
		"${emulator_loader[@]}" "$emulator_root/usr/bin/qemu-system-x86_64"
		-L "$emulator_root/usr/share/seabios" -L "$emulator_root/usr/share/qemu"
		-nodefaults -no-user-config
		-display none -chardev stdio,id=console,signal=off -serial chardev:console -monitor none -no-reboot
		-machine pc -accel tcg -cpu max -smp 1 -m 1024
		-object memory-backend-ram,id=near,size=640M -numa node,memdev=near,cpus=0
		-object memory-backend-ram,id=far,size=384M -numa node,memdev=far
		-kernel "$kernel" -initrd "$initrd" -append "$cmdline"
		-drive "file=${disk//,/,,},if=none,id=results,format=raw,cache=unsafe,werror=report,rerror=report"
		-device virtio-blk-pci,drive=results
	)
}
