/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sizes and names as people write them: what is accepted, and above all what is not. */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/macro.h"
#include "lib/base/str.h"

static void test_parse_size(void **state) {
        static const struct {
                const char *text;
                int result;
                uint64_t bytes;
        } cases[] = {
                { "0", 0, 0 },
                { "1", 0, 1 },
                { "007", 0, 7 },
                { "67108864", 0, 67108864 },
                { "64M", 0, 67108864 },
                { "64MiB", 0, 67108864 },
                { "1K", 0, UINT64_C(1) << 10 },
                { "1G", 0, UINT64_C(1) << 30 },
                { "1T", 0, UINT64_C(1) << 40 },
                { "1P", 0, UINT64_C(1) << 50 },
                { "7E", 0, UINT64_C(7) << 60 },
                { "9223372036854775807", 0, INT64_MAX },
                { "9223372036854775808", -ERANGE, 0 },
                { "8E", -ERANGE, 0 },
                { "16E", -ERANGE, 0 },
                { "18446744073709551616", -ERANGE, 0 },
                { "18446744073709551615K", -ERANGE, 0 },
                { "", -EINVAL, 0 },
                { "K", -EINVAL, 0 },
                { " 1", -EINVAL, 0 },
                { "1 ", -EINVAL, 0 },
                { "1 K", -EINVAL, 0 },
                { "+1", -EINVAL, 0 },
                { "-1", -EINVAL, 0 },
                { "1.5G", -EINVAL, 0 },
                { "1e3", -EINVAL, 0 },
                { "0x10", -EINVAL, 0 },
                { "10Q", -EINVAL, 0 },
                { "10g", -EINVAL, 0 },
                { "10GB", -EINVAL, 0 },
                { "10Gi", -EINVAL, 0 },
                { "10GiB ", -EINVAL, 0 },
                { "10iB", -EINVAL, 0 },
                { "10KK", -EINVAL, 0 },
                { "\xd9\xa1", -EINVAL, 0 }, /* a digit in another script */
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t n = 42;
                int r = parse_size(cases[i].text, &n);

                if (r != cases[i].result || n != (r < 0 ? 42 : cases[i].bytes))
                        fail_msg("\"%s\": %d, %" PRIu64, cases[i].text, r, n);
        }
}

static void test_parse_u64(void **state) {
        uint64_t n = 42;

        (void)state;
        assert_int_equal(parse_u64("18446744073709551615", &n), 0);
        assert_true(n == UINT64_MAX);
        assert_int_equal(parse_u64("0", &n), 0);
        assert_true(n == 0);
        assert_int_equal(parse_u64("18446744073709551616", &n), -ERANGE);
        assert_int_equal(parse_u64("", &n), -EINVAL);
        assert_int_equal(parse_u64("1K", &n), -EINVAL);
        assert_int_equal(parse_u64("-0", &n), -EINVAL);
        assert_int_equal(parse_u64(" 0", &n), -EINVAL);
}

static void test_format_size(void **state) {
        static const struct {
                uint64_t bytes;
                const char *text;
        } cases[] = {
                { 0, "0" },
                { 1, "1" },
                { 1023, "1023" },
                { 1024, "1K" },
                { 1536, "1536" },
                { 1536 * 1024, "1536K" },
                { UINT64_C(64) << 20, "64M" },
                { UINT64_C(1) << 60, "1E" },
                { UINT64_C(1) << 63, "8E" },
                { UINT64_MAX, "18446744073709551615" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[32];
                uint64_t n;

                format_size(cases[i].bytes, text, sizeof(text));
                assert_string_equal(text, cases[i].text);
                if (cases[i].bytes <= INT64_MAX) {
                        assert_int_equal(parse_size(text, &n), 0);
                        assert_true(n == cases[i].bytes);
                }
        }
}

static void test_names(void **state) {
        static const char *const good[] = { "a", "0", "db0", "A.b_c-d", "x..y", "disk.json" };
        static const char *const bad[] = { "",    ".",   "..",  ".a",        "-a",  "_a",
                                           "a/b", "a b", "a\n", "a\xc3\xa9", "a:b", "a@b" };
        char name[NAME_LENGTH_MAX + 2];

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(name_is_valid(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(name_is_valid(bad[i]));
        memset(name, 'a', sizeof(name));
        name[NAME_LENGTH_MAX + 1] = 0;
        assert_false(name_is_valid(name));
        name[NAME_LENGTH_MAX] = 0;
        assert_true(name_is_valid(name));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse_size),
                cmocka_unit_test(test_parse_u64),
                cmocka_unit_test(test_format_size),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
