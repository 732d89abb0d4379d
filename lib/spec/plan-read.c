/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads a plan that the manager wrote. It comes from a trusted program and decides about nothing, it is
 * only shown; so cJSON alone reads it, without the strict reader that device files go through. Still
 * nothing about its shape is taken for granted: the two programs may be of different versions.
 */

#include "lib/spec/plan-read.h"

#include <errno.h>

#include <cjson/cJSON.h>

#include "lib/spec/json.h"

static void cjson_deletep(cJSON **json) {
        cJSON_Delete(*json);
}

/* A member that is a string, or NULL when it isn't there. */
static int read_string(const cJSON *object, const char *key, char **ret) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

        if (!item)
                return 0;
        if (!cJSON_IsString(item))
                return -EINVAL;
        *ret = strdup(cJSON_GetStringValue(item));
        return *ret ? 0 : -ENOMEM;
}

/* A value of a field as JSON text. Numbers are written by hand: cJSON writes large ones as 1.2e+15. */
static int read_value(const cJSON *object, const char *key, char **ret) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;

        if (cJSON_IsString(item))
                json_add_string(&b, cJSON_GetStringValue(item));
        else if (cJSON_IsNumber(item))
                strbuf_addf(&b, "%.0f", cJSON_GetNumberValue(item));
        else if (cJSON_IsBool(item))
                strbuf_add(&b, cJSON_IsTrue(item) ? "true" : "false");
        else if (!item || cJSON_IsNull(item))
                strbuf_add(&b, "null");
        else
                return -EINVAL;
        return strbuf_steal(&b, ret);
}

static int read_changes(const cJSON *fields, struct plan_action *action) {
        const cJSON *field;
        int r;

        if (!fields)
                return 0;
        if (!cJSON_IsArray(fields))
                return -EINVAL;
        action->changes = calloc((size_t)cJSON_GetArraySize(fields) + 1, sizeof(*action->changes));
        if (!action->changes)
                return -ENOMEM;
        cJSON_ArrayForEach(field, fields) {
                const char *name =
                        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(field, "key"));
                int key = name ? spec_key_from_string(name) : -EINVAL;

                if (key == -ENOENT)
                        continue;
                if (key < 0)
                        return key;
                struct plan_change *change = &action->changes[action->n_changes++];
                change->key = (enum spec_key)key;
                r = read_value(field, "old", &change->before);
                if (r < 0)
                        return r;
                r = read_value(field, "new", &change->after);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The lines of a file's errors, joined again. */
static int read_errors(const cJSON *errors, struct plan_action *action) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;
        const cJSON *line;

        if (!errors)
                return 0;
        if (!cJSON_IsArray(errors))
                return -EINVAL;
        cJSON_ArrayForEach(line, errors) {
                if (!cJSON_IsString(line))
                        return -EINVAL;
                strbuf_addf(&b, "%s\n", cJSON_GetStringValue(line));
        }
        return strbuf_steal(&b, &action->errors);
}

static int read_verb(const cJSON *item, enum plan_verb *ret) {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "action"));

        for (enum plan_verb v = 0; name && v < _PLAN_VERB_MAX; v++)
                if (streq(plan_verb_to_string(v), name)) {
                        *ret = v;
                        return 0;
                }
        return -EINVAL;
}

static int read_result(const cJSON *item, struct plan_action *action) {
        _cleanup_free_ char *result = NULL;
        int r;

        r = read_string(item, "result", &result);
        if (r < 0)
                return r;
        if (result && streq(result, "done"))
                action->result = PLAN_DONE;
        else if (result && streq(result, "failed"))
                action->result = PLAN_FAILED;
        else
                action->result = PLAN_PENDING;
        return read_string(item, "error", &action->error);
}

static int read_action(const cJSON *item, struct plan_action *action) {
        int r;

        action->disruptive = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "disruptive"));
        r = read_verb(item, &action->verb);
        if (r >= 0)
                r = read_string(item, "name", &action->name);
        if (r >= 0)
                r = read_string(item, "origin", &action->origin);
        if (r >= 0)
                r = read_string(item, "reason", &action->reason);
        if (r >= 0)
                r = read_changes(cJSON_GetObjectItemCaseSensitive(item, "fields"), action);
        if (r >= 0)
                r = read_errors(cJSON_GetObjectItemCaseSensitive(item, "errors"), action);
        if (r >= 0)
                r = read_result(item, action);
        if (r < 0)
                return r;
        return action->name && action->origin ? 0 : -EINVAL;
}

int plan_from_json(const char *json, struct plan **ret) {
        _cleanup_(cjson_deletep) cJSON *root = cJSON_ParseWithOpts(json, NULL, true);
        _cleanup_(plan_freep) struct plan *plan = NULL;
        const cJSON *actions = cJSON_GetObjectItemCaseSensitive(root, "actions"), *item;
        int r;

        if (!cJSON_IsArray(actions))
                return -EINVAL;
        plan = calloc(1, sizeof(*plan));
        if (!plan)
                return -ENOMEM;
        plan->actions = calloc((size_t)cJSON_GetArraySize(actions) + 1, sizeof(*plan->actions));
        if (!plan->actions)
                return -ENOMEM;
        cJSON_ArrayForEach(item, actions) {
                r = read_action(item, &plan->actions[plan->n_actions++]);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(plan);
        return 0;
}
