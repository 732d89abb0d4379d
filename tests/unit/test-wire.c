/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages between manager and worker: that every rule of wire_check() is one, and that nothing which
 * arrives in a strange shape is taken, or leaves an fd behind.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/macro.h"
#include "lib/wire/channel.h"
#include "tests/unit/process-harness.h"

static union wire_message good(enum wire_type type) {
        union wire_message m;

        wire_init(&m, type);
        switch (type) {
        case WIRE_CONFIG:
                strcpy(m.config.name, "disk");
                strcpy(m.config.target, "loop");
                m.config.logical_block_size = 512;
                m.config.physical_block_size = 4096;
                m.config.max_io_bytes = 524288;
                m.config.queues = 1;
                m.config.queue_depth = 128;
                m.config.fds[0] = WIRE_FD_DEVICE;
                m.config.fds[1] = WIRE_FD_BACKING;
                break;
        case WIRE_READY:
                m.ready.geometry.size_bytes = 1 << 20;
                m.ready.geometry.logical_block_size = 512;
                m.ready.geometry.physical_block_size = 4096;
                break;
        case WIRE_FAILED:
                m.failed.error = -EIO;
                break;
        default:
                break;
        }
        return m;
}

static int check(const union wire_message *m) {
        return wire_check(m, m->header.size, m->header.type == WIRE_CONFIG ? 2 : 0);
}

static void test_good(void **state) {
        (void)state;
        for (enum wire_type type = WIRE_HELLO; type < _WIRE_TYPE_MAX; type++) {
                union wire_message m = good(type);

                assert_int_equal(check(&m), 0);
        }
}

/* A good message of `type` with one thing changed must be refused. */
#define REFUSED(type, change)                          \
        do {                                           \
                union wire_message m = good(type);     \
                change;                                \
                assert_int_equal(check(&m), -EBADMSG); \
        } while (0)
#define ACCEPTED(type, change)                     \
        do {                                       \
                union wire_message m = good(type); \
                change;                            \
                assert_int_equal(check(&m), 0);    \
        } while (0)

static void test_header(void **state) {
        union wire_message hello = good(WIRE_HELLO);

        (void)state;
        for (enum wire_type type = WIRE_HELLO; type < _WIRE_TYPE_MAX; type++) {
                REFUSED(type, m.header.magic ^= 1);
                REFUSED(type, m.header.type = 0);
                REFUSED(type, m.header.type = _WIRE_TYPE_MAX);
                REFUSED(type, m.header.type = UINT16_MAX);
                REFUSED(type, m.header.size++);
                REFUSED(type, m.header.size--);
        }
        for (size_t size = 0; size < 300; size++)
                assert_int_equal(wire_check(&hello, size, 0),
                                 size == sizeof(hello.hello) ? 0 : -EBADMSG);
        /* fds that no message of this type has */
        assert_int_equal(wire_check(&hello, sizeof(hello.hello), 1), -EBADMSG);

        hello.hello.version++;
        assert_int_equal(check(&hello), -EPROTONOSUPPORT);
        assert_int_equal(wire_size(0), 0);
        assert_int_equal(wire_size(_WIRE_TYPE_MAX), 0);
}

