/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* BLKPG is what partx uses: the kernel neither reads the disk nor asks whether it would scan it. It refuses partitions
 * that overlap, unlike its own scan, and doesn't remove one that somebody has open.
 */

#include "partitions/blkpg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

enum { SECTOR = 512 };

/* The mark that blkpg.h describes; the manager looks for it. A uevent needs a UUID to carry a mark. */
#define ANNOUNCEMENT "change 00000000-0000-0000-0000-000000000000 UBLK=partitions"

static int read_number(const char *folder, const char *file, uint64_t *ret) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        int r;

        if (asprintf(&path, "%s/%s", folder, file) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        r = read_file(path, 4096, &text, NULL);
        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = 0;
        return parse_u64(text, ret);
}

static int read_partition(const char *folder, struct table *table) {
        uint64_t number, start, size;
        int r;

        r = read_number(folder, "partition", &number);
        if (r == -ENOENT) /* "queue", "holders" … */
                return 0;
        if (r >= 0)
                r = read_number(folder, "start", &start);
        if (r >= 0)
                r = read_number(folder, "size", &size);
        if (r < 0)
                return r;
        if (table->count == TABLE_MAX)
                return -E2BIG;
        table->items[table->count++] =
                (struct partition){ .number = (unsigned)number, .start = start, .size = size };
        return 0;
}

/* The partitions that the kernel has, from /sys. */
static int read_existing(const char *disk, struct table *ret) {
        _cleanup_free_ char *folder = NULL;
        struct dirent *entry;
        DIR *dir;
        int r = 0;

        ret->count = 0;
        if (asprintf(&folder, "/sys/class/block/%s", disk) < 0) {
                folder = NULL;
                return -ENOMEM;
        }
        dir = opendir(folder);
        if (!dir)
                return -errno;
        while (r >= 0 && (entry = readdir(dir))) {
                _cleanup_free_ char *part = NULL;

                if (strncmp(entry->d_name, disk, strlen(disk)) != 0)
                        continue;
                if (asprintf(&part, "%s/%s", folder, entry->d_name) < 0)
                        part = NULL;
                r = part ? read_partition(part, ret) : -ENOMEM;
        }
        closedir(dir);
        return r;
}

static int blkpg(int fd, int op, const struct partition *p) {
        struct blkpg_partition partition = {
                .pno = (int)p->number,
                .start = (long long)(p->start * SECTOR),
                .length = (long long)(p->size * SECTOR),
        };
        struct blkpg_ioctl_arg arg = { .op = op, .datalen = sizeof(partition), .data = &partition };

        return ioctl(fd, BLKPG, &arg) < 0 ? -errno : 0;
}

static int delete_one(const struct disk *disk, const struct partition *p) {
        int r = blkpg(disk->fd, BLKPG_DEL_PARTITION, p);

        if (r == -EBUSY)
                log_error("partition %u of %s is in use and stays: unmount or close it, and try "
                          "again",
                          p->number, disk->name);
        else if (r < 0 && r != -ENXIO)
                (void)log_errno(LOG_ERR, r, "partition %u of %s can't be removed", p->number,
                                disk->name);
        return r == -ENXIO ? 0 : r;
}

static int add_one(const struct disk *disk, const struct partition *p) {
        const char *problem = partition_problem(p, disk->sectors, disk->block_sectors);
        int r;

        if (!problem) {
                r = blkpg(disk->fd, BLKPG_ADD_PARTITION, p);
                if (r != -EBUSY)
                        return r >= 0 ? 0
                                      : log_errno(LOG_ERR, r, "partition %u of %s can't be made",
                                                  p->number, disk->name);
                problem = "it overlaps another one";
        }
        log_warning("partition %u of %s (%llu sectors from %llu) is left out: %s", p->number,
                    disk->name, (unsigned long long)p->size, (unsigned long long)p->start, problem);
        return 0;
}

static bool is_in(const struct table *table, const struct partition *p) {
        const struct partition *other = table_find(table, p->number);

        return other && other->start == p->start && other->size == p->size;
}

int blkpg_sync(const struct disk *disk, const struct table *table) {
        static struct table existing;
        int r, first;

        first = read_existing(disk->name, &existing);
        if (first < 0)
                return log_errno(LOG_ERR, first, "the partitions of %s can't be found", disk->name);
        /* First what is to go: it may overlap what is to come. */
        for (size_t i = 0; i < existing.count; i++) {
                if (is_in(table, &existing.items[i]))
                        continue;
                r = delete_one(disk, &existing.items[i]);
                first = first < 0 ? first : r;
        }
        for (size_t i = 0; i < table->count; i++) {
                if (is_in(&existing, &table->items[i]))
                        continue;
                r = add_one(disk, &table->items[i]);
                first = first < 0 ? first : r;
        }
        return first;
}

int blkpg_announce(const struct disk *disk) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "/sys/class/block/%s/uevent", disk->name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, ANNOUNCEMENT, sizeof(ANNOUNCEMENT) - 1) < 0)
                return -errno;
        return 0;
}
