/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records: what one manager writes the next one reads, and half of it, or something else, is refused. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/spec/json.h"
#include "lib/spec/record.h"

static const char spec_text[] =
        "{\"type\":\"loop\",\"path\":\"/srv/a \\\"b\\\".img\",\"readOnly\":true,"
        "\"sizeBytes\":\"7E\",\"x-note\":[1,2.5,\"z\"]}";

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

static void test_wrong_contents(_unused_ void **state) {
        static const char *const texts[] = {
                "[]",
                "{}",
                "{\"id\":-1,\"creationUSec\":1,\"origin\":\"api\",\"spec\":{\"type\":\"null\","
                "\"sizeBytes\":4096}}",
                "{\"id\":4294967296,\"creationUSec\":1,\"origin\":\"api\",\"spec\":{\"type\":"
                "\"null\","
                "\"sizeBytes\":4096}}",
                "{\"id\":1,\"creationUSec\":1e300,\"origin\":\"api\",\"spec\":{\"type\":\"null\","
                "\"sizeBytes\":"
                "4096}}",
                "{\"id\":1,\"creationUSec\":1,\"origin\":5,\"spec\":{\"type\":\"null\","
                "\"sizeBytes\":4096}}",
                "{\"id\":1,\"creationUSec\":1,\"origin\":\"api\",\"spec\":{\"type\":\"nul\","
                "\"sizeBytes\":4096}}",
                "{\"id\":1,\"creationUSec\":1,\"origin\":\"api\",\"spec\":[]}",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                struct record record;

                assert_int_equal(record_from_json(texts[i], strlen(texts[i]), &record), -EINVAL);
                assert_null(record.spec);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_every_prefix_is_refused),
                cmocka_unit_test(test_wrong_contents),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
