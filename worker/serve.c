/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reports come through a pipe, so that the main thread can wait for them and for the manager with one
 * poll(). A write of this size is never split or mixed with another one.
 */

#include "worker/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/macro.h"

enum report_kind { REPORT_FETCHED, REPORT_ENDED, REPORT_FAILED };

struct report {
        enum report_kind kind;
        int error;
        const char *what;
};

struct queue_thread {
        struct server *server;
        struct io_queue_config config;
};

struct server {
        int reports[2];
        uint16_t n_fetched, n_ended;
        uint16_t n_threads;
        struct queue_thread threads[];
};

static void report(struct server *server, enum report_kind kind, int error, const char *what) {
        struct report message = { .kind = kind, .error = error, .what = what };
        ssize_t n;

        do
                n = write(server->reports[1], &message, sizeof(message));
        while (n < 0 && errno == EINTR);
        if (n != sizeof(message)) {
                log_errno(LOG_ERR, n < 0 ? errno : EPIPE, "A queue can't report to its process");
                _exit(EXIT_FAILURE);
        }
}

static void *queue_thread(void *argument) {
        struct queue_thread *t = argument;
        uint16_t id = t->config.queue.id;
        struct io_queue *q = NULL;
        char name[16];
        int r;

        (void)snprintf(name, sizeof(name), "queue-%u", id);
        (void)pthread_setname_np(pthread_self(), name);

        r = io_queue_new(&t->config, &q);
        if (r < 0) {
                report(t->server, REPORT_FAILED, r,
                       r == -EOPNOTSUPP ? "its rings can't be restricted (\"ringRestrictions\" in "
                                          "ublkmgr.conf)"
                                        : "a queue could not be set up");
                return NULL;
        }
        r = io_queue_fetch(q);
        if (r < 0) {
                /* Not freed: some tags may be with the kernel, which lets go of them with the
                 * process, and that ends now. */
                report(t->server, REPORT_FAILED, r, "the driver refused to serve the device");
                return NULL;
        }
        report(t->server, REPORT_FETCHED, 0, NULL);

        r = io_queue_run(q);
        if (r < 0) {
                log_errno(LOG_ERR, r, "Queue %u has failed, giving up the device", id);
                _exit(EXIT_FAILURE);
        }
        report(t->server, REPORT_ENDED, 0, NULL);
        /* The process ends when all have ended. To tidy up and to leave would take system calls that serving doesn't,
         * and those are forbidden by now. */
        for (;;)
                (void)poll(NULL, 0, -1);
}

/* Signals are for the main thread; here they would only interrupt waits. */
static int start_threads(struct server *server) {
        sigset_t all, before;
        int r = 0;

        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        for (uint16_t i = 0; i < server->n_threads && r == 0; i++) {
                pthread_t thread;

                r = -pthread_create(&thread, NULL, queue_thread, &server->threads[i]);
        }
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        return r;
}

int server_new(const struct io_queue_config *queue, uint16_t n_queues, struct server **ret) {
        struct server *server;
        int r;

        server = calloc(1, sizeof(*server) + n_queues * sizeof(server->threads[0]));
        if (!server)
                return -ENOMEM;
        if (pipe2(server->reports, O_CLOEXEC) < 0) {
                r = -errno;
                free(server);
                return r;
        }
        server->n_threads = n_queues;
        for (uint16_t i = 0; i < n_queues; i++) {
                server->threads[i].server = server;
                server->threads[i].config = *queue;
                server->threads[i].config.queue.id = i;
        }

        /* Threads that run already use it, so it is handed over even when some could not start; the
         * caller leaves with the process then. */
        *ret = server;
        return start_threads(server);
}

int server_fd(const struct server *server) {
        return server->reports[0];
}

int server_report_fd(const struct server *server) {
        return server->reports[1];
}

enum server_state server_state(const struct server *server) {
        if (server->n_ended == server->n_threads)
                return SERVER_ENDED;
        return server->n_fetched == server->n_threads ? SERVER_READY : SERVER_STARTING;
}

int server_dispatch(struct server *server, const char **what) {
        struct report message;
        ssize_t n;

        do
                n = read(server->reports[0], &message, sizeof(message));
        while (n < 0 && errno == EINTR);
        if (n != sizeof(message))
                return n < 0 ? -errno : -EPIPE;

        switch (message.kind) {
        case REPORT_FETCHED:
                server->n_fetched++;
                return 0;
        case REPORT_ENDED:
                server->n_ended++;
                return 0;
        default:
                *what = message.what;
                return message.error;
        }
}
