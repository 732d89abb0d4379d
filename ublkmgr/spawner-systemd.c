/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workers as units of the system's: ublk-worker@NAME.service
 *
 * So each has a cgroup, a log and a sandbox of its own, and nothing about it depends on whether a manager lives. The unit is
 * started over D-Bus and its worker connects to us (worker-socket.c): whichever comes first, the connection or the news that
 * the job has failed, is the answer. The job itself ends only with the worker's READY=1, much later than the answer.
 *
 * Usually the unit is restarted instead of started: what may be left under its name, or is just ending, can only be
 * without a device then, and an attach must neither fail because of it nor take it for its own.
 */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/strbuf.h"
#include "ublkmgr/spawner.h"
#include "ublkmgr/systemd.h"
#include "ublkmgr/worker-socket.h"

enum { UNIT_NAME_LENGTH_MAX = 255 };

struct spawner_systemd {
        struct spawner spawner;
        sd_event *event;
        sd_bus *bus;
        sd_bus_slot *jobs; /* the signal that one has ended */
        struct worker_socket *socket;
        char *folder; /* of what units read when they are started */
        struct list spawns;
};

struct spawn {
        struct list list;
        struct spawner_systemd *spawner;
        char *unit;
        char *environment; /* the file with what is this unit's alone */
        char *job;         /* its object path, once systemd has answered */
        sd_bus_slot *call; /* that asks for the job */
        sd_event_source *deadline;
        bool late; /* the deadline has passed: the job is to stop the unit */
        spawn_done done;
        void *userdata;
};

/* As systemd-escape does it; of what a device name may contain only '-' means something else in a unit's name. */
static int unit_name(const char *name, char **ret) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;

        strbuf_add(&b, "ublk-worker@");
        for (const char *c = name; *c; c++)
                if (*c == '-')
                        strbuf_add(&b, "\\x2d");
                else
                        strbuf_add_n(&b, c, 1);
        strbuf_add(&b, ".service");
        if (b.length > UNIT_NAME_LENGTH_MAX)
                return -ENAMETOOLONG;
        return strbuf_steal(&b, ret);
}

static void spawn_free(struct spawn *spawn) {
        list_remove(&spawn->list);
        sd_bus_slot_unref(spawn->call);
        sd_event_source_disable_unref(spawn->deadline);
        if (spawn->environment)
                (void)unlink(spawn->environment);
        free(spawn->environment);
        free(spawn->unit);
        free(spawn->job);
        free(spawn);
}

static void spawn_finish(struct spawn *spawn, int error, const char *problem,
                         const struct worker_process *process) {
        spawn_done done = spawn->done;
        void *userdata = spawn->userdata;

        spawn_free(spawn);
        done(userdata, error, problem, process);
}

_printf_(3, 4) static void spawn_fail(struct spawn *spawn, int error, const char *format, ...) {
        _cleanup_free_ char *problem = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&problem, format, ap) < 0)
                problem = NULL;
        va_end(ap);
        spawn_finish(spawn, error, problem, NULL);
}

/* The unit has its own time limit for stopping. */
static void stop_unit(struct spawn *spawn) {
        int r;

        r = sd_bus_call_method_async(spawn->spawner->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
                                     SYSTEMD_INTERFACE, "StopUnit", NULL, NULL, "ss", spawn->unit,
                                     "replace");
        if (r < 0)
                (void)log_errno(LOG_WARNING, r, "%s can't be stopped", spawn->unit);
}

static int on_reply(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        struct spawn *spawn = userdata;
        const char *job = NULL;
        int r = 0;

        if (!error)
                r = sd_bus_message_read(reply, "o", &job);
        if (r >= 0 && job) {
                spawn->job = strdup(job);
                r = spawn->job ? 0 : -ENOMEM;
        }
        if (error)
                spawn_fail(spawn, -ECHILD,
                           "the worker's unit can't be started: %s (see 'systemctl status %s')",
                           error->message ? error->message : error->name, spawn->unit);
        else if (r < 0)
                spawn_fail(spawn, r, "the worker's unit %s can't be started: %s", spawn->unit,
                           strerror(-r));
        return 0;
}

static int ask_systemd(struct spawn *spawn, const char *method) {
        return sd_bus_call_method_async(spawn->spawner->bus, &spawn->call, SYSTEMD_NAME,
                                        SYSTEMD_PATH, SYSTEMD_INTERFACE, method, on_reply, spawn,
                                        "ss", spawn->unit, "replace");
}

static void job_ended(struct spawn *spawn, const char *result) {
        if (spawn->late) {
                spawn_fail(spawn, -ETIMEDOUT,
                           "the worker did not connect in time: see 'journalctl -u %s'",
                           spawn->unit);
                return;
        }
        /* Ready without a word to us: it was running before, and may serve a device that we don't know. */
        if (streq(result, "done"))
                spawn_fail(spawn, -ECHILD,
                           "%s is running already: if it serves nothing that is in use, end it "
                           "with 'systemctl stop %s' and try again",
                           spawn->unit, spawn->unit);
        else
                spawn_fail(
                        spawn, -ECHILD,
                        "starting the worker's unit ended with result '%s': see 'journalctl -u %s'",
                        result, spawn->unit);
}

