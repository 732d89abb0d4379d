/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ring in the event loop, with the io_uring of this machine's kernel: what completes, what never ends, what
 * is forgotten, and what is under way when the ring goes. Sanitizers see what would be written to after its end.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/ublk/ring.h"
#include "tests/unit/process-harness.h"

#define LONG (60 * USEC_PER_SEC)

struct result {
        unsigned calls;
        int result;
        void *payload;
};

static sd_event *event;
static struct ring *ring;
static int empty[2]; /* a pipe that nobody writes to */

static int setup(void **state) {
        int r;

        (void)state;
        if (sd_event_new(&event) < 0 || pipe2(empty, O_CLOEXEC) < 0)
                return -1;
        r = ring_new(event, &ring);
        if (r == -EPERM || r == -ENOSYS) {
                print_message("io_uring is switched off here\n");
                _exit(77);
        }
        return r;
}

static int teardown(void **state) {
        (void)state;
        ring = ring_free(ring);
        event = sd_event_unref(event);
        safe_close(empty[0]);
        safe_close(empty[1]);
        return 0;
}

static void on_done(void *userdata, int result, void *payload) {
        struct result *r = userdata;

        r->calls++;
        r->result = result;
        r->payload = payload;
}

/* Runs the loop until `calls` results are there. */
static void wait_for(const struct result *r, unsigned calls) {
        uint64_t end = clock_usec(CLOCK_MONOTONIC) + LONG;

        while (r->calls < calls) {
                assert_true(clock_usec(CLOCK_MONOTONIC) < end);
                assert_true(sd_event_run(event, LONG) >= 0);
        }
}

static int start_read(char *payload, uint64_t timeout, struct result *r, struct ring_op **ret) {
        union ring_sqe sqe = { 0 };

        assert_non_null(payload);
        io_uring_prep_read(&sqe.sqe, empty[0], payload, 1, 0);
        return ring_start(ring, &sqe, payload, NULL, timeout, on_done, r, ret);
}

static int start_open(const char *path, struct result *r, struct ring_op **ret) {
        union ring_sqe sqe = { 0 };
        char *payload = strdup(path);

        assert_non_null(payload);
        io_uring_prep_openat(&sqe.sqe, AT_FDCWD, payload, O_RDONLY | O_CLOEXEC, 0);
        sqe.sqe.flags |= IOSQE_ASYNC;
        return ring_start(ring, &sqe, payload, ring_late_close, LONG, on_done, r, ret);
}

static void test_completion(void **state) {
        struct result r = { 0 };
        char *payload = malloc(1);

        (void)state;
        assert_int_equal(write(empty[1], "x", 1), 1);
        assert_int_equal(start_read(payload, LONG, &r, NULL), 0);
        assert_int_equal(r.calls, 0); /* never from within */
        wait_for(&r, 1);
        assert_int_equal(r.result, 1);
        assert_ptr_equal(r.payload, payload);
        assert_int_equal(sd_event_run(event, 0), 0);
        assert_int_equal(r.calls, 1);
}

static void test_error(void **state) {
        struct result r = { 0 };

        (void)state;
        assert_int_equal(start_open("/nonexistent/file", &r, NULL), 0);
        wait_for(&r, 1);
        assert_int_equal(r.result, -ENOENT);
}

static void test_fd(void **state) {
        struct result r = { 0 };

        (void)state;
        assert_int_equal(start_open("/dev/null", &r, NULL), 0);
        wait_for(&r, 1);
        assert_true(r.result >= 0);
        assert_true(fcntl(r.result, F_GETFD) & FD_CLOEXEC);
        close(r.result);
}

static void test_timeout(void **state) {
        struct result r = { 0 };
        uint64_t before = clock_usec(CLOCK_MONOTONIC);

        (void)state;
        assert_int_equal(start_read(malloc(1), 20 * USEC_PER_MSEC, &r, NULL), 0);
        wait_for(&r, 1);
        assert_int_equal(r.result, -ETIMEDOUT);
        assert_true(clock_usec(CLOCK_MONOTONIC) - before >= 20 * USEC_PER_MSEC);
        /* It really was cancelled: what comes now stays in the pipe. */
        assert_int_equal(write(empty[1], "x", 1), 1);
        assert_int_equal(sd_event_run(event, 0), 0);
        assert_int_equal(poll(&(struct pollfd){ .fd = empty[0], .events = POLLIN }, 1, 0), 1);
}

/* What the kernel can't be moved to give up (a FIFO that waits for its other end, in a kernel thread that gets
 * no signal until it is cancelled) still answers, at the latest after the grace. */
