/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The system calls of the reader, as a table
 *
 * What libblkid tries although it can do without (it looks at /sys, asks for a CD-ROM) is refused with an errno; whatever
 * is neither in that list nor allowed ends the process, because a reader that tries it is not the reader any more.
 */

#include "partitions/filter.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/macro.h"

static const struct sandbox_call calls[] = {
        SANDBOX_ALLOW(SYS_fstat),
        SANDBOX_ALLOW(SYS_fadvise64),
        SANDBOX_ALLOW_IF(SYS_mmap, SANDBOX_LACKS, 2, PROT_EXEC),
        SANDBOX_ALLOW_IF(SYS_mprotect, SANDBOX_LACKS, 2, PROT_EXEC),
        SANDBOX_ALLOW(SYS_munmap),
        SANDBOX_ALLOW(SYS_mremap),
        SANDBOX_ALLOW(SYS_madvise),
        SANDBOX_ALLOW(SYS_brk),
        SANDBOX_ALLOW(SYS_futex),
        SANDBOX_ALLOW(SYS_getrandom),
        SANDBOX_ALLOW(SYS_clock_gettime),
        SANDBOX_ALLOW(SYS_gettid),
        SANDBOX_ALLOW(SYS_getpid),
        SANDBOX_ALLOW(SYS_rt_sigaction),
        SANDBOX_ALLOW(SYS_rt_sigprocmask),
        SANDBOX_ALLOW(SYS_rt_sigreturn),
        SANDBOX_ALLOW(SYS_close),
#ifdef __SANITIZE_ADDRESS__ /* its own reports, and its end */
        SANDBOX_ALLOW(SYS_write),
        SANDBOX_ALLOW(SYS_sigaltstack),
        SANDBOX_ALLOW(SYS_getrlimit),
        SANDBOX_ALLOW(SYS_prlimit64),
        SANDBOX_ALLOW(SYS_sched_yield),
#endif
        SANDBOX_ALLOW(SYS_exit),
        SANDBOX_ALLOW(SYS_exit_group),

        /* What asks for sizes, and nothing else. */
        SANDBOX_ALLOW_IF(SYS_ioctl, SANDBOX_IS, 1, BLKGETSIZE64),
        SANDBOX_ALLOW_IF(SYS_ioctl, SANDBOX_IS, 1, BLKGETSIZE),
        SANDBOX_ALLOW_IF(SYS_ioctl, SANDBOX_IS, 1, BLKSSZGET),
        SANDBOX_ALLOW_IF(SYS_ioctl, SANDBOX_IS, 1, BLKPBSZGET),
        SANDBOX_ALLOW_IF(SYS_ioctl, SANDBOX_IS, 1, BLKIOMIN),
        SANDBOX_REFUSE(SYS_ioctl, ENOTTY),

        SANDBOX_REFUSE(SYS_openat, EPERM),
        SANDBOX_REFUSE(SYS_readlinkat, EPERM),
        SANDBOX_REFUSE(SYS_faccessat, EPERM),
#ifdef SYS_faccessat2
        SANDBOX_REFUSE(SYS_faccessat2, EPERM),
#endif
#ifdef SYS_newfstatat
        /* fstat() of glibc is this with AT_EMPTY_PATH; there is no path that could lead anywhere. */
        SANDBOX_ALLOW(SYS_newfstatat),
#endif
#ifdef SYS_open
        SANDBOX_REFUSE(SYS_open, EPERM),
        SANDBOX_REFUSE(SYS_stat, EPERM),
        SANDBOX_REFUSE(SYS_lstat, EPERM),
        SANDBOX_REFUSE(SYS_access, EPERM),
        SANDBOX_REFUSE(SYS_readlink, EPERM),
#endif
        SANDBOX_REFUSE(SYS_statx, EPERM),
        SANDBOX_REFUSE(SYS_geteuid, EPERM),
        SANDBOX_REFUSE(SYS_getuid, EPERM),
};

int filter_system_calls(struct sandbox *s, int device, int pipe) {
        const struct sandbox_call fds[] = {
                SANDBOX_ALLOW_IF(SYS_pread64, SANDBOX_IS, 0, device),
                SANDBOX_ALLOW_IF(SYS_read, SANDBOX_IS, 0, device),
                SANDBOX_ALLOW_IF(SYS_read, SANDBOX_IS, 0, s->status),
                SANDBOX_ALLOW_IF(SYS_lseek, SANDBOX_IS, 0, device),
                SANDBOX_ALLOW_IF(SYS_write, SANDBOX_IS, 0, pipe),
        };
        struct sandbox_call all[ELEMENTSOF(fds) + ELEMENTSOF(calls)];

        memcpy(all, fds, sizeof(fds));
        memcpy(all + ELEMENTSOF(fds), calls, sizeof(calls));
        return sandbox_filter_calls(s, all, ELEMENTSOF(all));
}
