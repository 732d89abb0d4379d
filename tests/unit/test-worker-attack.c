/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The manager's side of the socket against a worker that runs somebody else's code: 10,000 random messages and 1,000
 * that are nearly right, each to a worker object of its own, because the first wrong message is the last one that
 * is read. After each the conversation is over, nothing was taken that the device's code couldn't use, and no fd is
 * left.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "tests/attack/attack.h"
#include "tests/unit/process-harness.h"
#include "ublkmgr/worker.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

enum {
        N_RANDOM = 10000,
        N_STRUCTURED = 1000,
        RSS_GROWTH_MAX = 64 << 20, /* the sanitizer keeps what was freed for a while */
};

#define LONG (20 * USEC_PER_SEC)

static const char *const kinds[] = {
        "own",   "pipe", "socket", "listening", "memfd",   "epoll",    "io-uring",
        "pidfd", "null", "folder", "path",      "eventfd", "signalfd", "timerfd",
};

struct victim {
        struct worker *worker;
        int theirs; /* the worker's end */
        unsigned hellos, answers;
        unsigned lost;
        int error;
        bool exited;
};

/* As a device does: HELLO once, then one answer. */
static bool on_message(void *userdata, const union wire_message *message) {
        struct victim *v = userdata;

        assert_int_equal(wire_check(message, message->header.size, 0), 0);
        assert_int_equal(v->lost, 0);
        switch (message->header.type) {
        case WIRE_HELLO:
                return v->hellos++ == 0;
        case WIRE_READY:
        case WIRE_FAILED:
                return v->hellos == 1 && v->answers++ == 0;
        default:
                fail_msg("a message that no worker sends");
                return false;
        }
}

static void on_lost(void *userdata, int error) {
        struct victim *v = userdata;

        v->lost++;
        v->error = error;
}

static void on_exited(void *userdata, const char *description) {
        struct victim *v = userdata;

        assert_string_equal(description, "was killed by signal 9 (Killed)");
        v->worker = worker_free(v->worker);
        v->exited = true;
}

static const struct worker_events events = {
        .message = on_message,
        .lost = on_lost,
        .exited = on_exited,
};

/* A process that is nothing but a pid: it shares our memory and fds, because copying them 11,000 times takes long. */
__attribute__((no_sanitize("address", "undefined"))) static int idle(void *argument) {
        (void)argument;
        (void)syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        for (;;)
                (void)syscall(SYS_pause);
        return 0;
}

