/* SPDX-License-Identifier: GPL-2.0-only */
/* The page's style sheet and script, as they are in their files. */
	.section .rodata
	.globl page_css, page_js
page_css:
	.incbin "lib/report/page.css"
	.byte 0
page_js:
	.incbin "lib/report/page.js"
	.byte 0
	.section .note.GNU-stack, "", @progbits
