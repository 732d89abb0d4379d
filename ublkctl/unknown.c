/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Wrong verbs and options get one line that names them and the nearest right one, never the whole help:
 * the line that matters would scroll away.
 */

#include "ublkctl/unknown.h"

#include "lib/spec/text.h"
#include "ublkctl/nearest.h"
#include "ublkctl/output.h"

int unknown_verb(const char *name) {
        struct nearest nearest = NEAREST_FOR(name);
        const struct verb *verb;

        for (size_t i = 0; (verb = verb_at(i)); i++)
                nearest_offer(&nearest, verb->name);
        if (nearest.found)
                return usage("unknown verb '%s', did you mean '%s'?", SHOWN(name), nearest.found);
        return usage("unknown verb '%s'", SHOWN(name));
}

/* *ret: the nearest option of a field, or as it was. */
static int offer_fields(struct nearest *nearest, char **ret) {
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++) {
                _cleanup_free_ char *option = NULL;
                int r = spec_field_option(spec_field(k), &option);

                if (r < 0)
                        return r;
                nearest_offer(nearest, option);
                if (nearest->found == option) {
                        free(*ret);
                        *ret = TAKE_PTR(option);
                }
        }

        /* The spelling of the files (sizeBytes), which letter by letter isn't near. */
        const char *key = nearest->found ? NULL : spec_key_nearest(nearest->word);
        if (!key)
                return 0;
        int r = spec_field_option(spec_field((enum spec_key)spec_key_from_string(key)), ret);
        nearest->found = *ret;
        return r;
}

int unknown_option(const struct verb *verb, const char *argument) {
        _cleanup_free_ char *name = NULL, *field = NULL;

        if (argument[1] != '-')
                return usage("unknown option '%s'", SHOWN(argument));
        name = strndup(argument + 2, strcspn(argument + 2, "="));
        if (!name)
                return out_of_memory();

        struct nearest nearest = NEAREST_FOR(name);
        for (enum option o = 0; o < _OPTION_MAX; o++) {
                const struct option_info *info = option_info(o);

                if (info->name && (!verb || info->common || verb->options & 1U << o))
                        nearest_offer(&nearest, info->name);
        }
        if ((!verb || verb->fields) && offer_fields(&nearest, &field) < 0)
                return out_of_memory();
        if (nearest.found)
                return usage("unknown option '--%s', did you mean '--%s'?", SHOWN(name),
                             nearest.found);
        return usage("unknown option '--%s'", SHOWN(name));
}
