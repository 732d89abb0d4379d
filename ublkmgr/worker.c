/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Watching a worker: messages from the socket, the end of the process from its pidfd. Both are sources of
 * the event loop; the socket's comes first, so that a worker's last words are heard before its end.
 * What a worker can send is bounded by what its device lets pass: the first message that is not allowed is the last
 * one that is read.
 */

#include "ublkmgr/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/wire/channel.h"
#include "ublkmgr/steps.h"

/* From the end of the conversation to that of the process: the kernel has to tear down what it holds. */
#define END_TIMEOUT (5 * USEC_PER_SEC)

struct worker {
        struct worker_process process;
        char *unit; /* that it runs in; NULL: none of its own */
        const struct worker_events *events;
        void *userdata;
        sd_event_source *socket_source;
        sd_event_source
                *end_source; /* the time that a worker has to end after it has closed its end */
        sd_event_source *child_source;
        sd_event_source *pidfd_source; /* of one that is no child of ours */
};

static void worker_hang_up(struct worker *w) {
        w->socket_source = sd_event_source_disable_unref(w->socket_source);
        w->process.socket = safe_close(w->process.socket);
}

static int set_unit(struct worker *w, const char *unit) {
        if (!unit)
                return 0;
        /* Not the spawner's any more. */
        w->process.unit = w->unit = strdup(unit);
        return w->unit ? 0 : -ENOMEM;
}

static int on_end_timeout(_unused_ sd_event_source *source, _unused_ uint64_t usec,
                          void *userdata) {
        struct worker *w = userdata;

        w->events->lost(w->userdata, -ECONNRESET);
        return 0;
}

/* The socket of a process that ends is closed before the process is gone. */
static void await_end(struct worker *w) {
        sd_event *event =
                sd_event_source_get_event(w->child_source ? w->child_source : w->pidfd_source);
        int r = sd_event_add_time_relative(event, &w->end_source, CLOCK_MONOTONIC,
                                           time_limit(END_TIMEOUT), 0, on_end_timeout, w);

        if (r < 0)
                w->events->lost(w->userdata, -ECONNRESET);
}

static int on_socket(_unused_ sd_event_source *source, int fd, _unused_ uint32_t revents,
                     void *userdata) {
        struct worker *w = userdata;
        union wire_message message;
        int r;

        r = wire_receive(fd, &message, NULL);
        if (r == -EAGAIN)
                return 0;
        if (r > 0 && w->events->message(w->userdata, &message))
                return 0;
        if (r > 0)
                r = -EPROTO;
        worker_hang_up(w);
        if (r == 0 || r == -ECONNRESET)
                await_end(w);
        else
                w->events->lost(w->userdata, r);
        return 0;
}

static int on_child(_unused_ sd_event_source *source, const siginfo_t *si, void *userdata) {
        struct worker *w = userdata;
        char description[128];

        if (si->si_code == CLD_EXITED)
                (void)snprintf(description, sizeof(description), "exited with code %i",
                               si->si_status);
        else
                (void)snprintf(description, sizeof(description), "was killed by signal %i (%s)",
                               si->si_status, strsignal(si->si_status));
        /* The process is gone: its pid may belong to somebody else from now on. */
        w->process.pid = 0;
        w->events->exited(w->userdata, description);
        return 0;
}

/* By default a pidfd is looked at once, and the end of a process that is being traced shows there before we
 * may wait for it: then it would be missed for good. From one to the other sd-event doesn't change what epoll
 * was told, so it goes over "off". */
static int watch_on(sd_event_source *source) {
        int r;

        r = sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ON);
}

static int on_pidfd(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents,
                    void *userdata) {
        struct worker *w = userdata;
        _cleanup_free_ char *description = NULL;

        /* How it ended is told to its parent only. */
        if (w->unit && asprintf(&description, "ended ('journalctl -u %s' tells how)", w->unit) < 0)
                description = NULL;
        w->process.pid = 0;
        w->events->exited(w->userdata, description ? description : "ended");
        return 0;
}

static int watch_end(struct worker *w, sd_event *event) {
        sd_event_source **source = w->process.child ? &w->child_source : &w->pidfd_source;
        int r;

        if (w->process.child)
                r = sd_event_add_child_pidfd(event, source, w->process.pidfd, WEXITED, on_child, w);
        else
                r = sd_event_add_io(event, source, w->process.pidfd, EPOLLIN, on_pidfd, w);
        if (r >= 0)
                r = sd_event_source_set_priority(*source, SD_EVENT_PRIORITY_NORMAL + 1);
        if (r >= 0 && w->process.child)
                r = watch_on(*source);
        return r;
}

