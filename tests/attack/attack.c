/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages and fds that nobody should send. */

#include "tests/attack/attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/wire/channel.h"

uint64_t attack_next(uint64_t *state) {
        uint64_t x = *state ? *state : 1;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        return *state = x;
}

void attack_good(enum wire_type type, uint64_t size_bytes, union wire_message *ret) {
        wire_init(ret, type);
        switch (type) {
        case WIRE_HELLO:
                ret->hello.pid = getpid();
                break;
        case WIRE_CONFIG:
                (void)strcpy(ret->config.name, "disk");
                (void)strcpy(ret->config.target, "loop");
                ret->config.logical_block_size = 512;
                ret->config.physical_block_size = 4096;
                ret->config.max_io_bytes = 524288;
                ret->config.queues = 1;
                ret->config.queue_depth = 128;
                ret->config.fds[0] = WIRE_FD_DEVICE;
                break;
        case WIRE_READY:
                ret->ready.geometry.size_bytes = size_bytes;
                ret->ready.geometry.logical_block_size = 512;
                ret->ready.geometry.physical_block_size = 4096;
                break;
        default:
                ret->failed.error = -ENOSPC;
                (void)strcpy(ret->failed.step, "open-target");
                (void)strcpy(ret->failed.text, "made up by a test");
        }
}

size_t attack_random(uint64_t *state, void *data) {
        uint64_t x = attack_next(state);
        size_t size = x % 8 == 0 ? (x >> 8) % (ATTACK_SIZE_MAX + 1) : (x >> 8) % 256;
        uint8_t *bytes = data;

        for (size_t i = 0; i < size; i++)
                bytes[i] = (uint8_t)attack_next(state);
        /* Random bytes alone would never come past the magic number. */
        if (size >= sizeof(struct wire_header) && (x >> 40) % 2 == 0) {
                unsigned type = (unsigned)(x >> 48) % (_WIRE_TYPE_MAX + 1);
                const struct wire_header header = {
                        .magic = WIRE_MAGIC,
                        .type = (uint16_t)type,
                        .size = (uint16_t)(x % 3 ? size : wire_size(type)),
                };
                if (x % 5 && wire_size(type) != 0)
                        size = wire_size(type);
                memcpy(bytes, &header, sizeof(header));
        }
        return size;
}

size_t attack_structured(uint64_t *state, void *data) {
        static const uint64_t values[] = {
                0,          1,
                2,          511,
                512,        4095,
                4096,       1U << 28,
                1U << 29,   INT32_MAX,
                1U << 31,   UINT32_MAX,
                INT64_MAX,  UINT64_C(1) << 63,
                UINT64_MAX, 0x1b1b1b1b,
                0x25732573, 0x0a0a0a0a,
        };
        uint64_t x = attack_next(state);
        union wire_message message;
        uint64_t value = values[(x >> 8) % ELEMENTSOF(values)];
        size_t size, at, width = (x >> 16) % 2 ? 8 : 4;

        attack_good(WIRE_HELLO + (x >> 20) % (_WIRE_TYPE_MAX - 1), 1 << 20, &message);
        size = message.header.size;
        at = (x >> 24) % (size / 4) * 4;
        memset(data, 0, ATTACK_SIZE_MAX);
        memcpy(data, &message, size);
        switch (x % 8) {
        case 0: /* cut */
                return (x >> 24) % size;
        case 1: /* something behind it */
                return size + 1 + (x >> 24) % (ATTACK_SIZE_MAX - size);
        case 2: /* nothing is wrong, but its time */
                return size;
        default:
                memcpy((uint8_t *)data + at, &value, at + width <= size ? width : 4);
                return size;
        }
}

int attack_send(int socket, const void *data, size_t size, const int *fds, size_t n_fds) {
        union {
                struct cmsghdr alignment;
                char bytes[CMSG_SPACE(ATTACK_FDS_MAX * sizeof(int))];
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
                memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
        }
        return sendmsg(socket, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* A full connection whose other end doesn't read. */
static int open_linger(void) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        static const char bytes[65536];

        if (listening < 0 || fd < 0 ||
            bind(listening, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(listening, 1) < 0 ||
            getsockname(listening, (struct sockaddr *)&address, &length) < 0 ||
            connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1, .l_linger = 60 },
                       sizeof(struct linger)) < 0)
                return -errno;
        while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
                ;
        return fd;
}

static int open_listening(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) < 0 ||
            listen(fd, 1) < 0)
                return -errno;
        return fd;
}

int attack_open(const char *kind, int own) {
        struct io_uring_params params = { 0 };
        sigset_t signals;
        int pair[2] = { -EBADF, -EBADF }, fd = -EBADF;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGUSR2);
        if (streq(kind, "own"))
                return own;
        if (streq(kind, "linger"))
                return open_linger();
        if (streq(kind, "listening"))
                return open_listening();
        if (streq(kind, "pipe"))
                fd = pipe2(pair, O_CLOEXEC) < 0 ? -1 : TAKE_FD(pair[1]);
        else if (streq(kind, "socket"))
                fd = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0
                             ? -1
                             : TAKE_FD(pair[0]);
        else if (streq(kind, "memfd"))
                fd = memfd_create("attack", MFD_CLOEXEC);
        else if (streq(kind, "epoll"))
                fd = epoll_create1(EPOLL_CLOEXEC);
        else if (streq(kind, "io-uring"))
                fd = (int)syscall(SYS_io_uring_setup, 1, &params);
        else if (streq(kind, "pidfd"))
                fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        else if (streq(kind, "null"))
                fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        else if (streq(kind, "folder"))
                fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        else if (streq(kind, "path"))
                fd = open("/", O_PATH | O_CLOEXEC);
        else if (streq(kind, "eventfd"))
                fd = eventfd(0, EFD_CLOEXEC);
        else if (streq(kind, "signalfd"))
                fd = signalfd(-1, &signals, SFD_CLOEXEC);
        else if (streq(kind, "timerfd"))
                fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        else
                errno = EINVAL;
        if (fd < 0)
                fd = -errno;
        safe_close(pair[0]);
        safe_close(pair[1]);
        return fd;
}
