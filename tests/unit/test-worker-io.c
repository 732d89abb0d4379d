/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which requests reach a target, and what the driver is told of their end. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "lib/base/macro.h"
#include "worker/request.h"

enum { SIZE = 1 << 20, SECTORS = SIZE / 512 };

static const struct request_limits limits = {
        .size_bytes = SIZE,
        .logical_block_size = 4096,
        .max_io_bytes = 65536,
        .max_discard_bytes = SIZE,
        .max_write_zeroes_bytes = 131072,
};

static int translate(const struct request_limits *l, uint32_t op_flags, uint64_t sector,
                     uint32_t n_sectors, struct target_io *ret) {
        struct ublk_io_desc descriptor = {
                .op_flags = op_flags,
                .start_sector = sector,
                .nr_sectors = n_sectors,
        };

        memset(ret, 0x55, sizeof(*ret));
        return request_translate(l, &descriptor, ret);
}

static void test_meaning(void **state) {
        struct target_io io;

        (void)state;
        assert_int_equal(translate(&limits, UBLK_OP_READ, 8, 16, &io), 0);
        assert_int_equal(io.op, TARGET_READ);
        assert_int_equal(io.offset, 4096);
        assert_int_equal(io.length, 8192);
        assert_int_equal(io.flags, 0);

        assert_int_equal(translate(&limits, UBLK_OP_WRITE | UBLK_IO_FUA, 0, 8, &io), 0);
        assert_int_equal(io.op, TARGET_WRITE);
        assert_int_equal(io.flags, TARGET_FUA);
        /* Flags that say nothing to us: bits 8 to 12, and NOUNMAP of a write. */
        assert_int_equal(translate(&limits, UBLK_OP_WRITE | 0x1f00 | UBLK_IO_NOUNMAP, 0, 8, &io),
                         0);
        assert_int_equal(io.flags, 0);

        assert_int_equal(translate(&limits, UBLK_OP_WRITE_ZEROES, 0, 256, &io), 0);
        assert_int_equal(io.op, TARGET_WRITE_ZEROES);
        assert_int_equal(io.flags, 0);
        assert_int_equal(translate(&limits, UBLK_OP_WRITE_ZEROES | UBLK_IO_NOUNMAP, 0, 256, &io),
                         0);
        assert_int_equal(io.flags, TARGET_NOUNMAP);

        assert_int_equal(translate(&limits, UBLK_OP_DISCARD, 0, SECTORS, &io), 0);
        assert_int_equal(io.op, TARGET_DISCARD);
        assert_int_equal(io.length, SIZE);

        /* As the kernel sends it. */
        assert_int_equal(translate(&limits, UBLK_OP_FLUSH, UINT64_MAX, 0, &io), 0);
        assert_int_equal(io.op, TARGET_FLUSH);
        assert_int_equal(io.offset, 0);
        assert_int_equal(io.length, 0);
}

static void test_bounds(void **state) {
        static const struct {
                uint32_t op;
                uint64_t sector;
                uint32_t n_sectors;
                int result;
        } cases[] = {
                { UBLK_OP_READ, 0, 8, 0 },
                { UBLK_OP_READ, SECTORS - 8, 8, 0 },
                { UBLK_OP_READ, SECTORS, 8, -EIO },
                { UBLK_OP_READ, SECTORS - 8, 16, -EIO },
                { UBLK_OP_READ, SECTORS + 8, 8, -EIO },
                { UBLK_OP_READ, UINT64_MAX - 7, 8, -EIO },
                { UBLK_OP_READ, UINT64_MAX / 512 - 7, 8, -EIO },
                { UBLK_OP_READ, UINT64_C(1) << 55, 8, -EIO }, /* << 9 would be 0 */
                { UBLK_OP_READ, 0, 0, -EIO },
                { UBLK_OP_READ, 0, 128, 0 },
                { UBLK_OP_READ, 0, 136, -EIO },
                { UBLK_OP_WRITE, 0, 136, -EIO },
                { UBLK_OP_READ, 1, 8, -EIO },
                { UBLK_OP_READ, 0, 9, -EIO },
                { UBLK_OP_READ, 0, 0x00800008, -EIO }, /* << 9 in 32 bits would be 4096 */
                { UBLK_OP_WRITE_ZEROES, 0, 256, 0 },
                { UBLK_OP_WRITE_ZEROES, 0, 264, -EIO },
                { UBLK_OP_DISCARD, 8, SECTORS, -EIO },
                { UBLK_OP_DISCARD, 0, UINT32_MAX, -EIO },
                { 4, 0, 8, -EOPNOTSUPP },
                { 10, 0, 8, -EOPNOTSUPP },
                { 18, 0, 8, -EOPNOTSUPP },
                { 255, 0, 8, -EOPNOTSUPP },
        };
        struct target_io io;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(
                        translate(&limits, cases[i].op, cases[i].sector, cases[i].n_sectors, &io),
                        cases[i].result);
}

static void test_not_offered(void **state) {
        struct request_limits l = limits;
        struct target_io io;

        (void)state;
        l.max_discard_bytes = 0;
        l.max_write_zeroes_bytes = 0;
        assert_int_equal(translate(&l, UBLK_OP_DISCARD, 0, 8, &io), -EOPNOTSUPP);
        assert_int_equal(translate(&l, UBLK_OP_WRITE_ZEROES, 0, 8, &io), -EOPNOTSUPP);
}

static void test_read_only(void **state) {
        struct request_limits l = limits;
        struct target_io io;

        (void)state;
        l.read_only = true;
        assert_int_equal(translate(&l, UBLK_OP_READ, 0, 8, &io), 0);
        assert_int_equal(translate(&l, UBLK_OP_FLUSH, 0, 0, &io), 0);
        assert_int_equal(translate(&l, UBLK_OP_WRITE, 0, 8, &io), -EROFS);
        assert_int_equal(request_result(&io, -EROFS), -EIO);
        assert_int_equal(translate(&l, UBLK_OP_DISCARD, 0, 8, &io), -EROFS);
        assert_int_equal(translate(&l, UBLK_OP_WRITE_ZEROES, 0, 8, &io), -EROFS);
}

static void test_results(void **state) {
        static const int kept[] = { ENOSPC,  ETIMEDOUT, EREMOTEIO, EILSEQ,
                                    ENODATA, ENOMEM,    EOPNOTSUPP };
        static const int changed[] = {
                EAGAIN, EINTR, ECANCELED, EIO, EFBIG, EINVAL, EPERM, ENODEV
        };
        struct target_io io = { .op = TARGET_WRITE, .length = 8192 };

        (void)state;
        assert_int_equal(request_result(&io, 0), 8192);
        io.op = TARGET_READ;
        assert_int_equal(request_result(&io, 0), 8192);
        for (enum target_op op = TARGET_FLUSH; op < _TARGET_OP_MAX; op++) {
                io.op = op;
                assert_int_equal(request_result(&io, 0), 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                assert_int_equal(request_result(&io, -kept[i]), -kept[i]);
        for (size_t i = 0; i < ELEMENTSOF(changed); i++)
                assert_int_equal(request_result(&io, -changed[i]), -EIO);
        assert_int_equal(request_result(&io, -EDQUOT), -ENOSPC);
        assert_int_equal(request_result(&io, 1), -EIO);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_meaning),     cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_not_offered), cmocka_unit_test(test_read_only),
                cmocka_unit_test(test_results),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
