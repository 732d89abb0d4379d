/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The field table holds what it promises, and a value comes in by spec_set() as it does from a
 * file: this is the way of D-Bus and of the command line.
 */

#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/str.h"
#include "lib/spec/json.h"

static void test_table(void **state) {
        (void)state;
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++) {
                const struct spec_field *f = spec_field(k);
                _cleanup_free_ char *option = NULL;
                uint64_t n;

                assert_non_null(f->key);
                assert_non_null(f->doc);
                assert_non_null(f->example);
                assert_int_equal(spec_key_from_string(f->key), k);
                assert_string_equal(spec_key_nearest(f->key), f->key);
                assert_true(f->types != 0 && FLAGS_SET(f->types, f->required));
                assert_int_equal(spec_field_option(f, &option), 0);
                assert_string_equal(spec_key_nearest(option), f->key);
                for (const char *c = option; *c; c++)
                        assert_true(*c == '-' || (*c >= 'a' && *c <= 'z'));
                if (f->kind == SPEC_KIND_SIZE || f->kind == SPEC_KIND_INTEGER) {
                        assert_true(f->minimum < f->maximum);
                        if (spec_field_default(f, &n) >= 0)
                                assert_true(n >= f->minimum && n <= f->maximum);
                }
        }
        assert_int_equal(spec_key_from_string("SizeBytes"), -ENOENT);
        assert_int_equal(spec_key_from_string(""), -ENOENT);
        for (enum spec_type t = 0; t < _SPEC_TYPE_MAX; t++)
                assert_int_equal(spec_type_from_string(spec_type_to_string(t)), t);
        assert_int_equal(spec_type_from_string("Loop"), -ENOENT);
}

/* Every field's example must be right, or the error messages would teach mistakes. */
static void test_examples(void **state) {
        (void)state;
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++) {
                _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
                _cleanup_(spec_freep) struct spec *spec = NULL;
                _cleanup_free_ char *text = NULL;

                assert_true(asprintf(&text, "{\"%s\":%s}", spec_field(k)->key,
                                     spec_field(k)->example) > 0);
                (void)spec_parse_json(text, strlen(text), &spec, &errors);
                for (size_t i = 0; i < errors.count; i++)
                        assert_string_equal(errors.items[i].code, SPEC_ERROR_MISSING);
        }
}

