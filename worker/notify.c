/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The protocol is one datagram of assignments. BARRIER=1 comes with a pipe that the service manager closes when it has
 * handled everything that was sent before.
 */

#include "worker/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/fd.h"

enum { BARRIER_TIMEOUT_MSEC = 10000 };

int notify_open(void) {
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;
        size_t length;

        if (!path)
                return -ENXIO;
        length = strlen(path);
        if (length < 2 || length >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
                return -EINVAL;
        memcpy(address.sun_path, path, length);
        if (path[0] == '@')
                address.sun_path[0] = 0;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int notify_send(int socket, const char *assignments) {
        return send(socket, assignments, strlen(assignments), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int send_barrier(int socket, int fd) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = { 0 };
        char text[] = "BARRIER=1";
        struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) - 1 };
        struct msghdr mh = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control.bytes,
                .msg_controllen = sizeof(control.bytes),
        };

        control.header = (struct cmsghdr){
                .cmsg_level = SOL_SOCKET,
                .cmsg_type = SCM_RIGHTS,
                .cmsg_len = CMSG_LEN(sizeof(int)),
        };
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
        return sendmsg(socket, &mh, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int notify_main_pid(int socket, pid_t child) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        char text[32];
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        ours = ends[0];
        theirs = ends[1];
        (void)snprintf(text, sizeof(text), "MAINPID=%i", (int)child);
        r = notify_send(socket, text);
        if (r >= 0)
                r = send_barrier(socket, theirs);
        if (r < 0)
                return r;
        theirs = safe_close(theirs);

        struct pollfd p = { .fd = ours };
        while (poll(&p, 1, BARRIER_TIMEOUT_MSEC) < 0)
                if (errno != EINTR)
                        return -errno;
        return p.revents & POLLHUP ? 0 : -ETIMEDOUT;
}
