/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Coalesced port I/O: the guest's OUTs to some ports collect in a ring that KVM shares with the
 * VMM, without an exit each.  The OUT that finds the ring full exits as usual: whoever
 * handles an exit empties the ring first.  One ring per VM (KVM_CAP_COALESCED_PIO, api.rst 4.116).
 */
#ifndef KMC_COALESCED_H
#define KMC_COALESCED_H

#include "vm.h"

/* Collects OUTs of up to size bytes to ports from port up.  False: this host cannot. */
bool vm_coalesce_ports(struct vm *vm, u16 port, u32 size);
/* The oldest OUT in the ring: its first 4 bytes, port and length; false if there is none. */
bool vcpu_coalesced_out(struct vcpu *vcpu, u16 *port, u32 *len, u32 *data);

#endif
