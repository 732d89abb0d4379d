/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The null target: reads are zeroes, above all where a write has left something in the buffer. */

#include <errno.h>

#include "tests/unit/target-suite.h"

static void open_null(struct harness *h) {
        harness_init(h);
        h->config.size_bytes = 4 << 20;
        assert_int_equal(harness_open(h, "null"), 0);
}

static void test_suite(void **state) {
        struct harness h;

        (void)state;
        open_null(&h);
        suite_geometry(&h);
        assert_false(h.geometry.volatile_cache);
        suite_random(&h, SUITE_FORGETS, 1);
        suite_parallel(&h, SUITE_FORGETS);
        harness_close(&h);
}

static void test_no_leak(void **state) {
        static char secret[65536], got[65536], zeroes[65536];
        struct harness h;

        (void)state;
        open_null(&h);
        memset(secret, 's', sizeof(secret));
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 0, 65536, secret), 0);
        /* A short read clears a part, the rest must not be forgotten. */
        assert_int_equal(harness_do(&h, TARGET_READ, 0, 0, 512, got), 0);
        assert_memory_equal(got, zeroes, 512);
        assert_int_equal(harness_do(&h, TARGET_READ, 0, 0, 65536, got), 0);
        assert_memory_equal(got, zeroes, 65536);
        assert_int_equal(h.ios[0].io.stale, 0);
        harness_close(&h);
}

static void test_needs_size(void **state) {
        struct harness h;

        (void)state;
        harness_init(&h);
        assert_int_equal(harness_open(&h, "null"), -EINVAL);
        assert_non_null(h.what);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_suite),
                cmocka_unit_test(test_no_leak),
                cmocka_unit_test(test_needs_size),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