static void start(sd_event *event, struct victim *v) {
        static char stacks[8][16384] __attribute__((aligned(16)));
        static unsigned next;
        struct worker_process process = { .child = true };
        int pair[2];

        *v = (struct victim){ 0 };
        assert_int_equal(
                socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        process.pid = clone(idle, stacks[next++ % ELEMENTSOF(stacks)] + sizeof(stacks[0]),
                            CLONE_VM | CLONE_FILES | SIGCHLD, NULL);
        assert_true(process.pid > 0);
        process.pidfd = (int)syscall(SYS_pidfd_open, process.pid, 0);
        assert_true(process.pidfd >= 0);
        process.socket = pair[0];
        v->theirs = pair[1];
        assert_int_equal(worker_new(event, &process, &events, v, &v->worker), 0);
        /* A kernel that takes them from the worker is the harder case. */
        (void)setsockopt(pair[0], SOL_SOCKET, SO_PASSRIGHTS, &(int){ 1 }, sizeof(int));
}

static void run_until(sd_event *event, const struct victim *v, bool end) {
        uint64_t late = clock_usec(CLOCK_MONOTONIC) + LONG;

        while (end ? !v->exited : v->lost == 0) {
                assert_true(clock_usec(CLOCK_MONOTONIC) < late);
                assert_true(sd_event_run(event, USEC_PER_SEC) >= 0);
        }
}

static void finish(sd_event *event, struct victim *v) {
        worker_kill(v->worker);
        run_until(event, v, true);
        v->theirs = safe_close(v->theirs);
}

static size_t resident(void) {
        FILE *f = fopen("/proc/self/statm", "re");
        size_t total, pages;

        assert_non_null(f);
        assert_int_equal(fscanf(f, "%zu %zu", &total, &pages), 2);
        (void)fclose(f);
        return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void say(struct victim *v, enum wire_type type) {
        union wire_message message;

        attack_good(type, 1 << 20, &message);
        assert_int_equal(attack_send(v->theirs, &message, message.header.size, NULL, 0), 0);
}

/* One attack: perhaps the right beginning, then one message, and if that should be a good one, what is wrong at any time. */
static void attack(sd_event *event, uint64_t *state, size_t (*make)(uint64_t *state, void *data)) {
        static uint8_t data[ATTACK_SIZE_MAX];
        uint64_t x = attack_next(state);
        int fds[4], fd = -EBADF;
        size_t size, n_fds = 0;
        struct victim v;

        start(event, &v);
        if (x % 2)
                say(&v, WIRE_HELLO);
        if (x % 4 == 3)
                say(&v, WIRE_READY);
        if ((x >> 8) % 4 == 0) {
                const char *kind = kinds[(x >> 16) % ELEMENTSOF(kinds)];

                fd = attack_open(kind, v.theirs);
                n_fds = fd < 0 ? 0 : 1 + (x >> 24) % ELEMENTSOF(fds);
                for (size_t i = 0; i < n_fds; i++)
                        fds[i] = fd;
        }
        size = make(state, data);
        /* The kernel doesn't pass rings on. */
        if (attack_send(v.theirs, data, size, fds, n_fds) < 0) {
                n_fds = 0;
                assert_int_equal(attack_send(v.theirs, data, size, NULL, 0), 0);
        }
        for (unsigned i = 0; i < 3; i++)
                say(&v, WIRE_HELLO);
        if (fd != v.theirs)
                safe_close(fd);

        /* An empty datagram is the end of the conversation; what follows doesn't count. */
        if (size == 0 && n_fds == 0) {
                for (unsigned i = 0; i < 8; i++)
                        assert_true(sd_event_run(event, 0) >= 0);
                assert_int_equal(v.lost, 0);
        } else {
                run_until(event, &v, false);
                assert_true(v.error == -EBADMSG || v.error == -EPROTO ||
                            v.error == -EPROTONOSUPPORT);
        }
        assert_true(v.hellos <= 2 && v.answers <= 2);
        assert_true(attack_send(v.theirs, data, 1, NULL, 0) < 0);
        finish(event, &v);
        assert_true(v.lost <= 1);
}

static void attack_often(unsigned n, uint64_t seed, size_t (*make)(uint64_t *state, void *data)) {
        sd_event *event = new_event();
        unsigned before = 0;
        size_t memory = 0;

        for (unsigned i = 0; i < n; i++) {
                attack(event, &seed, make);
                if (i == n / 10) {
                        memory = resident();
                        before = count_fds();
                }
                if (i > n / 10 && i % 100 == 0)
                        assert_int_equal(count_fds(), before);
        }
        assert_int_equal(count_fds(), before);
        assert_true(resident() < memory + RSS_GROWTH_MAX);
        sd_event_unref(event);
}

static void test_random(void **state) {
        (void)state;
        attack_often(N_RANDOM, UINT64_C(0x5eed1), attack_random);
}

static void test_structured(void **state) {
        (void)state;
        attack_often(N_STRUCTURED, UINT64_C(0x5eed2), attack_structured);
}

/* As many as the socket holds, at each time of the conversation: one event is one message, and the first one too many
 * ends it. */
static void test_flood(void **state) {
        sd_event *event = new_event();
        struct victim v;

        (void)state;
        for (unsigned before = 0; before <= 2; before++) {
                union wire_message message;
                unsigned sent = 0;

                start(event, &v);
                attack_good(WIRE_HELLO, 0, &message);
                for (unsigned i = 0; i < before; i++)
                        say(&v, i == 0 ? WIRE_HELLO : WIRE_READY);
                while (attack_send(v.theirs, &message, message.header.size, NULL, 0) == 0)
                        sent++;
                assert_true(sent > 2);
                run_until(event, &v, false);
                assert_int_equal(v.error, -EPROTO);
                assert_int_equal(v.hellos, 2);
                finish(event, &v);
        }
        sd_event_unref(event);
}

/* A worker that has closed its end gets a moment to end. Whoever doesn't is reported once. */
static void test_closed_ends(void **state) {
        static const int how[] = { SHUT_WR, SHUT_RDWR, -1 };
        struct victim v[ELEMENTSOF(how)], deaf;
        uint64_t begin = clock_usec(CLOCK_MONOTONIC);
        sd_event *event = new_event();
        union wire_message message;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(how); i++) {
                start(event, &v[i]);
                say(&v[i], WIRE_HELLO);
                if (how[i] < 0)
                        v[i].theirs = safe_close(v[i].theirs);
                else
                        assert_int_equal(shutdown(v[i].theirs, how[i]), 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(how); i++) {
                run_until(event, &v[i], false);
                assert_int_equal(v[i].error, -ECONNRESET);
                assert_int_equal(v[i].hellos, 1);
        }
        assert_true(clock_usec(CLOCK_MONOTONIC) - begin >= 4 * USEC_PER_SEC);
        for (size_t i = 0; i < ELEMENTSOF(how); i++) {
                finish(event, &v[i]);
                assert_int_equal(v[i].lost, 1);
        }

        /* It can't be told anything, and the manager hears that at once. */
        start(event, &deaf);
        assert_int_equal(shutdown(deaf.theirs, SHUT_RD), 0);
        attack_good(WIRE_CONFIG, 0, &message);
        assert_int_equal(worker_send(deaf.worker, &message, &(int){ 0 }, 1), -EPIPE);
        finish(event, &deaf);
        assert_int_equal(deaf.lost, 0);
        sd_event_unref(event);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_random),
                cmocka_unit_test(test_structured),
                cmocka_unit_test(test_flood),
                cmocka_unit_test(test_closed_ends),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
