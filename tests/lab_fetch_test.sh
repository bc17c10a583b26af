#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of how the lab fetches kernels and emulators, of kernels built here, and of mistakes
# made in KVM's source: offline and without booting anything.  A copy of lab/ with tables of
# its own is run; apt-get, apt-cache and make are stand-ins, packages and a source are made
# on the spot.  Prints KTAP.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
out_dir=${OUT_DIR:-$here/build/check/results}/lab-fetch

rm -rf -- "$out_dir"
mkdir -p -- "$out_dir"/{pool,bin,suite} || exit 2
cd -- "$out_dir" || exit 2
printf 'KTAP version 1\n'
scratch=$out_dir
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"

#
# The stand-ins.  Files here make them misbehave: no-network, wrong-hash; slow is taken
# by the first download, which does not end while stuck.PID, its new name, is there.
#
export FAKE=$out_dir PATH=$out_dir/bin:$PATH
cat >bin/apt-get <<'END'
#!/bin/bash
verb=
for arg; do
	shift
	case $arg in update | download | install) verb=$arg && break ;; esac
done
case $verb in
update)
	if [[ $* == *--print-uris* ]]; then
		echo "'http://mirror.invalid/debian/dists/any/InRelease' any_InRelease 0"
	elif [[ -e $FAKE/no-network ]]; then
		echo "E: Failed to fetch http://mirror.invalid/debian: no such host"
		exit 100
	fi
	;;
install)
	for arg; do
		[[ $(echo "$FAKE/pool/$arg"_*) == *.deb ]] || {
			echo "E: Unable to locate package $arg"
			exit 100
		}
	done
	for deb in "$FAKE"/pool/{emu,lib}*.deb; do
		deb=${deb##*/} deb=${deb%.deb}
		echo "Inst ${deb%_*} (${deb#*_} Debian:any [amd64])"
	done
	;;
download)
	for arg; do
		echo "$arg" >>"$FAKE/downloads"
		cp "$FAKE/pool/${arg/=/_}.deb" . || exit 100
		mv "$FAKE/slow" "$FAKE/stuck.$$" 2>/dev/null
		while [[ -e $FAKE/stuck.$$ ]]; do sleep 0.1; done
	done
	;;
esac
END
cat >bin/apt-cache <<'END'
#!/bin/bash
verb=
for arg; do
	shift
	case $arg in pkgnames | show) verb=$arg && break ;; esac
