/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Helpers as units of the system's, beside the manager
 *
 * The manager's own unit may make no namespaces, and neither may its children. A unit of Type=oneshot is started, and the
 * end of the job that does it is the end of the program: systemd tells whoever asked for the job.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "ublkmgr/helper.h"
#include "ublkmgr/systemd.h"

struct helper_unit {
        struct helper helper;
        sd_bus *bus; /* borrowed */
        char *unit;
        char *job;          /* its object path, once systemd has answered */
        sd_bus_slot *call;  /* that asks for the job */
        sd_bus_slot *match; /* the signal that one has ended */
        sd_event_source *deadline;
};

static void unit_free(struct helper_unit *h) {
        sd_bus_slot_unref(h->call);
        sd_bus_slot_unref(h->match);
        sd_event_source_disable_unref(h->deadline);
        free(h->unit);
        free(h->job);
        free(h);
}

static void unit_finish(struct helper_unit *h, int error, const char *what) {
        const struct helper helper = h->helper;
        char description[512];

        (void)snprintf(description, sizeof(description), "%s (systemctl status %s)", what, h->unit);
        unit_free(h);
        helper.done(helper.userdata, error, description);
}

/* Nobody waits for the answer. */
static void unit_stop(struct helper_unit *h) {
        int r;

        r = sd_bus_call_method_async(h->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_INTERFACE,
                                     "StopUnit", NULL, NULL, "ss", h->unit, "replace");
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "%s can't be stopped", h->unit);
}

static int on_deadline(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        struct helper_unit *h = userdata;

        unit_stop(h);
        unit_finish(h, -ETIMEDOUT, "took too long and was stopped");
        return 0;
}

static int on_job_removed(sd_bus_message *signal, void *userdata,
                          _unused_ sd_bus_error *ret_error) {
        struct helper_unit *h = userdata;
        const char *job, *unit, *result;
        char what[64];
        uint32_t id;

        if (sd_bus_message_read(signal, "uoss", &id, &job, &unit, &result) < 0 || !h->job ||
            !streq(h->job, job))
                return 0;
        (void)snprintf(what, sizeof(what), "ended with result '%s'", result);
        unit_finish(h, streq(result, "done") ? 0 : -ECHILD, what);
        return 0;
}

static int on_reply(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        struct helper_unit *h = userdata;
        const char *job = NULL;
        char what[256];

        if (!error && sd_bus_message_read(reply, "o", &job) >= 0)
                h->job = strdup(job);
        if (h->job)
                return 0;
        (void)snprintf(what, sizeof(what), "can't be started: %s",
                       error && error->message ? error->message
                                               : "systemd's answer is not understood");
        unit_finish(h, -ECHILD, what);
        return 0;
}

static void unit_forget(struct helper *helper) {
        struct helper_unit *h = CONTAINER_OF(helper, struct helper_unit, helper);

        unit_stop(h);
        unit_free(h);
}

static const struct helper_ops unit_ops = {
        .forget = unit_forget,
};

int helper_run_unit(sd_bus *bus, const char *unit, uint64_t timeout_usec, helper_done done,
                    void *userdata, struct helper **ret) {
        struct helper_unit *h;
        int r = -ENOMEM;

        h = calloc(1, sizeof(*h));
        if (!h)
                return -ENOMEM;
        *h = (struct helper_unit){
                .helper = { .ops = &unit_ops, .done = done, .userdata = userdata },
                .bus = bus,
                .unit = strdup(unit),
        };
        if (h->unit)
                r = sd_event_add_time_relative(sd_bus_get_event(bus), &h->deadline, CLOCK_MONOTONIC,
                                               timeout_usec, 0, on_deadline, h);
        if (r >= 0)
                r = sd_bus_match_signal_async(bus, &h->match, SYSTEMD_NAME, SYSTEMD_PATH,
                                              SYSTEMD_INTERFACE, "JobRemoved", on_job_removed, NULL,
                                              h);
        if (r >= 0)
                r = sd_bus_call_method_async(bus, &h->call, SYSTEMD_NAME, SYSTEMD_PATH,
                                             SYSTEMD_INTERFACE, "StartUnit", on_reply, h, "ss",
                                             h->unit, "replace");
        if (r < 0) {
                unit_free(h);
                return r;
        }
        *ret = &h->helper;
        return 0;
}
