/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Silence is as bad as nonsense: the deadline counts from the start, so that a reader that sends a byte a second gains
 * nothing by it.
 */

#include "partitions/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/macro.h"

/* Waits until fd has something, or the deadline. Returns 0 or a negative errno. */
static int wait_for(int fd, uint64_t deadline) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        int r;

        if (now >= deadline)
                return -ETIMEDOUT;
        r = poll(&p, 1, (int)((deadline - now) / USEC_PER_MSEC) + 1);
        if (r < 0)
                return errno == EINTR ? 0 : -errno;
        return r == 0 ? -ETIMEDOUT : 0;
}

static int read_all(int pipe, uint64_t deadline, struct table_reader *reader) {
        for (;;) {
                char data[4096];
                ssize_t n;
                int r;

                r = wait_for(pipe, deadline);
                if (r < 0)
                        return r;
                n = read(pipe, data, sizeof(data));
                if (n == 0)
                        return table_finish(reader);
                if (n < 0 && errno != EAGAIN && errno != EINTR)
                        return -errno;
                r = n > 0 ? table_feed(reader, data, (size_t)n) : 0;
                if (r < 0)
                        return r;
        }
}

/* The end of the process, which has nothing more to say. *reaped: it is gone. */
static int await_exit(int pidfd, uint64_t deadline, bool *reaped) {
        siginfo_t si = { 0 };
        int r = 0;

        while (r >= 0) {
                if (waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED | WNOHANG) < 0)
                        return -errno;
                *reaped = si.si_pid != 0;
                if (*reaped)
                        return si.si_code == CLD_EXITED && si.si_status == 0 ? 0 : -ECHILD;
                r = wait_for(pidfd, deadline);
        }
        return r;
}

static void kill_and_reap(int pidfd) {
        siginfo_t si;

        (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
        (void)waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED);
}

int inner_run(int (*inner)(int pipe, void *userdata), void *userdata, uint64_t clone_flags,
              uint64_t timeout_usec, struct table *ret) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF, pidfd = -EBADF;
        uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + timeout_usec;
        struct clone_args args = {
                .flags = CLONE_PIDFD | clone_flags,
                .pidfd = (uint64_t)(uintptr_t)&pidfd,
                .exit_signal = SIGCHLD,
        };
        struct table_reader reader;
        bool reaped = false;
        int ends[2], r;
        long pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        ours = ends[0];
        theirs = ends[1];
        if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
                return -errno;

        pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid < 0)
                return -errno;
        if (pid == 0)
                _exit(inner(theirs, userdata) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);

        theirs = safe_close(theirs);
        table_reader_init(&reader, ret);
        r = read_all(ours, deadline, &reader);
        if (r >= 0)
                r = await_exit(pidfd, deadline, &reaped);
        if (!reaped)
                kill_and_reap(pidfd);
        return r;
}