int worker_new(sd_event *event, const struct worker_process *process,
               const struct worker_events *events, void *userdata, struct worker **ret) {
        struct worker *w;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w) {
                (void)syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0);
                safe_close(process->socket);
                safe_close(process->pidfd);
                return -ENOMEM;
        }
        *w = (struct worker){ .process = *process, .events = events, .userdata = userdata };
        wire_refuse_fds(process->socket);

        r = set_unit(w, process->unit);
        if (r >= 0)
                r = sd_event_add_io(event, &w->socket_source, process->socket, EPOLLIN, on_socket,
                                    w);
        if (r >= 0)
                r = watch_end(w, event);
        if (r < 0) {
                worker_kill(w);
                worker_free(w);
                return r;
        }
        *ret = w;
        return 0;
}

/* Returns 0: it can't be told. */
static uint64_t pidfd_identity(int pidfd) {
        struct stat st;

        return fstat(pidfd, &st) < 0 ? 0 : st.st_ino;
}

int worker_adopt(sd_event *event, pid_t pid, uint64_t identity, const char *unit,
                 const struct worker_events *events, void *userdata, struct worker **ret) {
        _cleanup_close_ int pidfd = -EBADF;
        struct worker *w;
        int r;

        if (pid <= 0 || identity == 0)
                return -ESRCH;
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (pidfd < 0)
                return -errno;
        if (pidfd_identity(pidfd) != identity)
                return -ESRCH;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        *w = (struct worker){
                .process = { .pid = pid, .pidfd = TAKE_FD(pidfd), .socket = -EBADF },
                .events = events,
                .userdata = userdata,
        };
        r = set_unit(w, unit);
        if (r >= 0)
                r = watch_end(w, event);
        if (r < 0) {
                worker_free(w);
                return r;
        }
        *ret = w;
        return 0;
}

static int on_orphan(sd_event_source *source, _unused_ const siginfo_t *si,
                     _unused_ void *userdata) {
        /* The event loop reaps it after this. The source had its last reference from floating. */
        (void)sd_event_source_set_floating(source, false);
        return 0;
}

/* Lets the event loop wait for the end of a process that nobody else waits for any more. */
static void leave_to_loop(sd_event *event, int *pidfd) {
        sd_event_source *source = NULL;

        if (sd_event_add_child_pidfd(event, &source, *pidfd, WEXITED, on_orphan, NULL) < 0)
                return;
        if (watch_on(source) >= 0 && sd_event_source_set_child_pidfd_own(source, true) >= 0)
                *pidfd = -EBADF;
        if (*pidfd < 0)
                (void)sd_event_source_set_floating(source, true);
        sd_event_source_unref(source);
}

struct worker *worker_free(struct worker *w) {
        sd_event *event;

        if (!w)
                return NULL;
        worker_hang_up(w);
        event = w->child_source ? sd_event_source_get_event(w->child_source) : NULL;
        sd_event_source_disable_unref(w->child_source);
        sd_event_source_disable_unref(w->end_source);
        sd_event_source_disable_unref(w->pidfd_source);
        if (event && w->process.pid > 0)
                leave_to_loop(event, &w->process.pidfd);
        safe_close(w->process.pidfd);
        free(w->unit);
        free(w);
        return NULL;
}

int worker_send(struct worker *w, const union wire_message *message, const int *fds, size_t n_fds) {
        if (w->process.socket < 0)
                return -EPIPE;
        return wire_send(w->process.socket, message, fds, n_fds);
}

bool worker_is_quiet(const struct worker *w) {
        struct pollfd fds[] = {
                { .fd = w->process.pidfd, .events = POLLIN },
                { .fd = w->process.socket, .events = POLLIN },
        };

        return w->process.pid > 0 && w->process.socket >= 0 && poll(fds, ELEMENTSOF(fds), 0) == 0;
}

void worker_kill(struct worker *w) {
        if (w->process.pid > 0)
                (void)syscall(SYS_pidfd_send_signal, w->process.pidfd, SIGKILL, NULL, 0);
}

uint64_t worker_identity(const struct worker *w) {
        return pidfd_identity(w->process.pidfd);
}

pid_t worker_pid(const struct worker *w) {
        return w->process.pid;
}

const char *worker_unit(const struct worker *w) {
        return w->unit;
}
