/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The protocol of sd_notify(3) is one datagram of text, too little to link a library for into the process that is to be
 * trusted least. The sender's identity is added by the kernel.
 */

#include "worker/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/fd.h"

int notify_open(void) {
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;
        size_t length;

        if (!path || !path[0])
                return -EBADF;
        length = strlen(path);
        if (length >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, length);
        /* In the abstract namespace: nothing but the name counts, not even a NUL after it. */
        if (path[0] == '@')
                address.sun_path[0] = 0;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *)&address,
                    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int notify_send(int fd, const char *text) {
        struct iovec iov = { .iov_base = (char *)text, .iov_len = strlen(text) };
        const struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (fd < 0)
                return 0;
        return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
