// SPDX-License-Identifier: GPL-2.0-only
/* The layout of union kvm_mmu_page_role, from the kernel's BTF. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "role_observer.h"
#include "static_libelf.h"

#define BTF_VMLINUX "/sys/kernel/btf/vmlinux"
#define BTF_KVM "/sys/kernel/btf/kvm" /* not there where KVM is part of the kernel */
#define ROLE_UNION "kvm_mmu_page_role"

#ifdef STATIC_LINK
/*
 * Debian 13's static libelf (elfutils 0.192) lacks these two functions of its own: they are in
 * an archive that is not packaged.  libbpf needs libelf for type information in ELF files;
 * here only the kernel's raw one is parsed, so that nothing ever calls them.
 */
__weak void eu_search_tree_init(void *tree)
{
	(void)tree;
	abort();
}

__weak void eu_search_tree_fini(void *tree, void (*free_node)(void *))
{
	(void)tree;
	(void)free_node;
	abort();
}
#endif

static char why[OBSERVER_WHY_LEN];

static struct btf *parse(const char *path, struct btf *base)
{
	struct btf *btf = base ? btf__parse_raw_split(path, base) : btf__parse_raw(path);

	if (!btf)
		snprintf(why, sizeof(why), "no type information of the kernel: %s: %s", path,
			 strerror(errno));
	return btf;
}

static u8 member_width(const struct btf *btf, const struct btf_type *type, u32 i)
{
	u32 width = btf_member_bitfield_size(type, i);
	s64 size;

	if (!width) {
		/* No bit-field: a member of a whole type. */
		size = btf__resolve_size(btf, btf_members(type)[i].type);
		width = size > 0 && size <= 4 ? size * 8 : 0;
	}
	return width;
}

/* The bit-fields of the union's struct; the other member is the word. */
static const char *collect(const struct btf *btf, const struct btf_type *type,
			   struct role_layout *layout)
{
	struct role_member members[ROLE_MAX_MEMBERS];
	unsigned int nr = 0;
	u32 i, j;

	for (i = 0; i < btf_vlen(type); i++) {
		const struct btf_type *inner = btf__type_by_id(btf, btf_members(type)[i].type);

		if (!inner || !btf_is_struct(inner))
			continue;
		for (j = 0; j < btf_vlen(inner); j++) {
			const struct btf_member *m = &btf_members(inner)[j];
			const char *name = btf__name_by_offset(btf, m->name_off);

			if (!name || !*name)
				continue; /* padding */
			if (nr == ROLE_MAX_MEMBERS)
				return "the kernel's role has more fields than this can hold";
			members[nr] = (struct role_member){
				.offset = btf_member_bit_offset(inner, j),
				.width = member_width(btf, inner, j),
			};
			snprintf(members[nr++].name, sizeof(members->name), "%s", name);
		}
	}
	return role_layout_init(layout, members, nr);
}

const char *role_layout_read(struct role_layout *layout)
{
	struct btf *vmlinux, *kvm, *btf;
	const char *reason;
	s32 id;

	libbpf_set_print(NULL);
	vmlinux = parse(BTF_VMLINUX, NULL);
	if (!vmlinux)
		return why;
	kvm = parse(BTF_KVM, vmlinux);
	btf = kvm ?: vmlinux;
	id = btf__find_by_name_kind(btf, ROLE_UNION, BTF_KIND_UNION);
	if (id > 0) {
		reason = collect(btf, btf__type_by_id(btf, id), layout);
	} else {
		snprintf(why, sizeof(why), "no union " ROLE_UNION " in the kernel's type information%s",
			 kvm ? "" : ", which has none of the module kvm");
		reason = why;
	}
	btf__free(kvm);
	btf__free(vmlinux);
	return reason;
}
