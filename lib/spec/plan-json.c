/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A plan's end of life: as JSON, for `ublkctl apply --json`, D-Bus and tests, and as freed memory.
 * The names in the JSON are those of the documentation and don't change with the code.
 */

#include "lib/spec/plan.h"

#include <errno.h>

#include "lib/spec/json.h"

const char *plan_verb_to_string(enum plan_verb verb) {
        static const char *const names[_PLAN_VERB_MAX] = {
                [PLAN_NONE] = "none",       [PLAN_CREATE] = "create",     [PLAN_UPDATE] = "update",
                [PLAN_WORKER] = "worker",   [PLAN_RECREATE] = "recreate", [PLAN_REMOVE] = "remove",
                [PLAN_BLOCKED] = "blocked",
        };

        return names[verb];
}

static bool is_work(const struct plan_action *action) {
        return action->verb != PLAN_NONE && action->verb != PLAN_BLOCKED;
}

static void add_member(struct strbuf *out, const char *key, const char *text) {
        strbuf_addf(out, ",\"%s\":", key);
        json_add_string(out, text);
}

static void add_changes(struct strbuf *out, const struct plan_action *action) {
        strbuf_add(out, ",\"fields\":[");
        for (size_t i = 0; i < action->n_changes; i++) {
                const struct plan_change *change = &action->changes[i];
                const struct spec_field *field = spec_field(change->key);

                strbuf_addf(out, "%s{\"key\":\"%s\",\"old\":%s,\"new\":%s,\"change\":\"%s\"}",
                            i > 0 ? "," : "", field->key, change->before, change->after,
                            spec_change_to_string(field->change));
        }
        strbuf_add(out, "]");
}

/* One string for each line, so that nobody has to split them. */
static void add_errors(struct strbuf *out, const char *errors) {
        const char *comma = "";

        strbuf_add(out, ",\"errors\":[");
        while (*errors) {
                size_t n = strcspn(errors, "\n");
                _cleanup_free_ char *line = strndup(errors, n);

                if (!line) {
                        out->error = -ENOMEM;
                        return;
                }
                strbuf_add(out, comma);
                json_add_string(out, line);
                comma = ",";
                errors += n + (errors[n] == '\n');
        }
        strbuf_add(out, "]");
}

static void add_action(struct strbuf *out, const struct plan_action *action, bool with_results) {
        static const char *const results[] = {
                [PLAN_PENDING] = "pending",
                [PLAN_DONE] = "done",
                [PLAN_FAILED] = "failed",
        };

        strbuf_add(out, "{\"name\":");
        json_add_string(out, action->name);
        add_member(out, "action", plan_verb_to_string(action->verb));
        add_member(out, "origin", action->origin);
        if (action->reason)
                add_member(out, "reason", action->reason);
        strbuf_addf(out, ",\"disruptive\":%s", action->disruptive ? "true" : "false");
        add_changes(out, action);
        if (action->errors)
                add_errors(out, action->errors);
        if (with_results && is_work(action)) {
                add_member(out, "result", results[action->result]);
                if (action->error)
                        add_member(out, "error", action->error);
        }
        strbuf_add(out, "}");
}

int plan_to_json(const struct plan *plan, bool with_results, char **ret) {
        _cleanup_(strbuf_done) struct strbuf out = STRBUF_NULL;
        unsigned changed = 0, failed = 0, blocked = 0;

        strbuf_add(&out, "{\"actions\":[");
        for (size_t i = 0; i < plan->n_actions; i++) {
                const struct plan_action *action = &plan->actions[i];

                strbuf_add(&out, i > 0 ? "," : "");
                add_action(&out, action, with_results);
                if (action->verb == PLAN_BLOCKED)
                        blocked++;
                else if (is_work(action) && (!with_results || action->result == PLAN_DONE))
                        changed++;
                else if (is_work(action) && action->result == PLAN_FAILED)
                        failed++;
        }
        strbuf_addf(&out, "],\"changed\":%u,\"failed\":%u,\"blocked\":%u}", changed, failed,
                    blocked);
        return strbuf_steal(&out, ret);
}

static void plan_action_done(struct plan_action *action) {
        for (size_t i = 0; i < action->n_changes; i++) {
                free(action->changes[i].before);
                free(action->changes[i].after);
        }
        free(action->changes);
        spec_free(action->spec);
        free(action->name);
        free(action->origin);
        free(action->reason);
        free(action->errors);
        free(action->error);
}

void plan_free(struct plan *plan) {
        if (!plan)
                return;
        for (size_t i = 0; i < plan->n_actions; i++)
                plan_action_done(&plan->actions[i]);
        free(plan->actions);
        free(plan);
}
