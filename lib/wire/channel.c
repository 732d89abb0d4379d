/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One datagram, one message. SOCK_SEQPACKET keeps the boundaries and tells when the peer is gone; a
 * message that is longer than any of ours, or whose fds did not fit, is cut by the kernel and refused.
 */

#include "lib/wire/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/fd.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

union fd_control {
        struct cmsghdr alignment;
        char bytes[CMSG_SPACE(WIRE_FDS_MAX * sizeof(int))];
};

void wire_init(union wire_message *message, enum wire_type type) {
        *message = (union wire_message){ 0 };
        message->header = (struct wire_header){
                .magic = WIRE_MAGIC,
                .type = (uint16_t)type,
                .size = (uint16_t)wire_size(type),
        };
        if (type == WIRE_HELLO)
                message->hello.version = WIRE_VERSION;
}

int wire_send(int socket, const union wire_message *message, const int *fds, size_t n_fds) {
        union fd_control control = { 0 };
        struct iovec iov = { .iov_base = (void *)message, .iov_len = message->header.size };
        struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

        assert(n_fds <= WIRE_FDS_MAX);
        if (n_fds > 0) {
                mh.msg_control = control.bytes;
                mh.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
        }

        for (;;) {
                if (sendmsg(socket, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
                        return 0;
                if (errno != EINTR)
                        return -errno;
        }
}

/* Takes the fds out of a received message. Returns their number. */
static size_t take_fds(struct msghdr *mh, int fds[WIRE_FDS_MAX]) {
        size_t n = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                size_t k = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < k; i++) {
                        int fd;
                        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                        if (n < WIRE_FDS_MAX)
                                fds[n++] = fd;
                        else
                                safe_close(fd);
                }
        }
        return n;
}

static void clear_fds(int *fds, bool close) {
        for (size_t i = 0; fds && i < WIRE_FDS_MAX; i++)
                fds[i] = close ? safe_close(fds[i]) : -EBADF;
}

int wire_receive(int socket, union wire_message *ret, int *fds) {
        union fd_control control = { 0 };
        struct iovec iov = { .iov_base = ret, .iov_len = sizeof(*ret) };
        struct msghdr mh = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = fds ? control.bytes : NULL,
                .msg_controllen = fds ? sizeof(control.bytes) : 0,
        };
        size_t n_fds = 0;
        ssize_t n;
        int r;

        clear_fds(fds, false);
        *ret = (union wire_message){ 0 };

        do
                n = recvmsg(socket, &mh, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        if (fds)
                n_fds = take_fds(&mh, fds);
        /* fds without a byte are not the end. */
        if (n == 0 && n_fds == 0 && !(mh.msg_flags & MSG_CTRUNC))
                return 0;
        if (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
                r = -EBADMSG;
        else
                r = wire_check(ret, (size_t)n, n_fds);
        if (r < 0) {
                clear_fds(fds, true);
                return r;
        }
        return 1;
}

void wire_refuse_fds(int socket) {
        (void)setsockopt(socket, SOL_SOCKET, SO_PASSRIGHTS, &(int){ 0 }, sizeof(int));
}
