/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ublkmgr.conf: each of broken-settings/ must give exactly the lines of its .expected (UBLK_UPDATE=1 writes them)
 * and leave the defaults, each of good-settings/ must parse; and which file is read, and whose it may be.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/wire/wire.h"
#include "ublkmgr/settings.h"

enum { FILE_SIZE_MAX = 1024 * 1024 };

static char folder[] = "/tmp/ublk-settings-XXXXXX";

static int is_json(const struct dirent *entry) {
        size_t n = strlen(entry->d_name);

        return n > 5 && streq(entry->d_name + n - 5, ".json");
}

static void for_each(const char *name, int least,
                     void (*check)(const char *path, const char *base)) {
        const char *source = getenv("UBLK_SOURCE_DIR");
        _cleanup_free_ char *path = NULL;
        struct dirent **entries = NULL;

        assert_true(asprintf(&path, "%s/tests/unit/%s", source ? source : ".", name) > 0);
        int n = scandir(path, &entries, is_json, alphasort);
        assert_true(n >= least);
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *file = NULL;

                assert_true(asprintf(&file, "%s/%s", path, entries[i]->d_name) > 0);
                check(file, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
}

static int parse(const char *path, const char *base, struct settings *ret, char **ret_errors) {
        _cleanup_(spec_errors_done) struct spec_errors errors = { .file = base };
        _cleanup_(strbuf_done) struct strbuf lines = STRBUF_NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;

        assert_int_equal(read_file(path, FILE_SIZE_MAX, &text, &size), 0);
        int r = settings_parse(text, size, ret, &errors);
        assert_true((r < 0) == (errors.count > 0));
        for (size_t i = 0; i < errors.count; i++)
                spec_error_format(&errors.items[i], &lines);
        assert_int_equal(strbuf_steal(&lines, ret_errors), 0);
        return r;
}

static void check_broken(const char *path, const char *base) {
        _cleanup_free_ char *expected_path = NULL, *expected = NULL, *found = NULL;
        struct settings settings = { .allow_missing = 1 };

        assert_true(asprintf(&expected_path, "%.*s.expected", (int)strlen(path) - 5, path) > 0);
        assert_int_equal(parse(path, base, &settings, &found), -EINVAL);
        assert_int_equal(settings.spawner, SETTINGS_SPAWNER_AUTO);
        assert_int_equal(settings.allow_missing, 0);
        if (getenv("UBLK_UPDATE"))
                assert_int_equal(write_file_atomic(expected_path, found, 0644), 0);
        assert_int_equal(read_file(expected_path, FILE_SIZE_MAX, &expected, NULL), 0);
        assert_string_equal(found, expected);
}

static void test_broken(_unused_ void **state) {
        for_each("broken-settings", 15, check_broken);
}

static void check_good(const char *path, const char *base) {
        _cleanup_free_ char *found = NULL;
        struct settings settings;

        if (parse(path, base, &settings, &found) < 0)
                fail_msg("%s: should parse, but:\n%s", base, found);
}

static void test_good(_unused_ void **state) {
        for_each("good-settings", 5, check_good);
}

static struct settings parse_text(const char *text) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        struct settings settings;

        assert_int_equal(settings_parse(text, strlen(text), &settings, &errors), 0);
        return settings;
}

static void test_values(_unused_ void **state) {
        unsigned all = 0;

        assert_int_equal(parse_text("{}").spawner, SETTINGS_SPAWNER_AUTO);
        assert_int_equal(parse_text("{}").allow_missing, 0);
        for (enum settings_spawner s = 0; s < _SETTINGS_SPAWNER_MAX; s++) {
                char text[64];

                (void)snprintf(text, sizeof(text), "{\"spawner\":\"%s\"}",
                               settings_spawner_to_string(s));
                assert_int_equal(parse_text(text).spawner, s);
        }
        for (enum settings_part p = 0; p < _SETTINGS_PART_MAX; p++) {
                char text[64];

                (void)snprintf(text, sizeof(text), "{\"allowMissing\":[\"%s\"]}",
                               settings_part_to_string(p));
                struct settings settings = parse_text(text);
                assert_int_equal(settings.allow_missing, 1U << p);
                all |= settings_tolerated(&settings);
        }
        assert_int_equal(all, WIRE_CONFINE_ALL);
        struct settings two = parse_text("{\"allowMissing\":[\"systemCallFilter\",\"ioFlusher\"]}");
        assert_int_equal(settings_tolerated(&two), WIRE_CONFINE_SECCOMP | WIRE_CONFINE_IO_FLUSHER);
}