done
[[ $verb == show ]] || {
	cd "$FAKE/pool" && printf '%s\n' *.deb | sed 's/_.*//' | sort -u
	exit
}
for arg; do
	[[ $arg == *=* ]] || arg+="=*"
	for deb in "$FAKE"/pool/${arg/=/_}.deb; do
		[[ -e $deb ]] || continue
		name=${deb##*/} name=${name%.deb}
		sum=$(sha256sum <"$deb")
		[[ ! -e $FAKE/wrong-hash ]] || sum=0000
		printf 'Package: %s\nVersion: %s\nSHA256: %s\n\n' "${name%_*}" "${name#*_}" "${sum%% *}"
	done
done
END
chmod 755 bin/*

# package NAME VERSION FILE...: the files are taken from below tree/.
package() {
	local name=$1 version=$2
	shift 2
	rm -rf deb
	mkdir -p deb/DEBIAN
	((!$#)) || (cd tree && cp -a --parents -t ../deb "$@") || exit 2
	printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: none <none@invalid>\nDescription: none\n' \
		"$name" "$version" >deb/DEBIAN/control
	dpkg-deb -Znone -b deb "pool/${name}_$version.deb" >/dev/null || exit 2
}

# What a bzImage says about itself at the places where the lab looks.
image() {
	head -c 514 /dev/zero
	printf 'HdrS'
	head -c 8 /dev/zero
	printf '\x10\x01' # 0x110 + 0x200
	head -c 256 /dev/zero
	printf '%s (someone@somewhere) #1\0' "$1"
}

# module NAME RELEASE: an object that says for which kernel it is.
module() {
	printf 'char m[] __attribute__((section(".modinfo"))) = "name=%s\\0vermagic=%s SMP ";\n' \
		"$(basename "$1" .ko)" "$2" | gcc -x c -c -o "$1" -
}

# old_kernel RELEASE VERSION: one package, image in /boot; new_kernel: three.
old_kernel() {
	rm -rf tree
	mkdir -p tree/{boot,"lib/modules/$1/kernel"} && image "$1" >"tree/boot/vmlinuz-$1"
	touch "tree/lib/modules/$1/modules."{order,builtin}
	package "linux-image-$1" "$2" boot lib
}

new_kernel() {
	rm -rf tree
	mkdir -p "tree/usr/lib/modules/$1/kernel" tree/usr/share/doc
	image "$1" >"tree/usr/lib/modules/$1/vmlinuz"
	touch "tree/usr/lib/modules/$1/modules."{order,builtin} tree/usr/share/doc/x
	package "linux-image-$1" "$2" usr/share
	package "linux-binary-$1" "$2" "usr/lib/modules/$1/vmlinuz"
	package "linux-modules-$1" "$2" "usr/lib/modules/$1/"{kernel,modules.order,modules.builtin}
}

# An emulator is a program of this machine, its loader and its libraries.
make_emulator() {
	local lib
	rm -rf tree
	mkdir -p tree/usr/{bin,share/emu} tree/lib/x86_64-linux-gnu
	cp -L "$(type -P grep)" tree/usr/bin/emu
	echo rom >tree/usr/share/emu/bios.bin
	ln -s bios.bin tree/usr/share/emu/link.bin
	echo text >tree/usr/share/emu/readme
	ldd tree/usr/bin/emu | sed -nE 's#^[^/]*(/[^ ]+) \(0x.*#\1#p' |
		xargs -I{} cp -L {} tree/lib/x86_64-linux-gnu/
	package emu "$1" usr
	package libunused 1 usr/share/emu/readme
	for lib in tree/lib/x86_64-linux-gnu/*; do
		lib=${lib##*/}
		package "lib-${lib//[^a-z0-9]/-}" 1 "lib/x86_64-linux-gnu/$lib"
	done
}

