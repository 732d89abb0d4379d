/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whole small files, with a limit on what is read: a file that somebody else writes decides neither how
 * much memory is taken nor, by being a FIFO, how long the reader waits.
 */

#include "lib/base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"

static int read_all(int fd, char *buffer, size_t size, size_t *ret) {
        size_t n = 0;

        while (n < size) {
                ssize_t k = read(fd, buffer + n, size - n);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                if (k == 0)
                        break;
                n += (size_t)k;
        }
        *ret = n;
        return 0;
}

int read_open_file(int fd, size_t limit, char **ret, size_t *ret_size) {
        _cleanup_free_ char *text = NULL;
        struct stat st;
        size_t n = 0;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;

        /* One byte more than allowed is read instead of trusting st_size: the file may grow meanwhile. */
        text = malloc(limit + 2);
        if (!text)
                return -ENOMEM;
        r = read_all(fd, text, limit + 1, &n);
        if (r < 0)
                return r;
        if (n > limit)
                return -EFBIG;

        text[n] = 0;
        *ret = TAKE_PTR(text);
        if (ret_size)
                *ret_size = n;
        return 0;
}

int read_file(const char *path, size_t limit, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = -EBADF;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return -errno;
        return read_open_file(fd, limit, ret, ret_size);
}

static int write_all(int fd, const char *text, size_t size) {
        while (size > 0) {
                ssize_t k = write(fd, text, size);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                text += k;
                size -= (size_t)k;
        }
        return 0;
}

int write_file_atomic(const char *path, const char *text, mode_t mode) {
        _cleanup_free_ char *temporary = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (asprintf(&temporary, "%s.new", path) < 0) {
                temporary = NULL;
                return -ENOMEM;
        }
        fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0)
                return -errno;
        r = fchmod(fd, mode) < 0 ? -errno : write_all(fd, text, strlen(text));
        if (r >= 0 && rename(temporary, path) < 0)
                r = -errno;
        if (r < 0)
                (void)unlink(temporary);
        return r;
}

int make_folder(const char *path, mode_t mode) {
        if (mkdir(path, mode) < 0 && errno != EEXIST)
                return -errno;
        return 0;
}
