/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading a device's JSON. Each value that the strict reader has let pass is given to cJSON alone, so
 * that a syntax error further down doesn't keep the values before it from being checked. What cJSON
 * would get wrong it isn't asked: its numbers are doubles (and cut off after 63 characters), so
 * integers are read from their digits; its lookups ignore case and take the first of two, so there
 * are none; its printing is not used at all (json-write.c).
 */

#include "lib/spec/json.h"

#include <errno.h>

#include <cjson/cJSON.h>

#include "lib/spec/json-scan.h"

/* The value of a JSON number, without ever being a double: digits × 10^power after zeros at the end
 * are cut off, so that 1e3 and 4096.0 are the integers that they are and 0.5 is none.
 * Returns 0, -EINVAL (a fraction) or -ERANGE (over 2^64-1). */
static int read_integer(const char *text, const char *end, uint64_t *ret) {
        const char *mantissa_end = text, *point = NULL, *last = NULL;
        long power = 0;
        uint64_t n = 0;

        for (; mantissa_end < end && *mantissa_end != 'e' && *mantissa_end != 'E'; mantissa_end++)
                if (*mantissa_end == '.')
                        point = mantissa_end;
                else if (*mantissa_end >= '1' && *mantissa_end <= '9')
                        last = mantissa_end;
        *ret = 0;
        if (!last)
                return 0;

        if (mantissa_end < end) {
                const char *c = mantissa_end + 1;
                bool negative = *c == '-';

                for (c += *c == '-' || *c == '+'; c < end; c++)
                        power = MIN(power * 10 + (*c - '0'), 1000000L);
                power = negative ? -power : power;
        }
        if (!point)
                point = mantissa_end;
        power += last < point ? point - last - 1 : point - last;
        if (power < 0)
                return -EINVAL;

        for (const char *c = text; c <= last; c++)
                if (*c != '.' && *c != '-' &&
                    (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
                     __builtin_add_overflow(n, (uint64_t)(*c - '0'), &n)))
                        return -ERANGE;
        for (; power > 0; power--)
                if (__builtin_mul_overflow(n, (uint64_t)10, &n))
                        return -ERANGE;
        *ret = n;
        return 0;
}

/* Returns 0, -EINVAL (error added) or -ENOMEM. */
static int input_number(const struct json_member *m, const char *text, struct spec_input *input,
                        struct spec_errors *errors) {
        int key = spec_key_from_string(m->key);
        uint64_t n;
        int r;

        input->other = text;
        r = read_integer(text, text + m->value_size, &n);
        if (r == -EINVAL) {
                input->kind = SPEC_INPUT_OTHER;
                return 0;
        }
        input->kind = SPEC_INPUT_INTEGER;
        if (r == -ERANGE)
                n = UINT64_MAX;
        if (text[0] == '-') {
                input->integer = n > INT64_MAX ? INT64_MIN : -(int64_t)n;
                return 0;
        }
        /* Other readers of the same file (and cJSON) would see another number without noticing. */
        if (n > JSON_INTEGER_MAX && r >= 0 && key >= 0 &&
            spec_field((enum spec_key)key)->kind == SPEC_KIND_SIZE)
                return spec_errors_add(errors, &m->value_at, m->key, SPEC_ERROR_RANGE,
                                       "%llu is over 2^53, where JSON's numbers stop being exact; "
                                       "write it in quotes (\"%llu\")",
                                       (unsigned long long)n, (unsigned long long)n);
        if (n > INT64_MAX)
                input->big = n;
        else
                input->integer = (int64_t)n;
        return 0;
}

static int set_member(struct spec *spec, const struct json_member *m, const char *text,
                      const cJSON *item, struct spec_errors *errors) {
        bool known = spec_key_from_string(m->key) >= 0;
        struct spec_input input = { .kind = SPEC_INPUT_OTHER };
        int r;

        switch (m->kind) {
        case JSON_STRING:
                input.kind = SPEC_INPUT_STRING;
                input.string = cJSON_GetStringValue(item);
                break;
        case JSON_NUMBER:
                r = input_number(m, text, &input, errors);
                if (r < 0)
                        return r;
                break;
        case JSON_TRUE:
        case JSON_FALSE:
                input.kind = SPEC_INPUT_BOOL;
                input.boolean = cJSON_IsTrue(item);
                break;
        case JSON_OBJECT:
                input.other = "an object";
                break;
        case JSON_LIST:
                input.other = "a list";
                break;
        case JSON_NULL:
                input.other = "null";
                break;
        }
        return spec_set(spec, m->key, &input, known ? &m->value_at : &m->key_at, errors);
}

/* Returns 0, -EINVAL (error added) or -ENOMEM. */
static int read_member(struct spec *spec, const struct json_member *m, struct spec_errors *errors) {
        _cleanup_free_ char *text = NULL;
        cJSON *item = NULL;
        int r;

        if (streq(m->key, "$schema")) {
                if (m->kind == JSON_STRING)
                        return 0;
                return spec_errors_add(errors, &m->value_at, m->key, SPEC_ERROR_TYPE,
                                       "not a string; write the address of the schema in quotes");
        }

        /* A copy with a NUL at its end: cJSON's readers of bounded text have read beyond it. */
        text = strndup(m->value, m->value_size);
        if (!text)
                return -ENOMEM;
        if (strncmp(m->key, "x-", 2) == 0)
                return spec_set_extra(spec, m->key, text);
        if (m->kind == JSON_STRING || m->kind == JSON_TRUE || m->kind == JSON_FALSE) {
                item = cJSON_ParseWithOpts(text, NULL, true);
                if (!item)
                        return -ENOMEM;
        }
        r = set_member(spec, m, text, item, errors);
        cJSON_Delete(item);
        return r;
}

static int read_members(struct spec *spec, const struct json_document *document, bool complete,
                        struct spec_errors *errors) {
        struct spec_position positions[_SPEC_KEY_MAX] = { 0 };

        for (size_t i = 0; i < document->n_members; i++) {
                const struct json_member *m = &document->members[i];
                int key = spec_key_from_string(m->key);

                if (m->repeated)
                        continue;
                if (key >= 0)
                        positions[key] = m->key_at;
                if (read_member(spec, m, errors) == -ENOMEM)
                        return -ENOMEM;
        }
        /* After a syntax error nobody knows what would have followed. */
        if (!complete)
                return 0;
        if (document->kind != JSON_OBJECT)
                return spec_errors_add(errors, &document->at, NULL, SPEC_ERROR_TYPE,
                                       "a device is an object; write {\"type\": …}");
        return spec_check(spec, &document->at, positions, errors);
}

int spec_parse_json(const char *text, size_t size, struct spec **ret, struct spec_errors *errors) {
        _cleanup_(json_document_done) struct json_document document = JSON_DOCUMENT_NULL;
        _cleanup_(spec_freep) struct spec *spec = NULL;
        size_t before = errors->count;
        int r;

        if (size > SPEC_TEXT_MAX)
                return spec_errors_add(errors, NULL, NULL, SPEC_ERROR_SYNTAX,
                                       "the file has %zu bytes; a device's may have %d at most",
                                       size, SPEC_TEXT_MAX);
        r = spec_new(&spec);
        if (r < 0)
                return r;
        r = json_scan(text, size, SPEC_DEPTH_MAX, &document, errors);
        if (r == -ENOMEM)
                return r;
        r = read_members(spec, &document, r >= 0, errors);
        if (r == -ENOMEM)
                return r;
        if (errors->count > before) {
                spec_errors_sort(errors, before);
                return -EINVAL;
        }
        *ret = TAKE_PTR(spec);
        return 0;
}
