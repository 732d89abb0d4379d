/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* That every entry of a worker's filter is needed
 *
 * A life has everything in it that makes a worker do a system call once it is confined: I/O of all kinds, being stopped and
 * continued while it waits, a manager that goes away, the end of the device. A worker that lacks one of the calls is killed
 * somewhere on that way. An entry without which it gets to the end is one too many.
 */

#include "tests/sandbox/scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/macro.h"
#include "tests/sandbox/jobs.h"
#include "tests/sandbox/subject.h"
#include "worker/calls.h"

static_assert(SANDBOX_CALLS_MAX == 96, "SERVES_WITH_ALL");

enum { END_SECONDS = 30, SUBJECT_UID = 1899000 };

/* A write to where nothing was written, so that memory is taken for it; all that can be asked of a disk. */
static int use_disk(uint32_t id) {
        static _Alignas(4096) char block[4096] = "x";
        const uint64_t range[2] = { 0, sizeof(block) };
        _cleanup_close_ int fd = -EBADF;
        char path[32];

        (void)snprintf(path, sizeof(path), "/dev/ublkb%u", id);
        fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
        if (fd < 0 || pwrite(fd, block, sizeof(block), 0) < 0 ||
            pread(fd, block, sizeof(block), 0) < 0 || fsync(fd) < 0 ||
            ioctl(fd, BLKZEROOUT, range) < 0 || ioctl(fd, BLKDISCARD, range) < 0)
                return -errno;
        return 0;
}

/* While its main thread waits. */
static int stop_and_continue(const struct subject *s) {
        siginfo_t info;

        if (kill(s->pid, SIGSTOP) < 0 ||
            waitid(P_PID, (id_t)s->pid, &info, WSTOPPED | WEXITED | WNOWAIT) < 0 ||
            info.si_code != CLD_STOPPED || kill(s->pid, SIGCONT) < 0)
                return -ECHILD;
        return 0;
}

/* Returns once the worker has said that the manager has gone. */
static int leave_worker(struct subject *s) {
        size_t n = strlen(s->log);
        struct pollfd p[] = { { .fd = s->log_fd, .events = POLLIN },
                              { .fd = s->pidfd, .events = POLLIN } };

        s->socket = safe_close(s->socket);
        while (!strstr(s->log, "The manager has gone")) {
                ssize_t k;

                if (poll(p, ELEMENTSOF(p), END_SECONDS * 1000) <= 0)
                        return -ETIME;
                k = read(s->log_fd, s->log + n, sizeof(s->log) - 1 - n);
                if (k <= 0)
                        return -ECHILD;
                n += (size_t)k;
                s->log[n] = 0;
        }
        return 0;
}

/* Some kernels hang or worse when a device is started whose worker is just dying (docs/sandbox.md), so one that can't even
 * begin to wait gets the time to end before. */
static bool ends_at_once(const struct subject *s) {
        struct pollfd p = { .fd = s->pidfd, .events = POLLIN };

        return poll(&p, 1, 1000) > 0;
}

/* Returns the name of the part of its life in which it ended; NULL: it ended by itself when all was over. */
static const char *live(struct subject *s, struct devices *devices,
                        const struct subject_config *config) {
        if (subject_start(s, devices, config) < 0)
                return "until READY";
        if (ends_at_once(s))
                return "after READY";
        if (device_start(devices, s->device, SUBJECT_BYTES) < 0)
                return "start";
        if (use_disk(s->device) < 0)
                return "I/O";
        if (stop_and_continue(s) < 0)
                return "stopped and continued";
        if (leave_worker(s) < 0)
                return "without its manager";
        if (device_stop(devices, s->device) < 0)
                return "stop";
        if (subject_wait(s, END_SECONDS) < 0 || s->status != 0)
                return "end";
        return NULL;
}

/* Entry SANDBOX_CALLS_MAX is none. Returns whether all was as it must be. */
static bool live_without(struct devices *devices, const char *program, const char *target,
                         size_t entry) {
        char name[32];
        const struct subject_config config = {
                .program = program,
                .name = name,
                .target = target,
                .uid = SUBJECT_UID + (uid_t)entry,
        };
        struct subject s;
        const char *part;
        bool right;

        (void)snprintf(name, sizeof(name), "without.%zu", entry);
        part = live(&s, devices, &config);
        if (subject_end(&s, devices) < 0)
                part = "its device can't be removed";
        right = entry == SANDBOX_CALLS_MAX ? !part : part && subject_was_killed_by(&s, SIGSYS);
        s.log[strcspn(s.log, "\n")] = 0;
        printf("%s%s without entry %zu: %s%s (%s)\n", right ? "" : "WRONG: ", target, entry,
               part ? "ends in: " : "lives", part ? part : "", s.log);
        (void)fflush(stdout);
        return right;
}

/* The numbers don't matter, only which there are. */
static size_t count_entries(const char *target) {
        const struct worker_fds fds = {
                .socket = 3,
                .reports = 4,
                .backing = streq(target, "ram") ? 5 : -EBADF,
        };
        struct sandbox_call calls[SANDBOX_CALLS_MAX];
        enum target_class class = streq(target, "loop")      ? TARGET_CLASS_FILE
                                  : streq(target, "network") ? TARGET_CLASS_NETWORK
                                                             : TARGET_CLASS_MEMORY;

        return worker_calls(class, &fds, calls);
}

struct lives {
        const char *program, *target;
        size_t n; /* entries of the filter */
};

static int live_some(void *userdata, int job) {
        const struct lives *lives = userdata;
        struct devices devices;
        bool right = true;
        int r;

        r = devices_open(&devices);
        if (r < 0)
                return r;
        for (size_t i = (size_t)job; i <= lives->n; i += JOBS)
                right &= live_without(&devices, lives->program, lives->target,
                                      i < lives->n ? i : SANDBOX_CALLS_MAX);
        devices_close(&devices);
        return right ? 0 : -EPERM;
}

int run_without(const char *program, const char *target) {
        struct lives lives = { program, target, count_entries(target) };
        int r = jobs_run(live_some, &lives);

        printf("# %zu entries in the filter of a %s worker, %s\n", lives.n, target,
               r < 0 ? "not all of them needed" : "all needed");
        return r;
}
