/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening a backing. O_NONBLOCK keeps a FIFO or a tape from holding us up, but it may not stay: io_uring
 * takes it to mean that I/O on the file shall fail rather than wait.
 */

#include "ublkctl/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/fd.h"
#include "lib/spec/text.h"
#include "ublkctl/output.h"

int backing_open(const char *path, bool read_only, int *ret) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        /* Before opening: opening a device node can already do something (rewind, hang up). */
        if (stat(path, &st) >= 0 && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
                return complain("%s: neither a regular file nor a block device", SHOWN(path));
        /* Without O_EXCL: the manager claims a block device by opening it once more, and would find it taken. */
        fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0) {
                bool may_help = !read_only && (errno == EACCES || errno == EROFS || errno == EPERM);

                return complain("%s: %s%s", SHOWN(path), strerror(errno),
                                may_help ? "; for reading only, say --read-only" : "");
        }
        if (fstat(fd, &st) < 0)
                return complain("%s: %s", SHOWN(path), strerror(errno));
        if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
                return complain("%s: neither a regular file nor a block device", SHOWN(path));

        int flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
                return complain("%s: %s", SHOWN(path), strerror(errno));
        *ret = TAKE_FD(fd);
        return EXIT_SUCCESS;
}
