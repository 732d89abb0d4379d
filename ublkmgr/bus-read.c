/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading of method arguments. All of a call is read and checked before anything is done; what a caller
 * misspelt is an error, never ignored.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "lib/base/fd.h"
#include "lib/spec/json.h"
#include "ublkmgr/bus.h"

/* Reads the variant that comes next, if it holds a basic type. */
static int read_input(sd_bus_message *m, struct spec_input *ret) {
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        *ret = (struct spec_input){ .kind = SPEC_INPUT_OTHER, .other = "a compound value" };
        if (type != SD_BUS_TYPE_VARIANT || !contents || strlen(contents) != 1)
                return sd_bus_message_skip(m, "v");

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, contents);
        if (r < 0)
                return r;
        union {
                const char *s;
                int b;
                uint8_t y;
                int16_t n;
                uint16_t q;
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
        } v = { .t = 0 };
        *ret = (struct spec_input){ .kind = SPEC_INPUT_INTEGER };
        switch (contents[0]) {
        case SD_BUS_TYPE_STRING:
                r = sd_bus_message_read_basic(m, contents[0], &v.s);
                ret->kind = SPEC_INPUT_STRING;
                ret->string = v.s;
                break;
        case SD_BUS_TYPE_BOOLEAN:
                r = sd_bus_message_read_basic(m, contents[0], &v.b);
                ret->kind = SPEC_INPUT_BOOL;
                ret->boolean = v.b;
                break;
        case SD_BUS_TYPE_BYTE:
                r = sd_bus_message_read_basic(m, contents[0], &v.y);
                ret->integer = v.y;
                break;
        case SD_BUS_TYPE_INT16:
                r = sd_bus_message_read_basic(m, contents[0], &v.n);
                ret->integer = v.n;
                break;
        case SD_BUS_TYPE_UINT16:
                r = sd_bus_message_read_basic(m, contents[0], &v.q);
                ret->integer = v.q;
                break;
        case SD_BUS_TYPE_INT32:
                r = sd_bus_message_read_basic(m, contents[0], &v.i);
                ret->integer = v.i;
                break;
        case SD_BUS_TYPE_UINT32:
                r = sd_bus_message_read_basic(m, contents[0], &v.u);
                ret->integer = v.u;
                break;
        case SD_BUS_TYPE_INT64:
                r = sd_bus_message_read_basic(m, contents[0], &v.x);
                ret->integer = v.x;
                break;
        case SD_BUS_TYPE_UINT64:
                r = sd_bus_message_read_basic(m, contents[0], &v.t);
                if (v.t > INT64_MAX)
                        ret->big = v.t;
                else
                        ret->integer = (int64_t)v.t;
                break;
        default:
                *ret = (struct spec_input){ .kind = SPEC_INPUT_OTHER,
                                            .other = "a value of that type" };
                r = sd_bus_message_skip(m, contents);
        }
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

/* Whether an `x-…` key is there already. A string of JSON can't hold a bare quote, so its text is only found
 * where it is a key. Returns 0, 1 or -ENOMEM. */
static int has_extra(const struct spec *spec, const char *key) {
        _cleanup_(strbuf_done) struct strbuf word = STRBUF_NULL;
        const char *found;

        if (!spec->extra)
                return 0;
        json_add_string(&word, key);
        strbuf_add(&word, ":");
        if (word.error < 0)
                return word.error;
        found = strstr(spec->extra, word.text);
        while (found && found[-1] != '{' && found[-1] != ',')
                found = strstr(found + 1, word.text);
        return found != NULL;
}

/* An `x-…` key: any basic value, kept as JSON. */
static int add_extra(struct spec *spec, const char *key, const struct spec_input *input,
                     struct spec_errors *errors) {
        _cleanup_(strbuf_done) struct strbuf json = STRBUF_NULL;
        int r;

        r = has_extra(spec, key);
        if (r < 0)
                return r;
        if (r > 0)
                return spec_errors_add(errors, NULL, key, SPEC_ERROR_DUPLICATE,
                                       "is given twice: leave one of them out");
        switch (input->kind) {
        case SPEC_INPUT_STRING:
                json_add_string(&json, input->string);
                break;
        case SPEC_INPUT_BOOL:
                strbuf_add(&json, input->boolean ? "true" : "false");
                break;
        case SPEC_INPUT_INTEGER:
                if (input->big)
                        strbuf_addf(&json, "%llu", (unsigned long long)input->big);
                else
                        strbuf_addf(&json, "%lld", (long long)input->integer);
                break;
        default:
                return spec_errors_add(errors, NULL, key, SPEC_ERROR_TYPE,
                                       "must be a string, a number or a boolean");
        }
        if (json.error < 0)
                return json.error;
        return spec_set_extra(spec, key, json.text);
}

