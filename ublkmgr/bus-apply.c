/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plan and Apply: reading their arguments and writing their answers. What they do is apply.c. */

#include <errno.h>

#include "ublkmgr/apply.h"
#include "ublkmgr/bus.h"

enum { DOCUMENTS_MAX = 4096 };

static int read_documents(sd_bus_message *m, struct documents *ret, sd_bus_error *error) {
        const char *path, *text;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(ss)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(ss)", &path, &text)) > 0) {
                if (path[0] != '/')
                        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                                 "The path of a document must be absolute: '%s'.",
                                                 path);
                if (ret->count == DOCUMENTS_MAX)
                        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                                 "More than %i documents.", DOCUMENTS_MAX);
                r = documents_add(ret, path, text);
        }
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

static int read_call(sd_bus_message *message, struct manager *m, struct documents *documents,
                     struct plan_options *ret, sd_bus_error *error) {
        int r, prune = false, force = false;
        const char *folder = NULL;
        const struct bus_option options[] = {
                { "prune", SD_BUS_TYPE_BOOLEAN, &prune },
                { "force", SD_BUS_TYPE_BOOLEAN, &force },
                { "folder", SD_BUS_TYPE_STRING, &folder },
        };

        r = read_documents(message, documents, error);
        if (r >= 0)
                r = bus_read_options(message, options, ELEMENTSOF(options), error);
        if (r < 0)
                return r;
        if (prune && (!folder || folder[0] != '/'))
                return sd_bus_error_set(
                        error, ERROR_INVALID_OPTION,
                        "Option 'prune' needs option 'folder', the absolute path of the "
                        "folder that the documents are all of.");
        *ret = (struct plan_options){
                .prune = prune, .force = force, .folder = folder, .machine = m->machine
        };
        return 0;
}

/* Reads the call and makes the plan. */
static int make_plan(sd_bus_message *message, struct manager *m, struct plan_options *options,
                     struct plan **ret, sd_bus_error *error) {
        _cleanup_(documents_done) struct documents documents = DOCUMENTS_NULL;
        int r;

        r = read_call(message, m, &documents, options, error);
        if (r < 0)
                return r;
        return apply_plan(m, &documents, options, ret);
}

int bus_method_plan(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(plan_freep) struct plan *plan = NULL;
        _cleanup_free_ char *json = NULL;
        struct plan_options options;
        int r;

        r = make_plan(message, userdata, &options, &plan, error);
        if (r >= 0)
                r = plan_to_json(plan, false, &json);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(message, "s", json);
}

static void on_applied(void *userdata, const struct plan *plan) {
        sd_bus_message *call = userdata;
        _cleanup_free_ char *json = NULL;
        int r;

        r = plan ? plan_to_json(plan, true, &json) : -ECANCELED;
        if (r >= 0)
                r = sd_bus_reply_method_return(call, "s", json);
        if (r < 0)
                (void)sd_bus_reply_method_errno(call, r, NULL);
        sd_bus_message_unref(call);
}

int bus_method_apply(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(plan_freep) struct plan *plan = NULL;
        struct manager *m = userdata;
        struct plan_options options;
        int r;

        r = make_plan(message, m, &options, &plan, error);
        if (r < 0)
                return r;
        r = apply_start(m, plan, options.force, on_applied, message);
        if (r == -EBUSY)
                return sd_bus_error_set(error, ERROR_DEVICE_BUSY,
                                        "Another Apply is being carried out: wait for it to end.");
        if (r < 0)
                return r;
        TAKE_PTR(plan);
        sd_bus_message_ref(message);
        return 1;
}
