/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Architectural constants, named as in the kernel.
 * Intel SDM vol. 3A 2.5 (control registers), 4.7 (page-fault error code), 6.15;
 * AMD APM vol. 2 3.1, 5.5, 8.4.2.
 */
#ifndef KMC_X86_H
#define KMC_X86_H

/* Usable from assembly too: plain numbers only. */
#define X86_CR0_PE 0x00000001
#define X86_CR0_MP 0x00000002
#define X86_CR0_TS 0x00000008
#define X86_CR0_ET 0x00000010
#define X86_CR0_NE 0x00000020
#define X86_CR0_WP 0x00010000
#define X86_CR0_AM 0x00040000
#define X86_CR0_NW 0x20000000
#define X86_CR0_CD 0x40000000
#define X86_CR0_PG 0x80000000

#define X86_CR3_KEEP 0x8000000000000000 /* with CR4.PCIDE=1: flushes nothing */

#define X86_CR4_PSE 0x00000010
#define X86_CR4_PAE 0x00000020
#define X86_CR4_PGE 0x00000080
#define X86_CR4_LA57 0x00001000
#define X86_CR4_PCIDE 0x00020000
#define X86_CR4_SMEP 0x00100000
#define X86_CR4_SMAP 0x00200000
#define X86_CR4_PKE 0x00400000

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_BSP 0x00000100
#define APIC_BASE_ENABLE 0x00000800
#define APIC_BASE_ADDR 0xfee00000

#define MSR_EFER 0xc0000080
#define X86_EFER_LME 0x00000100
#define X86_EFER_LMA 0x00000400
#define X86_EFER_NX 0x00000800

#define X86_EFLAGS_CF 0x00000001
#define X86_EFLAGS_FIXED 0x00000002
#define X86_EFLAGS_IF 0x00000200
#define X86_EFLAGS_IOPL 0x00003000
#define X86_EFLAGS_AC 0x00040000

#define UD_VECTOR 6
#define DF_VECTOR 8
#define GP_VECTOR 13
#define PF_VECTOR 14
#define SS_VECTOR 12

#define PFERR_PRESENT 0x01
#define PFERR_WRITE 0x02
#define PFERR_USER 0x04
#define PFERR_RSVD 0x08
#define PFERR_FETCH 0x10
#define PFERR_PK 0x20

#endif
