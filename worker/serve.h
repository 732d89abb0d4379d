/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The threads of a worker, one a queue
 *
 * A queue belongs to its thread from its making to its end: neither the ring nor the driver take its
 * commands from another one. What happens in the threads is told to the main thread by reports, which
 * it takes when server_fd() is readable.
 */

#include "worker/io.h"

struct server;

enum server_state {
        SERVER_STARTING,
        SERVER_READY, /* every queue has fetched all of its tags */
        SERVER_ENDED, /* the device was stopped, every queue has ended */
};

/* queue.queue.id is filled in for each; the fds must stay open until SERVER_READY. */
int server_new(const struct io_queue_config *queue, uint16_t n_queues, struct server **ret);

/* Where reports are read, and where the threads write them. There is no way to free a server: it ends with its process. */
int server_fd(const struct server *server);
int server_report_fd(const struct server *server);
enum server_state server_state(const struct server *server);

/* Takes one report. Returns 0, or the negative errno of a queue that could not be set up; *what then says
 * (in a static string) what was tried. A queue that fails after it has fetched ends the process: the kernel
 * only gives its requests to a new worker when this one is gone as a whole. */
int server_dispatch(struct server *server, const char **what);
