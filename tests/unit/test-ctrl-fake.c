/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel for tests is itself tested, because what it gets wrong the tests of the manager get wrong too:
 * ids, states, one opening at a time, the death of a worker, and scripted failures.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/ublk/ctrl-fake.h"

#define LONG (60 * USEC_PER_SEC)

struct answer {
        unsigned calls;
        int result;
        union ublk_payload payload;
};

static sd_event *event;
static struct ublk_ctrl *ctrl;

static void begin(const char *failures) {
        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(ublk_ctrl_fake_new(event, failures, &ctrl), 0);
}

static void end(void) {
        ctrl = ublk_ctrl_free(ctrl);
        event = sd_event_unref(event);
}

static void on_done(void *userdata, int result, const union ublk_payload *payload) {
        struct answer *a = userdata;

        a->calls++;
        a->result = result;
        a->payload = *payload;
}

static struct ublk_request *submit(uint32_t op, uint32_t id, uint64_t timeout, struct answer *a) {
        struct ublk_command command = { .op = op, .id = id };
        struct ublk_request *request = NULL;

        *a = (struct answer){ .result = 1 };
        if (op == UBLK_CMD_ADD_DEV)
                command.payload.info = (struct ublk_dev_info){
                        .dev_id = id, .nr_hw_queues = 64, .queue_depth = 7, .ublksrv_flags = 42
                };
        assert_int_equal(ublk_ctrl_submit(ctrl, &command, timeout, on_done, a, &request), 0);
        assert_int_equal(a->calls, 0); /* never from within */
        return request;
}

static int run(uint32_t op, uint32_t id, struct answer *a) {
        struct answer here;

        a = a ? a : &here;
        (void)submit(op, id, LONG, a);
        while (a->calls == 0)
                assert_true(sd_event_run(event, LONG) > 0);
        assert_int_equal(a->calls, 1);
        return a->result;
}

static size_t count(void) {
        _cleanup_free_ uint32_t *ids = NULL;
        size_t n;

        assert_int_equal(ublk_ctrl_list(ctrl, &ids, &n), 0);
        return n;
}

static void test_life(void **state) {
        struct answer a;
        char c;
        int fd;

        (void)state;
        begin(NULL);
        assert_int_equal(run(UBLK_CMD_GET_FEATURES, 0, &a), 0);
        assert_true(FLAGS_SET(a.payload.features, UBLK_F_CMD_IOCTL_ENCODE | UBLK_F_USER_COPY));

        assert_int_equal(run(UBLK_CMD_ADD_DEV, UBLK_ID_ANY, &a), 0);
        assert_int_equal(a.payload.info.dev_id, 0);
        assert_int_equal(a.payload.info.nr_hw_queues, 2); /* no more than processors */
        assert_int_equal(a.payload.info.queue_depth, 7);
        assert_int_equal(run(UBLK_CMD_GET_DEV_INFO, 0, &a), 0);
        assert_int_equal(a.payload.info.ublksrv_flags, 42);
        assert_int_equal(a.payload.info.state, UBLK_STATE_DEAD);

        assert_int_equal(run(UBLK_CMD_START_DEV, 0, NULL), -EINVAL); /* no parameters */
        assert_int_equal(run(UBLK_CMD_SET_PARAMS, 0, NULL), 0);
        assert_int_equal(run(UBLK_CMD_START_DEV, 0, NULL), -EINTR); /* no worker */
        fd = ublk_ctrl_open_device(ctrl, 0);
        assert_true(fd >= 0);
        assert_int_equal(ublk_ctrl_open_device(ctrl, 0), -EBUSY);
        assert_int_equal(run(UBLK_CMD_START_DEV, 0, NULL), 0);
        assert_int_equal(run(UBLK_CMD_GET_DEV_INFO, 0, &a), 0);
        assert_int_equal(a.payload.info.state, UBLK_STATE_LIVE);

        assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
        assert_int_equal(run(UBLK_CMD_STOP_DEV, 0, NULL), 0);
        assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), 0); /* the worker notices */
        close(fd);
        assert_int_equal(count(), 1);
        assert_int_equal(run(UBLK_CMD_DEL_DEV, 0, NULL), 0);
        assert_int_equal(count(), 0);
        end();
}

