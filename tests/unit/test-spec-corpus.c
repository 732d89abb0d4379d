/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Device files by the hundred: each of broken-json/ must give exactly the lines of its .expected,
 * each of good-json/ must parse and come back from its own JSON as the same. The folders are found
 * by $UBLK_SOURCE_DIR or the first argument. With $UBLK_UPDATE set the .expected files are written
 * anew, to be looked through with `git diff`.
 */

#include <dirent.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/spec/json.h"

static const char *source_dir;

enum { FILE_SIZE_MAX = 1024 * 1024 };

static int is_json(const struct dirent *entry) {
        size_t n = strlen(entry->d_name);

        return n > 5 && streq(entry->d_name + n - 5, ".json");
}

/* Calls check() for each *.json of a folder; returns how many of them it found wrong. */
static unsigned for_each(const char *folder, unsigned least,
                         bool (*check)(const char *path, const char *base)) {
        _cleanup_free_ char *path = NULL;
        struct dirent **entries = NULL;
        unsigned wrong = 0;

        assert_true(asprintf(&path, "%s/tests/unit/%s", source_dir, folder) > 0);
        int n = scandir(path, &entries, is_json, alphasort);
        if (n < (int)least)
                fail_msg("%s: %d files, expected at least %u (is UBLK_SOURCE_DIR right?)", path, n,
                         least);
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *file = NULL;

                assert_true(asprintf(&file, "%s/%s", path, entries[i]->d_name) > 0);
                if (!check(file, entries[i]->d_name))
                        wrong++;
                free(entries[i]);
        }
        free(entries);
        return wrong;
}

static int parse_file(const char *path, const char *base, struct spec **ret, char **ret_errors) {
        _cleanup_(spec_errors_done) struct spec_errors errors = { .file = base };
        _cleanup_(strbuf_done) struct strbuf lines = STRBUF_NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;

        assert_int_equal(read_file(path, FILE_SIZE_MAX, &text, &size), 0);
        int r = spec_parse_json(text, size, ret, &errors);
        assert_int_equal(r<0, errors.count> 0);
        for (size_t i = 0; i < errors.count; i++)
                spec_error_format(&errors.items[i], &lines);
        assert_int_equal(strbuf_steal(&lines, ret_errors), 0);
        return r;
}

static bool check_broken(const char *path, const char *base) {
        _cleanup_free_ char *expected_path = NULL, *expected = NULL, *found = NULL;
        _cleanup_(spec_freep) struct spec *spec = NULL;

        assert_true(asprintf(&expected_path, "%.*s.expected", (int)strlen(path) - 5, path) > 0);
        int r = parse_file(path, base, &spec, &found);
        if (getenv("UBLK_UPDATE"))
                assert_int_equal(write_file_atomic(expected_path, found, 0644), 0);
        if (read_file(expected_path, FILE_SIZE_MAX, &expected, NULL) < 0)
                expected = strdup("(no such file)\n");
        assert_non_null(expected);
        if (r < 0 && streq(expected, found))
                return true;
        print_error("%s:\n  expected:\n%s  found:\n%s\n", base, expected, found);
        return false;
}

static void test_broken(void **state) {
        (void)state;
        assert_int_equal(for_each("broken-json", 60, check_broken), 0);
}

static bool specs_equal(const struct spec *a, const struct spec *b) {
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++)
                if (!spec_value_equal(a, b, k))
                        return false;
        return streq(a->extra ? a->extra : "", b->extra ? b->extra : "");
}

static bool check_good(const char *path, const char *base) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        _cleanup_(spec_freep) struct spec *spec = NULL, *again = NULL;
        _cleanup_free_ char *found = NULL, *json = NULL;

        if (parse_file(path, base, &spec, &found) < 0) {
                print_error("%s: should parse, but:\n%s", base, found);
                return false;
        }
        assert_int_equal(spec_to_json(spec, false, &json), 0);
        if (spec_parse_json(json, strlen(json), &again, &errors) < 0 || !specs_equal(spec, again)) {
                print_error("%s: is not the same after %s\n", base, json);
                return false;
        }
        return true;
}

static void test_good(void **state) {
        (void)state;
        assert_int_equal(for_each("good-json", 15, check_good), 0);
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_broken),
                cmocka_unit_test(test_good),
        };

        source_dir = argc > 1 ? argv[1] : getenv("UBLK_SOURCE_DIR");
        if (!source_dir)
                source_dir = ".";
        return cmocka_run_group_tests(tests, NULL, NULL);
}
