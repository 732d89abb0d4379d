/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The spec itself: its life, its defaults and comparing two of them. How values get in is
 * spec-set.c, whether they fit together is spec-check.c.
 */

#include "lib/spec/spec.h"

#include <errno.h>

#include "lib/base/str.h"
#include "lib/spec/json.h"

enum { DEFAULT_QUEUES_MAX = 4, DEFAULT_PHYSICAL_BLOCK_SIZE = 4096 };

int spec_new(struct spec **ret) {
        struct spec *spec = calloc(1, sizeof(*spec));

        if (!spec)
                return -ENOMEM;
        *ret = spec;
        return 0;
}

int spec_copy(const struct spec *spec, struct spec **ret) {
        _cleanup_(spec_freep) struct spec *copy = NULL;
        int r;

        r = spec_new(&copy);
        if (r < 0)
                return r;
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++) {
                const struct spec_value *from = &spec->values[k];

                copy->values[k] = *from;
                copy->values[k].string = from->string ? strdup(from->string) : NULL;
                if (from->string && !copy->values[k].string)
                        return -ENOMEM;
        }
        if (spec->extra) {
                copy->extra = strdup(spec->extra);
                if (!copy->extra)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(copy);
        return 0;
}

void spec_free(struct spec *spec) {
        if (!spec)
                return;
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++)
                free(spec->values[k].string);
        free(spec->extra);
        free(spec);
}

int spec_set_extra(struct spec *spec, const char *key, const char *json) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;
        char *extra;
        int r;

        if (spec->extra)
                strbuf_add_n(&b, spec->extra, strlen(spec->extra) - 1);
        strbuf_add(&b, spec->extra ? "," : "{");
        json_add_string(&b, key);
        strbuf_add(&b, ":");
        json_add_compact(&b, json);
        strbuf_add(&b, "}");
        r = strbuf_steal(&b, &extra);
        if (r < 0)
                return r;
        free(spec->extra);
        spec->extra = extra;
        return 0;
}

/* Defaults that depend on something are worked out here, the others stand in the table. */
static bool default_number(const struct spec *spec, enum spec_key key,
                           const struct spec_machine *machine, uint64_t *ret) {
        switch (key) {
        case SPEC_QUEUES:
                /* The kernel sends one flush at a time to a queue. With several queues two flushes may
                 * run at once, and of those only one is told that the backing has lost a page. */
                if (spec_number(spec, SPEC_TYPE) == SPEC_TYPE_LOOP) {
                        *ret = 1;
                        return true;
                }
                *ret = MIN(MAX(machine->processors, 1U), (unsigned)DEFAULT_QUEUES_MAX);
                return true;
        case SPEC_PHYSICAL_BLOCK_SIZE:
                *ret = MAX(spec_number(spec, SPEC_LOGICAL_BLOCK_SIZE),
                           (uint64_t)DEFAULT_PHYSICAL_BLOCK_SIZE);
                return true;
        default:
                return spec_field_default(spec_field(key), ret) >= 0;
        }
}

void spec_apply_defaults(struct spec *spec, const struct spec_machine *machine) {
        if (!spec_is_set(spec, SPEC_TYPE))
                return;
        /* In the order of the table: logicalBlockSize is there before physicalBlockSize looks at
         * it. */
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++) {
                struct spec_value *value = &spec->values[k];
                uint64_t number;

                if (value->set || !(spec_field(k)->types & 1U << spec_number(spec, SPEC_TYPE)))
                        continue;
                if (default_number(spec, k, machine, &number))
                        *value = (struct spec_value){
                                .set = true,
                                .defaulted = true,
                                .number = number,
                        };
        }
}

bool spec_value_equal(const struct spec *a, const struct spec *b, enum spec_key key) {
        const struct spec_value *x = &a->values[key], *y = &b->values[key];

        if (x->set != y->set)
                return false;
        if (!x->set)
                return true;
        if (spec_field(key)->kind == SPEC_KIND_STRING)
                return streq(x->string, y->string);
        return x->number == y->number;
}

int spec_name_from_path(const char *path, char **ret) {
        static const char suffix[] = ".json";
        const char *base = strrchr(path, '/');
        _cleanup_free_ char *name = NULL;

        base = base ? base + 1 : path;
        size_t n = strlen(base);
        if (n < sizeof(suffix) || !streq(base + n - (sizeof(suffix) - 1), suffix))
                return -EINVAL;
        name = strndup(base, n - (sizeof(suffix) - 1));
        if (!name)
                return -ENOMEM;
        if (!name_is_valid(name))
                return -EINVAL;
        *ret = TAKE_PTR(name);
        return 0;
}
