/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ublk-worker: serves one device
 *
 * The life of a worker is the table of steps below. What fails in one of them is told to the manager,
 * with the step's name, and ends the process; after READY nothing but the end of the device or a failed
 * queue ends it. In particular no signal that asks politely: a stray SIGTERM (the cgroup's, a terminal's)
 * must not take away a disk that is in use. The manager ends a worker by stopping the device, or by
 * SIGKILL.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "worker/confine.h"
#include "worker/connect.h"
#include "worker/worker.h"

/* The process that connects is the one that the manager watches, and there is still a file system with its socket. */
static int connect_manager(struct worker *w) {
        if (!w->manager)
                return 0;
        w->socket = connect_to_manager(w->manager);
        if (w->socket < 0)
                w->what = "ublkmgr can't be connected to; it starts this program when it needs it";
        return w->socket;
}

static int open_target(struct worker *w) {
        const struct wire_config *c = &w->config;

        w->target.ops = target_find(c->target);
        if (!w->target.ops) {
                w->what = "this worker has no target of that type";
                return -EOPNOTSUPP;
        }
        w->target_config = (struct target_config){
                .name = w->name,
                .size_bytes = c->size_bytes,
                .offset_bytes = c->offset_bytes,
                .logical_block_size = c->logical_block_size,
                .physical_block_size = c->physical_block_size,
                .max_io_bytes = c->max_io_bytes,
                .read_only = c->read_only,
                .backing = {
                        .fd = w->backing_fd,
                        .size_bytes = c->backing.size_bytes,
                        .is_block_device = c->backing.is_block_device,
                        .logical_block_size = c->backing.logical_block_size,
                        .discard_granularity = c->backing.discard_granularity,
                        .rotational = c->backing.rotational,
                },
        };
        w->target.config = &w->target_config;
        return w->target.ops->open(&w->target, &w->geometry, &w->what);
}

static int start_queues(struct worker *w) {
        struct io_queue_config queue = {
                .target = &w->target,
                .limits = {
                        .size_bytes = w->geometry.size_bytes,
                        .logical_block_size = w->config.logical_block_size,
                        .max_io_bytes = w->config.max_io_bytes,
                        .max_discard_bytes = w->geometry.max_discard_bytes,
                        .max_write_zeroes_bytes = w->geometry.max_write_zeroes_bytes,
                        .read_only = w->config.read_only,
                },
                .queue = {
                        .device_fd = w->device_fd,
                        .backing_fd = w->backing_fd,
                        .depth = w->config.queue_depth,
                        .max_io_bytes = w->config.max_io_bytes,
                        .opcodes = w->target.ops->opcodes,
                        .n_opcodes = w->target.ops->n_opcodes,
                        .may_be_unrestricted = w->config.tolerated & WIRE_CONFINE_RING,
                },
        };
        int r;

        r = server_new(&queue, w->config.queues, &w->server);
        if (r < 0)
                return r;
        r = worker_wait_ready(w);
        if (r < 0)
                return r;

        /* From here on only the rings hold the device, and the kernel keeps theirs until the last write
         * of a dead worker has ended: that is what keeps a new worker's writes from being overtaken. */
        w->device_fd = safe_close(w->device_fd);
        if (w->target.ops->class == TARGET_CLASS_FILE)
                w->backing_fd = safe_close(w->backing_fd);
        return 0;
}

static const struct step {
        const char *name;
        int (*run)(struct worker *w);
} steps[] = {
        { "limits", confine_limits },
        { "identity", confine_identity },
        { "namespaces", confine_namespaces },
        { "connect", connect_manager },
        { "root", confine_root },
        { "memory", confine_memory },
        { "fds", confine_fds },
        { "capabilities", confine_capabilities },
        { "verify", confine_verify },
        { "setup-calls", confine_setup_calls },
        { "hello", worker_hello },
        { "config", worker_receive_config },
        { "confinement", confine_check },
        { "open", open_target },
        { "queues", start_queues },
        { "calls", confine_calls },
        { "ready", worker_send_ready },
        { "serve", worker_wait_end },
};

static int run_worker(struct worker *w) {
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                int r = steps[i].run(w);

                if (r >= 0)
                        continue;
                if (w->manager_gone) {
                        log_notice("The manager has gone before %s was ready", w->name);
                        return r;
                }
                log_errno(LOG_ERR, r, "%s: %s%s%s", w->name, steps[i].name, w->what ? ": " : "",
                          w->what ? w->what : "");
                if (w->socket >= 0)
                        worker_send_failed(w, steps[i].name, r);
                return r;
        }

        log_info("%s was stopped", w->name);
        return 0;
}

static int usage(FILE *to) {
        (void)fputs("ublk-worker --socket-fd=N | --connect=PATH NAME\n\n"
                    "Serves the ublk block device NAME. Started by ublkmgr, not by people.\n\n"
                    "  --socket-fd=N  the connection with the manager (SOCK_SEQPACKET)\n"
                    "  --connect=PATH where to connect to the manager instead\n"
                    "  --uid=N        the user id to take, which nobody else has\n"
                    "  --help         show this text\n"
                    "  --version      show the version\n",
                    to);
        return to == stdout ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Returns -1 to go on, otherwise the exit code. */
static int parse_arguments(int argc, char *argv[], struct worker *w) {
        static const struct option options[] = {
                { "socket-fd", required_argument, NULL, 's' },
                { "connect", required_argument, NULL, 'c' },
                { "uid", required_argument, NULL, 'u' },
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'v' },
                { 0 },
        };
        uint64_t number;
        int c;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                switch (c) {
                case 's':
                        if (parse_u64(optarg, &number) < 0 || number > INT32_MAX ||
                            fcntl((int)number, F_SETFD, FD_CLOEXEC) < 0) {
                                log_error("--socket-fd=%s: not an open file descriptor", optarg);
                                return EXIT_FAILURE;
                        }
                        w->socket = (int)number;
                        break;
                case 'u':
                        if (parse_u64(optarg, &number) < 0 || number == 0 || number > INT32_MAX) {
                                log_error("--uid=%s: not a user id that a worker may have; ublkmgr "
                                          "starts workers, not "
                                          "people",
                                          optarg);
                                return EXIT_FAILURE;
                        }
                        w->uid = (uid_t)number;
                        break;
                case 'c':
                        w->manager = optarg;
                        break;
                case 'h':
                        return usage(stdout);
                case 'v':
                        (void)puts("ublk-worker " PROJECT_VERSION);
                        return EXIT_SUCCESS;
                default:
                        return usage(stderr);
                }
        }
        if (argc - optind != 1 || (w->socket < 0) == !w->manager || !name_is_valid(argv[optind]))
                return usage(stderr);
        w->name = argv[optind];
        return -1;
}

int main(int argc, char *argv[]) {
        static struct worker w = {
                .socket = -EBADF,
                .parent = -EBADF,
                .device_fd = -EBADF,
                .backing_fd = -EBADF,
                .sandbox = { .proc = -EBADF, .status = -EBADF },
        };
        int r;

        log_setup("ublk-worker", LOG_INFO);
        /* A worker that was taken over could have an emergency told to everybody. */
        log_without_levels();
        r = parse_arguments(argc, argv, &w);
        if (r >= 0)
                return r;

        /* Both become errors of the call that caused them: the log's reader has gone, a file has
         * reached the limit of this process. */
        (void)signal(SIGPIPE, SIG_IGN);
        (void)signal(SIGXFSZ, SIG_IGN);

        /* Not by return: there may be threads, and nothing is left to be tidied up. */
        r = run_worker(&w);
        _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