cp -r "$here/lab" suite/lab
cat >suite/lab/kernels.conf <<'END'
old ; any any-security ; linux-image-(6\.1\.[0-9]+-amd64)
new ; any ; linux-image-(7\.[0-9]+\.[0-9]+-amd64) linux-binary-% linux-modules-%
none ; any ; linux-image-(9\.[0-9]+) linux-binary-%
END
cat >suite/lab/emulators.conf <<'END'
emu ; any ; emu ; libunused ; usr/bin/emu usr/share/emu/*.bin
lacking ; any ; emu ; lib-libc-.* ; usr/bin/emu
unknown ; any ; emu nothing ; ; usr/bin/emu
notfound ; any ; emu ; ; usr/bin/emu usr/bin/other
END
cat >suite/lab/hosts.conf <<'END'
emu ; emu ; kvm ; x
lacking ; lacking ; kvm ; x
unknown ; unknown ; kvm ; x
notfound ; notfound ; kvm ; x
END
cat >suite/lab/emulator-emu.sh <<'END'
# shellcheck shell=bash
emulator_modules="" emulator_disk=none emulator_console=none
emulator_version() { echo 1; }
emulator_prepare() { die "the initrd is $(stat -c %s "$2") bytes"; }
END
for name in unknown lacking notfound; do cp suite/lab/emulator-{emu,$name}.sh; done
old_kernel 6.1.9-amd64 6.1.9-1
old_kernel 6.1.10-amd64 6.1.10-1
old_kernel 6.1.11-rt-amd64 6.1.11-1
old_kernel 7.99.1-amd64 7.99.1-1 # in one piece
old_kernel 8.0.1-amd64 8.0.1-1
new_kernel 7.2.9-amd64 7.2.9-1
new_kernel 7.10.1-amd64 7.10.1-1~bpo1+1
new_kernel 7.11.1-amd64 7.11.1-2
mv pool/linux-modules-7.11.1-amd64_7.11.1-{2,1}.deb
make_emulator 3.0+dfsg-1

#
# Checking
#
export KMC_CACHE=$out_dir/cache
unset KMC_DEBIAN_MIRROR
lab=$out_dir/suite/lab/run.sh

fetch() { "$lab" --fetch --host "${2:-emu}" --kernel "$1" "${@:3}"; }

# Nothing half-done, and no more than this in the cache.
cache_is() {
	local found
	found=$(cd "$KMC_CACHE" 2>/dev/null && find . -mindepth 1 -maxdepth 2 ! -name lock \
		! -path ./kernels ! -path ./emulators ! -name 'emu-*' ! -path './base*' | sort | tr '\n' ' ')
	[[ $found == "$1" ]] || problem "the cache holds: $found"
}

# refuse_fetch TEXT KERNEL [HOST [ARGUMENT...]]: one line besides those that say what goes on.
refuse_fetch() {
	local text=$1
	shift
	run 2 fetch "$@"
	err=$(grep -vE '^lab: (fetching|kernel|emulator) ' <<<"$err")
	[[ -n $err && $err != *$'\n'* ]] || problem "not one line: $err"
	has "$text" "$err"
}

# Waits until a download has begun that will not end; sets stuck, its process.
until_stuck() {
	local i
	for ((i = 0; i < 100; i++)); do
		stuck=$(echo stuck.*)
		stuck=${stuck#stuck.}
		[[ $stuck == '*' ]] || return
		sleep 0.1
	done
	problem "no download begins"
}

fetching() {
	local old=linux-image-6.1.10-amd64 dir

	run 0 fetch old
	has "fetching kernel old from Debian's any any-security (once)" "$err"
	cache_is "./emulators/emu_3.0+dfsg-1_${link##*-} ./kernels/${old}_6.1.10-1 ./kernels/old "
	dir=cache/kernels/old
	has "release 6.1.10-amd64" "$(<$dir/info)"
	has "package $old 6.1.10-1 $(sha256sum <pool/${old}_6.1.10-1.deb | cut -d' ' -f1)" "$(<$dir/info)"
	[[ -s $dir/vmlinuz && -d $dir/lib/modules/6.1.10-amd64 ]] || problem "the kernel is not whole"
	check "a kernel is fetched, the newest of its row"

	dir=$(readlink -f cache/emulators/emu-*/root)
	[[ -L $dir/usr/share/emu/link.bin && -s $dir/usr/share/emu/bios.bin ]] || problem "firmware is missing"
	[[ ! -e $dir/usr/share/emu/readme ]] || problem "kept what nobody asked for"
	! grep -q libunused downloads || problem "fetched what is left out"
	run 0 "$dir/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" --inhibit-cache --library-path \
		"$dir/usr/lib/x86_64-linux-gnu" --list "$dir/usr/bin/emu"
	[[ $out != *"=> /lib"* && $out != *"=> /usr"* ]] || problem "libraries of this machine: $out"
	check "an emulator is fetched, with its libraries and nothing else"

	: >downloads
	run 0 "$lab" --fetch --host emu --kernel-dir /none
	[[ $err == *"emulator emu: "* && $err != *kernel* ]] || problem "with a build tree: $err"
	run 0 fetch old
	[[ ! -s downloads && $err != *"(once)"* ]] || problem "fetched again"
	touch no-network
	run 0 fetch old
	check "what is there needs no network"

	refuse_fetch "reading the package index of any (no network?) failed: E: Failed to fetch" new
	refuse_fetch "no network?" old emu --update
	rm no-network
	cache_is "./emulators/emu_3.0+dfsg-1_${link##*-} ./kernels/${old}_6.1.10-1 ./kernels/old "
	check "no network is one line, and the cache stays"

	run 0 fetch new
	[[ $(readlink cache/kernels/new) == linux-image-7.10.1-amd64_7.10.1-1~bpo1+1 ]] ||
		problem "new is $(readlink cache/kernels/new)"
	(($(grep -c '^package' cache/kernels/new/info) == 3)) || problem "$(<cache/kernels/new/info)"
	[[ -s cache/kernels/new/vmlinuz ]] || problem "no image"
	check "the newest kernel of which all packages are there, in one version"

	old_kernel 6.1.12-amd64 6.1.12-1
	rm pool/emu_*
	make_emulator 3.1-1
	run 0 fetch old emu --update
	[[ $(readlink cache/kernels/old) == linux-image-6.1.12-amd64_6.1.12-1 ]] || problem "not the newer kernel"
	[[ $(readlink cache/emulators/emu-*) == emu_3.1-1_* ]] || problem "not the newer emulator"
	[[ -d cache/kernels/${old}_6.1.10-1 ]] || problem "the older one is gone, someone may be using it"
	check "--update fetches what is newer"
}

