# SPDX-License-Identifier: GPL-2.0-only
# The emulated hosts, see docs/lab.md.  Included by the top Makefile:
#   make lab [HOST=svm-npt] [KERNEL=6.1 | KERNEL_DIR=build tree] [MODULES_DIR=folder]
#            [TIME_LIMIT=seconds] [ARGS='runner arguments']
#   make lab-shell [HOST=...] [KERNEL=...]    a shell in there instead
#   make lab-matrix [HOST=...] [KERNEL=...] [ARGS='runner arguments']
#                                             every host with every kernel, one table
#   make mutants [HOST=...] [KERNEL=...] [MUTANTS='ids or areas'] [ARGS='runner arguments']
#                                             does the suite notice when KVM is wrong?
#   make side-by-side KUT=kvm-unit-tests [KSELFTEST=kernel tree] [HOST=...] [MUTANTS='ids or areas']
#                                             do they notice the same?
#   make repeat N=100 [HOST=...] [ARGS='--quick']   N runs in one boot: does any differ?
#   make bisect-demo [HOST=svm-shadow]        runner.sh bisect finds a planted commit
#   make fleet-demo [HOSTS='lab:svm-npt ...'] a shard on each of several emulated hosts, merged
#   make lab-list
#   make lab-fetch [HOST=...] [KERNEL=... | KERNEL_DIR=...]   for days without a network

# Some shells export HOST, the machine's name: only the command line counts.
ifneq ($(origin HOST),command line)
HOST := svm-npt
endif
KERNEL ?= 6.1

.PHONY: lab lab-shell lab-matrix mutants side-by-side repeat bisect-demo fleet-demo lab-list lab-fetch
# A KERNEL asked for beside KERNEL_DIR is refused, its default is not meant.
lab_options = --host '$(HOST)' $(if $(KERNEL_DIR),--kernel-dir '$(KERNEL_DIR)') \
	$(if $(KERNEL_DIR),$(if $(filter-out file,$(origin KERNEL)),--kernel '$(KERNEL)'),--kernel '$(KERNEL)') \
	$(if $(MODULES_DIR),--modules-dir '$(MODULES_DIR)') \
	$(if $(TIME_LIMIT),--time-limit '$(TIME_LIMIT)')
# Only what was asked for by name; nothing means all.
lab_asked_for = $(if $(filter-out file,$(origin HOST)),--host '$(HOST)') \
	$(if $(filter-out file,$(origin KERNEL)),--kernel '$(KERNEL)')

lab: all
	lab/run.sh $(lab_options) -- $(ARGS)

lab-shell: all
	lab/run.sh $(lab_options) --shell

lab-matrix: all
	lab/matrix.sh $(lab_asked_for) $(if $(TIME_LIMIT),--time-limit '$(TIME_LIMIT)') -- $(ARGS)

mutants: all
	lab/mutants.sh $(lab_asked_for) $(if $(TIME_LIMIT),--time-limit '$(TIME_LIMIT)') $(MUTANTS) -- $(ARGS)

# In build/bin, which the lab carries into its guests.
$(B)/bin/flat_vm: $(patsubst %.c,$(B)/%.o,$(wildcard tests/flat/*.c)) $(B)/libkmc.a
	@mkdir -p $(@D)
	$(CC) $(LINK) -o $@ $^ $(LIBS)

check-build: $(B)/bin/flat_vm
side-by-side: all $(B)/bin/flat_vm
	lab/side-by-side.sh --kut '$(KUT)' $(if $(KSELFTEST),--kselftest '$(KSELFTEST)') $(lab_asked_for) \
		$(if $(TIME_LIMIT),--time-limit '$(TIME_LIMIT)') $(MUTANTS)

# A run of --quick takes up to three minutes on a host in Bochs.
repeat: TIME_LIMIT ?= $(shell expr 600 + 240 '*' $(N))
repeat: all
	@[ '$(origin N)' != file ] || { echo 'make repeat: how many runs? N=100, say' >&2; exit 2; }
	lab/run.sh $(lab_options) --cmd './runner.sh repeat $(N) --results $$RESULTS $(ARGS)'

bisect-demo: all
	lab/bisect-demo.sh $(lab_asked_for)

HOSTS ?= lab:svm-npt lab:svm-npt
fleet-demo: all
	./runner.sh fleet $(HOSTS) -- $(or $(ARGS),--filter '2level/*' walk_test)

lab-list:
	@lab/run.sh --list

lab-fetch:
	@lab/run.sh --fetch $(lab_asked_for) $(if $(KERNEL_DIR),--kernel-dir '$(KERNEL_DIR)')

all: build/lab/boot.bin
# A boot sector for Bochs: no sanitizers, an address of its own.
build/lab/boot.bin: lab/boot.S Makefile
	@mkdir -p $(@D)
	$(CC) -m32 -c -o build/lab/boot.o $<
	$(LD) -m elf_i386 -Ttext=0x7c00 --oformat binary -o $@ build/lab/boot.o