static void test_config(void **state) {
        union wire_message fds = good(WIRE_CONFIG);

        (void)state;
        REFUSED(WIRE_CONFIG, memset(m.config.name, 'a', sizeof(m.config.name)));
        REFUSED(WIRE_CONFIG, memset(m.config.target, 'a', sizeof(m.config.target)));
        REFUSED(WIRE_CONFIG, m.config.name[1] = '\n');
        REFUSED(WIRE_CONFIG, m.config.target[0] = 0x7f);
        REFUSED(WIRE_CONFIG, m.config.logical_block_size = 0);
        REFUSED(WIRE_CONFIG, m.config.logical_block_size = 256);
        REFUSED(WIRE_CONFIG, m.config.logical_block_size = 1536);
        REFUSED(WIRE_CONFIG, m.config.logical_block_size = 8192); /* over the physical one */
        REFUSED(WIRE_CONFIG, m.config.physical_block_size = 4097);
        REFUSED(WIRE_CONFIG, m.config.physical_block_size = 1U << 29);
        REFUSED(WIRE_CONFIG, m.config.max_io_bytes = 0);
        REFUSED(WIRE_CONFIG, m.config.max_io_bytes = 4097);
        REFUSED(WIRE_CONFIG, m.config.max_io_bytes = WIRE_IO_BYTES_MAX + 4096);
        ACCEPTED(WIRE_CONFIG, m.config.max_io_bytes = WIRE_IO_BYTES_MAX);
        REFUSED(WIRE_CONFIG, m.config.queues = 0);
        REFUSED(WIRE_CONFIG, m.config.queues = 4097);
        REFUSED(WIRE_CONFIG, m.config.queue_depth = 0);
        REFUSED(WIRE_CONFIG, m.config.queue_depth = 4097);
        REFUSED(WIRE_CONFIG, m.config.read_only = 2);
        REFUSED(WIRE_CONFIG, m.config.size_bytes = UINT64_MAX);
        REFUSED(WIRE_CONFIG, m.config.offset_bytes = UINT64_C(1) << 63);
        REFUSED(WIRE_CONFIG, m.config.backing.size_bytes = UINT64_C(1) << 63);
        REFUSED(WIRE_CONFIG, m.config.backing.is_block_device = 2);
        REFUSED(WIRE_CONFIG, m.config.backing.rotational = UINT32_MAX);
        REFUSED(WIRE_CONFIG, m.config.backing.logical_block_size = 3);
        REFUSED(WIRE_CONFIG, m.config.backing.discard_granularity = 511);
        ACCEPTED(WIRE_CONFIG, m.config.backing.logical_block_size = 1);

        REFUSED(WIRE_CONFIG, m.config.fds[0] = WIRE_FD_BACKING);
        REFUSED(WIRE_CONFIG, m.config.fds[0] = WIRE_FD_NONE);
        REFUSED(WIRE_CONFIG, m.config.fds[1] = WIRE_FD_DEVICE);
        REFUSED(WIRE_CONFIG, m.config.fds[1] = WIRE_FD_BACKING + 1);
        REFUSED(WIRE_CONFIG, m.config.fds[3] = WIRE_FD_BACKING); /* a gap */
        REFUSED(WIRE_CONFIG, m.config.fds[2] = WIRE_FD_BACKING); /* one more than came */
        for (size_t n = 0; n <= WIRE_FDS_MAX; n++)
                assert_int_equal(wire_check(&fds, fds.header.size, n), n == 2 ? 0 : -EBADMSG);
}

static void test_ready(void **state) {
        (void)state;
        REFUSED(WIRE_READY, m.ready.geometry.size_bytes = 0);
        REFUSED(WIRE_READY, m.ready.geometry.size_bytes = UINT64_C(1) << 63);
        REFUSED(WIRE_READY, m.ready.geometry.size_bytes = 1000);
        REFUSED(WIRE_READY, m.ready.geometry.logical_block_size = 0);
        REFUSED(WIRE_READY, m.ready.geometry.logical_block_size = 513);
        REFUSED(WIRE_READY, m.ready.geometry.physical_block_size = 256);
        REFUSED(WIRE_READY, m.ready.geometry.io_min_bytes = 256);
        REFUSED(WIRE_READY, m.ready.geometry.io_opt_bytes = 5000);
        REFUSED(WIRE_READY, m.ready.geometry.max_discard_bytes = 4096); /* no granularity */
        REFUSED(WIRE_READY, m.ready.geometry.discard_granularity = 100);
        REFUSED(WIRE_READY, m.ready.geometry.discard_granularity = 512;
                m.ready.geometry.max_discard_bytes = 100);
        REFUSED(WIRE_READY, m.ready.geometry.max_write_zeroes_bytes = 1);
        REFUSED(WIRE_READY, m.ready.geometry.volatile_cache = 2);
        REFUSED(WIRE_READY, m.ready.geometry.fua = 1); /* of no cache */
        REFUSED(WIRE_READY, m.ready.geometry.volatile_cache = 1; m.ready.geometry.fua = 2);
        REFUSED(WIRE_READY, m.ready.geometry.rotational = 2);
        REFUSED(WIRE_READY, m.ready.geometry.reserved[0] = 1);
        REFUSED(WIRE_READY, m.ready.geometry.reserved[1] = 1);
        ACCEPTED(WIRE_READY, m.ready.geometry.volatile_cache = 1; m.ready.geometry.fua = 1);
}