refusing() {
	refuse "unknown kernel 'x', there is: old new none" "$lab" --fetch --kernel x
	refuse_fetch "no kernel in any matches linux-image-(9" none
	refuse_fetch "resolving emu nothing in any failed: E: Unable to locate package nothing" old unknown
	refuse_fetch "lacking: emu needs a library that was left out: libc.so.6" old lacking
	refuse_fetch "the packages of notfound have no usr/bin/other" old notfound
	rm -rf cache/kernels
	touch wrong-hash
	refuse_fetch "SHA256 differs from the signed index" old
	rm wrong-hash
	printf '#!/bin/bash\nprintf "Filesystem 1024-blocks Used Available\\nx 9 9 %%s\\n" 61440\n' >bin/df
	chmod 755 bin/df
	refuse_fetch "no space for kernel old: 60 MB free in $KMC_CACHE, 300 are needed" old
	rm bin/df
	: >cache/kernels/file
	KMC_CACHE=$out_dir/cache/kernels/file refuse_fetch "cannot write to the cache" old
	KMC_CACHE=$out_dir/a:b refuse_fetch "has a ':'" old
	rm -r cache/kernels/file a:b
	[[ -z $(ls -A cache/kernels) ]] || problem "left behind: $(ls -A cache/kernels)"
	[[ -z $(find cache -name 'tmp.*') ]] || problem "left behind: $(find cache -name 'tmp.*')"
	check "what cannot be had is one line, and nothing is left behind"
}

interrupting() {
	local signal pid first

	for signal in TERM KILL; do
		: >slow
		"$lab" --fetch --host emu --kernel old >interrupted 2>&1 &
		pid=$!
		until_stuck
		kill -"$signal" "$pid"
		wait "$pid" 2>/dev/null
		[[ ! -e cache/kernels/old ]] || problem "$signal: half a kernel is taken for one"
		if [[ $signal == TERM ]]; then
			! kill -0 "$stuck" 2>/dev/null || problem "TERM leaves apt running"
			[[ -z $(find cache -name 'tmp.*') ]] || problem "TERM leaves its folder behind"
		fi
		# After a KILL the download still runs: nobody must wait for it.
		run 0 timeout 60 "$lab" --fetch --host emu --kernel old
		rm -f stuck.*
		[[ -s cache/kernels/old/vmlinuz ]] || problem "$signal: not whole after a second try"
		[[ -z $(find cache -name 'tmp.*') ]] || problem "$signal: a folder is left behind"
		rm -rf cache/kernels
	done
	check "a fetch that was killed can be repeated"

	: >slow
	: >downloads
	fetch old >first 2>&1 &
	first=$!
	until_stuck
	fetch old >second 2>&1 &
	sleep 1
	rm -f stuck.*
	wait "$first" || problem "the first: $(<first)"
	wait "$!" || problem "the second: $(<second)"
	has "waiting for another run that is filling the cache" "$(<second)"
	[[ $(<second) != *"(once)"* ]] || problem "the second fetches, too"
	(($(grep -c linux-image downloads) == 1)) || problem "downloaded: $(<downloads)"
	check "of two at once one fetches, the other waits"
}

