/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The manager's part of a worker's life without the manager (ublkmgr/spawner-exec.c, device-worker.c): what the worker is
 * given and in which order is the same, so that its confinement is the one that it has in earnest.
 */

#include "tests/sandbox/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/macro.h"
#include "lib/wire/channel.h"
#include "tests/sandbox/attempt.h"

enum { MESSAGE_SECONDS = 120, SOCKET_FD = 3 };

_Noreturn static void become_worker(const struct subject_config *c, int socket, int log) {
        char uid[32];
        const char *const argv[] = { c->program, "--socket-fd=3", uid, c->name, NULL };
        int null;

        (void)setsid();
        (void)snprintf(uid, sizeof(uid), "--uid=%u", (unsigned)c->uid);

        /* First out of the way of the numbers that they shall get. */
        socket = fcntl(socket, F_DUPFD, 10);
        log = fcntl(log, F_DUPFD, 10);
        null = open("/dev/null", O_RDONLY);
        if (socket < 0 || log < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
            dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0 ||
            dup2(socket, SOCKET_FD) < 0 || syscall(SYS_close_range, SOCKET_FD + 1, ~0U, 0) < 0)
                _exit(126);
        if (c->unconfined && mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
                _exit(126);
        (void)execv(c->program, (char **)argv);
        _exit(127);
}

static int spawn(struct subject *s, const struct subject_config *c) {
        _cleanup_close_ int theirs = -EBADF, log = -EBADF;
        const struct timeval patience = { .tv_sec = MESSAGE_SECONDS };
        int pair[2], pidfd = -EBADF;
        struct clone_args args = {
                .flags = CLONE_PIDFD | (c->unconfined ? CLONE_NEWNS | CLONE_NEWUTS : CLONE_NEWPID),
                .pidfd = (uint64_t)(uintptr_t)&pidfd,
                .exit_signal = SIGCHLD,
        };

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        s->socket = pair[0];
        theirs = pair[1];
        if (setsockopt(s->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
            pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        s->log_fd = pair[0];
        log = pair[1];
        if (fcntl(s->log_fd, F_SETFL, O_NONBLOCK) < 0)
                return -errno;

        s->pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
        if (s->pid < 0)
                return -errno;
        if (s->pid == 0)
                become_worker(c, theirs, log);
        s->pidfd = pidfd;
        return 0;
}

static int open_backing(const char *target) {
        int fd;

        if (streq(target, "loop"))
                fd = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        else if (streq(target, "ram"))
                fd = memfd_create("ublk-escape", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        else
                return -EBADF;
        if (fd < 0 || ftruncate(fd, SUBJECT_BYTES) < 0)
                return -errno;
        if (streq(target, "ram") && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
                return -errno;
        return fd;
}

static int expect(struct subject *s, uint32_t type) {
        union wire_message message;
        int fds[WIRE_FDS_MAX];
        int r = wire_receive(s->socket, &message, fds);

        if (r == 0)
                return -ECONNRESET;
        return r < 0 ? r : message.header.type == type ? 0 : -EPROTO;
}

static int configure(struct subject *s, const struct subject_config *c,
                     const struct ublk_dev_info *info, int device) {
        _cleanup_close_ int backing = open_backing(c->target);
        const int fds[] = { device, backing };
        union wire_message message;

        wire_init(&message, WIRE_CONFIG);
        (void)snprintf(message.config.name, sizeof(message.config.name), "%s", c->name);
        (void)snprintf(message.config.target, sizeof(message.config.target), "%s", c->target);
        message.config.size_bytes = SUBJECT_BYTES;
        message.config.logical_block_size = 4096;
        message.config.physical_block_size = 4096;
        message.config.max_io_bytes = info->max_io_buf_bytes;
        message.config.queues = info->nr_hw_queues;
        message.config.queue_depth = info->queue_depth;
        message.config.device_id = info->dev_id;
        message.config.fds[0] = WIRE_FD_DEVICE;
        if (backing >= 0) {
                message.config.fds[1] = WIRE_FD_BACKING;
                message.config.backing.size_bytes = SUBJECT_BYTES;
                message.config.backing.logical_block_size = 1;
                message.config.backing.discard_granularity = 4096;
        }
        return wire_send(s->socket, &message, fds, backing >= 0 ? 2 : 1);
}

int subject_start(struct subject *s, struct devices *devices, const struct subject_config *config) {
        _cleanup_close_ int device = -EBADF;
        struct ublk_dev_info info;
        int r;

        *s = (struct subject){
                .device = UBLK_ID_ANY,
                .pidfd = -EBADF,
                .socket = -EBADF,
                .log_fd = -EBADF,
        };
        r = device_add(devices, &info, &device);
        if (r < 0)
                return r;
        s->device = info.dev_id;
        r = spawn(s, config);
        if (r >= 0)
                r = expect(s, WIRE_HELLO);
        if (r >= 0)
                r = configure(s, config, &info, device);
        /* As the manager does: another copy would hide the end of the worker from the kernel. */
        device = safe_close(device);
        return r < 0 ? r : expect(s, WIRE_READY);
}

static void reap(struct subject *s) {
        if (s->pid > 0)
                while (waitpid(s->pid, &s->status, 0) < 0 && errno == EINTR)
                        ;
        s->pid = 0;
}

int subject_wait(struct subject *s, int seconds) {
        struct pollfd p = { .fd = s->pidfd, .events = POLLIN };
        int r;

        do
                r = poll(&p, 1, seconds * 1000);
        while (r < 0 && errno == EINTR);
        if (r == 0)
                (void)syscall(SYS_pidfd_send_signal, s->pidfd, SIGKILL, NULL, 0);
        reap(s);
        return r == 0 ? -ETIME : 0;
}

int subject_end(struct subject *s, struct devices *devices) {
        ssize_t n;

        if (s->pid > 0)
                (void)syscall(SYS_pidfd_send_signal, s->pidfd, SIGKILL, NULL, 0);
        reap(s);
        n = s->log_fd >= 0 ? read(s->log_fd, s->log, sizeof(s->log) - 1) : 0;
        s->log[n > 0 ? n : 0] = 0;
        s->log_fd = safe_close(s->log_fd);
        s->pidfd = safe_close(s->pidfd);
        s->socket = safe_close(s->socket);
        return s->device == UBLK_ID_ANY ? 0 : device_delete(devices, s->device);
}

bool subject_was_killed_by(const struct subject *s, int signal) {
        return WIFSIGNALED(s->status) && WTERMSIG(s->status) == signal;
}
