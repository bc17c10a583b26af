// SPDX-License-Identifier: GPL-2.0-only
/* Binary statistics of KVM: a header, descriptors by name, values. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kvm_stats.h"

struct kvm_stats {
	int fd;
	struct kvm_stats_header header;
	size_t desc_size;
	u8 *desc; /* header.num_desc of them */
};

static struct kvm_stats *refuse(struct kvm_stats *stats, char why[STATS_WHY_LEN], const char *text)
{
	snprintf(why, STATS_WHY_LEN, "KVM_GET_STATS_FD: %s", text);
	kvm_stats_close(stats);
	return NULL;
}

static struct kvm_stats *stats_open(int owner, char why[STATS_WHY_LEN])
{
	int fd = ioctl(owner, KVM_GET_STATS_FD, NULL);
	struct kvm_stats *stats;
	size_t size;

	if (fd < 0)
		return refuse(NULL, why, strerror(errno));
	stats = calloc(1, sizeof(*stats));
	if (!stats) {
		close(fd);
		return refuse(NULL, why, "out of memory");
	}
	stats->fd = fd;
	if (pread(fd, &stats->header, sizeof(stats->header), 0) != sizeof(stats->header))
		return refuse(stats, why, "the header cannot be read");
	stats->desc_size = sizeof(struct kvm_stats_desc) + stats->header.name_size;
	size = stats->header.num_desc * stats->desc_size;
	/* A kernel has some dozens; a header that says otherwise is none. */
	if (stats->header.name_size > 4096 || stats->header.num_desc > 4096)
		return refuse(stats, why, "the header makes no sense");
	stats->desc = malloc(size ?: 1);
	if (!stats->desc)
		return refuse(stats, why, "out of memory");
	if (pread(fd, stats->desc, size, stats->header.desc_offset) != (ssize_t)size)
		return refuse(stats, why, "the descriptors cannot be read");
	return stats;
}

struct kvm_stats *vm_stats_open(struct vm *vm, char why[STATS_WHY_LEN])
{
	return stats_open(vm->fd, why);
}

struct kvm_stats *vcpu_stats_open(struct vcpu *vcpu, char why[STATS_WHY_LEN])
{
	return stats_open(vcpu->fd, why);
}

void kvm_stats_close(struct kvm_stats *stats)
{
	if (!stats)
		return;
	close(stats->fd);
	free(stats->desc);
	free(stats);
}

const char *kvm_stats_get(const struct kvm_stats *stats, const char *name, u64 *value)
{
	static char why[STATS_WHY_LEN];
	u32 i;

	for (i = 0; i < stats->header.num_desc; i++) {
		const struct kvm_stats_desc *d = (void *)(stats->desc + i * stats->desc_size);

		if (strncmp(d->name, name, stats->header.name_size))
			continue;
		if (!d->size)
			break;
		if (pread(stats->fd, value, sizeof(*value), stats->header.data_offset + d->offset) !=
		    sizeof(*value))
			return "the statistics cannot be read";
		return NULL;
	}
	snprintf(why, sizeof(why), "this kernel has no statistic %s", name);
	return why;
}
