/* SPDX-License-Identifier: GPL-2.0-only */
/* What Debian 13's static libelf lacks: see role_btf.c. */
#ifndef KMC_STATIC_LIBELF_H
#define KMC_STATIC_LIBELF_H

void eu_search_tree_init(void *tree);
void eu_search_tree_fini(void *tree, void (*free_node)(void *));

#endif
