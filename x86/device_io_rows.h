/* SPDX-License-Identifier: GPL-2.0-only */
/* The instructions of device_io_test, as data; included there and nowhere else. */

enum device {
	PORT, /* port DEVICE_PORT: INS, OUTS */
	HOLE, /* memory-mapped, where the guest has no memory: MOVS, CMPS, PUSH, POP, ADD */
};

enum action {
	FROM_DEVICE, /* device to memory */
	TO_DEVICE,   /* memory to device */
	COMPARE,     /* device with memory, as long as they are equal */
	ADD,         /* to the device; no operand in memory */
};

struct row {
	const char *name;
	u8 code[4];       /* the same bytes in each code size */
	u8 code_size;
	enum device device;
	enum action action;
	u8 size;          /* bytes of an element; 0: of a stack slot */
	u32 count;        /* in CX */
	u32 offset;       /* of the first element; the page behind the first one is absent */
	bool rep;
	bool down;        /* EFLAGS.DF = 1 */
	bool stack;       /* memory is at SS:SP, CPL 3 only: exceptions at CPL 0 need that stack */
	bool port_bitmap; /* IOPL is 0: the TSS's bitmap decides at CPL 3 */
	bool forbidden;   /* by it */
	u32 base;         /* taken off the pointer and put into FS's and GS's base */
};

#define CODE(...) .code = { __VA_ARGS__ }, .code_size = sizeof((u8[]){ __VA_ARGS__ })
#define LAST(n, bytes) (PAGE - (n) * (bytes))

#define OUTS(bytes, ...) CODE(__VA_ARGS__), .device = PORT, .action = TO_DEVICE, .size = bytes
#define INS(bytes, ...) CODE(__VA_ARGS__), .device = PORT, .action = FROM_DEVICE, .size = bytes
#define LOAD(bytes, ...) CODE(__VA_ARGS__), .device = HOLE, .action = FROM_DEVICE, .size = bytes
#define STORE(bytes, ...) CODE(__VA_ARGS__), .device = HOLE, .action = TO_DEVICE, .size = bytes
#define CMPS(bytes, ...) CODE(__VA_ARGS__), .device = HOLE, .action = COMPARE, .size = bytes
#define ONCE .count = 1
#define REP(n) .rep = true, .count = n

/* COMPARE: the device holds what memory holds, up to this element. */
#define FIRST_DIFFERENT 5

