/* SPDX-License-Identifier: GPL-2.0-only */
/* Integer and address types, spelled as the kernel spells them. */
#ifndef KMC_TYPES_H
#define KMC_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

typedef u64 gva_t; /* guest virtual (linear) address */
typedef u64 gpa_t; /* guest physical address */

/* As the kernel's compiler.h has them. */
#define __printf(fmt, args) __attribute((format(printf, fmt, args)))
#define __weak __attribute((weak))

#define BIT_ULL(n) (1ULL << (n))
/* Bits high..low set, both included; 0 when high < low. */
#define BITS_ULL(high, low) \
	((high) < (low) ? 0 : (~0ULL >> (63 - (high))) & (~0ULL << (low)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
