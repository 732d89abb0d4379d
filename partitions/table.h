/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one half of ublk-partitions tells the other
 *
 * The half that read the disk sends one record for each partition and a last one with their number, over a
 * pipe. The other half trusts none of it: whoever wrote the disk may have taken over the reader. So a record has
 * a fixed size, everything is copied into a table of fixed size, and a stream that is not exactly what was agreed
 * is refused as a whole.
 */

#include <stddef.h>
#include <stdint.h>

enum {
        TABLE_MAX = 256, /* records; more than there are numbers */
        PARTITION_NUMBER_MAX =
                255, /* of the kernel, which has 256 minors for a disk and its partitions */
};

enum record_kind {
        RECORD_PARTITION = 1,
        RECORD_END,    /* number: how many partitions came before */
        RECORD_FAILED, /* number: an errno; nothing else comes */
};

struct record {
        uint32_t kind;
        uint32_t number;
        uint64_t start; /* in sectors of 512 bytes, whatever the disk's block size */
        uint64_t size;
};

struct partition {
        unsigned number;
        uint64_t start;
        uint64_t size;
};

struct table {
        struct partition items[TABLE_MAX];
        size_t count;
};

struct table_reader {
        struct table *table;
        union {
                struct record record;
                char bytes[sizeof(struct record)];
        } buffer;
        size_t filled;
        int ended; /* RECORD_END has come */
};

/* Begins with an empty table. */
void table_reader_init(struct table_reader *r, struct table *table);

/* Takes what came from the pipe, however it is cut. Returns 0 to go on, -EBADMSG for what is no such stream, or the
 * errno of RECORD_FAILED. */
int table_feed(struct table_reader *r, const void *data, size_t n);

/* The pipe is at its end. Returns 0 or -EBADMSG. */
int table_finish(const struct table_reader *r);

/* Whether the kernel can be asked for this partition, on a disk of `sectors` sectors with blocks of block_sectors. NULL: yes;
 * otherwise what is wrong with it, for people. */
const char *partition_problem(const struct partition *p, uint64_t sectors, unsigned block_sectors);

/* NULL: there is none of that number. */
const struct partition *table_find(const struct table *table, unsigned number);