static const struct row rows[] = {
	{ "outsb", OUTS(1, 0x6e), ONCE, .offset = 7 },
	{ "outsw", OUTS(2, 0x66, 0x6f), ONCE, .offset = 6 },
	{ "outsl", OUTS(4, 0x6f), ONCE, .offset = 8 },
	{ "outsl-fs", OUTS(4, 0x64, 0x6f), ONCE, .offset = 8, .base = 0x40 },
	{ "outsl-gs", OUTS(4, 0x65, 0x6f), ONCE, .offset = 8, .base = 0x40 },
	{ "rep-outsb", OUTS(1, 0xf3, 0x6e), REP(5), .offset = 3 },
	{ "rep-outsw", OUTS(2, 0xf3, 0x66, 0x6f), REP(5), .offset = 3 },
	{ "rep-outsl", OUTS(4, 0xf3, 0x6f), REP(5), .offset = 3 },
	{ "rep-outsl-down", OUTS(4, 0xf3, 0x6f), REP(5), .offset = 64, .down = true },
	{ "rep-outsl-long", OUTS(4, 0xf3, 0x6f), REP(700), .offset = 0 },
	{ "rep-outsb-long", OUTS(1, 0xf3, 0x6e), REP(1500), .offset = 1 },
	{ "rep-outsl-none", OUTS(4, 0xf3, 0x6f), REP(0), .offset = PAGE },
	{ "outsl-fault", OUTS(4, 0x6f), ONCE, .offset = PAGE },
	{ "outsl-across", OUTS(4, 0x6f), ONCE, .offset = PAGE - 2 },
	{ "rep-outsl-fault", OUTS(4, 0xf3, 0x6f), REP(8), .offset = LAST(4, 4) },
	{ "rep-outsl-across", OUTS(4, 0xf3, 0x6f), REP(8), .offset = LAST(4, 4) + 2 },
	{ "rep-outsb-long-fault", OUTS(1, 0xf3, 0x6e), REP(2000), .offset = LAST(1300, 1) },
	{ "outsl-bitmap", OUTS(4, 0x6f), ONCE, .offset = 8, .port_bitmap = true },
	{ "outsl-forbidden", OUTS(4, 0x6f), ONCE, .offset = 8, .port_bitmap = true,
	  .forbidden = true },
	{ "outsl-forbidden-absent", OUTS(4, 0x6f), ONCE, .offset = PAGE, .port_bitmap = true,
	  .forbidden = true },

	{ "insb", INS(1, 0x6c), ONCE, .offset = 7 },
	{ "insw", INS(2, 0x66, 0x6d), ONCE, .offset = 6 },
	{ "insl", INS(4, 0x6d), ONCE, .offset = 8 },
	{ "rep-insb", INS(1, 0xf3, 0x6c), REP(5), .offset = 3 },
	{ "rep-insw", INS(2, 0xf3, 0x66, 0x6d), REP(5), .offset = 3 },
	{ "rep-insl", INS(4, 0xf3, 0x6d), REP(5), .offset = 3 },
	{ "rep-insl-down", INS(4, 0xf3, 0x6d), REP(5), .offset = 64, .down = true },
	{ "rep-insl-long", INS(4, 0xf3, 0x6d), REP(700), .offset = 0 },
	{ "rep-insb-long", INS(1, 0xf3, 0x6c), REP(1500), .offset = 1 },
	{ "rep-insl-none", INS(4, 0xf3, 0x6d), REP(0), .offset = PAGE },
	{ "rep-insl-to-end", INS(4, 0xf3, 0x6d), REP(4), .offset = LAST(4, 4) },
	{ "insl-fault", INS(4, 0x6d), ONCE, .offset = PAGE },
	{ "insl-across", INS(4, 0x6d), ONCE, .offset = PAGE - 2 },
	{ "rep-insb-fault", INS(1, 0xf3, 0x6c), REP(8), .offset = LAST(4, 1) },
	{ "rep-insl-fault", INS(4, 0xf3, 0x6d), REP(8), .offset = LAST(4, 4) },
	{ "insl-bitmap", INS(4, 0x6d), ONCE, .offset = 8, .port_bitmap = true },
	{ "insl-forbidden", INS(4, 0x6d), ONCE, .offset = 8, .port_bitmap = true,
	  .forbidden = true },
	{ "insl-forbidden-absent", INS(4, 0x6d), ONCE, .offset = PAGE, .port_bitmap = true,
	  .forbidden = true },

	{ "movsb-load", LOAD(1, 0xa4), ONCE, .offset = 7 },
	{ "movsw-load", LOAD(2, 0x66, 0xa5), ONCE, .offset = 6 },
	{ "movsl-load", LOAD(4, 0xa5), ONCE, .offset = 8 },
	{ "rep-movsl-load", LOAD(4, 0xf3, 0xa5), REP(5), .offset = 3 },
	{ "rep-movsl-load-down", LOAD(4, 0xf3, 0xa5), REP(5), .offset = 64, .down = true },
	{ "rep-movsl-load-none", LOAD(4, 0xf3, 0xa5), REP(0), .offset = PAGE },
	{ "movsl-load-fault", LOAD(4, 0xa5), ONCE, .offset = PAGE },
	{ "movsl-load-across", LOAD(4, 0xa5), ONCE, .offset = PAGE - 2 },
	{ "rep-movsl-load-fault", LOAD(4, 0xf3, 0xa5), REP(8), .offset = LAST(4, 4) },
	{ "push", LOAD(0, 0xff, 0x36), ONCE, .offset = 64, .stack = true },
	{ "push-fault", LOAD(0, 0xff, 0x36), ONCE, .offset = PAGE + 64, .stack = true },

	{ "movsb-store", STORE(1, 0xa4), ONCE, .offset = 7 },
	{ "movsw-store", STORE(2, 0x66, 0xa5), ONCE, .offset = 6 },
	{ "movsl-store", STORE(4, 0xa5), ONCE, .offset = 8 },
	{ "rep-movsl-store", STORE(4, 0xf3, 0xa5), REP(5), .offset = 3 },
	{ "rep-movsl-store-down", STORE(4, 0xf3, 0xa5), REP(5), .offset = 64, .down = true },
	{ "movsl-store-fault", STORE(4, 0xa5), ONCE, .offset = PAGE },
	{ "movsl-store-across", STORE(4, 0xa5), ONCE, .offset = PAGE - 2 },
	{ "rep-movsl-store-fault", STORE(4, 0xf3, 0xa5), REP(8), .offset = LAST(4, 4) },
	{ "pop", STORE(0, 0x8f, 0x06), ONCE, .offset = 64, .stack = true },
	{ "pop-fault", STORE(0, 0x8f, 0x06), ONCE, .offset = PAGE, .stack = true },

	{ "cmpsb", CMPS(1, 0xa6), ONCE, .offset = 7 },
	{ "cmpsl", CMPS(4, 0xa7), ONCE, .offset = 8 },
	{ "repe-cmpsl", CMPS(4, 0xf3, 0xa7), REP(9), .offset = 8 },
	{ "repe-cmpsl-equal", CMPS(4, 0xf3, 0xa7), REP(4), .offset = 8 },
	{ "cmpsl-fault", CMPS(4, 0xa7), ONCE, .offset = PAGE },
	{ "repe-cmpsl-fault", CMPS(4, 0xf3, 0xa7), REP(8), .offset = LAST(4, 4) },

	{ "addl", CODE(0x01, 0x06), .device = HOLE, .action = ADD, .size = 4, ONCE },
	{ "addb", CODE(0x00, 0x06), .device = HOLE, .action = ADD, .size = 1, ONCE },
};
