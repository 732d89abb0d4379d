/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One value into a spec, checked against its line of the field table. The same way is taken by
 * files, D-Bus and command line, so that a mistake reads the same wherever it is made. Each message
 * names what was written and what would be right; nobody should have to open the manual for a wrong
 * unit.
 */

#include "lib/spec/spec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/str.h"
#include "lib/spec/text.h"

struct setting {
        const struct spec_field *field;
        const struct spec_input *input;
        const struct spec_position *at;
        struct spec_errors *errors;
        struct text_shown written; /* the input as it may be shown */
};

#define REFUSE(s, code, ...) \
        spec_errors_add((s)->errors, (s)->at, (s)->field->key, code, __VA_ARGS__)

static void show_input(struct setting *s) {
        const struct spec_input *in = s->input;

        if (in->kind == SPEC_INPUT_STRING)
                (void)text_quote(&s->written, in->string);
        else if (in->kind == SPEC_INPUT_BOOL)
                (void)text_show(&s->written, in->boolean ? "true" : "false");
        else if (in->other)
                (void)text_show(&s->written, in->other);
        else if (in->kind == SPEC_INPUT_INTEGER && in->big > 0)
                (void)snprintf(s->written.text, sizeof(s->written.text), "%" PRIu64, in->big);
        else
                (void)snprintf(s->written.text, sizeof(s->written.text), "%" PRIi64, in->integer);
}

/* "4K (4096)" for sizes that have a unit, else the number. */
static const char *show_number(const struct spec_field *field, uint64_t n, char ret[64]) {
        char size[32];

        format_size(n, size, sizeof(size));
        if (field->kind == SPEC_KIND_SIZE && n >= 1024 && n % 1024 == 0)
                (void)snprintf(ret, 64, "%s (%" PRIu64 ")", size, n);
        else
                (void)snprintf(ret, 64, "%" PRIu64, n);
        return ret;
}

static int refuse_large(struct setting *s) {
        char number[64];

        return REFUSE(s, SPEC_ERROR_RANGE, "%s is too large; the most is %s", s->written.text,
                      show_number(s->field, s->field->maximum, number));
}

static int refuse_small(struct setting *s) {
        char number[64];

        return REFUSE(s, SPEC_ERROR_RANGE, "%s is too small; the least is %s", s->written.text,
                      show_number(s->field, s->field->minimum, number));
}

/* `step` is what the value should have been a multiple of, or 0 for a power of two. */
static int refuse_between(struct setting *s, uint64_t n, uint64_t step) {
        const struct spec_field *f = s->field;
        char low[64], high[64], unit[64], rule[96];
        uint64_t below = f->minimum, above = f->minimum;

        if (step > 0) {
                below = n - n % step;
                above = below + step;
                (void)snprintf(rule, sizeof(rule), "multiple of %s", show_number(f, step, unit));
        } else {
                for (; above < n; above *= 2)
                        below = above;
                (void)snprintf(rule, sizeof(rule), "power of two");
        }
        /* The neighbours of a value in bounds may lie outside of them. */
        if (below < f->minimum)
                below = above;
        if (above > f->maximum)
                above = below;
        if (below == above)
                return REFUSE(s, SPEC_ERROR_RANGE, "%s is not a %s; write %s", s->written.text,
                              rule, show_number(f, below, low));
        return REFUSE(s, SPEC_ERROR_RANGE, "%s is not a %s; write %s or %s", s->written.text, rule,
                      show_number(f, below, low), show_number(f, above, high));
}

static int check_number(struct setting *s, uint64_t n, uint64_t *ret) {
        const struct spec_field *f = s->field;

        if (n < f->minimum)
                return refuse_small(s);
        if (n > f->maximum)
                return refuse_large(s);
        if (f->power_of_two && !is_power_of_two(n))
                return refuse_between(s, n, 0);
        if (f->multiple > 1 && n % f->multiple != 0)
                return refuse_between(s, n, f->multiple);
        *ret = n;
        return 0;
}

static int read_integer(struct setting *s, uint64_t *ret) {
        const struct spec_input *in = s->input;

        if (in->big > 0)
                return check_number(s, in->big, ret);
        if (in->integer < 0)
                return refuse_small(s);
        return check_number(s, (uint64_t)in->integer, ret);
}

static int read_size(struct setting *s, uint64_t *ret) {
        bool is_text = s->input->kind == SPEC_INPUT_STRING;
        uint64_t n;

        if (s->input->kind == SPEC_INPUT_INTEGER)
                return read_integer(s, ret);

        int r = is_text ? parse_size(s->input->string, &n) : -EINVAL;
        if (r == -ERANGE)
                return refuse_large(s);
        if (r < 0)
                return REFUSE(s, is_text ? SPEC_ERROR_VALUE : SPEC_ERROR_TYPE,
                              "%s is not a size; write bytes (67108864) or digits with K, M, G, T, "
                              "P or E (\"64M\")",
                              s->written.text);
        return check_number(s, n, ret);
}

