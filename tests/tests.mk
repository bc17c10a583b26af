# SPDX-License-Identifier: GPL-2.0-only
# The tests of the suite itself.  Included by the top Makefile:
#   make check         build and run them all, tests/run_check.sh says how
#   make kill-test [N=1000] [SEED=]    the runner killed N times, see tests/kill_test.sh
#   make fuzz [N=1000] [SEED=]         malformed inputs, N to each parser, with sanitizers
#   make check-build   only build what they need (SAN=1: with sanitizers)

SEEDED := $(B)/seeded
SEEDED_MODEL_O := $(MODEL_C:%.c=$(SEEDED)/%.o)
SEEDED_TESTS := $(if $(wildcard tests/seeded_faults_test.c),$(B)/tests/seeded_faults_test)
PLAIN_TESTS := $(filter-out $(B)/tests/seeded_faults_test,$(OWN_TESTS))

# Tests of x86/ with a TDX host played to them, at the seam to the C library.
STANDIN_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/standin/*.c))
STANDIN_TESTS := $(if $(STANDIN_O),$(patsubst %,$(B)/tests/standin/%,tdx_host_test tdx_abi_test))
STANDIN_WRAPPED := open close ioctl pread mmap munmap fopen opendir host_cpuid numa_available \
	numa_max_node numa_node_size64 numa_node_to_cpus set_mempolicy

.PHONY: check-build
check-build: all $(STANDIN_TESTS) $(B)/tests/played/tdx_shared_bit_test $(PLAIN_TESTS) $(SEEDED_TESTS) \
	$(B)/tests/role_rules_seeded_test $(B)/tests/role_page_seeded_test \
	$(B)/tests/nested_model_seeded_test $(B)/tests/td_memory_seeded_test

# It builds by itself, as parts of its own: a build that fails is a failure that counts.
check:
	@tests/run_check.sh

N ?= 1000
.PHONY: kill-test fuzz
fuzz: all $(B)/tests/fuzz_test $(B)/tests/fake_test
	@$(MAKE) --no-print-directory SAN=1 all build/san/tests/fuzz_test
	@build/san/tests/fuzz_test --count '$(N)' $(if $(SEED),--seed '$(SEED)')
	@$(if $(SEED),SEED='$(SEED)') TEST_DIR="$(CURDIR)/build/san/x86" tests/fuzz_commands.sh '$(N)'

kill-test: all $(B)/tests/fake_test
	@$(if $(SEED),SEED='$(SEED)') tests/kill_test.sh '$(N)'

$(B)/tests/%: $(B)/tests/%.o $(B)/libkmc.a
	@mkdir -p $(@D)
	$(CC) $(LINK) -o $@ $^ $(LIBS)

$(B)/tests/fake_test: LINK += -Wl,--wrap=fdatasync

$(B)/tests/standin/%_test: $(B)/x86/%_test.o $(STANDIN_O) $(B)/libkmc.a
	@mkdir -p $(@D)
	$(CC) $(LINK) $(STANDIN_WRAPPED:%=-Wl,--wrap=%) -o $@ $^ $(LIBS)

# The model with a switch in it that breaks one rule at a time.
$(SEEDED)/%.o: %.c Makefile tests/tests.mk
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(KMC_CFLAGS) -DSEEDED_FAULTS -c -o $@ $<

$(B)/tests/%_seeded_test: $(SEEDED)/tests/%_test.o $(SEEDED_MODEL_O)
	@mkdir -p $(@D)
	$(CC) $(LINK) -o $@ $^

# What is not found in the seeded model (plans, assertions) comes from the library; the
# model's plain objects stay out of it, as none of their symbols is missing.
$(B)/tests/seeded_faults_test: $(SEEDED)/tests/seeded_faults_test.o $(SEEDED_MODEL_O) $(B)/libkmc.a
	@mkdir -p $(@D)
	$(CC) $(LINK) -o $@ $^ $(LIBS)

# The same test with a TD that is played to it behind the stand-in.
$(B)/tests/played/tdx_shared_bit_test: $(B)/x86/tdx_shared_bit_test.o $(B)/tests/played/played_td.o \
		$(STANDIN_O) $(B)/libkmc.a
	@mkdir -p $(@D)
	$(CC) $(LINK) $(STANDIN_WRAPPED:%=-Wl,--wrap=%) -Wl,--wrap=standin_ioctl,--wrap=fallocate \
		-o $@ $^ $(LIBS)
