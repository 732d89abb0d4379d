/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker's side of the conversation with the manager, and what it waits for.
 *
 * Before READY the device has no users that depend on this process, and a worker without a manager is of
 * no use: it ends. After READY the device belongs to its users, and whatever happens to the connection is
 * logged and nothing more.
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "worker/worker.h"

static int wait_readable(int fd) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        while (poll(&p, 1, -1) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

static void close_fds(int fds[WIRE_FDS_MAX]) {
        for (size_t i = 0; i < WIRE_FDS_MAX; i++)
                fds[i] = safe_close(fds[i]);
}

int worker_hello(struct worker *w) {
        union wire_message message;

        wire_init(&message, WIRE_HELLO);
        message.hello.pid = (int32_t)getpid();
        return wire_send(w->socket, &message, NULL, 0);
}

/* The message says what each one is; the kernel knows what it could be. */
static bool type_fits(uint32_t what, int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return false;
        return what == WIRE_FD_DEVICE ? S_ISCHR(st.st_mode)
                                      : S_ISREG(st.st_mode) || S_ISBLK(st.st_mode);
}

static int take_config_fds(struct worker *w, int fds[WIRE_FDS_MAX]) {
        for (size_t i = 0; i < WIRE_FDS_MAX; i++) {
                if (fds[i] >= 0 && !type_fits(w->config.fds[i], fds[i])) {
                        w->what = "an fd from the manager is not of the type that it says";
                        return -EBADF;
                }
                if (w->config.fds[i] == WIRE_FD_DEVICE) {
                        w->device_fd = TAKE_FD(fds[i]);
                } else if (w->config.fds[i] == WIRE_FD_BACKING) {
                        if (w->backing_fd >= 0) {
                                w->what = "more than one backing was given";
                                return -EOPNOTSUPP;
                        }
                        w->backing_fd = TAKE_FD(fds[i]);
                }
        }
        return 0;
}

int worker_receive_config(struct worker *w) {
        union wire_message message;
        int fds[WIRE_FDS_MAX];
        int r;

        do {
                r = wait_readable(w->socket);
                if (r >= 0)
                        r = wire_receive(w->socket, &message, fds);
        } while (r == -EAGAIN);
        if (r == 0) {
                w->manager_gone = true;
                return -ECONNRESET;
        }
        if (r < 0)
                return r;
        if (message.header.type != WIRE_CONFIG || !streq(message.config.name, w->name)) {
                w->what = "the manager sent something else than the description of this device";
                close_fds(fds);
                return -EBADMSG;
        }

        w->config = message.config;
        r = take_config_fds(w, fds);
        close_fds(fds);
        return r;
}

int worker_send_ready(struct worker *w) {
        const struct target_geometry *g = &w->geometry;
        union wire_message message;

        wire_init(&message, WIRE_READY);
        message.ready.geometry = (struct wire_geometry){
                .size_bytes = g->size_bytes,
                .logical_block_size = w->config.logical_block_size,
                .physical_block_size = w->config.physical_block_size,
                .io_min_bytes = g->io_min_bytes,
                .io_opt_bytes = g->io_opt_bytes,
                .discard_granularity = g->discard_granularity,
                .max_discard_bytes = g->max_discard_bytes,
                .max_write_zeroes_bytes = g->max_write_zeroes_bytes,
                .volatile_cache = g->volatile_cache,
                .fua = g->fua,
                .rotational = g->rotational,
        };
        if (wire_check(&message, message.header.size, 0) < 0) {
                w->what = "the size of the device is not a multiple of its logical block size";
                return -EINVAL;
        }
        return wire_send(w->socket, &message, NULL, 0);
}

void worker_send_failed(struct worker *w, const char *step, int error) {
        union wire_message message;
        int r;

        wire_init(&message, WIRE_FAILED);
        message.failed.error = error;
        (void)snprintf(message.failed.step, sizeof(message.failed.step), "%s", step);
        (void)snprintf(message.failed.text, sizeof(message.failed.text), "%s",
                       w->what ? w->what : "");
        r = wire_send(w->socket, &message, NULL, 0);
        if (r < 0)
                log_errno(LOG_WARNING, r, "The manager can't be told of it");
}

/* Waits for a report of the queues or for something from the manager, and takes the report. Returns 1 if
 * the manager's end wants to be read. */
static int wait_for_events(struct worker *w) {
        struct pollfd p[] = {
                { .fd = server_fd(w->server), .events = POLLIN },
                { .fd = w->socket, .events = POLLIN },
        };
        int r;

        while (poll(p, ELEMENTSOF(p), -1) < 0)
                if (errno != EINTR)
                        return -errno;
        if (p[0].revents) {
                r = server_dispatch(w->server, &w->what);
                if (r < 0)
                        return r;
        }
        return p[1].revents ? 1 : 0;
}

/* The manager has nothing to say any more: reads what it is, 0 if its end was closed. */
static int receive_unexpected(struct worker *w) {
        union wire_message message;
        int fds[WIRE_FDS_MAX];
        int r = wire_receive(w->socket, &message, fds);

        close_fds(fds);
        return r > 0 ? -EPROTO : r;
}

int worker_wait_ready(struct worker *w) {
        while (server_state(w->server) == SERVER_STARTING) {
                int r = wait_for_events(w);

                if (r > 0) {
                        r = receive_unexpected(w);
                        if (r == 0) {
                                w->manager_gone = true;
                                return -ECONNRESET;
                        }
                        if (r == -EAGAIN)
                                r = 0;
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

int worker_wait_end(struct worker *w) {
        while (server_state(w->server) != SERVER_ENDED) {
                int r = wait_for_events(w);

                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                r = receive_unexpected(w);
                if (r == -EAGAIN)
                        continue;
                if (r == 0)
                        log_notice("The manager has gone, %s is served on", w->name);
                else
                        log_errno(LOG_WARNING, r, "The manager broke the protocol, %s is served on",
                                  w->name);
                w->socket = safe_close(w->socket);
        }
        return 0;
}
