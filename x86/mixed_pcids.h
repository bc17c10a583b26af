/* SPDX-License-Identifier: GPL-2.0-only */
/* Scenarios of mixed_role_test with CR4.PCIDE=1 (SDM 3A 4.10.1, 4.10.4.1); steps as in mixed_role.h. */
#ifndef KMC_MIXED_PCIDS_H
#define KMC_MIXED_PCIDS_H

#include "mixed_role.h"

/*
 * Two roots with PCIDs, as kernels do that keep the TLB: what was edited under another PCID is
 * flushed by each way there is before anybody looks with that one.
 */
static const struct mixed_step pcids[] = {
	PUT8(ROOT_PML4(1), 0, ROOT_PDPT(1) | E_RW),
	PUT8(ROOT_PDPT(0), 1, TABLE(1) | E_RW),
	PUT8(ROOT_PDPT(1), 1, TABLE(4) | E_RW),
	PUT8(TABLE(1), 0, TABLE(0) | E_RW),
	PUT8(TABLE(4), 0, TABLE(5) | E_RW),
	PUT8(TABLE(0), 1, DATA(0) | E_RW),
	PUT8(TABLE(0), 2, DATA(1) | E_RO),
	/* A global page is the same one under all PCIDs: SDM 3A 4.10.2.4. */
	PUT8(TABLE(0), 3, DATA(8) | E_RO | PTE_G),
	PUT8(TABLE(5), 3, DATA(8) | E_RO | PTE_G),
	PUT8(TABLE(5), 1, DATA(2) | E_RO),
	PUT8(TABLE(5), 2, DATA(3) | E_SRW),
	LOOK(EVERYONE),
	PCIDE(EVERYONE),
	LOOK(EVERYONE),
	CR3_PCID(EVERYONE, 1, 2),
	LOOK(EVERYONE),
	CR3_PCID(EVERYONE, 0, 1),
	LOOK(EVERYONE),
	CR3_KEEP(EVERYONE, 1, 2),
	LOOK(EVERYONE),
	CR3_KEEP(EVERYONE, 0, 1),
	LOOK(EVERYONE),
	/* One address of another PCID. */
	SET8(0, TABLE(5), 1, 0),
	SET8(1, TABLE(5), 2, DATA(4) | E_RO),
	INVPCID(EVERYONE, ADDRESS, 2, 0x40001000),
	INVPCID(EVERYONE, ADDRESS, 2, 0x40002000),
	CR3_KEEP(EVERYONE, 1, 2),
	LOOK(EVERYONE),
	/* All of another PCID that is not global. */
	SET8(1, TABLE(0), 1, DATA(0) | E_RO),
	INVPCID(EVERYONE, CONTEXT, 1, 0),
	CR3_KEEP(EVERYONE, 0, 1),
	LOOK(EVERYONE),
	/* The same of the PCID in use. */
	SET8(1, TABLE(0), 1, DATA(0) | E_SRW),
	INVPCID(EVERYONE, ADDRESS, 1, 0x40001000),
	LOOK(EVERYONE),
	SET8(1, TABLE(0), 2, DATA(4) | E_RW),
	INVPCID(EVERYONE, CONTEXT, 1, 0),
	LOOK(EVERYONE),
	/* All PCIDs, the one in use, too. */
	SET8(0, TABLE(5), 1, DATA(2) | E_RO),
	SET8(0, TABLE(5), 2, 0),
	SET8(1, TABLE(0), 1, DATA(5) | E_RW),
	INVPCID(EVERYONE, ALL_BUT_GLOBAL, 0, 0),
	LOOK(EVERYONE),
	CR3_KEEP(EVERYONE, 1, 2),
	LOOK(EVERYONE),
	/* Global pages. */
	SET8(1, TABLE(0), 2, DATA(1) | E_SRW),
	SET8(1, TABLE(0), 3, DATA(9) | E_SRW | PTE_G),
	SET8(0, TABLE(5), 3, DATA(9) | E_SRW | PTE_G),
	SET8(0, TABLE(5), 1, DATA(6) | E_SRO),
	INVPCID(EVERYONE, ALL, 0, 0),
	LOOK(EVERYONE),
	CR3_KEEP(EVERYONE, 0, 1),
	LOOK(EVERYONE),
	/* MOV to CR3 flushes the PCID it loads; INVLPG flushes that in CR3. */
	SET8(0, TABLE(5), 1, DATA(2) | E_RW),
	CR3_PCID(EVERYONE, 1, 2),
	LOOK(EVERYONE),
	SET8(1, TABLE(0), 1, 0),
	CR3_KEEP(EVERYONE, 0, 1),
	INVLPG(EVERYONE, 0x40001000),
	LOOK(EVERYONE),
	/* Another root under the same PCID, all bits of which are set. */
	CR3_PCID(EVERYONE, 1, 0xfff),
	LOOK(EVERYONE),
	CR3_PCID(EVERYONE, 0, 0xfff),
	LOOK(EVERYONE),
	/* CR4.PGE, and CR4.PCIDE when it is cleared, flush all. */
	SET8(0, TABLE(5), 2, DATA(3) | E_RO),
	PGE(EVERYONE),
	CR3_KEEP(EVERYONE, 1, 2),
	LOOK(EVERYONE),
	SET8(1, TABLE(0), 1, DATA(7) | E_RW),
	SET8(1, TABLE(5), 1, 0),
	PCIDE(EVERYONE),
	LOOK(EVERYONE),
	CR3(EVERYONE, 0),
	LOOK(EVERYONE),
};

#endif
