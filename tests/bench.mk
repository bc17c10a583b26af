# SPDX-License-Identifier: GPL-2.0-only
# Cases per second, see docs/bench.md.  Included by the top Makefile:
#   make bench                    on this machine's /dev/kvm
#   make bench HOST=svm-npt       on an emulated host
#   BENCH_ARGS='--rounds 21'      options of the program, see its --help

BENCH := $(B)/bin/bench
BENCH_ARGS ?=

# In build/bin, which the lab carries into its guests.
$(BENCH): $(B)/tests/bench.o $(B)/libkmc.a
	@mkdir -p $(@D)
	$(CC) $(LINK) -o $@ $^ $(LIBS)

# Exit status 4, no usable /dev/kvm, has been said in one line: nothing went wrong here.
bench: $(BENCH)
ifeq ($(origin HOST),command line)
	@lab/run.sh --host '$(HOST)' --kernel '$(KERNEL)' --cmd './$(BENCH) $(BENCH_ARGS)'
else
	@./$(BENCH) $(BENCH_ARGS) || [ $$? -eq 4 ]
endif