/* FOLDER/name; valid until the next call but three. */
static const char *at(const char *name) {
        static char paths[4][256];
        static unsigned next;
        char *path = paths[next++ % 4];

        (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
        return path;
}

static void expect_found(const char *name) {
        _cleanup_free_ char *path = NULL;

        assert_int_equal(settings_find(folder, &path), 0);
        if (name)
                assert_string_equal(path, at(name));
        else
                assert_null(path);
}

static void test_find(_unused_ void **state) {
        static const char *const folders[] = { "etc",      "run",      "usr",         "usr/lib",
                                               "etc/ublk", "run/ublk", "usr/lib/ublk" };

        expect_found(NULL);
        for (size_t i = 0; i < ELEMENTSOF(folders); i++)
                assert_int_equal(make_folder(at(folders[i]), 0755), 0);
        expect_found(NULL);
        assert_int_equal(write_file_atomic(at("usr/lib/ublk/ublkmgr.conf"), "{}", 0644), 0);
        expect_found("usr/lib/ublk/ublkmgr.conf");
        assert_int_equal(write_file_atomic(at("run/ublk/ublkmgr.conf"), "{}", 0644), 0);
        expect_found("run/ublk/ublkmgr.conf");
        /* A link to nowhere is a mistake that has to be told, not passed over. */
        assert_int_equal(symlink("/nonexistent", at("etc/ublk/ublkmgr.conf")), 0);
        expect_found("etc/ublk/ublkmgr.conf");
}

/* error: NULL: it must load. */
static void expect_load(const char *path, unsigned missing, const char *error) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        struct settings settings = { .allow_missing = 4711 };
        int r = settings_load(path, &settings, &errors);

        assert_int_equal(settings.allow_missing, missing);
        if (!error) {
                assert_int_equal(r, 0);
                return;
        }
        assert_int_equal(r, -EINVAL);
        assert_int_equal(errors.count, 1);
        assert_string_equal(errors.items[0].file, path);
        if (!strstr(errors.items[0].message, error))
                fail_msg("'%s' is not in: %s", error, errors.items[0].message);
}

static void test_load(_unused_ void **state) {
        const char *path = at("ublkmgr.conf");

        expect_load(NULL, 0, NULL);
        expect_load("/dev/null", 0, NULL);
        expect_load(at("none"), 0, "can't be opened: No such file");
        expect_load(folder, 0, "not a regular file");
        expect_load("/dev/zero", 0, "not a regular file");
        assert_int_equal(write_file_atomic(path, "", 0644), 0);
        expect_load(path, 0, NULL);
        assert_int_equal(write_file_atomic(path, "{\"allowMissing\":[\"ioFlusher\"]}", 0644), 0);
        expect_load(path, 1, NULL);
        assert_int_equal(chmod(path, 0664), 0);
        expect_load(path, 0, "can be written by others than root (mode 0664)");
        assert_int_equal(chmod(path, 0602), 0);
        expect_load(path, 0, "can be written by others");
        assert_int_equal(chmod(path, 0400), 0);
        expect_load(path, 1, NULL);
        if (geteuid() == 0) {
                assert_int_equal(chown(path, 4242, 0), 0);
                expect_load(path, 0, "belongs to the user 4242");
        }
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkfifo(path, 0600), 0);
        expect_load(path, 0, "not a regular file");
        assert_int_equal(unlink(path), 0);
        assert_int_equal(write_file_atomic(path, "{}", 0644), 0);
        assert_int_equal(truncate(path, 64 * 1024 + 1), 0);
        expect_load(path, 0, "more than 65536 bytes");
}

static int remove_entry(const char *path, _unused_ const struct stat *st, _unused_ int type,
                        _unused_ struct FTW *ftw) {
        return remove(path);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_broken), cmocka_unit_test(test_good),
                cmocka_unit_test(test_values), cmocka_unit_test(test_find),
                cmocka_unit_test(test_load),
        };

        if (!mkdtemp(folder))
                return 1;
        int r = cmocka_run_group_tests(tests, NULL, NULL);
        (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        return r;
}
