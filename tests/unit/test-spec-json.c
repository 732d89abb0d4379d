/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the corpus of files can't say well: numbers to the last digit, what is written back, text
 * that isn't a file. The traps of cJSON have a case each.
 */

#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/spec/json.h"
#include "lib/spec/schema.h"

static struct spec *parse(const char *text) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        struct spec *spec = NULL;

        if (spec_parse_json(text, strlen(text), &spec, &errors) < 0)
                fail_msg("%s: %s: %s", text, errors.items[0].key, errors.items[0].message);
        return spec;
}

static void assert_refused(const char *text, size_t size, const char *code) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        struct spec *spec = NULL;

        assert_int_equal(spec_parse_json(text, size, &spec, &errors), -EINVAL);
        assert_null(spec);
        assert_true(errors.count >= 1);
        assert_string_equal(errors.items[0].code, code);
}

static void test_numbers(void **state) {
        static const struct {
                const char *text;
                uint64_t n; /* 0: refused */
        } cases[] = {
                { "4096", 4096 },
                { "4096.0", 4096 },
                { "4096.000e0", 4096 },
                { "8.192e3", 8192 },
                { "8192e+0", 8192 },
                { "81920E-1", 8192 },
                { "9007199254740992", UINT64_C(9007199254740992) },
                { "9007199254740993", 0 }, /* as a double it would be …992 */
                { "4096.00000000000000000000000000000000000000000000000000000000000000000000",
                  4096 },
                { "4096.00000000000000000000000000000000000000000000000000000000000000000001", 0 },
                { "40960000000000000000000000000000000000000000000000000000000000000000e-64",
                  4096 },
                { "0.00000000000000000000000000000000000000000000000000000000000000004096e68",
                  4096 },
                { "1e999999999999999999999", 0 },
                { "1e-999999999999999999999", 0 },
                { "18446744073709551616", 0 },
                { "4294971392", UINT64_C(4294971392) }, /* valueint would say INT_MAX */
                { "\"9223372036854775296\"", UINT64_C(9223372036854775296) },
                { "\"1G\"", UINT64_C(1) << 30 },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
                _cleanup_(spec_freep) struct spec *spec = NULL;
                _cleanup_free_ char *text = NULL;

                assert_true(asprintf(&text, "{\"type\":\"ram\",\"sizeBytes\":%s}", cases[i].text) >
                            0);
                (void)spec_parse_json(text, strlen(text), &spec, &errors);
                if ((spec ? spec_number(spec, SPEC_SIZE_BYTES) : 0) != cases[i].n)
                        fail_msg("%s", cases[i].text);
        }
}

static void test_write(void **state) {
        _cleanup_(spec_freep) struct spec *spec = parse(
                "{ \"x-b\": [1, 1.50, 12345678901234567890], \"description\": \"a\\\"\\u00e9\",\n"
                "\"sizeBytes\": \"1G\", \"type\": \"null\", \"x-a\": {\"k\": \" : \"}, "
                "\"readOnly\": false}");
        _cleanup_free_ char *json = NULL, *all = NULL, *value = NULL, *none = NULL;

        (void)state;
        assert_int_equal(spec_to_json(spec, false, &json), 0);
        assert_string_equal(json, "{\"type\":\"null\",\"sizeBytes\":1073741824,\"readOnly\":false,"
                                  "\"description\":\"a\\\"\xc3\xa9\","
                                  "\"x-b\":[1,1.50,12345678901234567890],\"x-a\":{\"k\":\" : \"}}");
        spec_apply_defaults(spec, &(struct spec_machine){ .processors = 2 });
        free(TAKE_PTR(json));
        assert_int_equal(spec_to_json(spec, false, &json), 0);
        assert_null(strstr(json, "queues"));
        assert_int_equal(spec_to_json(spec, true, &all), 0);
        assert_non_null(strstr(all, "\"queues\":2,\"queueDepth\":64,\"maxIoBytes\":524288,"));
        assert_int_equal(spec_value_to_json(spec, SPEC_TYPE, &value), 0);
        assert_string_equal(value, "\"null\"");
        assert_int_equal(spec_value_to_json(spec, SPEC_PATH, &none), 0);
        assert_string_equal(none, "null");
}