static void test_timeout_in_kernel_thread(void **state) {
        char folder[] = "/tmp/test-ring-XXXXXX", path[64];
        struct result r = { 0 };
        union ring_sqe sqe = { 0 };
        char *payload;

        (void)state;
        assert_non_null(mkdtemp(folder));
        (void)snprintf(path, sizeof(path), "%s/fifo", folder);
        assert_int_equal(mkfifo(path, 0600), 0);
        payload = strdup(path);
        assert_non_null(payload);
        io_uring_prep_openat(&sqe.sqe, AT_FDCWD, payload, O_RDONLY | O_CLOEXEC, 0);
        sqe.sqe.flags |= IOSQE_ASYNC;
        assert_int_equal(ring_start(ring, &sqe, payload, ring_late_close, 20 * USEC_PER_MSEC,
                                    on_done, &r, NULL),
                         0);
        wait_for(&r, 1);
        assert_int_equal(r.result, -ETIMEDOUT);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(folder), 0);
}

static void test_forget(void **state) {
        struct result forgotten = { 0 }, other = { 0 };
        struct ring_op *op;

        (void)state;
        assert_null(ring_forget(NULL));
        assert_int_equal(start_read(malloc(1), LONG, &forgotten, &op), 0);
        assert_null(ring_forget(op));
        assert_int_equal(start_open("/dev/null", &other, NULL), 0);
        wait_for(&other, 1);
        close(other.result);
        while (sd_event_run(event, 20 * USEC_PER_MSEC) > 0)
                ;
        assert_int_equal(forgotten.calls, 0);
}

/* Forgotten after the kernel has opened the file, before anybody was told: whichever came first, no fd stays. */
static void test_forgotten_fd_is_closed(void **state) {
        struct result r = { 0 }, last = { 0 };
        int before = count_fds();
        struct ring_op *op;

        (void)state;
        for (int i = 0; i < 50; i++) {
                assert_int_equal(start_open("/dev/null", &r, &op), 0);
                if (i % 2)
                        (void)usleep(200);
                assert_null(ring_forget(op));
        }
        assert_int_equal(start_open("/dev/null", &last, NULL), 0);
        wait_for(&last, 1);
        close(last.result);
        while (sd_event_run(event, 50 * USEC_PER_MSEC) > 0)
                ;
        assert_int_equal(r.calls, 0);
        /* One more than before: the loop's timer. */
        assert_in_range(count_fds(), before, before + 1);
}

static void test_free_with_operations_under_way(void **state) {
        struct result r = { 0 };
        int before = count_fds();

        (void)state;
        for (int i = 0; i < 20; i++) {
                assert_int_equal(start_read(malloc(1), LONG, &r, NULL), 0);
                assert_int_equal(start_open("/dev/null", &r, NULL), 0);
        }
        ring = ring_free(ring);
        assert_int_equal(r.calls, 0);
        /* The ring and its eventfd are gone, a timer of the loop may be there. */
        assert_in_range(count_fds(), before - 2, before - 1);
        assert_null(ring_free(NULL));
}

/* More than the ring has entries, completed at once and in one go. */
static void test_many(void **state) {
        enum { MANY = 3000 };
        struct result r = { 0 };

        (void)state;
        for (int i = 0; i < MANY; i++) {
                union ring_sqe sqe = { 0 };

                io_uring_prep_nop(&sqe.sqe);
                assert_int_equal(ring_start(ring, &sqe, malloc(8), NULL, LONG, on_done, &r, NULL),
                                 0);
        }
        wait_for(&r, MANY);
        assert_int_equal(r.calls, MANY);
        assert_int_equal(r.result, 0);
}

/* And as many that never end, all cancelled by their deadlines. */
static void test_many_hang(void **state) {
        enum { MANY = 1000 };
        struct result r = { 0 };

        (void)state;
        for (int i = 0; i < MANY; i++)
                assert_int_equal(start_read(malloc(1), USEC_PER_MSEC, &r, NULL), 0);
        wait_for(&r, MANY);
        assert_int_equal(r.calls, MANY);
        assert_int_equal(r.result, -ETIMEDOUT);
}

static struct ring_op *starter;

static void on_first(void *userdata, _unused_ int result, _unused_ void *payload) {
        /* From within a completion, as every next step of an attach does. */
        assert_int_equal(start_open("/nonexistent", userdata, &starter), 0);
}

static void test_start_from_done(void **state) {
        struct result r = { 0 };
        union ring_sqe sqe = { 0 };

        (void)state;
        io_uring_prep_nop(&sqe.sqe);
        assert_int_equal(ring_start(ring, &sqe, NULL, NULL, LONG, on_first, &r, NULL), 0);
        wait_for(&r, 1);
        assert_int_equal(r.result, -ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_completion),
                TEST(test_error),
                TEST(test_fd),
                TEST(test_timeout),
                TEST(test_timeout_in_kernel_thread),
                TEST(test_forget),
                TEST(test_forgotten_fd_is_closed),
                TEST(test_free_with_operations_under_way),
                TEST(test_many),
                TEST(test_many_hang),
                TEST(test_start_from_done),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
