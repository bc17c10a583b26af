# SPDX-License-Identifier: GPL-2.0-only
# kvm-mmu-conformance.  `make help` lists the targets.

CC ?= gcc
SAN ?=
B := build$(if $(SAN),/san)
.DEFAULT_GOAL := all

CFLAGS ?= -O2 -g
KMC_CFLAGS := -std=gnu11 -D_GNU_SOURCE= -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes \
	-Werror -Iinclude -isystem /usr/include/traceevent -MMD -MP
# Static, so that a build host can feed bare hosts; sanitizers cannot be.  lib/vmm/static_link.c
# has what the libraries would want glibc's shared objects for.
LINK := -static $(foreach f,dlopen getaddrinfo,-Wl,--wrap=$f,-u,__wrap_$f)
ifneq ($(SAN),)
KMC_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined
LINK := -fsanitize=address,undefined
else
KMC_CFLAGS += -DSTATIC_LINK
endif
# The last two are what a static libelf needs.
LIBS := -ljansson -lnuma -lm -ltracefs -ltraceevent -lbpf -lelf -lz -lzstd

# lib/vmm/kvm_calls.h: ours, or over the library of a kernel tree.
CALLS_C := lib/vmm/own_calls.c
CALLS_O :=
ifneq ($(LIBKVM),)
include lib/vmm/libkvm/libkvm.mk
CALLS_C := lib/vmm/libkvm/ends.c
CALLS_O := $(B)/libkvm.o
endif

LIB_C := $(filter-out lib/report/kmc_report.c lib/vmm/own_calls.c,$(wildcard lib/*/*.c)) $(CALLS_C)
LIB_S := $(wildcard lib/*/*.S)
MODEL_C := $(wildcard lib/model/*.c)
LIB_O := $(LIB_C:%.c=$(B)/%.o) $(LIB_S:%.S=$(B)/%.o)
TESTS := $(patsubst x86/%.c,$(B)/x86/%,$(wildcard x86/*.c))
OWN_TESTS := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/*.c))

.PHONY: all run check bench clean help format
.DELETE_ON_ERROR:
.SECONDARY:

all: $(TESTS) $(B)/bin/kmc-report

help:
	@echo 'make                build everything into build/'
	@echo 'make run            run the suite on this machine: runner.sh with ARGS=...'
	@echo 'make check          run the tests of the suite itself'
	@echo 'make lab            run it on an emulated host: HOST=svm-npt KERNEL=6.1 ARGS=...'
	@echo 'make lab-matrix     run it on all of them, with all kernels; make lab-list names them'
	@echo 'make lab-shell      a shell on an emulated host'
	@echo 'make mutants        does it notice mistakes in KVM? builds and boots each'
	@echo 'make side-by-side KUT=...   do kvm-unit-tests, and the kernel'\''s selftests, notice the same?'
	@echo 'make repeat N=100   that many runs in one boot: does any end otherwise?'
	@echo 'make bisect-demo    runner.sh bisect finds a commit planted into Debian'\''s KVM'
	@echo 'make fleet-demo     a shard on each of several emulated hosts, merged'
	@echo 'make bench          cases per second, and the ratio to a bare loop'
	@echo 'make kill-test      kill the runner N=1000 times: is any result lost?'
	@echo 'make fuzz           N=1000 malformed inputs to each parser, with sanitizers'
	@echo 'make install        into PREFIX=/usr/local, below DESTDIR=; make uninstall'
	@echo 'make LIBKVM=K ...   on the library of K = <kernel source>/tools/testing/selftests/kvm:'
	@echo '                    builds into build/libkvm-VERSION/; so do run, lab, lab-matrix'
	@echo 'make kselftest-install KSRC=<kernel source>   as tools/testing/selftests/kvm_mmu'
	@echo 'make dist           a source archive from git; make deb: a Debian package of it'
	@echo 'make SAN=1 ...      build/san/: address and undefined-behaviour sanitizers'
	@echo 'make clean          remove build/'

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(KMC_CFLAGS) -c -o $@ $<

$(B)/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(CC) -Iinclude -Ilib/guest -MMD -MP -c -o $@ $<

$(B)/lib/report/page_assets.o: lib/report/page.css lib/report/page.js

$(B)/libkmc.a: $(LIB_O) $(CALLS_O)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/x86/%: $(B)/x86/%.o $(B)/libkmc.a
	@mkdir -p $(@D)
	$(CC) $(LINK) -o $@ $^ $(LIBS)

$(B)/bin/kmc-report: $(B)/lib/report/kmc_report.o $(B)/libkmc.a
	@mkdir -p $(@D)
	$(CC) $(LINK) -o $@ $^ $(LIBS)

run: all
	./runner.sh $(ARGS)

include lab/lab.mk
include tests/tests.mk
include tests/bench.mk
include packaging/install.mk

clean:
	rm -rf build

format:
	clang-format -i $(wildcard include/*.h lib/*/*.[ch] x86/*.c tests/*.c)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
