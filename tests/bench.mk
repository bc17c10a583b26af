# SPDX-License-Identifier: GPL-2.0-only
# Cases per second, see docs/bench.md.  Included by the top Makefile:
#   make bench                    on this machine's /dev/kvm
#   make bench HOST=svm-npt       on an emulated host
#   make bench KUT=~/kvm-unit-tests   the same, and its `access` test: a tree in which it is built
#   BENCH_ARGS='--rounds 21'      options of the program, see its --help

BENCH := $(B)/bin/bench
BENCH_ARGS ?=
KUT ?=

# In build/bin, which the lab carries into its guests, if it may be executed.
KUT_FILE := $(B)/bin/access_test.flat
bench_kut_args := $(if $(KUT),--kut $(KUT_FILE))

$(BENCH): $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench/*.c) tests/flat/multiboot.c) $(B)/libkmc.a
	@mkdir -p $(@D)
	$(CC) $(LINK) -o $@ $^ $(LIBS)

check-build: $(BENCH)

# Exit status 4, no usable /dev/kvm, has been said in one line: nothing went wrong here.
bench: $(BENCH)
	@$(if $(KUT),install -m 755 '$(KUT)/x86/access_test.flat' $(KUT_FILE))
ifeq ($(origin HOST),command line)
	@lab/run.sh --host '$(HOST)' --kernel '$(KERNEL)' \
		--cmd './$(BENCH) $(BENCH_ARGS) $(bench_kut_args)'
else
	@./$(BENCH) $(BENCH_ARGS) $(bench_kut_args) || [ $$? -eq 4 ]
endif
	@rm -f $(KUT_FILE)