static void test_nearest(void **state) {
        static const char *const pairs[][2] = {
                { "sizebytes", "sizeBytes" },
                { "size_bytes", "sizeBytes" },
                { "size", "sizeBytes" },
                { "szieBytes", "sizeBytes" },
                { "read-only", "readOnly" },
                { "readonyl", "readOnly" },
                { "depth", "queueDepth" },
                { "queue", "queues" },
                { "pth", "path" },
                { "typ", "type" },
                { "logical", "logicalBlockSize" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(pairs); i++)
                assert_string_equal(spec_key_nearest(pairs[i][0]), pairs[i][1]);
        assert_null(spec_key_nearest("colour"));
        assert_null(spec_key_nearest(""));
        assert_null(spec_key_nearest(
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

struct fixture {
        struct spec *spec;
        struct spec_errors errors;
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        *state = f;
        return f ? spec_new(&f->spec) : -1;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        spec_free(f->spec);
        spec_errors_done(&f->errors);
        free(f);
        return 0;
}

static void set(struct fixture *f, const char *key, struct spec_input input, const char *code) {
        size_t before = f->errors.count;
        int r = spec_set(f->spec, key, &input, NULL, &f->errors);

        if (!code) {
                assert_int_equal(r, 0);
                assert_int_equal(f->errors.count, before);
                return;
        }
        assert_int_equal(r, -EINVAL);
        assert_int_equal(f->errors.count, before + 1);
        assert_string_equal(f->errors.items[before].code, code);
        assert_string_equal(f->errors.items[before].key, key);
        assert_int_equal(f->errors.items[before].at.line, 0);
}

#define STRING(s)  ((struct spec_input){ .kind = SPEC_INPUT_STRING, .string = (s) })
#define INTEGER(n) ((struct spec_input){ .kind = SPEC_INPUT_INTEGER, .integer = (n) })
#define BOOL(b)    ((struct spec_input){ .kind = SPEC_INPUT_BOOL, .boolean = (b) })
#define BIG(n)     ((struct spec_input){ .kind = SPEC_INPUT_INTEGER, .big = (n) })

static void test_set(void **state) {
        struct fixture *f = *state;

        set(f, "type", STRING("tape"), SPEC_ERROR_VALUE);
        set(f, "type", STRING("loop"), NULL);
        set(f, "type", STRING("ram"), SPEC_ERROR_DUPLICATE);
        set(f, "sizeBytes", BIG(UINT64_C(1) << 63), SPEC_ERROR_RANGE);
        set(f, "sizeBytes", BIG(UINT64_MAX), SPEC_ERROR_RANGE);
        set(f, "sizeBytes", INTEGER(INT64_MIN), SPEC_ERROR_RANGE);
        set(f, "sizeBytes", INTEGER(INT64_MAX), SPEC_ERROR_RANGE);
        set(f, "sizeBytes", INTEGER(INT64_MAX - 511), NULL);
        set(f, "path", STRING("/srv/caf\xe9"), SPEC_ERROR_VALUE);
        set(f, "path", STRING("/srv/\x1b[31m"), SPEC_ERROR_VALUE);
        set(f, "path", BOOL(true), SPEC_ERROR_TYPE);
        set(f, "path", STRING("/srv/a"), NULL);
        set(f, "readOnly", STRING("true"), SPEC_ERROR_TYPE);
        set(f, "readOnly", BOOL(true), NULL);
        set(f, "queues", STRING("2"), SPEC_ERROR_TYPE);
        set(f, "queues", INTEGER(2), NULL);
        set(f, "x-note", STRING("a"), SPEC_ERROR_UNKNOWN_KEY);
        assert_true(spec_number(f->spec, SPEC_TYPE) == SPEC_TYPE_LOOP);
        assert_true(spec_number(f->spec, SPEC_SIZE_BYTES) == (UINT64_C(1) << 63) - 512);
        assert_string_equal(spec_string(f->spec, SPEC_PATH), "/srv/a");
        assert_int_equal(spec_check(f->spec, NULL, NULL, &(struct spec_errors){ 0 }), 0);

        /* What a terminal would act on must not be in a message. */
        for (size_t i = 0; i < f->errors.count; i++)
                assert_null(strchr(f->errors.items[i].message, '\x1b'));
}

static void test_defaults(void **state) {
        struct fixture *f = *state;
        struct spec_machine machine = { .processors = 16 };

        spec_apply_defaults(f->spec, &machine);
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++)
                assert_false(spec_is_set(f->spec, k));

        set(f, "type", STRING("loop"), NULL);
        set(f, "queueDepth", INTEGER(8), NULL);
        spec_apply_defaults(f->spec, &machine);
        assert_int_equal(spec_number(f->spec, SPEC_QUEUES), 1);
        assert_int_equal(spec_number(f->spec, SPEC_QUEUE_DEPTH), 8);
        assert_false(f->spec->values[SPEC_QUEUE_DEPTH].defaulted);
        assert_true(f->spec->values[SPEC_QUEUES].defaulted);
        assert_int_equal(spec_number(f->spec, SPEC_MAX_IO_BYTES), 512 * 1024);
        assert_int_equal(spec_number(f->spec, SPEC_LOGICAL_BLOCK_SIZE), 512);
        assert_int_equal(spec_number(f->spec, SPEC_PHYSICAL_BLOCK_SIZE), 4096);
        assert_true(spec_is_set(f->spec, SPEC_OFFSET_BYTES) &&
                    spec_is_set(f->spec, SPEC_READ_ONLY));
        assert_false(spec_is_set(f->spec, SPEC_DIRECT));
        assert_false(spec_is_set(f->spec, SPEC_SIZE_BYTES));
        assert_false(spec_is_set(f->spec, SPEC_ID));
        assert_false(spec_is_set(f->spec, SPEC_DESCRIPTION));

        /* A default gives way to a value without being "given twice". */
        set(f, "queues", INTEGER(1), NULL);
        assert_false(f->spec->values[SPEC_QUEUES].defaulted);
}

static void test_defaults_of_other_types(void **state) {
        struct fixture *f = *state;

        set(f, "type", STRING("ram"), NULL);
        spec_apply_defaults(f->spec, &(struct spec_machine){ .processors = 16 });
        assert_int_equal(spec_number(f->spec, SPEC_QUEUES), 4);
        f->spec->values[SPEC_QUEUES] = (struct spec_value){ .set = false };
        spec_apply_defaults(f->spec, &(struct spec_machine){ .processors = 0 });
        assert_int_equal(spec_number(f->spec, SPEC_QUEUES), 1);
        assert_false(spec_is_set(f->spec, SPEC_OFFSET_BYTES));
}

static void test_copy(void **state) {
        struct fixture *f = *state;
        _cleanup_(spec_freep) struct spec *copy = NULL;

        set(f, "type", STRING("loop"), NULL);
        set(f, "path", STRING("/srv/a"), NULL);
        assert_int_equal(spec_set_extra(f->spec, "x-a", "[ 1, \" \\\" \" ]"), 0);
        assert_int_equal(spec_set_extra(f->spec, "x-\n", "null"), 0);
        assert_string_equal(f->spec->extra, "{\"x-a\":[1,\" \\\" \"],\"x-\\n\":null}");
        assert_int_equal(spec_copy(f->spec, &copy), 0);
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++)
                assert_true(spec_value_equal(f->spec, copy, k));
        assert_string_equal(copy->extra, f->spec->extra);
        assert_ptr_not_equal(spec_string(copy, SPEC_PATH), spec_string(f->spec, SPEC_PATH));
}

static void test_name_from_path(void **state) {
        _cleanup_free_ char *name = NULL, *plain = NULL;

        (void)state;
        assert_int_equal(spec_name_from_path("/etc/ublk/devices.d/db0.json", &name), 0);
        assert_string_equal(name, "db0");
        assert_int_equal(spec_name_from_path("a.b.json", &plain), 0);
        assert_string_equal(plain, "a.b");
        assert_int_equal(spec_name_from_path("/etc/db0", &plain), -EINVAL);
        assert_int_equal(spec_name_from_path("/etc/.json", &plain), -EINVAL);
        assert_int_equal(spec_name_from_path("/etc/a b.json", &plain), -EINVAL);
        assert_int_equal(spec_name_from_path("/etc/.db0.json", &plain), -EINVAL);
        assert_int_equal(spec_name_from_path("", &plain), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_examples),
                cmocka_unit_test(test_nearest),
                cmocka_unit_test_setup_teardown(test_set, setup, teardown),
                cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
                cmocka_unit_test_setup_teardown(test_defaults_of_other_types, setup, teardown),
                cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
                cmocka_unit_test(test_name_from_path),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
