/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The lines say first what became of the device, as that is what is looked for; a dry run says "would".
 * What goes wrong is part of the result, so it is on stdout with the rest; errors in the files, which
 * have to be put right somewhere else, go to stderr.
 */

#include "ublkctl/plan-print.h"

#include <errno.h>
#include <stdio.h>

#include "lib/base/str.h"
#include "lib/spec/text.h"
#include "ublkctl/output.h"

static const struct {
        const char *done, *would;
} words[_PLAN_VERB_MAX] = {
        [PLAN_NONE] = { "unchanged", "unchanged" },
        [PLAN_CREATE] = { "created", "would create" },
        [PLAN_UPDATE] = { "updated", "would update" },
        [PLAN_WORKER] = { "restarted", "would restart" },
        [PLAN_RECREATE] = { "recreated", "would recreate" },
        [PLAN_REMOVE] = { "removed", "would remove" },
        [PLAN_BLOCKED] = { "blocked", "blocked" },
};

static bool is_work(const struct plan_action *action) {
        return action->verb != PLAN_NONE && action->verb != PLAN_BLOCKED;
}

/* Work that an Apply didn't do, for whatever reason, is as bad as work that failed. */
static bool is_failed(const struct plan_action *action, bool dry_run) {
        return !dry_run && is_work(action) && action->result != PLAN_DONE;
}

/* A value as people write it; sizes with their unit. */
static void add_value(struct strbuf *out, enum spec_key key, const char *json) {
        char size[32];
        uint64_t n;

        if (streq(json, "null"))
                strbuf_add(out, "unset");
        else if (spec_field(key)->kind == SPEC_KIND_SIZE && parse_u64(json, &n) >= 0) {
                format_size(n, size, sizeof(size));
                strbuf_add(out, size);
        } else
                text_add(out, json);
}

static void add_changes(struct strbuf *out, const struct plan_action *action) {
        for (size_t i = 0; i < action->n_changes; i++) {
                const struct plan_change *change = &action->changes[i];

                strbuf_addf(out, "%s%s: ", i > 0 ? ", " : " (", spec_field(change->key)->key);
                add_value(out, change->key, change->before);
                strbuf_add(out, " → ");
                add_value(out, change->key, change->after);
        }
        strbuf_add(out, action->n_changes > 0 ? ")" : "");
}

static void add_line(struct strbuf *out, const struct plan_action *action, bool dry_run) {
        const char *why =
                action->n_changes == 0 || action->verb == PLAN_BLOCKED ? action->reason : NULL;
        bool failed = is_failed(action, dry_run);

        strbuf_addf(out, "%s ",
                    failed    ? "failed"
                    : dry_run ? words[action->verb].would
                              : words[action->verb].done);
        text_add(out, action->name);
        if (action->verb != PLAN_BLOCKED)
                add_changes(out, action);
        if (failed)
                why = action->error ? action->error : "it was not done";
        if (why) {
                strbuf_add(out, ": ");
                text_add(out, why);
        }
        strbuf_add(out, "\n");
}

/* The lines of a file's errors; each begins with its place already. */
static void add_errors(struct strbuf *out, const char *errors) {
        while (*errors) {
                size_t n = strcspn(errors, "\n");
                _cleanup_free_ char *line = strndup(errors, n);

                if (!line) {
                        out->error = -ENOMEM;
                        return;
                }
                text_add(out, line);
                strbuf_add(out, "\n");
                errors += n + (errors[n] == '\n');
        }
}

static int flush(struct strbuf *b, FILE *file) {
        if (b->error < 0)
                return out_of_memory();
        if (b->text) {
                (void)fflush(stdout);
                (void)fputs(b->text, file);
        }
        return EXIT_SUCCESS;
}

static int print_summary(const struct plan *plan, bool dry_run) {
        static const enum plan_verb order[] = { PLAN_CREATE,   PLAN_UPDATE, PLAN_WORKER,
                                                PLAN_RECREATE, PLAN_REMOVE, PLAN_NONE,
                                                PLAN_BLOCKED };
        size_t counts[_PLAN_VERB_MAX] = { 0 }, failed = 0;
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;

        for (size_t i = 0; i < plan->n_actions; i++)
                if (is_failed(&plan->actions[i], dry_run))
                        failed++;
                else
                        counts[plan->actions[i].verb]++;

        strbuf_addf(&b, "%zu device%s", plan->n_actions, plan->n_actions == 1 ? "" : "s");
        const char *comma = ": ";
        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                if (counts[order[i]] > 0) {
                        bool would = dry_run && order[i] != PLAN_NONE && order[i] != PLAN_BLOCKED;

                        strbuf_addf(&b, "%s%zu %s%s", comma, counts[order[i]],
                                    would ? "would be " : "", words[order[i]].done);
                        comma = ", ";
                }
        if (failed > 0)
                strbuf_addf(&b, "%s%zu failed", comma, failed);
        strbuf_add(&b, ".\n");
        return flush(&b, stdout);
}

static int print_action(const struct arguments *a, const struct plan_action *action, bool bad,
                        bool reported) {
        _cleanup_(strbuf_done) struct strbuf line = STRBUF_NULL, errors = STRBUF_NULL;
        bool quiet = is_given(a, OPTION_QUIET) || a->json != JSON_OFF;

        if (!quiet || (bad && a->json == JSON_OFF))
                add_line(&line, action, is_given(a, OPTION_DRY_RUN));
        if (action->errors && !reported)
                add_errors(&errors, action->errors);
        if (flush(&line, quiet ? stderr : stdout) != EXIT_SUCCESS)
                return EXIT_FAILURE;
        return flush(&errors, stderr);
}

int plan_print(const struct arguments *a, const struct plan *plan,
               bool (*reported)(const char *path, const void *userdata), const void *userdata) {
        bool dry_run = is_given(a, OPTION_DRY_RUN), summary = !is_given(a, OPTION_NO_LEGEND);
        int status = EXIT_SUCCESS;

        for (size_t i = 0; i < plan->n_actions; i++) {
                const struct plan_action *action = &plan->actions[i];
                bool bad = action->verb == PLAN_BLOCKED || action->errors ||
                           is_failed(action, dry_run);

                if (bad)
                        status = EXIT_FAILURE;
                if (print_action(a, action, bad, reported(action->origin, userdata)) !=
                    EXIT_SUCCESS)
                        return EXIT_FAILURE;
        }
        if (summary && a->json == JSON_OFF && !is_given(a, OPTION_QUIET) &&
            print_summary(plan, dry_run) != EXIT_SUCCESS)
                return EXIT_FAILURE;
        return status;
}