static void test_failed(void **state) {
        (void)state;
        REFUSED(WIRE_FAILED, m.failed.error = 0);
        REFUSED(WIRE_FAILED, m.failed.error = 5);
        REFUSED(WIRE_FAILED, m.failed.error = -4096);
        REFUSED(WIRE_FAILED, m.failed.error = INT32_MIN);
        REFUSED(WIRE_FAILED, memset(m.failed.step, 'a', sizeof(m.failed.step)));
        REFUSED(WIRE_FAILED, memset(m.failed.text, 'a', sizeof(m.failed.text)));
        REFUSED(WIRE_FAILED, m.failed.text[0] = '\x1b');
        REFUSED(WIRE_FAILED, strcpy(m.failed.text, "no UTF-8: \xff\xfe"));
        ACCEPTED(WIRE_FAILED, strcpy(m.failed.text, "disk is full"));
}

static void make_pair(int ret[2]) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret),
                         0);
}

static void test_transfer(void **state) {
        int pair[2], sent[2], received[WIRE_FDS_MAX];
        unsigned before = count_fds();
        union wire_message m, got;
        struct stat a, b;

        (void)state;
        make_pair(pair);
        assert_int_equal(wire_receive(pair[1], &got, received), -EAGAIN);

        for (enum wire_type type = WIRE_HELLO; type < _WIRE_TYPE_MAX; type++) {
                if (type == WIRE_CONFIG)
                        continue;
                m = good(type);
                assert_int_equal(wire_send(pair[0], &m, NULL, 0), 0);
                assert_int_equal(wire_receive(pair[1], &got, received), 1);
                assert_memory_equal(&m, &got, m.header.size);
                assert_int_equal(received[0], -EBADF);
        }

        sent[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        sent[1] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        m = good(WIRE_CONFIG);
        assert_int_equal(wire_send(pair[0], &m, sent, 2), 0);
        assert_int_equal(wire_receive(pair[1], &got, received), 1);
        assert_memory_equal(&m, &got, m.header.size);
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(fstat(sent[i], &a), 0);
                assert_int_equal(fstat(received[i], &b), 0);
                assert_int_equal(a.st_rdev, b.st_rdev);
                assert_int_equal(fcntl(received[i], F_GETFD), FD_CLOEXEC);
                safe_close(sent[i]);
                safe_close(received[i]);
        }
        assert_int_equal(received[2], -EBADF);

        pair[0] = safe_close(pair[0]);
        assert_int_equal(wire_receive(pair[1], &got, received), 0);
        assert_int_equal(wire_send(pair[1], &m, NULL, 0), -EPIPE);
        safe_close(pair[1]);
        assert_int_equal(count_fds(), before);
}

/* What a peer of bad will can do without our functions. */
static void send_raw(int socket, const void *data, size_t size, size_t n_fds) {
        union {
                struct cmsghdr alignment;
                char bytes[CMSG_SPACE(64 * sizeof(int))];
        } control = { 0 };
        struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
        struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (n_fds > 0) {
                mh.msg_control = control.bytes;
                mh.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                for (size_t i = 0; i < n_fds; i++)
                        memcpy(CMSG_DATA(c) + i * sizeof(int), &(int){ STDERR_FILENO },
                               sizeof(int));
        }
        assert_int_equal(sendmsg(socket, &mh, MSG_NOSIGNAL), size);
}

