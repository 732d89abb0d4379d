/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Comparing what should be with what is. It is level-based: only the two states count, not how they
 * came about, so that whatever was missed in between the next plan puts right. A plan never
 * guesses: where two sources disagree about a device, it is left as it is, and the action says who
 * has to decide.
 */

#include "lib/spec/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/str.h"
#include "lib/spec/plan-compare.h"

static const char config_prefix[] = "config:";

struct planner {
        const struct plan_desired *desired;
        size_t n_desired;
        const struct plan_observed *observed;
        size_t n_observed;
        const struct plan_options *options;
        struct plan *plan;
};

static int new_action(struct planner *p, const char *name, const char *origin,
                      struct plan_action **ret) {
        struct plan *plan = p->plan;
        struct plan_action *actions;

        actions = realloc(plan->actions, (plan->n_actions + 1) * sizeof(*actions));
        if (!actions)
                return -ENOMEM;
        plan->actions = actions;
        struct plan_action *action = &actions[plan->n_actions++];
        *action = (struct plan_action){ .name = strdup(name), .origin = strdup(origin) };
        if (!action->name || !action->origin)
                return -ENOMEM;
        *ret = action;
        return 0;
}

static int set_reason(struct plan_action *action, enum plan_verb verb, const char *format, ...)
        _printf_(3, 4);
static int set_reason(struct plan_action *action, enum plan_verb verb, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        int n = vasprintf(&action->reason, format, ap);
        va_end(ap);
        if (n < 0) {
                action->reason = NULL;
                return -ENOMEM;
        }
        action->verb = verb;
        return 0;
}

static int decide(struct planner *p, struct plan_action *action, const struct plan_observed *o,
                  enum plan_verb verb) {
        static const enum spec_change causes[_PLAN_VERB_MAX] = {
                [PLAN_WORKER] = SPEC_CHANGE_WORKER,
                [PLAN_RECREATE] = SPEC_CHANGE_RECREATE,
        };
        _cleanup_free_ char *keys = NULL;
        int r;

        if (verb == PLAN_NONE && !o->failed)
                return 0;
        r = plan_join_changes(action, causes[verb], &keys);
        if (r < 0)
                return r;
        action->disruptive = o->failed || verb == PLAN_RECREATE;
        if (action->disruptive && o->busy && !p->options->force)
                return set_reason(action, PLAN_BLOCKED,
                                  "has to be made again (%s), but is in use by %s; end the use, or "
                                  "apply with --force",
                                  o->failed ? "it serves no I/O" : keys, o->busy);
        if (o->failed)
                return set_reason(action, PLAN_RECREATE, "it serves no I/O any more");
        if (verb == PLAN_RECREATE)
                return set_reason(action, verb, "%s can't change while the device exists", keys);
        if (verb == PLAN_WORKER)
                return set_reason(action, verb, "another worker is needed for %s", keys);
        return set_reason(action, verb, "%s can change while the device is in use",
                          action->n_changes > 0 ? keys : "keys that begin with \"x-\"");
}

static const struct plan_observed *find_observed(const struct planner *p, const char *name) {
        for (size_t i = 0; i < p->n_observed; i++)
                if (streq(p->observed[i].name, name))
                        return &p->observed[i];
        return NULL;
}

/* Another file than d that has the same name; NULL when there is none. */
static const struct plan_desired *find_rival(const struct planner *p,
                                             const struct plan_desired *d) {
        for (size_t i = 0; i < p->n_desired; i++)
                if (&p->desired[i] != d && p->desired[i].name && streq(p->desired[i].name, d->name))
                        return &p->desired[i];
        return NULL;
}

static bool made_from(const struct plan_observed *o, const char *path) {
        size_t n = strlen(config_prefix);

        return strncmp(o->origin, config_prefix, n) == 0 && streq(o->origin + n, path);
}

static int plan_unusable(struct plan_action *action, const struct plan_desired *d) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;
        int r;

        for (size_t i = 0; d->errors && i < d->errors->count; i++)
                spec_error_format(&d->errors->items[i], &b);
        r = strbuf_steal(&b, &action->errors);
        if (r < 0)
                return r;
        if (!d->name)
                return set_reason(
                        action, PLAN_BLOCKED,
                        "the file's name is not the name of a device; call it NAME.json with "
                        "letters, digits, \".\", \"_\" and \"-\", %d at most",
                        NAME_LENGTH_MAX);
        return set_reason(action, PLAN_BLOCKED, "the file has errors; the device is left as it is");
}

