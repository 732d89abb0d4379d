/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The stream is judged record by record as it comes in. Numbers that no reader of a partition table sends are a
 * broken reader, and then nothing of it counts; partitions that don't fit on the disk are a broken table, which is
 * somebody's data and may be worth something, so only they are left out (partition_problem()).
 */

#include "partitions/table.h"

#include <errno.h>
#include <string.h>

#include "lib/base/macro.h"

void table_reader_init(struct table_reader *r, struct table *table) {
        table->count = 0;
        *r = (struct table_reader){ .table = table };
}

static int take_partition(struct table_reader *r, const struct record *record) {
        struct table *table = r->table;

        if (record->number < 1 || record->number > PARTITION_NUMBER_MAX ||
            table->count == TABLE_MAX || table_find(table, record->number))
                return -EBADMSG;
        table->items[table->count++] = (struct partition){ .number = record->number,
                                                           .start = record->start,
                                                           .size = record->size };
        return 0;
}

static int take(struct table_reader *r, const struct record *record) {
        if (r->ended)
                return -EBADMSG;
        switch (record->kind) {
        case RECORD_PARTITION:
                return take_partition(r, record);
        case RECORD_END:
                r->ended = true;
                return record->number == r->table->count ? 0 : -EBADMSG;
        case RECORD_FAILED:
                /* The largest errno that the kernel knows. */
                return record->number < 1 || record->number > 4095 ? -EBADMSG
                                                                   : -(int)record->number;
        default:
                return -EBADMSG;
        }
}

int table_feed(struct table_reader *r, const void *data, size_t n) {
        const char *at = data;

        while (n > 0) {
                size_t part = MIN(n, sizeof(r->buffer) - r->filled);
                int k;

                memcpy(r->buffer.bytes + r->filled, at, part);
                r->filled += part;
                at += part;
                n -= part;
                if (r->filled < sizeof(r->buffer))
                        return 0;
                r->filled = 0;
                k = take(r, &r->buffer.record);
                if (k < 0)
                        return k;
        }
        return 0;
}

int table_finish(const struct table_reader *r) {
        return r->ended && r->filled == 0 ? 0 : -EBADMSG;
}

const char *partition_problem(const struct partition *p, uint64_t sectors, unsigned block_sectors) {
        if (p->size == 0)
                return "it has no size";
        if (p->start >= sectors || p->size > sectors - p->start)
                return "it goes beyond the end of the disk";
        if (p->start % block_sectors != 0 || p->size % block_sectors != 0)
                return "it doesn't consist of whole logical blocks";
        return NULL;
}

const struct partition *table_find(const struct table *table, unsigned number) {
        for (size_t i = 0; i < table->count; i++)
                if (table->items[i].number == number)
                        return &table->items[i];
        return NULL;
}