static int on_job_removed(sd_bus_message *signal, void *userdata,
                          _unused_ sd_bus_error *ret_error) {
        struct spawner_systemd *s = userdata;
        const char *job, *unit, *result;
        uint32_t id;

        if (sd_bus_message_read(signal, "uoss", &id, &job, &unit, &result) < 0)
                return 0;
        LIST_FOREACH (i, &s->spawns) {
                struct spawn *spawn = CONTAINER_OF(i, struct spawn, list);

                if (spawn->job && streq(spawn->job, job)) {
                        job_ended(spawn, result);
                        break;
                }
        }
        return 0;
}

/* Its end is waited for, so that nothing is left when the attach has failed. */
static int on_deadline(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        struct spawn *spawn = userdata;
        int r;

        spawn->late = true;
        free(TAKE_PTR(spawn->job));
        spawn->call = sd_bus_slot_unref(spawn->call);
        r = ask_systemd(spawn, "StopUnit");
        if (r < 0)
                spawn_fail(spawn, r, "%s can't be stopped: %s", spawn->unit, strerror(-r));
        return 0;
}

static bool on_connected(void *userdata, const struct worker_process *process) {
        struct spawner_systemd *s = userdata;

        LIST_FOREACH (i, &s->spawns) {
                struct spawn *spawn = CONTAINER_OF(i, struct spawn, list);

                if (!spawn->late && streq(spawn->unit, process->unit)) {
                        spawn_finish(spawn, 0, NULL, process);
                        return true;
                }
        }
        return false;
}

/* The user id is chosen by the device's number, which a unit file can't know. systemd reads this before it starts the
 * process. */
static int write_environment(struct spawn *spawn, const struct spawn_order *order) {
        char text[64];

        if (asprintf(&spawn->environment, "%s/%s.env", spawn->spawner->folder, order->name) < 0) {
                spawn->environment = NULL;
                return -ENOMEM;
        }
        (void)snprintf(text, sizeof(text), "UBLK_WORKER_UID=%u\n", (unsigned)order->uid);
        return write_file_atomic(spawn->environment, text, 0600);
}

static int systemd_start(struct spawner *spawner, const struct spawn_order *order,
                         struct spawn **ret) {
        struct spawner_systemd *s = CONTAINER_OF(spawner, struct spawner_systemd, spawner);
        struct spawn *spawn;
        int r;

        spawn = calloc(1, sizeof(*spawn));
        if (!spawn)
                return -ENOMEM;
        spawn->spawner = s;
        spawn->done = order->done;
        spawn->userdata = order->userdata;
        list_append(&s->spawns, &spawn->list);

        r = unit_name(order->name, &spawn->unit);
        if (r >= 0)
                r = write_environment(spawn, order);
        if (r >= 0)
                r = sd_event_add_time_relative(s->event, &spawn->deadline, CLOCK_MONOTONIC,
                                               SPAWN_TIMEOUT_USEC, 0, on_deadline, spawn);
        if (r >= 0)
                r = ask_systemd(spawn, order->replace ? "RestartUnit" : "StartUnit");
        if (r < 0) {
                spawn_free(spawn);
                return r;
        }
        *ret = spawn;
        return 0;
}

static void systemd_cancel(_unused_ struct spawner *s, struct spawn *spawn) {
        stop_unit(spawn);
        spawn_free(spawn);
}

static void systemd_free(struct spawner *spawner) {
        struct spawner_systemd *s = CONTAINER_OF(spawner, struct spawner_systemd, spawner);

        LIST_FOREACH (i, &s->spawns)
                spawn_free(CONTAINER_OF(i, struct spawn, list));
        worker_socket_free(s->socket);
        sd_bus_slot_unref(s->jobs);
        free(s->folder);
        free(s);
}

static const struct spawner_ops systemd_ops = {
        .start = systemd_start,
        .cancel = systemd_cancel,
        .free = systemd_free,
};

int spawner_systemd_new(sd_event *event, sd_bus *bus, const char *folder, struct spawner **ret) {
        struct spawner_systemd *s;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->spawner = (struct spawner){ .ops = &systemd_ops, .what = "ublk-worker@.service" };
        s->event = event;
        s->bus = bus;
        list_init(&s->spawns);

        r = asprintf(&s->folder, "%s/workers", folder);
        if (r < 0)
                s->folder = NULL;
        r = r < 0 ? -ENOMEM : make_folder(s->folder, 0700);
        if (r >= 0)
                r = worker_socket_new(event, bus, folder, on_connected, s, &s->socket);
        if (r >= 0)
                r = sd_bus_match_signal_async(bus, &s->jobs, SYSTEMD_NAME, SYSTEMD_PATH,
                                              SYSTEMD_INTERFACE, "JobRemoved", on_job_removed, NULL,
                                              s);
        if (r < 0) {
                systemd_free(&s->spawner);
                return r;
        }
        *ret = &s->spawner;
        return 0;
}
