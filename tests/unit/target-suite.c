/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* See target-suite.h. The seed of a run that failed is in the test's name or text, so it can be repeated. */

#include "tests/unit/target-suite.h"

#include <errno.h>
#include <stdlib.h>

enum { SECTOR = 512, ROUNDS = 3000 };

struct model {
        struct harness *harness;
        unsigned traits;
        unsigned seed;
        char *data;      /* what READ must return */
        char *discarded; /* one byte a sector: zeroes would be right as well */
        char scratch[HARNESS_IO_BYTES];
};

static uint32_t pick(struct model *m, uint32_t below) {
        return (uint32_t)rand_r(&m->seed) % below;
}

static void check_read(struct model *m, uint64_t offset, uint32_t length) {
        static const char zeroes[SECTOR];

        assert_int_equal(harness_do(m->harness, TARGET_READ, 0, offset, length, m->scratch), 0);
        for (uint32_t i = 0; i < length; i += SECTOR) {
                const char *got = m->scratch + i;

                if (m->discarded[(offset + i) / SECTOR] && memcmp(got, zeroes, SECTOR) == 0)
                        continue;
                assert_memory_equal(got, m->data + offset + i, SECTOR);
        }
}

static void do_write(struct model *m, uint64_t offset, uint32_t length) {
        uint32_t flags = pick(m, 4) == 0 ? TARGET_FUA : 0;

        memset(m->scratch, (int)pick(m, 256), length);
        for (uint32_t i = 0; i < length; i += SECTOR)
                m->scratch[i] = (char)pick(m, 256);
        assert_int_equal(harness_do(m->harness, TARGET_WRITE, flags, offset, length, m->scratch),
                         0);
        if (!(m->traits & SUITE_FORGETS))
                memcpy(m->data + offset, m->scratch, length);
        memset(m->discarded + offset / SECTOR, 0, length / SECTOR);
}

static void do_zeroes(struct model *m, uint64_t offset, uint32_t length) {
        uint32_t flags = pick(m, 2) == 0 ? TARGET_NOUNMAP : 0;

        assert_int_equal(harness_do(m->harness, TARGET_WRITE_ZEROES, flags, offset, length, NULL),
                         0);
        memset(m->data + offset, 0, length);
        memset(m->discarded + offset / SECTOR, 0, length / SECTOR);
}

static void do_discard(struct model *m, uint64_t offset, uint32_t length) {
        if (m->harness->geometry.max_discard_bytes == 0)
                return;
        assert_int_equal(harness_do(m->harness, TARGET_DISCARD, 0, offset, length, NULL), 0);
        memset(m->discarded + offset / SECTOR, 1, length / SECTOR);
}

static void one_round(struct model *m) {
        uint32_t block = m->harness->config.logical_block_size;
        uint32_t blocks = (uint32_t)(m->harness->geometry.size_bytes / block);
        uint32_t most = pick(m, 2) ? 8 : HARNESS_IO_BYTES / block;
        uint32_t n = 1 + pick(m, MIN(most, blocks));
        uint64_t offset = (uint64_t)pick(m, blocks - n + 1) * block;

        switch (pick(m, 8)) {
        case 0:
        case 1:
        case 2:
                do_write(m, offset, n * block);
                break;
        case 3:
                do_zeroes(m, offset, n * block);
                break;
        case 4:
                do_discard(m, offset, n * block);
                break;
        case 5:
                assert_int_equal(harness_do(m->harness, TARGET_FLUSH, 0, 0, 0, NULL), 0);
                break;
        default:
                check_read(m, offset, n * block);
        }
}

void suite_random(struct harness *h, unsigned traits, unsigned seed) {
        struct model *m = calloc(1, sizeof(*m));
        uint64_t size = h->geometry.size_bytes;

        assert_non_null(m);
        *m = (struct model){ .harness = h, .traits = traits, .seed = seed };
        m->data = calloc(1, size);
        m->discarded = calloc(1, size / SECTOR);
        assert_true(m->data && m->discarded);

        for (unsigned i = 0; i < ROUNDS; i++)
                one_round(m);
        for (uint64_t offset = 0; offset < size; offset += HARNESS_IO_BYTES)
                check_read(m, offset, (uint32_t)MIN(size - offset, (uint64_t)HARNESS_IO_BYTES));

        free(m->data);
        free(m->discarded);
        free(m);
}

void suite_parallel(struct harness *h, unsigned traits) {
        static char data[HARNESS_TAGS][4096];

        for (unsigned round = 0; round < 20; round++) {
                for (unsigned tag = 0; tag < HARNESS_TAGS; tag++) {
                        memset(data[tag], (int)(round * HARNESS_TAGS + tag + 1), sizeof(data[tag]));
                        harness_begin(h, tag, TARGET_WRITE, tag % 2 ? TARGET_FUA : 0,
                                      (uint64_t)tag * sizeof(data[tag]), sizeof(data[tag]),
                                      data[tag]);
                }
                for (unsigned tag = 0; tag < HARNESS_TAGS; tag++)
                        assert_int_equal(harness_end(h, tag), 0);

                for (unsigned tag = 0; tag < HARNESS_TAGS; tag++)
                        harness_begin(h, tag, TARGET_READ, 0, (uint64_t)tag * sizeof(data[tag]),
                                      sizeof(data[tag]), NULL);
                for (unsigned tag = 0; tag < HARNESS_TAGS; tag++) {
                        assert_int_equal(harness_end(h, tag), 0);
                        if (traits & SUITE_FORGETS)
                                memset(data[tag], 0, sizeof(data[tag]));
                        assert_memory_equal(h->ios[tag].buffer, data[tag], sizeof(data[tag]));
                }
        }
}

void suite_geometry(struct harness *h) {
        const struct target_geometry *g = &h->geometry;
        uint32_t block = h->config.logical_block_size;

        assert_int_not_equal(g->size_bytes, 0);
        assert_int_equal(g->size_bytes % block, 0);
        assert_int_equal(g->max_discard_bytes % block, 0);
        assert_int_equal(g->max_write_zeroes_bytes % block, 0);
        assert_true(g->max_discard_bytes == 0 || g->discard_granularity >= 512);
        assert_true(!g->fua || g->volatile_cache);
}
