/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two states of one device, key by key. What a difference costs is said by the field table; the
 * dearest one decides for the whole device.
 */

#include "lib/spec/plan-compare.h"

#include <errno.h>

/* Whether two states of a key ask for something to be done. */
static bool differs(const struct spec *before, const struct spec *after, enum spec_key key) {
        /* Without an id any will do, also the one that the device has. */
        if (key == SPEC_ID && !spec_is_set(after, key))
                return false;
        return !spec_value_equal(before, after, key);
}

static int add_change(struct plan_action *action, const struct spec *before, enum spec_key key) {
        struct plan_change *changes, change = { .key = key };
        int r;

        changes = realloc(action->changes, (action->n_changes + 1) * sizeof(*changes));
        if (!changes)
                return -ENOMEM;
        action->changes = changes;
        r = spec_value_to_json(before, key, &change.before);
        if (r >= 0)
                r = spec_value_to_json(action->spec, key, &change.after);
        if (r < 0) {
                free(change.before);
                return r;
        }
        action->changes[action->n_changes++] = change;
        return 0;
}

int plan_compare(struct plan_action *action, const struct spec *before, enum plan_verb *ret) {
        static const enum plan_verb verbs[] = {
                [SPEC_CHANGE_LIVE] = PLAN_UPDATE,
                [SPEC_CHANGE_WORKER] = PLAN_WORKER,
                [SPEC_CHANGE_RECREATE] = PLAN_RECREATE,
        };
        const char *old_extra = before->extra ? before->extra : "";
        const char *new_extra = action->spec->extra ? action->spec->extra : "";

        /* Keys of the user's own change nothing but have to arrive, or the next plan shows the
         * old ones. */
        *ret = streq(old_extra, new_extra) ? PLAN_NONE : PLAN_UPDATE;
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++) {
                if (!differs(before, action->spec, k))
                        continue;
                int r = add_change(action, before, k);
                if (r < 0)
                        return r;
                *ret = MAX(*ret, verbs[spec_field(k)->change]);
        }
        return 0;
}

int plan_join_changes(const struct plan_action *action, enum spec_change least, char **ret) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;

        for (size_t i = 0; i < action->n_changes; i++) {
                const struct spec_field *field = spec_field(action->changes[i].key);

                if (field->change >= least)
                        strbuf_addf(&b, "%s%s", b.length > 0 ? ", " : "", field->key);
        }
        return strbuf_steal(&b, ret);
}
