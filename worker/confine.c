/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All of it happens before the manager has said what is to be served, so before anything that a stranger wrote can be
 * looked at; only the last filter of system calls waits until threads and rings stand. What the kernel refuses is found
 * out on the way and judged when the manager has said what the administrator tolerates.
 */

#include "worker/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "worker/calls.h"

static_assert((int)SANDBOX_IO_FLUSHER == (int)WIRE_CONFINE_IO_FLUSHER &&
                      (int)SANDBOX_MEMORY_LOCK == (int)WIRE_CONFINE_MEMORY_LOCK &&
                      (int)SANDBOX_OOM_SCORE == (int)WIRE_CONFINE_OOM_SCORE &&
                      (int)SANDBOX_OWN_USER == (int)WIRE_CONFINE_OWN_USER &&
                      (int)SANDBOX_NAMESPACES == (int)WIRE_CONFINE_NAMESPACES &&
                      (int)SANDBOX_PID_NAMESPACE == (int)WIRE_CONFINE_PID_NAMESPACE &&
                      (int)SANDBOX_RING == (int)WIRE_CONFINE_RING &&
                      (int)SANDBOX_SECCOMP == (int)WIRE_CONFINE_SECCOMP,
              "one list of parts under two names");

/* For benchmarks, which ask what all this costs; in no build that users get. */
#define UNCONFINED_HOOK "/run/ublk-test.unconfined"

static bool is_confined(const struct worker *w) {
        return !TEST_HOOKS || !w->unconfined;
}

static int result(struct worker *w, int r) {
        if (r < 0)
                w->what = w->sandbox.what;
        return r;
}

int confine_limits(struct worker *w) {
        int r;

        w->unconfined = TEST_HOOKS && access(UNCONFINED_HOOK, F_OK) >= 0;
        w->sandbox.uid = w->uid;
        r = sandbox_begin(&w->sandbox);
        if (r >= 0 && is_confined(w))
                r = sandbox_set_limits(&w->sandbox);
        return result(w, r);
}

int confine_identity(struct worker *w) {
        return is_confined(w) ? result(w, sandbox_change_identity(&w->sandbox)) : 0;
}

/* Ends when the child says that it is ready to serve, or ends itself. */
_Noreturn static void wait_for_child(int pipe) {
        char byte;
        ssize_t n;

        do
                n = read(pipe, &byte, 1);
        while (n < 0 && errno == EINTR);
        _exit(n == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Goes on in a child, as daemons have always done: the service manager takes the unit for started when this process ends, and
 * the child for its main process. */
static int become_child(struct worker *w) {
        int ends[2];
        pid_t child;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        child = fork();
        if (child < 0) {
                w->what = "a process can't be made in the new pid namespace";
                return -errno;
        }
        if (child > 0) {
                safe_close(ends[1]);
                wait_for_child(ends[0]);
        }
        safe_close(ends[0]);
        w->parent = ends[1];
        return 0;
}

static void release_parent(struct worker *w) {
        if (w->parent >= 0) {
                _unused_ ssize_t n = write(w->parent, "", 1);
        }
        w->parent = safe_close(w->parent);
}

int confine_namespaces(struct worker *w) {
        bool must_fork;
        int r;

        if (!is_confined(w))
                return 0;
        r = sandbox_leave_namespaces(&w->sandbox, w->manager, &must_fork);
        if (r < 0 || !must_fork)
                return result(w, r);
        return become_child(w);
}

int confine_root(struct worker *w) {
        return is_confined(w) ? result(w, sandbox_leave_root(&w->sandbox)) : 0;
}

int confine_memory(struct worker *w) {
        return is_confined(w) ? result(w, sandbox_lock_memory(&w->sandbox)) : 0;
}

int confine_fds(struct worker *w) {
        const int fds[] = { w->socket, w->parent };

        return is_confined(w) ? result(w, sandbox_close_fds(&w->sandbox, fds, ELEMENTSOF(fds))) : 0;
}

int confine_capabilities(struct worker *w) {
        /* Not even a benchmark may keep them: the kernel would scan for partitions then. */
        return result(w, sandbox_drop_capabilities(&w->sandbox));
}

int confine_check(struct worker *w) {
        const struct wire_backing *backing = &w->config.backing;
        int r;

        r = sandbox_check_missing(&w->sandbox, w->config.tolerated);
        /* What is behind the end of a backing belongs to others of its file system. */
        if (r >= 0 && w->backing_fd >= 0 && !backing->is_block_device)
                r = sandbox_limit_file_size(&w->sandbox,
                                            MAX(backing->size_bytes, w->config.size_bytes));
        return result(w, r);
}

int confine_verify(struct worker *w) {
        return is_confined(w) ? result(w, sandbox_verify(&w->sandbox)) : 0;
}

int confine_setup_calls(struct worker *w) {
        struct sandbox_call calls[SANDBOX_CALLS_MAX];
        size_t n = worker_setup_calls(w->socket, calls);

        return is_confined(w) ? result(w, sandbox_filter_calls(&w->sandbox, calls, n)) : 0;
}

int confine_calls(struct worker *w) {
        const struct worker_fds fds = {
                .socket = w->socket,
                .reports = server_report_fd(w->server),
                .backing = w->backing_fd,
        };
        static const int ignored[] = { SIGTERM, SIGINT, SIGHUP };
        struct sandbox_call calls[SANDBOX_CALLS_MAX];
        size_t n;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(ignored); i++)
                (void)signal(ignored[i], SIG_IGN);
        release_parent(w);
        if (!is_confined(w))
                return 0;

        n = worker_calls(w->target.ops->class, &fds, calls);
        r = sandbox_filter_calls(&w->sandbox, calls, n);
        w->sandbox.status = safe_close(w->sandbox.status);
        if (r >= 0)
                r = sandbox_check_missing(&w->sandbox, w->config.tolerated);
        return result(w, r);
}