building() {
	local tree=$out_dir/tree-6.6.6 release=6.6.6-test boot

	boot=("$lab" --host emu --results "$out_dir/results" --cmd true)
	refuse "no arch/x86/boot/bzImage in $out_dir/none" "${boot[@]}" --kernel-dir "$out_dir/none"
	refuse "either --kernel or --kernel-dir" "${boot[@]}" --kernel-dir "$tree" --kernel old
	mkdir -p "$tree"/{arch/x86/boot,include/config,virt} modules
	echo text >"$tree/arch/x86/boot/bzImage"
	refuse "bzImage is no kernel image" "${boot[@]}" --kernel-dir "$tree"
	image "$release" >"$tree/arch/x86/boot/bzImage"
	echo 6.6.7 >"$tree/include/config/kernel.release"
	refuse "the image is $release, the rest of the tree is 6.6.7" "${boot[@]}" --kernel-dir "$tree"
	echo "$release" >"$tree/include/config/kernel.release"
	refuse "kernel $release has no module " "${boot[@]}" --kernel-dir "$tree"
	echo kernel/fs/ext4/ext4.ko >"$tree/modules.builtin"
	echo virt/kvm.o >"$tree/modules.order"
	refuse "modules of $tree are missing, build them" "${boot[@]}" --kernel-dir "$tree"
	module "$tree/virt/kvm.ko" 6.6.5
	refuse "module kvm.ko is built for 6.6.5, the kernel is $release" "${boot[@]}" --kernel-dir "$tree"
	module "$tree/virt/kvm.ko" "$release"
	# As far as it goes without an emulator.
	refuse "the initrd is " "${boot[@]}" --kernel-dir "$tree"
	check "a build tree that cannot be booted is one line"

	refuse "no *.ko in the modules folder modules" "${boot[@]}" --kernel-dir "$tree" --modules-dir modules
	module modules/other.ko "$release"
	refuse "none of the modules in the modules folder is loaded here: other" \
		"${boot[@]}" --kernel-dir "$tree" --modules-dir modules
	module modules/kvm.ko 6.6.5
	refuse "module kvm.ko is built for 6.6.5" "${boot[@]}" --kernel-dir "$tree" --modules-dir modules
	module modules/kvm.ko "$release"
	refuse "the initrd is " "${boot[@]}" --kernel-dir "$tree" --modules-dir modules
	check "modules of one's own that cannot be loaded are one line"
	[[ -z $(ls -A results) ]] || problem "left behind: $(ls -A results)"
	check "a lab that could not start leaves no results"
}