static void test_bad_shapes(void **state) {
        static const struct {
                enum wire_type type;
                size_t more; /* bytes than the message has */
                size_t n_fds;
        } cases[] = {
                { WIRE_HELLO, (size_t)-1, 0 },  { WIRE_HELLO, (size_t)-9, 0 },
                { WIRE_HELLO, 1, 0 },           { WIRE_HELLO, 0, 1 },
                { WIRE_HELLO, 5000, 0 },        { WIRE_CONFIG, 0, 0 },
                { WIRE_CONFIG, 0, 1 },          { WIRE_CONFIG, 0, 3 },
                { WIRE_CONFIG, 0, 4 },          { WIRE_CONFIG, 0, 5 },
                { WIRE_CONFIG, 0, 64 },         { WIRE_CONFIG, 5000, 2 },
                { WIRE_CONFIG, (size_t)-1, 2 }, { WIRE_READY, 0, 2 },
        };
        unsigned before = count_fds();
        int pair[2], received[WIRE_FDS_MAX];
        static char bytes[8192];
        union wire_message got;

        (void)state;
        make_pair(pair);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                union wire_message m = good(cases[i].type);

                memset(bytes, 0, sizeof(bytes));
                memcpy(bytes, &m, sizeof(m));
                send_raw(pair[0], bytes, m.header.size + cases[i].more, cases[i].n_fds);
                assert_int_equal(wire_receive(pair[1], &got, received), -EBADMSG);
                for (size_t k = 0; k < WIRE_FDS_MAX; k++)
                        assert_int_equal(received[k], -EBADF);
                assert_int_equal(count_fds(), before + 2);
        }

        /* An empty datagram is not the end of the connection, whatever recvmsg() returns for it. */
        send_raw(pair[0], bytes, 0, 1);
        assert_int_equal(wire_receive(pair[1], &got, received), -EBADMSG);
        assert_int_equal(count_fds(), before + 2);
        safe_close(pair[0]);
        safe_close(pair[1]);
        assert_int_equal(count_fds(), before);
}

/* The manager takes no fds: merely to close one can take for ever (of a file system whose server is the peer, of a
 * socket that lingers), so it must never have them. */
static void test_no_fds_taken(void **state) {
        unsigned before = count_fds();
        union wire_message m, got;
        int pair[2];

        (void)state;
        make_pair(pair);
        for (enum wire_type type = WIRE_HELLO; type < _WIRE_TYPE_MAX; type++)
                for (size_t n = 1; n <= 64; n *= 4) {
                        m = good(type);
                        send_raw(pair[0], &m, m.header.size, n);
                        assert_int_equal(wire_receive(pair[1], &got, NULL), -EBADMSG);
                        send_raw(pair[0], &m, 0, n);
                        assert_int_equal(wire_receive(pair[1], &got, NULL), -EBADMSG);
                        assert_int_equal(count_fds(), before + 2);
                }
        m = good(WIRE_HELLO);
        assert_int_equal(wire_send(pair[0], &m, NULL, 0), 0);
        assert_int_equal(wire_receive(pair[1], &got, NULL), 1);
        m = good(WIRE_CONFIG);
        assert_int_equal(wire_send(pair[0], &m, NULL, 0), 0);
        assert_int_equal(wire_receive(pair[1], &got, NULL), -EBADMSG);
        assert_int_equal(wire_receive(pair[1], &got, NULL), -EAGAIN);

        /* Where the kernel can, they are refused to who sends them. */
        m = good(WIRE_CONFIG);
        wire_refuse_fds(pair[1]);
        if (wire_send(pair[0], &m, (int[]){ 0, 1 }, 2) < 0)
                assert_int_equal(wire_receive(pair[1], &got, NULL), -EAGAIN);
        else
                assert_int_equal(wire_receive(pair[1], &got, NULL), -EBADMSG);
        safe_close(pair[0]);
        safe_close(pair[1]);
        assert_int_equal(count_fds(), before);
}

static void test_peer_does_not_read(void **state) {
        union wire_message m = good(WIRE_FAILED);
        int pair[2], r;

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        do
                r = wire_send(pair[0], &m, NULL, 0);
        while (r == 0);
        assert_int_equal(r, -EAGAIN);
        safe_close(pair[0]);
        safe_close(pair[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_header),
                cmocka_unit_test(test_config),
                cmocka_unit_test(test_ready),
                cmocka_unit_test(test_failed),
                cmocka_unit_test(test_transfer),
                cmocka_unit_test(test_bad_shapes),
                cmocka_unit_test(test_no_fds_taken),
                cmocka_unit_test(test_peer_does_not_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
