/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the kernel is told about a device, for what a worker says of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "lib/base/macro.h"
#include "ublkmgr/params.h"

#define SIZE (UINT64_C(64) << 20)

static const struct ublk_dev_info info = { .max_io_buf_bytes = 512 * 1024 };

#define PLAIN .size_bytes = SIZE, .logical_block_size = 512, .physical_block_size = 4096

static const struct {
        const char *what;
        struct wire_geometry geometry;
        bool read_only;
        struct ublk_param_basic basic; /* max_sectors and dev_sectors are the same for all */
        bool discards;
        struct ublk_param_discard discard;
} cases[] = {
        {
                .what = "plain",
                .geometry = { PLAIN },
                .basic = { .logical_bs_shift = 9,
                           .physical_bs_shift = 12,
                           .io_min_shift = 12,
                           .io_opt_shift = 12 },
        },
        {
                .what = "read-only",
                .geometry = { PLAIN },
                .read_only = true,
                .basic = { .attrs = UBLK_ATTR_READ_ONLY,
                           .logical_bs_shift = 9,
                           .physical_bs_shift = 12,
                           .io_min_shift = 12,
                           .io_opt_shift = 12 },
        },
        {
                .what = "read-only discards nothing",
                .geometry = { PLAIN, .discard_granularity = 4096, .max_discard_bytes = 1 << 20,
                              .max_write_zeroes_bytes = 1 << 20 },
                .read_only = true,
                .basic = { .attrs = UBLK_ATTR_READ_ONLY,
                           .logical_bs_shift = 9,
                           .physical_bs_shift = 12,
                           .io_min_shift = 12,
                           .io_opt_shift = 12 },
        },
        {
                .what = "cache, FUA, rotational, hints",
                .geometry = { PLAIN, .io_min_bytes = 65536, .io_opt_bytes = 1 << 20,
                              .volatile_cache = 1, .fua = 1, .rotational = 1 },
                .basic = { .attrs = UBLK_ATTR_VOLATILE_CACHE | UBLK_ATTR_FUA | UBLK_ATTR_ROTATIONAL,
                           .logical_bs_shift = 9,
                           .physical_bs_shift = 12,
                           .io_min_shift = 16,
                           .io_opt_shift = 20 },
        },
        {
                .what = "cache without FUA",
                .geometry = { PLAIN, .volatile_cache = 1 },
                .basic = { .attrs = UBLK_ATTR_VOLATILE_CACHE,
                           .logical_bs_shift = 9,
                           .physical_bs_shift = 12,
                           .io_min_shift = 12,
                           .io_opt_shift = 12 },
        },
        {
                .what = "discard",
                .geometry = { PLAIN, .discard_granularity = 65536, .max_discard_bytes = 1 << 20 },
                .basic = { .logical_bs_shift = 9,
                           .physical_bs_shift = 12,
                           .io_min_shift = 12,
                           .io_opt_shift = 12 },
                .discards = true,
                .discard = { .discard_granularity = 65536,
                             .max_discard_sectors = 2048,
                             .max_discard_segments = 1 },
        },
        {
                .what = "write zeroes alone, without granularity",
                .geometry = { PLAIN, .max_write_zeroes_bytes = 1 << 20 },
                .basic = { .logical_bs_shift = 9,
                           .physical_bs_shift = 12,
                           .io_min_shift = 12,
                           .io_opt_shift = 12 },
                .discards = true,
                .discard = { .discard_granularity = 512,
                             .max_write_zeroes_sectors = 2048,
                             .max_discard_segments = 1 },
        },
        {
                .what = "granularity without anything to discard",
                .geometry = { PLAIN, .discard_granularity = 4096 },
                .basic = { .logical_bs_shift = 9,
                           .physical_bs_shift = 12,
                           .io_min_shift = 12,
                           .io_opt_shift = 12 },
        },
        {
                .what = "limits are whole blocks",
                .geometry = { .size_bytes = SIZE,
                              .logical_block_size = 4096,
                              .physical_block_size = 4096,
                              .discard_granularity = 4096,
                              .max_discard_bytes = 3 * 4096 + 512,
                              .max_write_zeroes_bytes = UINT32_MAX / 512 * 512 },
                .basic = { .logical_bs_shift = 12,
                           .physical_bs_shift = 12,
                           .io_min_shift = 12,
                           .io_opt_shift = 12 },
                .discards = true,
                .discard = { .discard_granularity = 4096,
                             .max_discard_sectors = 24,
                             .max_write_zeroes_sectors = (UINT32_MAX / 4096) * 8,
                             .max_discard_segments = 1 },
        },
};

