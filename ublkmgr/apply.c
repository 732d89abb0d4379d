/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A plan is carried out one action after the other. It is no transaction: a device that fails is reported and
 * the others go on. Between two actions the world may change (another client, a worker that dies), so devices
 * are looked up by name each time and what doesn't fit any more fails by itself.
 */

#include "ublkmgr/apply.h"

#include <errno.h>
#include <stdio.h>

#include "lib/base/log.h"
#include "lib/spec/json.h"
#include "ublkmgr/bus.h"
#include "ublkmgr/device.h"
#include "ublkmgr/users.h"

#define ORIGIN_PREFIX "config:"

struct apply {
        struct manager *manager;
        struct plan *plan;
        size_t at;
        bool force;
        bool removed;          /* what the current action makes again is gone */
        sd_event_source *next; /* the coming action starts from the event loop */
        apply_done done;
        void *userdata;
};

int documents_add(struct documents *documents, const char *path, const char *text) {
        struct document *items, *d;
        int r;

        items = reallocarray(documents->items, documents->count + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        documents->items = items;
        d = &items[documents->count];
        *d = (struct document){ .path = strdup(path) };
        if (!d->path)
                return -ENOMEM;
        documents->count++;
        d->errors.file = d->path;

        r = spec_name_from_path(path, &d->name);
        if (r == -EINVAL)
                r = spec_errors_add(
                        &d->errors, NULL, NULL, SPEC_ERROR_NAME,
                        "the file must be called NAME.json, where NAME may name a device: "
                        "letters, digits, '.', '_' and '-', a letter or digit first");
        if (r >= 0 || r == -EINVAL)
                r = spec_parse_json(text, strlen(text), &d->spec, &d->errors);
        return r == -EINVAL ? 0 : r;
}

void documents_done(struct documents *documents) {
        for (size_t i = 0; i < documents->count; i++) {
                struct document *d = &documents->items[i];

                free(d->path);
                free(d->name);
                spec_free(d->spec);
                spec_errors_done(&d->errors);
        }
        free(documents->items);
        *documents = DOCUMENTS_NULL;
}

static void free_users(struct plan_observed *observed, size_t n) {
        for (size_t i = 0; i < n; i++)
                free((char *)observed[i].busy);
        free(observed);
}

static int observe(struct manager *m, struct plan_observed **ret, size_t *ret_n) {
        struct plan_observed *observed;
        size_t n = 0;

        LIST_FOREACH (i, &m->devices)
                n++;
        observed = calloc(n + 1, sizeof(*observed));
        if (!observed)
                return -ENOMEM;
        n = 0;
        LIST_FOREACH (i, &m->devices) {
                struct device *d = CONTAINER_OF(i, struct device, list);
                char *users = NULL;
                int r;

                r = d->started ? disk_users(d->info.dev_id, &users) : 0;
                if (r < 0) {
                        free_users(observed, n);
                        return r;
                }
                observed[n++] = (struct plan_observed){
                        .name = d->name,
                        .origin = d->origin,
                        .spec = d->spec,
                        .failed = d->state == DEVICE_FAILED,
                        .busy = users,
                };
        }
        *ret = observed;
        *ret_n = n;
        return 0;
}

int apply_plan(struct manager *m, const struct documents *documents,
               const struct plan_options *options, struct plan **ret) {
        _cleanup_free_ struct plan_desired *desired = NULL;
        struct plan_observed *observed;
        size_t n_observed;
        int r;

        desired = calloc(documents->count + 1, sizeof(*desired));
        if (!desired)
                return -ENOMEM;
        for (size_t i = 0; i < documents->count; i++) {
                const struct document *d = &documents->items[i];

                desired[i] = (struct plan_desired){
                        .name = d->name,
                        .origin = d->path,
                        .spec = d->errors.count == 0 ? d->spec : NULL,
                        .errors = &d->errors,
                };
        }
        r = observe(m, &observed, &n_observed);
        if (r < 0)
                return r;
        r = plan_compute(desired, documents->count, observed, n_observed, options, ret);
        free_users(observed, n_observed);
        return r;
}

static void action_ended(struct apply *a, int error, const char *problem) {
        struct plan_action *action = &a->plan->actions[a->at];

        if (error >= 0)
                action->result = PLAN_DONE;
        else {
                action->result = PLAN_FAILED;
                if (asprintf(&action->error, "%s%s",
                             a->removed ? "the old device is gone, and " : "",
                             problem ? problem : strerror(-error)) < 0)
                        action->error = NULL;
        }
        a->removed = false;
        a->at++;
        (void)sd_event_source_set_enabled(a->next, SD_EVENT_ONESHOT);
}

static void on_created(void *userdata, struct device *d, int error, const char *problem) {
        if (error >= 0)
                bus_device_added(d);
        action_ended(userdata, error, problem);
}

static int create(struct apply *a) {
        struct plan_action *action = &a->plan->actions[a->at];
        _cleanup_free_ char *origin = NULL;
        struct device *d;
        int r;

        if (manager_find_device(a->manager, action->name))
                return -EEXIST;
        if (asprintf(&origin, ORIGIN_PREFIX "%s", action->origin) < 0) {
                origin = NULL;
                return -ENOMEM;
        }
        r = device_new(a->manager, action->name, action->spec, origin, &d);
        if (r < 0)
                return r;
        TAKE_PTR(action->spec);
        r = device_attach(d, -EBADF, on_created, a);
        if (r < 0)
                device_free(d);
        return r;
}

static void on_removed(void *userdata, struct device *d, int error, const char *problem) {
        struct apply *a = userdata;

        if (error < 0) {
                action_ended(a, error, problem);
                return;
        }
        bus_device_removed(d);
        if (a->plan->actions[a->at].verb == PLAN_RECREATE) {
                /* The old object still has the name until this returns. Who takes the name before us
                 * keeps it. */
                a->removed = true;
                (void)sd_event_source_set_enabled(a->next, SD_EVENT_ONESHOT);
        } else
                action_ended(a, 0, NULL);
}

/* The device that the plan was made for. Between two actions somebody else may have removed it and given its name
 * to another one, which is none of our business then. */
static int find_planned(struct apply *a, struct device **ret) {
        const struct plan_action *action = &a->plan->actions[a->at];
        struct device *d = manager_find_device(a->manager, action->name);
        size_t n = strlen(ORIGIN_PREFIX);

        if (!d)
                return -ENXIO;
        if (strncmp(d->origin, ORIGIN_PREFIX, n) != 0 || !streq(d->origin + n, action->origin))
                return -ESTALE;
        *ret = d;
        return 0;
}

static int remove_device(struct apply *a) {
        struct device *d;
        int r;

        r = find_planned(a, &d);
        return r < 0 ? r : device_detach(d, a->force, on_removed, a);
}

static void on_updated(void *userdata, _unused_ struct device *d, int error, const char *problem) {
        action_ended(userdata, error, problem);
}

static int update(struct apply *a) {
        struct plan_action *action = &a->plan->actions[a->at];
        struct device *d;
        int r;

        r = find_planned(a, &d);
        if (r >= 0)
                r = device_update(d, action->spec, on_updated, a);
        if (r >= 0)
                TAKE_PTR(action->spec);
        return r;
}

/* Returns 1 if the action will end later (or has ended with action_ended()), 0 when there is nothing to do. */
static int begin(struct apply *a) {
        struct plan_action *action = &a->plan->actions[a->at];
        int r;

        switch (action->verb) {
        case PLAN_CREATE:
                r = create(a);
                break;
        case PLAN_RECREATE:
                r = a->removed ? create(a) : remove_device(a);
                break;
        case PLAN_REMOVE:
                r = remove_device(a);
                break;
        case PLAN_UPDATE:
                r = update(a);
                break;
        default:
                return 0;
        }
        return r < 0 ? r : 1;
}

static int on_next(_unused_ sd_event_source *source, void *userdata) {
        struct apply *a = userdata;

        while (a->at < a->plan->n_actions) {
                int r = begin(a);

                if (r > 0)
                        return 0;
                if (r < 0) {
                        action_ended(a, r, NULL);
                        return 0;
                }
                a->plan->actions[a->at++].result = PLAN_DONE;
        }

        a->manager->apply = NULL;
        a->done(a->userdata, a->plan);
        a->done = NULL;
        apply_free(a);
        return 0;
}

struct apply *apply_free(struct apply *a) {
        if (!a)
                return NULL;
        if (a->done)
                a->done(a->userdata, NULL);
        sd_event_source_disable_unref(a->next);
        plan_free(a->plan);
        free(a);
        return NULL;
}

int apply_start(struct manager *m, struct plan *plan, bool force, apply_done done, void *userdata) {
        struct apply *a;
        int r;

        if (m->apply)
                return -EBUSY;
        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        *a = (struct apply){
                .manager = m, .plan = plan, .force = force, .done = done, .userdata = userdata
        };
        r = sd_event_add_defer(m->event, &a->next, on_next, a);
        if (r < 0) {
                free(a);
                return r;
        }
        m->apply = a;
        return 0;
}