static int plan_one(struct planner *p, const struct plan_desired *d) {
        const char *base = strrchr(d->origin, '/');
        struct plan_action *action;
        enum plan_verb verb;
        int r;

        r = new_action(p, d->name ? d->name : base ? base + 1 : d->origin, d->origin, &action);
        if (r < 0)
                return r;
        if (!d->name || !d->spec)
                return plan_unusable(action, d);
        r = spec_copy(d->spec, &action->spec);
        if (r < 0)
                return r;
        spec_apply_defaults(action->spec, &p->options->machine);

        const struct plan_desired *rival = find_rival(p, d);
        if (rival)
                return set_reason(action, PLAN_BLOCKED,
                                  "%s describes it too; remove one of the files", rival->origin);
        const struct plan_observed *o = find_observed(p, d->name);
        if (!o) {
                action->verb = PLAN_CREATE;
                return 0;
        }
        if (!made_from(o, d->origin))
                return set_reason(action, PLAN_BLOCKED,
                                  "exists already, from %s; remove that device or rename the file",
                                  o->origin);

        _cleanup_(spec_freep) struct spec *before = NULL;
        r = spec_copy(o->spec, &before);
        if (r < 0)
                return r;
        spec_apply_defaults(before, &p->options->machine);
        r = plan_compare(action, before, &verb);
        return r < 0 ? r : decide(p, action, o, verb);
}

/* Whether a device came from a file of the folder itself that isn't there any more. A file that
 * is there but broken, or whose name another file has too, keeps its device. */
static bool is_orphan(const struct planner *p, const struct plan_observed *o) {
        size_t n = strlen(config_prefix), m;

        if (!p->options->prune || strncmp(o->origin, config_prefix, n) != 0)
                return false;
        m = strlen(p->options->folder);
        if (strncmp(o->origin + n, p->options->folder, m) != 0 || o->origin[n + m] != '/' ||
            strchr(o->origin + n + m + 1, '/'))
                return false;
        for (size_t i = 0; i < p->n_desired; i++)
                if (made_from(o, p->desired[i].origin) ||
                    (p->desired[i].name && streq(p->desired[i].name, o->name)))
                        return false;
        return true;
}

static int plan_orphan(struct planner *p, const struct plan_observed *o) {
        const char *path = o->origin + strlen(config_prefix);
        struct plan_action *action;
        int r;

        r = new_action(p, o->name, path, &action);
        if (r < 0)
                return r;
        action->disruptive = true;
        if (o->busy && !p->options->force)
                return set_reason(
                        action, PLAN_BLOCKED,
                        "its file is gone, but it is in use by %s; end the use, or apply with "
                        "--force",
                        o->busy);
        return set_reason(action, PLAN_REMOVE, "its file is gone");
}

static int compare_actions(const void *a, const void *b) {
        const struct plan_action *x = a, *y = b;

        if ((x->verb == PLAN_REMOVE) != (y->verb == PLAN_REMOVE))
                return x->verb == PLAN_REMOVE ? -1 : 1;
        int r = strcmp(x->name, y->name);
        return r != 0 ? r : strcmp(x->origin, y->origin);
}

int plan_compute(const struct plan_desired *desired, size_t n_desired,
                 const struct plan_observed *observed, size_t n_observed,
                 const struct plan_options *options, struct plan **ret) {
        _cleanup_(plan_freep) struct plan *plan = calloc(1, sizeof(*plan));
        struct planner p = {
                .desired = desired,
                .n_desired = n_desired,
                .observed = observed,
                .n_observed = n_observed,
                .options = options,
                .plan = plan,
        };
        int r;

        if (!plan)
                return -ENOMEM;
        for (size_t i = 0; i < n_desired; i++) {
                r = plan_one(&p, &desired[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n_observed; i++)
                if (is_orphan(&p, &observed[i])) {
                        r = plan_orphan(&p, &observed[i]);
                        if (r < 0)
                                return r;
                }
        if (plan->n_actions > 0)
                qsort(plan->actions, plan->n_actions, sizeof(*plan->actions), compare_actions);
        *ret = TAKE_PTR(plan);
        return 0;
}
