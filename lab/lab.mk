# SPDX-License-Identifier: GPL-2.0-only
# The emulated hosts, see docs/lab.md.  Included by the top Makefile:
#   make lab [HOST=svm-npt] [KERNEL=6.1] [TIME_LIMIT=seconds] [ARGS='runner arguments']
#   make lab-list

# Some shells export HOST, the machine's name: only the command line counts.
ifneq ($(origin HOST),command line)
HOST := svm-npt
endif
KERNEL ?= 6.1

.PHONY: lab lab-list
lab: all
	lab/run.sh --host '$(HOST)' --kernel '$(KERNEL)' $(if $(TIME_LIMIT),--time-limit '$(TIME_LIMIT)') -- $(ARGS)

lab-list:
	@lab/run.sh --list
