/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What needs privilege and is kept afterwards
 *
 * A worker is part of the way by which memory is made free: dirty pages are written through it. So memory that the
 * kernel takes on its behalf is never made free by writing to its own device, and when the machine runs out of
 * memory others are killed first. The limits are for the time after: no core file with people's data, no more
 * fds than the queues of the largest machine.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "worker/sandbox/sandbox.h"

/* Since Linux 5.6; not in the headers of an older libc. */
#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

static const struct {
        int resource;
        rlim_t value;
} limits[] = {
        { RLIMIT_CORE, 0 },
        { RLIMIT_NOFILE, SANDBOX_OPEN_FILES_MAX },
        { RLIMIT_MSGQUEUE, 0 },
};

/* As little as systemd gives to what a machine can't do without. It may have done so already. */
static int protect_from_oom(const struct sandbox *s) {
        static const char score[] = "-900";
        _cleanup_close_ int fd = openat(s->proc, "self/oom_score_adj", O_RDWR | O_CLOEXEC);
        char now[16] = "";
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, now, sizeof(now) - 1);
        if (n > 0 && strncmp(now, score, sizeof(score) - 1) == 0)
                return 0;
        return write(fd, score, sizeof(score) - 1) < 0 ? -errno : 0;
}

int sandbox_set_limits(struct sandbox *s) {
        const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
        int r;

        if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) < 0)
                (void)sandbox_miss(s, SANDBOX_IO_FLUSHER, errno);
        r = protect_from_oom(s);
        if (r < 0)
                (void)sandbox_miss(s, SANDBOX_OOM_SCORE, r);
        if (setrlimit(RLIMIT_MEMLOCK, &unlimited) < 0)
                (void)sandbox_miss(s, SANDBOX_MEMORY_LOCK, errno);

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                const struct rlimit limit = { limits[i].value, limits[i].value };

                if (setrlimit((__rlimit_resource_t)limits[i].resource, &limit) < 0) {
                        s->what = "a resource limit can't be set";
                        return -errno;
                }
        }
        return 0;
}

int sandbox_limit_file_size(struct sandbox *s, uint64_t bytes) {
        const struct rlimit limit = { bytes, bytes };

        if (setrlimit(RLIMIT_FSIZE, &limit) >= 0)
                return 0;
        s->what = "the size of its files can't be limited";
        return -errno;
}
