/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libblkid reads the table, because udev and partx use it too: a disk looks the same whoever asks. It is a parser in C
 * for two dozen formats, so it runs here, behind confine(), and nowhere else in the project.
 */

#include "partitions/probe.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "partitions/table.h"

static int send_record(int pipe, const struct record *record) {
        /* Less than PIPE_BUF: written as a whole or not at all. */
        return write(pipe, record, sizeof(*record)) == sizeof(*record) ? 0 : -EIO;
}

static int send_partition(blkid_partition p, unsigned block_sectors, int pipe) {
        struct record record = {
                .kind = RECORD_PARTITION,
                .number = (uint32_t)blkid_partition_get_partno(p),
                .start = (uint64_t)blkid_partition_get_start(p),
                .size = (uint64_t)blkid_partition_get_size(p),
        };

        /* As the kernel does it: nobody shall make a file system over the logical partitions, but a boot
         * loader has room. */
        if (blkid_partition_is_extended(p))
                record.size = MIN(record.size, MAX(block_sectors, 2U));
        return send_record(pipe, &record);
}

static int send_table(blkid_partlist list, unsigned block_sectors, int pipe) {
        struct record end = { .kind = RECORD_END };
        int n = list ? blkid_partlist_numof_partitions(list) : 0;

        for (int i = 0; i < n && end.number < TABLE_MAX; i++) {
                blkid_partition p = blkid_partlist_get_partition(list, i);
                int r;

                /* The kernel has no more numbers and leaves out the others as well. */
                if (!p || blkid_partition_get_partno(p) > PARTITION_NUMBER_MAX)
                        continue;
                r = send_partition(p, block_sectors, pipe);
                if (r < 0)
                        return r;
                end.number++;
        }
        return send_record(pipe, &end);
}

static int probe(int fd, unsigned block_sectors, int pipe) {
        blkid_partlist list;
        blkid_probe probe;
        int r;

        probe = blkid_new_probe();
        if (!probe)
                return -ENOMEM;
        errno = 0;
        if (blkid_probe_set_device(probe, fd, 0, 0) < 0 ||
            blkid_probe_enable_superblocks(probe, 0) < 0 ||
            blkid_probe_enable_partitions(probe, 1) < 0) {
                r = errno > 0 ? -errno : -EIO;
                blkid_free_probe(probe);
                return r;
        }
        errno = 0;
        list = blkid_probe_get_partitions(probe);
        r = !list && errno > 0 ? -errno : send_table(list, block_sectors, pipe);
        blkid_free_probe(probe);
        return r;
}

int probe_table(int fd, unsigned block_sectors, int pipe) {
        int r = probe(fd, block_sectors, pipe);

        if (r < 0)
                (void)send_record(
                        pipe, &(struct record){ .kind = RECORD_FAILED, .number = (uint32_t)-r });
        return r;
}
