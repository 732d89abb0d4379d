/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Getting more file descriptors, and using those that there are for something else than they are for. Calls that are
 * allowed on one of them are tried on the others.
 */

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "tests/sandbox/attempt.h"

/* Written to the log as well, which has lines. */
static char byte[64] = "\n";
static const struct iovec data = { byte, 1 };
static int pair[2];
static const struct flock lock = { .l_type = F_RDLCK };
static struct epoll_event {
        uint32_t events;
        uint64_t data;
} event;

/* The kernel looks at the lower half of an fd only, and so must the filter. */
#define HIGH (INT64_C(1) << 32)

static const struct attempt attempts[] = {
        { "dup", BY_FILTER, FILTER_ONLY, SYS_dup, { STDERR_FILENO } },
#ifdef SYS_dup2
        { "dup2", BY_FILTER, FILTER_ONLY, SYS_dup2, { STDERR_FILENO, STDIN_FILENO } },
#endif
        { "dup3", BY_FILTER, FILTER_ONLY, SYS_dup3, { ARG_SOCKET, 20, 0 } },
        { "dup-beyond-limit", BY_FILTER, NO_CONTROL, SYS_dup3, { STDERR_FILENO, 5000, 0 } },
        { "fcntl-dupfd", BY_FILTER, FILTER_ONLY, SYS_fcntl, { STDERR_FILENO, F_DUPFD, 0 } },
        { "fcntl-setfl", BY_FILTER, FILTER_ONLY, SYS_fcntl, { STDIN_FILENO, F_SETFL, 0 } },
        { "fcntl-lock", BY_FILTER, FILTER_ONLY, SYS_fcntl, { STDIN_FILENO, F_SETLK, P(&lock) } },
        { "fcntl-setown", BY_FILTER, 0, SYS_fcntl, { ARG_SOCKET, F_SETOWN, ARG_VICTIM } },
        { "flock", BY_FILTER, FILTER_ONLY, SYS_flock, { STDIN_FILENO, 1 } },
        { "pipe", BY_FILTER, FILTER_ONLY, SYS_pipe2, { P(pair), 0 } },
        { "epoll-ctl", BY_FILTER, NO_CONTROL, SYS_epoll_ctl, { ARG_SOCKET, 1, 0, P(&event) } },
        { "close-range", BY_FILTER, FILTER_ONLY, SYS_close_range, { 1000, 1001, 0 } },
        { "memfd-create", BY_FILTER, FILTER_ONLY, SYS_memfd_create, { P("x"), 0 } },
        { "write-stdin", BY_FILTER, NO_CONTROL, SYS_write, { STDIN_FILENO, P(byte), 1 } },
        { "write-stdout", BY_FILTER, FILTER_ONLY, SYS_write, { STDOUT_FILENO, P(byte), 1 } },
        { "write-socket", BY_FILTER, FILTER_ONLY, SYS_write, { ARG_SOCKET, P(byte), 1 } },
        { "write-high-half",
          BY_FILTER,
          FILTER_ONLY,
          SYS_write,
          { HIGH | STDOUT_FILENO, P(byte), 1 } },
        { "writev-log", BY_FILTER, FILTER_ONLY, SYS_writev, { STDERR_FILENO, P(&data), 1 } },
        { "readv", BY_FILTER, FILTER_ONLY, SYS_readv, { STDIN_FILENO, P(&data), 1 } },
        { "pread", BY_FILTER, FILTER_ONLY, SYS_pread64, { STDIN_FILENO, P(byte), 1, 0 } },
        { "pwrite-log", BY_FILTER, NO_CONTROL, SYS_pwrite64, { STDERR_FILENO, P(byte), 1, 0 } },
        { "pwrite-stdin", BY_FILTER, NO_CONTROL, SYS_pwrite64, { STDIN_FILENO, P(byte), 1, 0 } },
        { "pwritev2",
          BY_FILTER,
          FILTER_ONLY,
          SYS_pwritev2,
          { STDOUT_FILENO, P(&data), 1, -1, -1, 0 } },
        { "fallocate-log", BY_FILTER, NO_CONTROL, SYS_fallocate, { STDERR_FILENO, 0, 0, 1 } },
        { "ftruncate", BY_FILTER, NO_CONTROL, SYS_ftruncate, { STDERR_FILENO, 0 } },
        { "fsync", BY_FILTER, NO_CONTROL, SYS_fsync, { STDERR_FILENO } },
        { "fstat", BY_FILTER, FILTER_ONLY, SYS_fstat, { STDERR_FILENO, P((char[256]){ 0 }) } },
        { "fchmod", BY_FILTER, FILTER_ONLY, SYS_fchmod, { ARG_SOCKET, 0777 } },
        { "fchown", BY_FILTER, 0, SYS_fchown, { STDERR_FILENO, 0, 0 } },
        { "fchdir", BY_FILTER, NO_CONTROL, SYS_fchdir, { STDIN_FILENO } },
        { "getdents",
          BY_FILTER,
          NO_CONTROL,
          SYS_getdents64,
          { STDIN_FILENO, P(byte), sizeof(byte) } },
        { "lseek", BY_FILTER, FILTER_ONLY, SYS_lseek, { STDIN_FILENO, 0, 0 } },
        { "splice",
          BY_FILTER,
          NO_CONTROL,
          SYS_splice,
          { STDIN_FILENO, 0, STDERR_FILENO, 0, 1, 0 } },
        { "tee", BY_FILTER, NO_CONTROL, SYS_tee, { STDERR_FILENO, STDERR_FILENO, 1, 0 } },
        { "vmsplice", BY_FILTER, FILTER_ONLY, SYS_vmsplice, { STDERR_FILENO, P(&data), 1, 0 } },
        { "sendfile", BY_FILTER, NO_CONTROL, SYS_sendfile, { STDERR_FILENO, STDIN_FILENO, 0, 1 } },
        { "copy-file-range", BY_FILTER, NO_CONTROL, SYS_copy_file_range, { 0, 0, 2, 0, 1, 0 } },
        { "ioctl-log", BY_FILTER, FILTER_ONLY, SYS_ioctl, { STDERR_FILENO, FIONREAD, P(byte) } },
        { "ioctl-tiocsti", BY_FILTER, NO_CONTROL, SYS_ioctl, { STDIN_FILENO, TIOCSTI, P("x") } },
        { "ioctl-socket", BY_FILTER, FILTER_ONLY, SYS_ioctl, { ARG_SOCKET, FIONREAD, P(byte) } },
        { "io-uring-enter-other",
          BY_KERNEL,
          NO_CONTROL,
          SYS_io_uring_enter,
          { ARG_SOCKET, 1, 0, 0, 0, 0 } },
        /* The first that is registered is the ring itself. */
        { "io-uring-enter-index",
          BY_KERNEL,
          NO_CONTROL,
          SYS_io_uring_enter,
          { 1, 1, 0, 1 << 4, 0, 0 } },
        { "read-log", BY_KERNEL, NO_CONTROL, SYS_read, { STDERR_FILENO, P(byte), 1 } },
};

const struct attempt_group group_descriptors = { "file descriptors", attempts,
                                                 ELEMENTSOF(attempts) };
