/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All of it happens before the manager has said what is to be served, so before anything that a stranger wrote can be
 * looked at; only the filter of system calls waits until threads and rings stand. What the kernel refuses is found out
 * on the way and judged when the manager has said what the administrator tolerates.
 */

#include "worker/confine.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "worker/calls.h"
#include "worker/notify.h"

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

/* Goes on in a child. This process has nothing to do any more: were it to stay, the worker would be two. */
static int become_child(struct worker *w) {
        pid_t child = fork();
        int r;

        if (child == 0)
                return 0;
        if (child < 0) {
                w->what = "a process can't be made in the new pid namespace";
                return -errno;
        }
        r = w->notify >= 0 ? notify_main_pid(w->notify, child) : 0;
        if (r < 0)
                log_errno(LOG_ERR, r, "The service manager can't be told of the worker");
        _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

int confine_namespaces(struct worker *w) {
        bool must_fork;
        int r;

        if (!is_confined(w))
                return 0;
        r = sandbox_leave_namespaces(&w->sandbox, w->socket < 0, &must_fork);
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
        const int fds[] = { w->socket, w->notify };

        return is_confined(w) ? result(w, sandbox_close_fds(&w->sandbox, fds, ELEMENTSOF(fds))) : 0;
}

int confine_capabilities(struct worker *w) {
        /* Not even a benchmark may keep them: the kernel would scan for partitions then. */
        return result(w, sandbox_drop_capabilities(&w->sandbox));
}

int confine_check(struct worker *w) {
        return result(w, sandbox_check_missing(&w->sandbox, w->config.tolerated));
}

int confine_verify(struct worker *w) {
        return is_confined(w) ? result(w, sandbox_verify(&w->sandbox)) : 0;
}

int confine_calls(struct worker *w) {
        const struct worker_fds fds = {
                .socket = w->socket,
                .reports = server_report_fd(w->server),
                .backing = w->backing_fd,
        };
        static const int ignored[] = { SIGTERM, SIGINT, SIGHUP };
        struct sandbox_call calls[WORKER_CALLS_MAX];
        size_t n;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(ignored); i++)
                (void)signal(ignored[i], SIG_IGN);
        if (w->notify >= 0)
                (void)notify_send(w->notify, "READY=1");
        w->notify = safe_close(w->notify);
        if (!is_confined(w))
                return 0;

        n = worker_calls(w->target.ops->class, &fds, calls);
        r = sandbox_filter_calls(&w->sandbox, calls, n);
        if (r >= 0)
                r = sandbox_check_missing(&w->sandbox, w->config.tolerated);
        return result(w, r);
}