# A source and a compiler that are none: one function to be broken.
# shellcheck disable=SC2016 # make expands it
mutants() {
	local fake=$out_dir/mutants tree pid line
	local cache=$fake/cache mutants_sh=$here/lab/mutants.sh side=("$here/lab/side-by-side.sh")
	local mutants=(env "KMC_CACHE=$cache" "TMPDIR=$fake/tmp" "PATH=$fake/bin:$PATH" "MADE=$fake/made"
		"$mutants_sh" --results "$fake" --build-only)

	refuse "no mutants for kernel '7', only for: 6.1" "$mutants_sh" --kernel 7
	refuse "unknown mutant 'no-such' of kernel 6.1" "$mutants_sh" no-such
	run 0 "$mutants_sh" --list
	[[ -z $(awk '{ print $2 }' <<<"$out" | sort | uniq -d) ]] || problem "two mutants of one name"
	for line in "$here"/lab/mutants/*.conf; do
		awk -F' ; ' '/^#/ || $1 ~ /^(runs|hosts)$/ { next } NF != 7 || $5 == $6 { bad = 1 } END { exit bad }' "$line" ||
			problem "$line: a row that is none"
		has "$(basename "$line" .conf) " "$out"
		while read -r pid; do
			[[ -e $here/x86/$pid.c ]] || problem "$line: no test $pid"
		done < <(grep '^runs ;' "$line" | grep -o '[a-z_]*_test')
	done
	check "the tables of mutants are tables"

	mkdir -p "$fake/kut/x86" "$fake/linux" && touch "$fake/kut/x86/unittests.cfg"
	refuse "which checkout of kvm-unit-tests? --kut DIR" "${side[@]}"
	refuse "--kut needs a value" "${side[@]}" --kut
	refuse "--kut: $fake is no checkout of kvm-unit-tests" "${side[@]}" --kut "$fake"
	refuse "--kselftest: $fake/linux is no kernel tree" "${side[@]}" --kut "$fake/kut" --kselftest "$fake/linux"
	refuse "--test-limit: '0' is not a number of seconds" "${side[@]}" --kut "$fake/kut" --test-limit 0
	refuse "unknown host 'nowhere'" "${side[@]}" --kut "$fake/kut" --host nowhere
	refuse "unknown mutant 'no-such' of kernel 6.1" "${side[@]}" --kut "$fake/kut" no-such
	refuse "unknown option '--bogus'" "${side[@]}" --bogus
	check "what is compared with, on which host and for which mistakes is asked for first"

	mkdir -p "$fake"/{bin,tmp}
	fake_kvm "$cache"
	tree=$REPLY
	printf 'int other(void)\n{\n\tcr0 &= ~X86_CR0_TS;\n}\nint em_clts(void)\n{\n\tcr0 &= ~X86_CR0_TS;\n}\n' >"$tree/emulate.c"
	printf '%s\n' '#!/bin/bash' 'for arg; do [[ $arg != M=* ]] || dir=${arg#M=}; done' \
		'cat "$dir/emulate.c" >>"$MADE"; touch "$dir/kvm.ko"; read -r said 2>/dev/null <"$MADE.says"' \
		'[[ $said != stuck ]] || exec sleep 100' '[[ -z $said ]] || { echo "$said"; exit 2; }' >"$fake/bin/make"
	chmod 755 "$fake/bin/make"

	run 0 "${mutants[@]}" --run-name m1 clts-drops-wp
	has "clts-drops-wp                  builds" "$out"
	[[ $(<"$fake/made") == *$'other(void)\n{\n\tcr0 &= ~X86_CR0_TS;\n'*$'\tcr0 &= ~(X86_CR0_TS | X86_CR0_WP);\n'* ]] ||
		problem "built: $(<"$fake/made")"
	echo 'emulate.c:7: error: no' >"$fake/made.says"
	run 2 "${mutants[@]}" --run-name m2 clts-drops-wp
	has "UNBUILT  emulate.c:7: error: no" "$out"
	refuse "is not there once in em_lmsw() of emulate.c" "${mutants[@]}" lmsw-no-pe
	check "a mistake is made in one function and built"

	echo stuck >"$fake/made.says"
	: >"$fake/made"
	"${mutants[@]}" --run-name m3 clts-drops-wp >"$fake/out" 2>"$fake/err" &
	pid=$!
	while [[ ! -s $fake/made ]] && kill -0 "$pid"; do sleep 0.1; done
	SECONDS=0
	kill -TERM "$pid"
	wait "$pid"
	line=$?
	((line == 130 && SECONDS < 10)) || problem "exit code $line after $SECONDS s"
	has "lab: interrupted" "$(<"$fake/err")"
	[[ -z $(ls -A "$fake/tmp") ]] || problem "left behind: $(ls -A "$fake/tmp")"
	check "an interrupt is answered at once, also while KVM is built"
}

# As emulators.conf makes it: the last part is from the row.
link=emu-$(printf '%s\n' emu any emu libunused 'usr/bin/emu usr/share/emu/*.bin' | sha256sum | cut -c1-8)
fetching
refusing
interrupting
building
mutants
printf '1..%d\n' "$number"
totals
exit $((failures > 0))
