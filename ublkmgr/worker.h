/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manager's view of one worker process: its pidfd, its socket, and what it said last.
 *
 * A worker is not trusted: a message that is not allowed, or not at this time, ends the conversation. So does a worker
 * that closes its end; none does that and lives on, so it gets a moment to end, and then counts as one that has said
 * something wrong.
 */

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "lib/wire/wire.h"
#include "ublkmgr/spawner.h"

struct worker;

struct worker_events {
        /* A valid message (HELLO, READY, FAILED). Returns false if it is not the time for it: that ends the
         * conversation. */
        bool (*message)(void *userdata, const union wire_message *message);
        /* The conversation has ended, but the process hasn't: what it sent was not allowed (-EBADMSG, -EPROTO,
         * -EPROTONOSUPPORT), or it has closed its end (-ECONNRESET) a while ago. Called once at most. The worker may
         * be freed from here. */
        void (*lost)(void *userdata, int error);
        /* The process has ended; description is for people. The worker may be freed from here. */
        void (*exited)(void *userdata, const char *description);
};

/* Takes over the process and its fds, also on error (it is killed then). Returns 0 or a negative errno. */
int worker_new(sd_event *event, const struct worker_process *process,
               const struct worker_events *events, void *userdata, struct worker **ret);

/* Watches the worker that an earlier manager started: process `pid`, if it still has this worker_identity(), in `unit`
 * (copied; NULL: none of its own). There is no conversation with it. Returns 0, -ESRCH or another negative errno. */
int worker_adopt(sd_event *event, pid_t pid, uint64_t identity, const char *unit,
                 const struct worker_events *events, void *userdata, struct worker **ret);

/* The inode of its pidfd, which the kernel gives to no other process until the next boot. 0: it can't be told. */
uint64_t worker_identity(const struct worker *w);

/* Forgets the worker; the process is left alone, and when it ends one day, it leaves no zombie. NULL is fine;
 * returns NULL. */
struct worker *worker_free(struct worker *w);

/* Sends one message. Returns 0 or a negative errno (-EAGAIN counts as a worker that does not read). */
int worker_send(struct worker *w, const union wire_message *message, const int *fds, size_t n_fds);

/* Whether the worker neither ended nor hung up nor said anything that wasn't heard yet. The event loop will tell
 * as well, but later. */
bool worker_is_quiet(const struct worker *w);

void worker_kill(struct worker *w);
pid_t worker_pid(const struct worker *w);

/* "ublk-worker@NAME.service", or NULL if it has no unit of its own. */
const char *worker_unit(const struct worker *w);
