/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records: what one manager writes the next one reads, and half of it, or something else, is refused. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/spec/json.h"
#include "lib/spec/record.h"

static const char spec_text[] =
        "{\"type\":\"loop\",\"path\":\"/srv/a \\\"b\\\".img\",\"readOnly\":true,"
        "\"sizeBytes\":\"7E\",\"x-note\":[1,2.50,12345678901234567890,\"z\"]}";

static struct spec *new_spec(void) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        struct spec *spec = NULL;

        assert_int_equal(spec_parse_json(spec_text, strlen(spec_text), &spec, &errors), 0);
        return spec;
}

static char *new_text(void) {
        _cleanup_(spec_freep) struct spec *spec = new_spec();
        const struct record record = {
                .id = 7,
                .instance = 4000000000,
                .worker_pid = 77,
                .worker_identity = 123456789012,
                .worker_unit = (char *)"ublk-worker@a.service",
                .backing_device = 66305,
                .backing_inode = 1048583,
                .backing_writable = true,
                .creation_usec = UINT64_C(1795253556821786),
                .origin = (char *)"config:/etc/ublk/devices.d/a.json",
                .spec = spec,
        };
        char *text = NULL;

        /* Defaults are not written: the next manager may have others. */
        spec_apply_defaults(spec, &(struct spec_machine){ .processors = 2 });
        assert_int_equal(record_to_json(&record, &text), 0);
        return text;
}

static void test_round_trip(_unused_ void **state) {
        _cleanup_(spec_freep) struct spec *spec = new_spec();
        _cleanup_(record_done) struct record record = { 0 };
        _cleanup_free_ char *text = new_text(), *a = NULL, *b = NULL;

        assert_int_equal(record_from_json(text, strlen(text), &record), 0);
        assert_int_equal(record.id, 7);
        assert_true(record.instance == 4000000000);
        assert_int_equal(record.worker_pid, 77);
        assert_true(record.worker_identity == 123456789012);
        assert_string_equal(record.worker_unit, "ublk-worker@a.service");
        assert_int_equal(record.backing_device, 66305);
        assert_int_equal(record.backing_inode, 1048583);
        assert_true(record.backing_writable);
        assert_true(record.creation_usec == UINT64_C(1795253556821786));
        assert_string_equal(record.origin, "config:/etc/ublk/devices.d/a.json");
        assert_int_equal(spec_to_json(record.spec, true, &a), 0);
        assert_int_equal(spec_to_json(spec, true, &b), 0);
        assert_string_equal(a, b);
}

/* A full disk may leave any part of it, and the file may hold anything. */
static void test_every_prefix_is_refused(_unused_ void **state) {
        _cleanup_free_ char *text = new_text();
        size_t whole = strlen(text) - 1; /* without the newline */

        for (size_t n = 0; n < whole; n++) {
                _cleanup_(record_done) struct record record = { 0 };

                assert_int_equal(record_from_json(text, n, &record), -EINVAL);
                assert_null(record.spec);
                assert_null(record.origin);
        }
}

/* One value of a good record made wrong at a time. */
static void test_wrong_values(_unused_ void **state) {
        static const char *const changes[][2] = {
                { "\"id\":7", "\"id\":-1" },
                { "\"id\":7", "\"id\":4294967295" },
                { "\"id\":7", "\"ID\":7" },
                { "\"workerPid\":77", "\"workerPid\":\"77\"" },
                { "\"creationUSec\":1795253556821786", "\"creationUSec\":1e300" },
                { "\"origin\":\"config:", "\"origi\":\"config:" },
                { "\"type\":\"loop\"", "\"type\":\"lop\"" },
                { "\"spec\":{", "\"spek\":{" },
        };

        for (size_t i = 0; i < ELEMENTSOF(changes); i++) {
                _cleanup_free_ char *text = new_text(), *changed = NULL;
                struct record record;
                char *at = strstr(text, changes[i][0]);

                assert_non_null(at);
                *at = 0;
                assert_true(asprintf(&changed, "%s%s%s", text, changes[i][1],
                                     at + strlen(changes[i][0])) > 0);
                assert_int_equal(record_from_json(changed, strlen(changed), &record), -EINVAL);
                assert_null(record.spec);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_every_prefix_is_refused),
                cmocka_unit_test(test_wrong_values),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