static int read_type(struct setting *s, uint64_t *ret) {
        bool is_text = s->input->kind == SPEC_INPUT_STRING;
        int type = is_text ? spec_type_from_string(s->input->string) : -ENOENT;

        if (type >= 0) {
                *ret = (uint64_t)type;
                return 0;
        }

        _cleanup_(strbuf_done) struct strbuf known = STRBUF_NULL;
        for (enum spec_type t = 0; t < _SPEC_TYPE_MAX; t++)
                strbuf_addf(&known, "%s\"%s\"",
                            t == 0                         ? ""
                            : t + 1 == (int)_SPEC_TYPE_MAX ? " or "
                                                           : ", ",
                            spec_type_to_string(t));
        if (known.error < 0)
                return known.error;
        return REFUSE(s, is_text ? SPEC_ERROR_VALUE : SPEC_ERROR_TYPE,
                      "%s is no type of device; write %s", s->written.text, known.text);
}

static int check_path(struct setting *s, const char *path) {
        size_t n = strlen(path);

        if (path[0] != '/')
                return REFUSE(s, SPEC_ERROR_VALUE,
                              "%s is not an absolute path; begin with \"/\" (%s)", s->written.text,
                              s->field->example);
        if (strstr(path, "//") || strstr(path, "/./") || strstr(path, "/../") ||
            path[n - 1] == '/' || (n >= 2 && streq(path + n - 2, "/.")) ||
            (n >= 3 && streq(path + n - 3, "/..")))
                return REFUSE(s, SPEC_ERROR_VALUE,
                              "%s is not the plain path of a file; write it without \"//\", \".\", "
                              "\"..\" and \"/\" at the end (%s)",
                              s->written.text, s->field->example);
        return 0;
}

static int read_string(struct setting *s, char **ret) {
        const char *text = s->input->string;

        if (s->input->kind != SPEC_INPUT_STRING)
                return REFUSE(s, SPEC_ERROR_TYPE, "%s is not a string; write text in quotes (%s)",
                              s->written.text, s->field->example);
        if (strlen(text) > s->field->maximum)
                return REFUSE(s, SPEC_ERROR_RANGE,
                              "the text has %zu bytes; write %" PRIu64 " at most", strlen(text),
                              s->field->maximum);

        enum text_fault fault = text_check(text);
        if (fault != TEXT_FINE)
                return REFUSE(s, SPEC_ERROR_VALUE, "%s %s; write plain text in UTF-8",
                              s->written.text,
                              fault == TEXT_CONTROL ? "holds a control character" : "is not UTF-8");
        if (s->field->absolute_path) {
                int r = check_path(s, text);
                if (r < 0)
                        return r;
        }
        if (strlen(text) < s->field->minimum)
                return REFUSE(s, SPEC_ERROR_RANGE,
                              "%s is too short; write at least %" PRIu64 " bytes", s->written.text,
                              s->field->minimum);
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

static int read_value(struct setting *s, struct spec_value *value) {
        switch (s->field->kind) {
        case SPEC_KIND_TYPE:
                return read_type(s, &value->number);
        case SPEC_KIND_STRING:
                return read_string(s, &value->string);
        case SPEC_KIND_SIZE:
                return read_size(s, &value->number);
        case SPEC_KIND_INTEGER:
                if (s->input->kind == SPEC_INPUT_INTEGER)
                        return read_integer(s, &value->number);
                return REFUSE(s, SPEC_ERROR_TYPE,
                              "%s is not a whole number; write digits without quotes (%s)",
                              s->written.text, s->field->example);
        case SPEC_KIND_BOOL:
                value->number = s->input->boolean;
                if (s->input->kind == SPEC_INPUT_BOOL)
                        return 0;
                return REFUSE(s, SPEC_ERROR_TYPE,
                              "%s is neither true nor false; write one of them without quotes",
                              s->written.text);
        }
        return -EINVAL;
}

static int refuse_unknown(const char *key, const struct spec_position *at,
                          struct spec_errors *errors) {
        const char *nearest = spec_key_nearest(key);
        _cleanup_(strbuf_done) struct strbuf known = STRBUF_NULL;

        if (nearest)
                return spec_errors_add(errors, at, key, SPEC_ERROR_UNKNOWN_KEY,
                                       "unknown key; did you mean \"%s\"?", nearest);
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++)
                strbuf_addf(&known, "%s%s", k == 0 ? "" : ", ", spec_field(k)->key);
        if (known.error < 0)
                return known.error;
        return spec_errors_add(errors, at, key, SPEC_ERROR_UNKNOWN_KEY,
                               "unknown key; there are %s, and keys of your own that begin with "
                               "\"x-\"",
                               known.text);
}

int spec_set(struct spec *spec, const char *key, const struct spec_input *input,
             const struct spec_position *at, struct spec_errors *errors) {
        struct spec_value value = { .set = true };
        int k = spec_key_from_string(key);
        int r;

        if (k < 0)
                return refuse_unknown(key, at, errors);
        if (spec->values[k].set && !spec->values[k].defaulted)
                return spec_errors_add(errors, at, key, SPEC_ERROR_DUPLICATE,
                                       "given twice; keep one of them");

        struct setting setting = {
                .field = spec_field((enum spec_key)k),
                .input = input,
                .at = at,
                .errors = errors,
        };
        show_input(&setting);
        r = read_value(&setting, &value);
        if (r < 0)
                return r;
        free(spec->values[k].string);
        spec->values[k] = value;
        return 0;
}