/* 16 digits and more, where printing by way of a double gives 9.00719925474099e+15. */
static void test_write_large(void **state) {
        _cleanup_(spec_freep) struct spec *exact =
                parse("{\"type\":\"null\",\"sizeBytes\":\"8P\"}");
        _cleanup_(spec_freep) struct spec *over = parse("{\"type\":\"null\",\"sizeBytes\":\"7E\"}");
        _cleanup_(spec_freep) struct spec *again = NULL;
        _cleanup_free_ char *a = NULL, *b = NULL;

        (void)state;
        assert_int_equal(spec_to_json(exact, false, &a), 0);
        assert_string_equal(a, "{\"type\":\"null\",\"sizeBytes\":9007199254740992}");
        assert_int_equal(spec_to_json(over, false, &b), 0);
        assert_string_equal(b, "{\"type\":\"null\",\"sizeBytes\":\"8070450532247928832\"}");
        again = parse(b);
        assert_true(spec_value_equal(over, again, SPEC_SIZE_BYTES));
}

static void test_bounds_of_text(void **state) {
        _cleanup_free_ char *many = NULL, *deep = NULL;

        (void)state;
        /* The size counts, not a NUL: one inside is an error, and nothing beyond it is read. */
        assert_refused("{\"type\":\"null\",\"sizeBytes\":4096}\0", 33, SPEC_ERROR_SYNTAX);
        assert_refused("{\"type\":\"null\",\"sizeBytes\":4096}", 31, SPEC_ERROR_SYNTAX);
        assert_refused("", 0, SPEC_ERROR_SYNTAX);
        many = calloc(1, SPEC_TEXT_MAX + 1);
        assert_non_null(many);
        memset(many, ' ', SPEC_TEXT_MAX + 1);
        assert_refused(many, SPEC_TEXT_MAX + 1, SPEC_ERROR_SYNTAX);
        deep = calloc(1, SPEC_TEXT_MAX);
        assert_non_null(deep);
        memset(deep, '[', SPEC_TEXT_MAX);
        assert_refused(deep, SPEC_TEXT_MAX, SPEC_ERROR_SYNTAX);
}

/* Errors of several files may share a list; what one says about a key is nothing about the
 * other's. */
static void test_errors_of_two_files(void **state) {
        _cleanup_(spec_errors_done) struct spec_errors errors = { .file = "a.json" };
        _cleanup_(strbuf_done) struct strbuf line = STRBUF_NULL;
        static const char wrong[] = "{\"type\":1}", missing[] = "{}";
        struct spec *spec = NULL;

        (void)state;
        assert_int_equal(spec_parse_json(wrong, strlen(wrong), &spec, &errors), -EINVAL);
        assert_int_equal(errors.count, 1);
        errors.file = "b.json";
        assert_int_equal(spec_parse_json(missing, strlen(missing), &spec, &errors), -EINVAL);
        assert_int_equal(errors.count, 2);
        spec_error_format(&errors.items[1], &line);
        assert_string_equal(
                line.text,
                "b.json:1:1: type: missing; every device needs it (\"type\": \"ram\")\n");
}

static void test_pretty(void **state) {
        _cleanup_free_ char *text = NULL, *none = NULL;

        (void)state;
        assert_int_equal(
                json_pretty("{\"a\":[1,{\"b\":\"x:,{\\\"\"}],\"c\": { },\"d\":[ ]}", &text), 0);
        assert_string_equal(
                text, "{\n    \"a\": [\n        1,\n        {\n            \"b\": \"x:,{\\\"\"\n"
                      "        }\n    ],\n    \"c\": {},\n    \"d\": []\n}");
        assert_int_equal(json_pretty("{\"a\":}", &none), -EINVAL);
        assert_int_equal(json_pretty("", &none), -EINVAL);
}

static void test_add_string(void **state) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;

        (void)state;
        json_add_string(&b, "\"\\/\b\f\n\r\t\x01\x7f\xc3\xa9\xff");
        assert_string_equal(b.text, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f\xc3\xa9\xef\xbf\xbd\"");
}

static void test_schema(void **state) {
        _cleanup_free_ char *schema = NULL, *pretty = NULL;

        (void)state;
        assert_int_equal(spec_schema(&schema), 0);
        assert_int_equal(json_pretty(schema, &pretty), 0);
        assert_int_equal(strlen(schema), strlen(pretty) + 1);
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++)
                assert_non_null(strstr(schema, spec_field(k)->key));
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_write),
                cmocka_unit_test(test_write_large),
                cmocka_unit_test(test_bounds_of_text),
                cmocka_unit_test(test_errors_of_two_files),
                cmocka_unit_test(test_pretty),
                cmocka_unit_test(test_add_string),
                cmocka_unit_test(test_schema),
        };
        _cleanup_free_ char *schema = NULL;

        /* For check-schema.py, which needs the schema before there is a program that prints it. */
        if (argc > 1 && streq(argv[1], "--print-schema"))
                return spec_schema(&schema) < 0 || fputs(schema, stdout) < 0;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
