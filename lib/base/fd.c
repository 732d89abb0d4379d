/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Closing file descriptors: errors of close() on what we close this way (sockets, device nodes, files
 * that somebody else has synced) carry nothing that a caller could act on, so they are dropped here
 * once instead of everywhere.
 */

#include "lib/base/fd.h"

#include <unistd.h>

int safe_close(int fd) {
        if (fd >= 0) {
                int saved = errno;

                (void)close(fd);
                errno = saved;
        }
        return -EBADF;
}
