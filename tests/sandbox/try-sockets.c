/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reaching for the network, for the services of the machine and, over the one socket that the worker has, for more than
 * a message to the manager.
 */

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "tests/sandbox/attempt.h"

static const struct sockaddr_un bus = { AF_UNIX, "/run/dbus/system_bus_socket" };
static const struct sockaddr_un name = { AF_UNIX, "" };
static const struct sockaddr_in loopback = { AF_INET, 0x1600, { 0x0100007f }, { 0 } };
static char byte[64];
static struct iovec data = { byte, 1 };
static struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
static struct mmsghdr messages[1] = { { .msg_hdr = { .msg_iov = &data, .msg_iovlen = 1 } } };
static int pair[2], option = 1;
static socklen_t length = sizeof(byte);

static long connect_to(int family, int type, const void *address, socklen_t size) {
        int fd = socket(family, type | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        return connect(fd, address, size) < 0 ? -errno : 0;
}

static long try_connect_bus(const struct attempt_context *c) {
        (void)c;
        return connect_to(AF_UNIX, SOCK_STREAM, &bus, sizeof(bus));
}

/* Datagrams: nobody needs to be there. */
static long try_connect_inet(const struct attempt_context *c) {
        (void)c;
        return connect_to(AF_INET, SOCK_DGRAM, &loopback, sizeof(loopback));
}

/* The call is allowed on this socket, so the kernel has to see that this isn't root. */
static long try_sendmsg_as_root(const struct attempt_context *c) {
        union {
                char bytes[CMSG_SPACE(sizeof(struct ucred))];
                struct cmsghdr align;
        } control = { 0 };
        struct msghdr m = {
                .msg_iov = &data,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        struct cmsghdr *header = CMSG_FIRSTHDR(&m);
        struct ucred root = { .pid = 1, .uid = 0, .gid = 0 };

        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_CREDENTIALS;
        header->cmsg_len = CMSG_LEN(sizeof(root));
        memcpy(CMSG_DATA(header), &root, sizeof(root));
        ssize_t n = sendmsg(c->socket, &m, MSG_NOSIGNAL);
        return n < 0 ? -errno : n;
}

#define SOCKET(family, type, protocol) \
        SYS_socket, {                  \
                family, type, protocol \
        }

/* Without a filter a family that is there can be had, in a network that is empty. */
static const struct attempt attempts[] = {
        { "socket-unix", BY_FILTER, FILTER_ONLY, SOCKET(AF_UNIX, SOCK_STREAM, 0) },
        { "socket-inet", BY_FILTER, FILTER_ONLY, SOCKET(AF_INET, SOCK_STREAM, 0) },
        { "socket-inet-raw", BY_FILTER, 0, SOCKET(AF_INET, SOCK_RAW, IPPROTO_ICMP) },
        { "socket-inet6", BY_FILTER, FILTER_ONLY, SOCKET(AF_INET6, SOCK_STREAM, 0) },
        { "socket-netlink", BY_FILTER, FILTER_ONLY, SOCKET(AF_NETLINK, SOCK_RAW, 0) },
        { "socket-uevent", BY_FILTER, FILTER_ONLY, SOCKET(AF_NETLINK, SOCK_RAW, 15) },
        { "socket-audit", BY_FILTER, NO_CONTROL | FILTER_ONLY, SOCKET(AF_NETLINK, SOCK_RAW, 9) },
        { "socket-packet", BY_FILTER, 0, SOCKET(AF_PACKET, SOCK_RAW, 0x0300) },
        { "socket-vsock", BY_FILTER, NO_CONTROL | FILTER_ONLY, SOCKET(AF_VSOCK, SOCK_STREAM, 0) },
        { "socket-alg", BY_FILTER, NO_CONTROL | FILTER_ONLY, SOCKET(AF_ALG, SOCK_SEQPACKET, 0) },
        { "socket-bluetooth", BY_FILTER, NO_CONTROL | FILTER_ONLY,
          SOCKET(AF_BLUETOOTH, SOCK_RAW, 1) },
        { "socket-can", BY_FILTER, NO_CONTROL | FILTER_ONLY, SOCKET(AF_CAN, SOCK_RAW, 1) },
        { "socket-tipc", BY_FILTER, NO_CONTROL | FILTER_ONLY, SOCKET(AF_TIPC, SOCK_STREAM, 0) },
        { "socket-key", BY_FILTER, NO_CONTROL | FILTER_ONLY, SOCKET(AF_KEY, SOCK_RAW, 2) },
        { "socket-rds", BY_FILTER, NO_CONTROL | FILTER_ONLY, SOCKET(AF_RDS, SOCK_SEQPACKET, 0) },
        { "socket-xdp", BY_FILTER, NO_CONTROL, SOCKET(AF_XDP, SOCK_RAW, 0) },
        { "socket-qipcrtr", BY_FILTER, NO_CONTROL | FILTER_ONLY,
          SOCKET(AF_QIPCRTR, SOCK_DGRAM, 0) },
        { "socketpair",
          BY_FILTER,
          FILTER_ONLY,
          SYS_socketpair,
          { AF_UNIX, SOCK_STREAM, 0, P(pair) } },
        { "connect-bus", BY_FILTER, .run = try_connect_bus },
        { "connect-inet", BY_FILTER, .run = try_connect_inet },
        { "connect-own-socket",
          BY_FILTER,
          NO_CONTROL,
          SYS_connect,
          { ARG_SOCKET, P(&bus), sizeof(bus) } },
        { "bind", BY_FILTER, FILTER_ONLY, SYS_bind, { ARG_SOCKET, P(&name), 2 } },
        { "listen", BY_FILTER, NO_CONTROL, SYS_listen, { ARG_SOCKET, 1 } },
        { "accept", BY_FILTER, NO_CONTROL, SYS_accept4, { ARG_SOCKET, 0, 0, 0 } },
        { "getpeername",
          BY_FILTER,
          FILTER_ONLY,
          SYS_getpeername,
          { ARG_SOCKET, P(byte), P(&length) } },
        { "getsockopt",
          BY_FILTER,
          FILTER_ONLY,
          SYS_getsockopt,
          { ARG_SOCKET, SOL_SOCKET, SO_PEERCRED, P(byte), P(&length) } },
        { "setsockopt",
          BY_FILTER,
          FILTER_ONLY,
          SYS_setsockopt,
          { ARG_SOCKET, SOL_SOCKET, SO_PASSCRED, P(&option), sizeof(option) } },
        { "setsockopt-force",
          BY_FILTER,
          0,
          SYS_setsockopt,
          { ARG_SOCKET, SOL_SOCKET, SO_SNDBUFFORCE, P(&option), sizeof(option) } },
        { "sendto",
          BY_FILTER,
          FILTER_ONLY,
          SYS_sendto,
          { ARG_SOCKET, P(byte), 1, MSG_NOSIGNAL, 0, 0 } },
        { "sendmmsg",
          BY_FILTER,
          FILTER_ONLY,
          SYS_sendmmsg,
          { ARG_SOCKET, P(messages), 1, MSG_NOSIGNAL } },
        { "sendmsg-log", BY_FILTER, NO_CONTROL, SYS_sendmsg, { STDERR_FILENO, P(&message), 0 } },
        { "sendmsg-as-root", BY_KERNEL, .run = try_sendmsg_as_root },
        { "recvfrom",
          BY_FILTER,
          NO_CONTROL,
          SYS_recvfrom,
          { ARG_SOCKET, P(byte), 1, MSG_DONTWAIT, 0, 0 } },
        { "recvmmsg",
          BY_FILTER,
          NO_CONTROL,
          SYS_recvmmsg,
          { ARG_SOCKET, P(messages), 1, MSG_DONTWAIT, 0 } },
        { "recvmsg-log",
          BY_FILTER,
          NO_CONTROL,
          SYS_recvmsg,
          { STDERR_FILENO, P(&message), MSG_DONTWAIT } },
        { "shutdown", BY_FILTER, FILTER_ONLY, SYS_shutdown, { ARG_SOCKET, SHUT_RD } },
};

const struct attempt_group group_sockets = { "sockets", attempts, ELEMENTSOF(attempts) };