static int read_entries(sd_bus_message *m, struct spec *spec, struct spec_errors *errors) {
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        while (r >= 0 &&
               (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                struct spec_input input;
                const char *key;

                r = sd_bus_message_read_basic(m, SD_BUS_TYPE_STRING, &key);
                if (r >= 0)
                        r = read_input(m, &input);
                if (r < 0)
                        return r;
                r = strncmp(key, "x-", 2) == 0 ? add_extra(spec, key, &input, errors)
                                               : spec_set(spec, key, &input, NULL, errors);
                if (r < 0 && r != -EINVAL)
                        return r;
                r = sd_bus_message_exit_container(m);
        }
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

static int report_errors(const struct spec_errors *errors, sd_bus_error *error) {
        _cleanup_(strbuf_done) struct strbuf text = STRBUF_NULL;

        for (size_t i = 0; i < errors->count; i++)
                spec_error_format(&errors->items[i], &text);
        if (text.error < 0)
                return text.error;
        if (text.length > 0)
                text.text[text.length - 1] = 0;
        return sd_bus_error_set(error, ERROR_INVALID_SPEC, text.text);
}

int bus_read_spec(sd_bus_message *m, struct spec **ret, sd_bus_error *error) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        _cleanup_(spec_freep) struct spec *spec = NULL;
        int r;

        r = spec_new(&spec);
        if (r < 0)
                return r;
        r = read_entries(m, spec, &errors);
        if (r < 0)
                return r;
        if (errors.count == 0) {
                r = spec_check(spec, NULL, NULL, &errors);
                if (r < 0 && r != -EINVAL)
                        return r;
        }
        if (errors.count > 0)
                return report_errors(&errors, error);
        *ret = TAKE_PTR(spec);
        return 0;
}

static int read_option(sd_bus_message *m, const char *key, const struct bus_option *options,
                       size_t n, uint32_t *seen, sd_bus_error *error) {
        char signature[2] = "";

        for (size_t i = 0; i < n; i++) {
                if (!streq(options[i].key, key))
                        continue;
                if (*seen & (1U << i))
                        return sd_bus_error_setf(error, ERROR_INVALID_OPTION,
                                                 "Option '%s' is given twice.", key);
                *seen |= 1U << i;
                signature[0] = options[i].type;
                if (sd_bus_message_read(m, "v", signature, options[i].value) < 0)
                        return sd_bus_error_setf(error, ERROR_INVALID_OPTION,
                                                 "Option '%s' must have the D-Bus type '%s'.", key,
                                                 signature);
                return 0;
        }
        return sd_bus_error_setf(error, ERROR_INVALID_OPTION, "There is no option '%s'.", key);
}

int bus_read_options(sd_bus_message *m, const struct bus_option *options, size_t n,
                     sd_bus_error *error) {
        uint32_t seen = 0;
        const char *key;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        while (r >= 0 &&
               (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = sd_bus_message_read_basic(m, SD_BUS_TYPE_STRING, &key);
                if (r < 0)
                        return r;
                r = read_option(m, key, options, n, &seen, error);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
        }
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

int bus_read_fds(sd_bus_message *m, int *ret, sd_bus_error *error) {
        _cleanup_close_ int backing = -EBADF;
        const char *name;
        int r, fd;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sh}");
        while (r >= 0 && (r = sd_bus_message_read(m, "{sh}", &name, &fd)) > 0) {
                if (!streq(name, "backing") || backing >= 0)
                        return sd_bus_error_setf(
                                error, ERROR_INVALID_OPTION,
                                "Only one fd, named 'backing', may be passed; '%s' is "
                                "too much.",
                                name);
                backing = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                if (backing < 0)
                        return -errno;
        }
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = TAKE_FD(backing);
        return 0;
}
