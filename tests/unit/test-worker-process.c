/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The manager's view of a worker process, for a child that does nothing: that its end is heard, in words, and
 * that one which is forgotten before it has ended leaves no zombie.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "tests/unit/process-harness.h"
#include "ublkmgr/worker.h"

#define LONG (20 * USEC_PER_SEC)

struct heard {
        struct worker *worker;
        unsigned messages;
        int lost;
        char end[128];
};

static bool on_message(void *userdata, const union wire_message *message) {
        struct heard *h = userdata;

        (void)message;
        h->messages++;
        return true;
}

static void on_lost(void *userdata, int error) {
        struct heard *h = userdata;

        h->lost = error;
}

static void on_exited(void *userdata, const char *description) {
        struct heard *h = userdata;

        (void)snprintf(h->end, sizeof(h->end), "%s", description);
        h->worker = worker_free(h->worker);
}

static const struct worker_events events = {
        .message = on_message,
        .lost = on_lost,
        .exited = on_exited,
};

/* A child that ends when its end of the socket is closed, with a code of its own. Returns our end. */
static int start(sd_event *event, struct heard *h, pid_t *ret) {
        struct worker_process process;
        int pair[2];

        assert_int_equal(
                socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        process.pid = fork();
        assert_true(process.pid >= 0);
        if (process.pid == 0) {
                struct pollfd p = { .fd = pair[1], .events = POLLIN };

                close(pair[0]);
                (void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
                (void)poll(&p, 1, 60 * 1000);
                _exit(5);
        }
        close(pair[1]);
        process.pidfd = (int)syscall(SYS_pidfd_open, process.pid, 0);
        assert_true(process.pidfd >= 0);
        process.socket = pair[0];
        process.child = true;
        process.unit = NULL;
        *ret = process.pid;
        assert_int_equal(worker_new(event, &process, &events, h, &h->worker), 0);
        assert_int_equal(worker_pid(h->worker), process.pid);
        return pair[0];
}

static bool is_child(pid_t pid) {
        return waitpid(pid, NULL, WNOHANG | __WALL) >= 0;
}

static void test_exit(void **state) {
        sd_event *event = new_event();
        struct heard h = { 0 };
        pid_t pid;
        int socket;

        (void)state;
        socket = start(event, &h, &pid);
        assert_int_equal(shutdown(socket, SHUT_RDWR), 0);
        while (h.worker)
                assert_true(sd_event_run(event, LONG) > 0);
        assert_string_equal(h.end, "exited with code 5");
        assert_int_equal(h.lost, 0);
        assert_false(is_child(pid));
        sd_event_unref(event);
}

static void test_kill(void **state) {
        sd_event *event = new_event();
        struct heard h = { 0 };
        pid_t pid;

        (void)state;
        (void)start(event, &h, &pid);
        worker_kill(h.worker);
        while (h.worker)
                assert_true(sd_event_run(event, LONG) > 0);
        assert_string_equal(h.end, "was killed by signal 9 (Killed)");
        assert_int_equal(h.messages, 0);
        assert_false(is_child(pid));
        sd_event_unref(event);
}

static void test_forgotten(void **state) {
        sd_event *event = new_event();
        struct heard h = { 0 };
        uint64_t end = clock_usec(CLOCK_MONOTONIC) + LONG;
        int pidfd, fds;
        pid_t pid;

        (void)state;
        (void)start(event, &h, &pid);
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        assert_true(pidfd >= 0);
        assert_null(worker_free(h.worker));
        /* It hears that its socket is closed, and ends; only the loop can wait for it. */
        assert_int_equal(poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, 60 * 1000), 1);
        close(pidfd);
        fds = count_fds();
        while (sd_event_run(event, 100 * USEC_PER_MSEC) > 0)
                assert_true(clock_usec(CLOCK_MONOTONIC) < end);
        assert_int_equal(count_fds(), fds - 1); /* the loop has closed its pidfd */
        assert_false(is_child(pid));
        assert_int_equal(errno, ECHILD);
        assert_string_equal(h.end, "");
        sd_event_unref(event);
}

/* Somebody traces the worker (a person with strace, a leak checker) when it is killed: the process is a zombie,
 * and the manager may only wait for it when the tracer has let go. */
static void test_traced(void **state) {
        uint64_t end = clock_usec(CLOCK_MONOTONIC) + LONG;
        sd_event *event = new_event();
        struct heard h = { 0 };
        int ready[2], go[2], pidfd;
        pid_t pid, tracer;
        char c = 'n';

        (void)state;
        (void)start(event, &h, &pid);
        assert_int_equal(pipe(ready), 0);
        assert_int_equal(pipe(go), 0);
        tracer = fork();
        assert_true(tracer >= 0);
        if (tracer == 0) {
                close(go[1]);
                c = ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 ? 'y' : 'n';
                _unused_ ssize_t n = write(ready[1], &c, 1);
                n = read(go[0], &c, 1);
                _exit(0);
        }
        assert_int_equal(read(ready[0], &c, 1), 1);

        worker_kill(h.worker);
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        assert_true(pidfd >= 0);
        assert_int_equal(poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, 60 * 1000), 1);
        close(pidfd);
        for (int i = 0; i < 3; i++)
                assert_true(sd_event_run(event, 0) >= 0);
        if (c == 'y')
                assert_non_null(h.worker);

        close(go[1]);
        assert_int_equal(waitpid(tracer, NULL, 0), tracer);
        while (h.worker) {
                assert_true(clock_usec(CLOCK_MONOTONIC) < end);
                assert_true(sd_event_run(event, USEC_PER_SEC) >= 0);
        }
        assert_string_equal(h.end, "was killed by signal 9 (Killed)");
        assert_false(is_child(pid));
        close(go[0]);
        close(ready[0]);
        close(ready[1]);
        sd_event_unref(event);
        if (c != 'y')
                skip(); /* tracing is forbidden here */
}

/* The manager ends while its workers serve on. */
static void test_event_ends_first(void **state) {
        sd_event *event = new_event();
        struct heard h = { 0 };
        pid_t pid;

        (void)state;
        (void)start(event, &h, &pid);
        assert_null(worker_free(h.worker));
        assert_null(worker_free(NULL));
        sd_event_unref(event);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_exit),
                cmocka_unit_test(test_kill),
                cmocka_unit_test(test_forgotten),
                cmocka_unit_test(test_traced),
                cmocka_unit_test(test_event_ends_first),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