static void test_worker_death(void **state) {
        int fd;

        (void)state;
        begin(NULL);
        assert_int_equal(run(UBLK_CMD_ADD_DEV, 5, NULL), 0);
        assert_int_equal(run(UBLK_CMD_SET_PARAMS, 5, NULL), 0);
        fd = ublk_ctrl_open_device(ctrl, 5);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(run(UBLK_CMD_START_DEV, 5, NULL), -EINTR);
        /* It may be opened again then. */
        fd = ublk_ctrl_open_device(ctrl, 5);
        assert_true(fd >= 0);
        close(fd);
        end();
}

static void test_ids(void **state) {
        struct answer a;

        (void)state;
        begin(NULL);
        for (uint32_t i = 0; i < 3; i++) {
                assert_int_equal(run(UBLK_CMD_ADD_DEV, UBLK_ID_ANY, &a), 0);
                assert_int_equal(a.payload.info.dev_id, i);
        }
        assert_int_equal(run(UBLK_CMD_ADD_DEV, 1, NULL), -EEXIST);
        assert_int_equal(run(UBLK_CMD_DEL_DEV, 1, NULL), 0);
        assert_int_equal(run(UBLK_CMD_ADD_DEV, UBLK_ID_ANY, &a), 0);
        assert_int_equal(a.payload.info.dev_id, 1);
        assert_int_equal(run(UBLK_CMD_DEL_DEV, 9, NULL), -ENODEV);
        assert_int_equal(run(UBLK_CMD_STOP_DEV, 9, NULL), -ENODEV);
        assert_int_equal(ublk_ctrl_open_device(ctrl, 9), -ENOENT);
        assert_int_equal(run(UBLK_CMD_QUIESCE_DEV, 0, NULL), -EOPNOTSUPP);
        end();
}

static void test_failures(void **state) {
        (void)state;
        begin("add-dev:28*2,del-dev:16,add-dev:1*1");
        assert_int_equal(run(UBLK_CMD_ADD_DEV, 0, NULL), -ENOSPC);
        assert_int_equal(run(UBLK_CMD_ADD_DEV, 0, NULL), -ENOSPC);
        assert_int_equal(run(UBLK_CMD_ADD_DEV, 0, NULL), -EPERM);
        assert_int_equal(count(), 0);
        assert_int_equal(run(UBLK_CMD_ADD_DEV, 0, NULL), 0);
        for (int i = 0; i < 3; i++)
                assert_int_equal(run(UBLK_CMD_DEL_DEV, 0, NULL), -EBUSY);
        assert_int_equal(count(), 1);
        end();
}

static void test_hang(void **state) {
        struct answer hanging, other;
        uint64_t before = clock_usec(CLOCK_MONOTONIC);

        (void)state;
        begin("add-dev:hang*1");
        (void)submit(UBLK_CMD_ADD_DEV, 0, 20 * USEC_PER_MSEC, &hanging);
        assert_int_equal(run(UBLK_CMD_GET_FEATURES, 0, &other), 0);
        while (hanging.calls == 0)
                assert_true(sd_event_run(event, LONG) > 0);
        assert_int_equal(hanging.result, -ETIMEDOUT);
        assert_true(clock_usec(CLOCK_MONOTONIC) - before >= 20 * USEC_PER_MSEC);
        assert_int_equal(count(), 0);
        assert_int_equal(run(UBLK_CMD_ADD_DEV, 0, NULL), 0);
        end();
}

static void test_forget(void **state) {
        struct answer a;

        (void)state;
        begin("del-dev:hang");
        ublk_ctrl_forget(ctrl, NULL);
        ublk_ctrl_forget(ctrl, submit(UBLK_CMD_ADD_DEV, 0, LONG, &a));
        assert_int_equal(sd_event_run(event, 0), 0);
        ublk_ctrl_forget(ctrl, submit(UBLK_CMD_DEL_DEV, 0, USEC_PER_MSEC, &a));
        assert_int_equal(sd_event_run(event, 10 * USEC_PER_MSEC), 0);
        assert_int_equal(a.calls, 0);
        /* Requests that are under way go with it. */
        (void)submit(UBLK_CMD_DEL_DEV, 0, LONG, &a);
        (void)submit(UBLK_CMD_ADD_DEV, 0, LONG, &a);
        end();
        assert_int_equal(a.calls, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_life), cmocka_unit_test(test_worker_death),
                cmocka_unit_test(test_ids),  cmocka_unit_test(test_failures),
                cmocka_unit_test(test_hang), cmocka_unit_test(test_forget),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
