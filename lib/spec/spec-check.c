/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether the values of a spec fit together. Only what holds on every machine is checked here: a
 * file that is right on one is right on all, so a value that wasn't given counts with the largest
 * default that it may get. What the kernel or the backing at hand can't do is found out when
 * attaching.
 */

#include "lib/spec/spec.h"

#include <errno.h>
#include <inttypes.h>

#include "lib/base/str.h"

#define BUFFERS_MAX (UINT64_C(1) << 30)

struct check {
        const struct spec *spec;
        const struct spec_position *at;
        const struct spec_position *positions;
        struct spec_errors *errors;
        int result;
};

static const struct spec_position *position(const struct check *c, enum spec_key key) {
        return c->positions && c->positions[key].line > 0 ? &c->positions[key] : c->at;
}

/* Goes on after -EINVAL, so that all errors are found. */
static void note(struct check *c, int r) {
        if (r < 0 && c->result != -ENOMEM)
                c->result = r;
}

#define REFUSE(c, k, code, ...) \
        note(c, spec_errors_add((c)->errors, position(c, k), spec_field(k)->key, code, __VA_ARGS__))

static void check_allowed(struct check *c, enum spec_key key, enum spec_type type) {
        const struct spec_field *field = spec_field(key);
        _cleanup_(strbuf_done) struct strbuf types = STRBUF_NULL;

        if (!spec_is_set(c->spec, key) || field->types & 1U << type)
                return;
        for (enum spec_type t = 0; t < _SPEC_TYPE_MAX; t++)
                if (field->types & 1U << t)
                        strbuf_addf(&types, "%s\"%s\"", types.length > 0 ? ", " : "",
                                    spec_type_to_string(t));
        if (types.error < 0)
                note(c, types.error);
        else
                REFUSE(c, key, SPEC_ERROR_NOT_ALLOWED,
                       "a device of type \"%s\" doesn't have this; remove it, or choose the type "
                       "%s",
                       spec_type_to_string(type), types.text);
}

static void check_required(struct check *c, enum spec_key key, enum spec_type type) {
        const struct spec_field *field = spec_field(key);

        if (!(field->required & 1U << type) || spec_is_set(c->spec, key) ||
            spec_errors_mention(c->errors, field->key))
                return;
        REFUSE(c, key, SPEC_ERROR_MISSING, "missing; a device of type \"%s\" needs it (\"%s\": %s)",
               spec_type_to_string(type), field->key, field->example);
}

static void check_type(struct check *c) {
        if (!spec_is_set(c->spec, SPEC_TYPE)) {
                if (!spec_errors_mention(c->errors, "type"))
                        REFUSE(c, SPEC_TYPE, SPEC_ERROR_MISSING,
                               "missing; every device needs it (\"type\": \"ram\")");
                return;
        }

        enum spec_type type = (enum spec_type)spec_number(c->spec, SPEC_TYPE);
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++) {
                check_allowed(c, k, type);
                check_required(c, k, type);
        }
}

static void check_blocks(struct check *c) {
        static const enum spec_key sizes[] = { SPEC_SIZE_BYTES, SPEC_OFFSET_BYTES };
        uint64_t logical = spec_number(c->spec, SPEC_LOGICAL_BLOCK_SIZE);
        uint64_t physical = spec_number(c->spec, SPEC_PHYSICAL_BLOCK_SIZE);

        if (logical == 0)
                return;
        if (spec_is_set(c->spec, SPEC_PHYSICAL_BLOCK_SIZE) && physical < logical)
                REFUSE(c, SPEC_PHYSICAL_BLOCK_SIZE, SPEC_ERROR_VALUE,
                       "%" PRIu64 " is less than logicalBlockSize (%" PRIu64
                       "); write at least that, or leave it out",
                       physical, logical);
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                uint64_t n = spec_number(c->spec, sizes[i]);

                if (n % logical != 0)
                        REFUSE(c, sizes[i], SPEC_ERROR_VALUE,
                               "%" PRIu64 " is not a multiple of logicalBlockSize (%" PRIu64
                               "); write %" PRIu64,
                               n, logical, MAX(n - n % logical, logical));
        }
}

static void check_window(struct check *c) {
        uint64_t offset = spec_number(c->spec, SPEC_OFFSET_BYTES);
        uint64_t size = spec_number(c->spec, SPEC_SIZE_BYTES);
        uint64_t most = spec_field(SPEC_SIZE_BYTES)->maximum;

        if (offset > 0 && offset > most - size)
                REFUSE(c, SPEC_OFFSET_BYTES, SPEC_ERROR_VALUE,
                       "offsetBytes and sizeBytes together are over %" PRIu64
                       ", more than any file can have; lower one of them",
                       most);
}

/* The value, or the largest default that it may get. */
static uint64_t number_or_default(const struct check *c, enum spec_key key) {
        uint64_t n = spec_number(c->spec, SPEC_TYPE) == SPEC_TYPE_LOOP ? 1 : 4; /* queues */

        if (spec_is_set(c->spec, key))
                return spec_number(c->spec, key);
        (void)spec_field_default(spec_field(key), &n);
        return n;
}

static void check_buffers(struct check *c) {
        static const enum spec_key factors[] = { SPEC_MAX_IO_BYTES, SPEC_QUEUE_DEPTH, SPEC_QUEUES };
        uint64_t bytes = number_or_default(c, SPEC_MAX_IO_BYTES);
        uint64_t depth = number_or_default(c, SPEC_QUEUE_DEPTH);
        uint64_t queues = number_or_default(c, SPEC_QUEUES);
        char each[32], sum[32];

        if (bytes * depth * queues <= BUFFERS_MAX)
                return;
        format_size(bytes, each, sizeof(each));
        format_size(bytes * depth * queues, sum, sizeof(sum));
        for (size_t i = 0; i < ELEMENTSOF(factors); i++)
                if (spec_is_set(c->spec, factors[i])) {
                        REFUSE(c, factors[i], SPEC_ERROR_VALUE,
                               "%" PRIu64 " queues × %" PRIu64
                               " requests (queueDepth) × %s (maxIoBytes) "
                               "are %s of buffers; lower one of them to come down to 1G",
                               queues, depth, each, sum);
                        return;
                }
}

int spec_check(const struct spec *spec, const struct spec_position *at,
               const struct spec_position *positions, struct spec_errors *errors) {
        struct check c = { .spec = spec, .at = at, .positions = positions, .errors = errors };

        check_type(&c);
        check_blocks(&c);
        check_window(&c);
        check_buffers(&c);
        return c.result;
}