static void test_params(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct ublk_param_basic basic = cases[i].basic;
                struct ublk_params params;

                memset(&params, 0x55, sizeof(params));
                geometry_to_params(&cases[i].geometry, &info, cases[i].read_only, &params);
                basic.max_sectors = 1024;
                basic.dev_sectors = SIZE / 512;
                if (params.len != sizeof(params) ||
                    params.types != (UBLK_PARAM_TYPE_BASIC |
                                     (cases[i].discards ? (uint32_t)UBLK_PARAM_TYPE_DISCARD : 0)) ||
                    memcmp(&params.basic, &basic, sizeof(basic)) != 0 ||
                    memcmp(&params.discard, &cases[i].discard, sizeof(params.discard)) != 0)
                        fail_msg("%s: other parameters than wanted", cases[i].what);
        }
}

static void set(struct spec *spec, enum spec_key key, uint64_t value) {
        spec->values[key] = (struct spec_value){ .set = true, .number = value };
}

static void test_check(void **state) {
        static const struct {
                uint64_t size;
                uint32_t logical, physical;
                const char *what; /* NULL: fits */
        } answers[] = {
                { SIZE, 512, 4096, NULL },
                { SIZE + 512, 512, 4096, "its size is not the one of the spec" },
                { SIZE - 512, 512, 4096, "its size is not the one of the spec" },
                { SIZE, 4096, 4096, "its logical block size is not the one of the spec" },
                { SIZE, 512, 512, "its physical block size is not the one of the spec" },
        };
        _cleanup_(spec_freep) struct spec *spec = NULL;

        (void)state;
        assert_int_equal(spec_new(&spec), 0);
        set(spec, SPEC_SIZE_BYTES, SIZE);
        set(spec, SPEC_LOGICAL_BLOCK_SIZE, 512);
        set(spec, SPEC_PHYSICAL_BLOCK_SIZE, 4096);
        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                const struct wire_geometry geometry = { .size_bytes = answers[i].size,
                                                        .logical_block_size = answers[i].logical,
                                                        .physical_block_size =
                                                                answers[i].physical };
                const char *what = NULL;
                int r = geometry_check(&geometry, spec, 0, &what);

                assert_int_equal(r, answers[i].what ? -EBADMSG : 0);
                if (answers[i].what)
                        assert_string_equal(what, answers[i].what);
        }

        /* A loop's size is what its backing has from its offset on, or less. */
        spec->values[SPEC_SIZE_BYTES].set = false;
        set(spec, SPEC_TYPE, SPEC_TYPE_LOOP);
        const struct wire_geometry geometry = { PLAIN };
        const char *what = NULL;
        for (uint64_t offset = 0; offset <= 8192; offset += 8192) {
                set(spec, SPEC_OFFSET_BYTES, offset);
                assert_int_equal(geometry_check(&geometry, spec, SIZE + offset, &what), 0);
                assert_int_equal(geometry_check(&geometry, spec, UINT64_MAX, &what), 0);
                assert_int_equal(geometry_check(&geometry, spec, SIZE + offset - 1, &what),
                                 -EBADMSG);
                assert_string_equal(what, "it is larger than its backing");
        }
        assert_int_equal(geometry_check(&geometry, spec, 4096, &what), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_params),
                cmocka_unit_test(test_check),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
