/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one worker process is, from its first message to its end. */

#include "lib/wire/channel.h"
#include "worker/sandbox/sandbox.h"
#include "worker/serve.h"
#include "worker/targets/target.h"

struct worker {
        const char *name;
        const char *manager; /* its socket's path; NULL: the connection was passed */
        int parent; /* a pipe to the process that it was forked by, until that may exit; or -EBADF */
        int socket; /* to the manager; -EBADF once it has gone */
        uid_t uid;  /* to take; 0: keep the one that it was started with */
        bool manager_gone;
        bool unconfined;  /* for benchmarks */
        const char *what; /* about an error, for people; static */

        struct wire_config config;
        int device_fd;
        int backing_fd;

        struct sandbox sandbox;
        struct target_config target_config;
        struct target target;
        struct target_geometry geometry;
        struct server *server;
};

/* One message of the manager, while the device is being set up. Returns 0 or a negative errno. */
int worker_hello(struct worker *w);
int worker_receive_config(struct worker *w);
int worker_send_ready(struct worker *w);
void worker_send_failed(struct worker *w, const char *step, int error);

/* Waits until the queues are ready (or have ended); meanwhile the manager must be silent and stay. */
int worker_wait_ready(struct worker *w);

/* Waits until the device was stopped, with or without the manager. */
int worker_wait_end(struct worker *w);
