/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ways to get a worker process
 *
 * A worker is a service instance of the system's (spawner-systemd.c), or a child of the manager where there is no systemd to
 * ask (spawner-exec.c: tests, an initrd). The manager sees only this: it asks for a worker, and later gets a process with a
 * pidfd, and a socket over which that is told everything.
 */

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <sys/types.h>

#include "lib/base/macro.h"

struct worker_process {
        pid_t pid;
        int pidfd;
        int socket;       /* SOCK_SEQPACKET, non-blocking */
        bool child;       /* of the manager, which has to wait for its end */
        const char *unit; /* that it runs in, borrowed; NULL: none of its own */
};

/* There is a worker, and the fds of *process are the callee's from now on; or there is none (NULL): error is a negative
 * errno, problem says for people what happened and what to do. The spawn is gone after this call. */
typedef void (*spawn_done)(void *userdata, int error, const char *problem,
                           const struct worker_process *process);

/* What is asked for. */
struct spawn_order {
        const char *name; /* of the device; copied */
        uid_t uid;        /* that the worker shall run as, if it is for us to choose */
        /* Whether what runs already under that name may be ended for it. */
        bool replace;
        spawn_done done; /* from the event loop, never from within spawner_start() */
        void *userdata;
};

/* A worker that was asked for and isn't there yet. */
struct spawn;
struct spawner;

struct spawner_ops {
        int (*start)(struct spawner *s, const struct spawn_order *order, struct spawn **ret);
        void (*cancel)(struct spawner *s, struct spawn *spawn);
        void (*free)(struct spawner *s);
};

struct spawner {
        const struct spawner_ops *ops;
        const char *what; /* it starts, for messages */
};

/* Begins to start the worker of a device. Returns 0, and calls order->done() within SPAWN_TIMEOUT_USEC and the time that it takes
 * to end what was started; or a negative errno. A
 * program that can't be executed at all is an error, not a worker that exits. */
static inline int spawner_start(struct spawner *s, const struct spawn_order *order,
                                struct spawn **ret) {
        return s->ops->start(s, order, ret);
}

/* Takes the order back; done() is not called. What was started already is ended. NULL is fine; returns NULL. */
static inline struct spawn *spawner_cancel(struct spawner *s, struct spawn *spawn) {
        if (spawn)
                s->ops->cancel(s, spawn);
        return NULL;
}

/* After all orders have ended. NULL is fine; returns NULL. */
static inline struct spawner *spawner_free(struct spawner *s) {
        if (s)
                s->ops->free(s);
        return NULL;
}

/* Longer than the TimeoutStopSec= of a worker's unit, because an old worker may have to be ended first. */
#define SPAWN_TIMEOUT_USEC (30 * 1000000ULL)

/* Workers as children: clone3() and exec of the program at `path` (borrowed). */
int spawner_exec_new(sd_event *event, const char *path, struct spawner **ret);

/* Workers as units, started over `bus` (the system's) and connecting to `folder`/worker.sock. Returns 0 or a negative errno
 * (logged). */
int spawner_systemd_new(sd_event *event, sd_bus *bus, const char *folder, struct spawner **ret);
