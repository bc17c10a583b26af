# SPDX-License-Identifier: GPL-2.0-only
# The suite over the kernel's own library for KVM tests, instead of lib/vmm/own_calls.c:
#
#   make LIBKVM=<kernel source>/tools/testing/selftests/kvm [run|lab|all]
#
# Builds into build/libkvm-<the kernel's version>/; nothing is written to the kernel tree.  Included by the top
# Makefile, before its rules; and by that of kselftest-install, which says where to build (LIBKVM_OUTPUT).
LIBKVM_DIR := $(realpath $(LIBKVM))
LIBKVM_TREE := $(realpath $(LIBKVM)/../../../..)
ifeq ($(wildcard $(LIBKVM_DIR)/lib/kvm_util.c),)
$(error LIBKVM=$(LIBKVM): no lib/kvm_util.c there; it is <kernel source>/tools/testing/selftests/kvm)
endif
ifeq ($(LIBKVM_OUTPUT),)
LIBKVM_VERSION := $(shell sed -n 's/^\(VERSION\|PATCHLEVEL\) = //p' '$(LIBKVM_TREE)/Makefile' | paste -sd.)
ifeq ($(LIBKVM_VERSION),)
$(error LIBKVM=$(LIBKVM): $(LIBKVM_TREE)/Makefile names no kernel version)
endif
B := build/libkvm-$(LIBKVM_VERSION)$(if $(SAN),/san)
LIBKVM_OUTPUT := $(B)
# For runner.sh and the lab.
export KMC_BUILD := $(B)
endif
LIBKVM_B := $(LIBKVM_OUTPUT)/libkvm

# With what makes load and samples memory use left out: it needs more of the tree.  assert.c: calls.c has it.
# string_override.c is for the library's guest code.
LIBKVM_OMITTED := assert string_override lru_gen_util memstress perf_test_util userfaultfd_util
LIBKVM_SOURCES := $(filter-out $(LIBKVM_OMITTED:%=\%/%.c),$(wildcard $(LIBKVM_DIR)/lib/*.c \
	$(LIBKVM_DIR)/lib/x86*/*.[cS]))
LIBKVM_OBJECTS := $(patsubst $(LIBKVM_DIR)/lib/%,$(LIBKVM_B)/%.o,$(LIBKVM_SOURCES))

# The uapi headers the library is written for: those the tree or its build folder has, or made here.
LIBKVM_HEADERS := $(patsubst %/linux/kvm.h,%,$(firstword $(wildcard \
	$(patsubst %,%/linux/kvm.h,$(filter %/usr/include,$(KHDR_INCLUDES)) $(LIBKVM_TREE)/usr/include))))
ifneq ($(LIBKVM_HEADERS),)
$(LIBKVM_B)/headers.done:
	@mkdir -p $(@D)
	@touch $@
else
LIBKVM_HEADERS := $(LIBKVM_B)/headers/usr/include
$(LIBKVM_B)/headers.done:
	@mkdir -p $(LIBKVM_B)/headers
	$(MAKE) -s -C '$(LIBKVM_TREE)' O='$(abspath $(LIBKVM_B)/headers)' ARCH=x86 headers
	@touch $@
endif

# As the tree's own Makefile has them.  Its warnings are not ours to mend, what it says on standard output would be
# in the way of KTAP.
LIBKVM_CFLAGS := -std=gnu99 -O2 -g -w -DQUIET -DCONFIG_64BIT -D_GNU_SOURCE= -MMD -MP -fno-strict-aliasing \
	-fno-stack-protector -U_FORTIFY_SOURCE \
	-I$(LIBKVM_TREE)/tools/include -I$(LIBKVM_TREE)/tools/arch/x86/include -I$(LIBKVM_HEADERS) \
	-I$(LIBKVM_DIR)/include $(addprefix -I,$(wildcard $(LIBKVM_DIR)/include/x86*)) \
	-I$(LIBKVM_DIR)/../rseq -I$(LIBKVM_DIR)/.. -Ilib/vmm/libkvm

$(LIBKVM_B)/%.c.o: $(LIBKVM_DIR)/lib/%.c $(LIBKVM_B)/headers.done
	@mkdir -p $(@D)
	$(CC) $(LIBKVM_CFLAGS) -I$(<D) -include lib/vmm/libkvm/take_over.h -c -o $@ $<

$(LIBKVM_B)/%.S.o: $(LIBKVM_DIR)/lib/%.S $(LIBKVM_B)/headers.done
	@mkdir -p $(@D)
	$(CC) $(LIBKVM_CFLAGS) -I$(<D) -c -o $@ $<

$(LIBKVM_B)/calls.o: lib/vmm/libkvm/calls.c Makefile lib/vmm/libkvm/libkvm.mk $(LIBKVM_B)/headers.done
	@mkdir -p $(@D)
	$(CC) $(LIBKVM_CFLAGS) -Wall -Ilib/vmm -Iinclude -include lib/vmm/libkvm/take_over.h -c -o $@ $<

$(LIBKVM_B)/libkvm.a: $(LIBKVM_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

# One object: what calls.o needs of the library, with no name of its own left but those of kvm_calls.h.
$(LIBKVM_OUTPUT)/libkvm.o: $(LIBKVM_B)/calls.o $(LIBKVM_B)/libkvm.a
	$(LD) -r -o $@.all $^
	$(CROSS_COMPILE)objcopy --wildcard --keep-global-symbol='vmm_*' $@.all $@
	@rm $@.all
