# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Back end: Bochs, which emulates VMX with EPT.  emulator-qemu-tcg.sh says what
# a back end defines.
# shellcheck disable=SC2034,SC2154  # read by run.sh; emulator.sh's variables

emulator_modules="ata_piix sd_mod"
emulator_disk=/dev/sdb
emulator_console=ttyS0
# Bochs leaves the fast-strings bit of MSR_IA32_MISC_ENABLE clear, so that the
# kernel takes back ERMS but not FSRM, a pair its memmove() does not survive.
# loglevel: errors at boot are about what Bochs has not got (performance
# counters, frequencies).  reboot: through port 0xcf9, so that a
# triple fault is nothing but that.
emulator_cmdline="clearcpuid=fsrm loglevel=3 reboot=p"

# Disks have whole cylinders of 16 heads and 63 sectors.
bochs_cylinder=$((16 * 63 * 512))

emulator_version()
{
	sed -n 's/^bochs \([0-9.]*\).*/\1/p' <<<"$emulator_packages"
}

le32() { printf '%b' "$(printf '\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)))"; }
sectors() { echo $((($1 + 511) / 512)); }

# The boot disk, as lab/boot.S reads it.
bochs_boot_disk()
{
	local kernel=$1 initrd=$2 cmdline=$3 disk=$4 kernel_sectors initrd_bytes initrd_sectors

	((${#cmdline} < 4000)) || die "the kernel's command line is too long"
	kernel_sectors=$(sectors "$(stat -L -c %s "$kernel")")
	initrd_bytes=$(stat -L -c %s "$initrd")
	initrd_sectors=$(sectors "$initrd_bytes")
	{
		cat "$suite/build/lab/boot.bin"
		le32 "$kernel_sectors"
		le32 "$initrd_sectors"
		le32 "$initrd_bytes"
		printf '%s' "$cmdline"
	} >"$disk" &&
		dd if="$kernel" of="$disk" bs=512 seek=9 conv=notrunc status=none &&
		dd if="$initrd" of="$disk" bs=512 seek=$((9 + kernel_sectors)) conv=notrunc status=none &&
		truncate -s %$bochs_cylinder "$disk"
}

emulator_prepare()
{
	local kernel=$1 initrd=$2 cmdline=$3 disk=$4 dir=$5

	[[ -s $suite/build/lab/boot.bin ]] || die "build/lab/boot.bin is missing: run make first"
	command -v script >/dev/null || die "script is not installed (Debian package bsdutils)"
	[[ $dir != *[!A-Za-z0-9/._+-]* ]] || die "Bochs cannot have its files in $dir: set TMPDIR to a plain name"
	[[ $emulator_root != *[!A-Za-z0-9/._+-]* ]] || die "Bochs cannot be started from $emulator_root: set KMC_CACHE to a plain name"
	bochs_boot_disk "$kernel" "$initrd" "$cmdline" "$dir/boot-disk" 2>"$dir/log" &&
		truncate -s %$bochs_cylinder "$disk" 2>"$dir/log" ||
		die_writing "making the boot disk" "$dir" "$dir/log"

	# ips: what a second of the machine's timers is in instructions; with more
	# the guest waits longer for everything.
	cat >"$dir/bochsrc" <<END
config_interface: textconfig
display_library: term
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, gameport=0, iodebug=0
memory: guest=1024, host=1024
romimage: file=$emulator_root/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=$emulator_root/usr/share/vgabios/vgabios.bin
cpu: model=corei7_icelake_u, count=1, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=1
clock: sync=none, time0=local
vga: extension=none, update_freq=1
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path=$dir/boot-disk, mode=flat
ata0-slave: type=disk, path=$disk, mode=flat
ata1: enabled=0
boot: disk
floppy_bootsig_check: disabled=1
sound: driver=dummy
log: $dir/bochs.log
panic: action=fatal
error: action=ignore
info: action=report
debug: action=ignore
END
	# Bochs wants a terminal for its screen, which nobody looks at, and one for
	# the serial port: into a file it would be buffered, and the end lost.
	cat >"$dir/bochs" <<END
#!/bin/bash
# Within a terminal that stands for the serial port.
stty raw -echo
export LTDL_LIBRARY_PATH='$emulator_root/usr/lib/x86_64-linux-gnu/bochs/plugins'
export TERM=vt100 TERMINFO='$emulator_root/usr/share/terminfo'
setpriv --pdeathsig KILL script -qfec "exec setpriv --pdeathsig KILL $(printf '%q ' "${emulator_loader[@]}")'$emulator_root/usr/bin/bochs-bin' \\
	-q -f '$dir/bochsrc' 'com1: enabled=1, mode=term, dev=\$(tty)'" /dev/null </dev/null >'$dir/screen' 2>&1
status=\$?
# Bochs ends with a panic whatever the reason; a power-off and a reset are none.
panic=\$(sed -n 's/.*>>PANIC<< //p' '$dir/bochs.log' 2>/dev/null | head -n 1)
case \$panic in
"ACPI control: soft power off" | "Shutdown port: shutdown requested") exit 0 ;;
"") tail -n 3 '$dir/screen' ;;
*"exception with no resolution"*) echo "the emulated CPU shut down (triple fault): \$panic" ;;
*) echo "\$panic" ;;
esac >>'$dir/emulator.log'
exit "\$status"
END
	# script, when it is killed, does not end what it runs.
	emulator_command=(script -qfec "exec setpriv --pdeathsig KILL bash $(printf '%q' "$dir/bochs")" /dev/null)
}
