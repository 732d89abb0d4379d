/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Options are text, a spec has types: what reads as a number or as yes or no becomes one, everything
 * else goes on as text, so that lib/spec refuses it in the words in which it refuses it in a file.
 */

#include "ublkctl/fields.h"

#include <errno.h>
#include <stdio.h>

#include "lib/base/str.h"
#include "lib/spec/text.h"
#include "ublkctl/output.h"
#include "ublkctl/path.h"

static struct spec_input read_bool(const char *text) {
        static const char *const yes[] = { "yes", "true", "1" }, *const no[] = { "no", "false",
                                                                                 "0" };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                if (!text || streq(text, yes[i]) || streq(text, no[i]))
                        return (struct spec_input){
                                .kind = SPEC_INPUT_BOOL,
                                .boolean = !text || streq(text, yes[i]),
                        };
        return (struct spec_input){ .kind = SPEC_INPUT_STRING, .string = text };
}

static struct spec_input read_integer(const char *text) {
        struct spec_input input = { .kind = SPEC_INPUT_INTEGER, .other = text };
        uint64_t n;
        bool negative = text[0] == '-';
        int r;

        r = parse_u64(text + negative, &n);
        if (r == -EINVAL)
                return (struct spec_input){ .kind = SPEC_INPUT_STRING, .string = text };
        if (negative)
                input.integer = -1;
        else if (r == -ERANGE)
                input.big = UINT64_MAX;
        else if (n > INT64_MAX)
                input.big = n;
        else
                input.integer = (int64_t)n;
        return input;
}

/* storage: keeps what the input points to. Returns as spec_set(). */
static int read_input(const struct field_argument *argument, char **storage, struct spec_input *ret,
                      struct spec_errors *errors) {
        const struct spec_field *field = spec_field(argument->key);
        int r;

        *ret = (struct spec_input){ .kind = SPEC_INPUT_STRING, .string = argument->text };
        if (field->kind == SPEC_KIND_BOOL)
                *ret = read_bool(argument->text);
        else if (field->kind == SPEC_KIND_INTEGER)
                *ret = read_integer(argument->text);
        else if (field->absolute_path && *argument->text) {
                r = path_make_plain(argument->text, storage);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        return spec_errors_add(errors, NULL, field->key, SPEC_ERROR_VALUE, "%s: %s",
                                               SHOWN(argument->text), strerror(-r));
                ret->string = *storage;
        }
        return 0;
}

static int complain_of_errors(const struct spec_errors *errors) {
        for (size_t i = 0; i < errors->count; i++) {
                const struct spec_error *e = &errors->items[i];

                (void)complain("%s%s%s", e->key ? e->key : "", e->key ? ": " : "", e->message);
        }
        return EXIT_USAGE;
}

int fields_to_spec(const struct arguments *a, struct spec **ret) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        _cleanup_(spec_freep) struct spec *spec = NULL;

        if (spec_new(&spec) < 0)
                return out_of_memory();
        for (size_t i = 0; i < a->n_fields; i++) {
                _cleanup_free_ char *storage = NULL;
                struct spec_input input;

                int r = read_input(&a->fields[i], &storage, &input, &errors);
                if (r >= 0)
                        r = spec_set(spec, spec_field(a->fields[i].key)->key, &input, NULL,
                                     &errors);
                if (r == -ENOMEM)
                        return out_of_memory();
        }
        if (spec_check(spec, NULL, NULL, &errors) == -ENOMEM)
                return out_of_memory();
        if (errors.count > 0)
                return complain_of_errors(&errors);
        *ret = TAKE_PTR(spec);
        return EXIT_SUCCESS;
}
