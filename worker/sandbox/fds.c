/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every fd is accounted for, by its number and its type. What else was inherited, by a mistake of whoever started us,
 * is closed: an fd is an authority, and a stray copy of another device's would hide its worker's death. The first
 * three are nothing to read from, and a log.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "worker/sandbox/sandbox.h"

static bool is_listed(const struct sandbox *s, int fd, const int *fds, size_t n_fds) {
        if (fd <= STDERR_FILENO || fd == s->proc)
                return true;
        for (size_t i = 0; i < n_fds; i++)
                if (fds[i] == fd)
                        return true;
        return false;
}

static int close_others(const struct sandbox *s, const int *fds, size_t n_fds) {
        int highest = MAX(s->proc, STDERR_FILENO);

        for (size_t i = 0; i < n_fds; i++)
                highest = MAX(highest, fds[i]);
        for (int fd = STDERR_FILENO + 1; fd < highest; fd++)
                if (!is_listed(s, fd, fds, n_fds))
                        (void)close(fd);
        return syscall(SYS_close_range, (unsigned)highest + 1, ~0U, 0) < 0 ? -errno : 0;
}

static bool is_null(int fd) {
        struct stat st;

        return fstat(fd, &st) >= 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* A stream, a file or a terminal; not a disk, a folder or something that only looks like a file. */
static bool is_log(int fd) {
        struct stat st;

        return is_null(fd) ||
               (fstat(fd, &st) >= 0 && (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode) ||
                                        S_ISREG(st.st_mode) || S_ISCHR(st.st_mode)));
}

int sandbox_close_fds(struct sandbox *s, const int *fds, size_t n_fds) {
        int r;

        r = close_others(s, fds, n_fds);
        if (r < 0) {
                s->what = "inherited file descriptors can't be closed";
                return r;
        }
        if (!is_null(STDIN_FILENO) || !is_log(STDOUT_FILENO) || !is_log(STDERR_FILENO)) {
                s->what = "stdin must be /dev/null, stdout and stderr the log";
                return -EBADF;
        }
        return 0;
}
