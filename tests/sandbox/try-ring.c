/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a ring could do past the filter of system calls
 *
 * By the queue's own ring, which must refuse it: operations that aren't those of the target, each as it would normally
 * be and once more with the flag that all allowed ones have; flags; files that the target has no business with;
 * commands to the driver that aren't its. And by a ring made for the purpose.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/ublk/abi.h"
#include "lib/ublk/sqe.h"
#include "tests/sandbox/attempt.h"

#define MARK UINT64_C(0x7e57)

static _Alignas(4096) char buffer[4096];
static const struct sockaddr_un bus = { AF_UNIX, "/run/dbus/system_bus_socket" };
static struct open_how how = { .flags = O_RDONLY };
static int files[1] = { 2 };
static struct iovec data = { buffer, sizeof(buffer) };
static struct io_uring_restriction restriction = { .opcode = IORING_RESTRICTION_SQE_OP };

/* Other completions are of no interest any more. */
static long run_sqe(struct io_uring *ring, const struct io_uring_sqe *prepared) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
        struct io_uring_cqe *cqe;
        int r;

        if (!sqe)
                return -EBUSY;
        *sqe = *prepared;
        sqe->user_data = MARK;
        do
                r = io_uring_submit_and_wait(ring, 1);
        while (r == -EINTR);
        if (r < 0)
                return r;
        for (;;) {
                r = io_uring_wait_cqe(ring, &cqe);
                if (r < 0 && r != -EINTR)
                        return r;
                if (r < 0)
                        continue;
                uint64_t mark = cqe->user_data;
                r = cqe->res;
                io_uring_cqe_seen(ring, cqe);
                if (mark == MARK)
                        return r;
        }
}

/* One function for each operation, and one more for it with the flag. */
#define PLAIN(name, ...)                                           \
        static long ring_##name(const struct attempt_context *c) { \
                struct io_uring_sqe sqe;                           \
                __VA_ARGS__;                                       \
                return run_sqe(c->ring, &sqe);                     \
        }
#define OPERATION(name, ...)     \
        PLAIN(name, __VA_ARGS__) \
        PLAIN(name##_fixed, __VA_ARGS__; sqe.flags |= IOSQE_FIXED_FILE)

OPERATION(openat, io_uring_prep_openat(&sqe, AT_FDCWD, "/etc/passwd", O_RDONLY, 0))
OPERATION(openat2, io_uring_prep_openat2(&sqe, AT_FDCWD, "/etc/passwd", &how))
OPERATION(socket, io_uring_prep_socket(&sqe, AF_UNIX, SOCK_STREAM, 0, 0))
OPERATION(connect, io_uring_prep_connect(&sqe, c->socket, (const void *)&bus, sizeof(bus)))
OPERATION(accept, io_uring_prep_accept(&sqe, c->socket, NULL, NULL, 0))
OPERATION(statx, io_uring_prep_statx(&sqe, AT_FDCWD, "/etc/passwd", 0, STATX_ALL, (void *)buffer))
OPERATION(unlinkat, io_uring_prep_unlinkat(&sqe, AT_FDCWD, PLAYGROUND "/ring-unlink", 0))
OPERATION(renameat, io_uring_prep_renameat(&sqe, AT_FDCWD, PLAYGROUND "/file", AT_FDCWD,
                                           PLAYGROUND "/file", 0))
OPERATION(mkdirat, io_uring_prep_mkdirat(&sqe, AT_FDCWD, PLAYGROUND "/ring-made", 0700))
OPERATION(symlinkat, io_uring_prep_symlinkat(&sqe, "x", AT_FDCWD, PLAYGROUND "/ring-sym"))
OPERATION(linkat, io_uring_prep_linkat(&sqe, AT_FDCWD, PLAYGROUND "/file", AT_FDCWD,
                                       PLAYGROUND "/ring-link", 0))
OPERATION(close, io_uring_prep_close(&sqe, STDIN_FILENO))
OPERATION(files_update, io_uring_prep_files_update(&sqe, files, 1, 0))
OPERATION(provide_buffers, io_uring_prep_provide_buffers(&sqe, buffer, 64, 1, 0, 0))
OPERATION(remove_buffers, io_uring_prep_remove_buffers(&sqe, 1, 0))
OPERATION(msg_ring, io_uring_prep_msg_ring(&sqe, c->ring->ring_fd, 0, 0, 0))
OPERATION(splice, io_uring_prep_splice(&sqe, STDIN_FILENO, -1, STDERR_FILENO, -1, 1, 0))
OPERATION(tee, io_uring_prep_tee(&sqe, STDERR_FILENO, STDERR_FILENO, 1, 0))
OPERATION(epoll_ctl, io_uring_prep_epoll_ctl(&sqe, c->socket, 0, EPOLL_CTL_DEL, NULL))
OPERATION(send, io_uring_prep_send(&sqe, c->socket, buffer, 1, MSG_NOSIGNAL))
OPERATION(sendmsg, static struct msghdr m; io_uring_prep_sendmsg(&sqe, c->socket, &m, MSG_NOSIGNAL))
OPERATION(recv, io_uring_prep_recv(&sqe, c->socket, buffer, 1, MSG_DONTWAIT))
OPERATION(shutdown, io_uring_prep_shutdown(&sqe, c->socket, SHUT_RD))
OPERATION(poll_add, io_uring_prep_poll_add(&sqe, STDERR_FILENO, POLLOUT))
OPERATION(fadvise, io_uring_prep_fadvise(&sqe, STDIN_FILENO, 0, 0, 0))
OPERATION(madvise, io_uring_prep_madvise(&sqe, buffer, sizeof(buffer), 0))
OPERATION(setxattr, io_uring_prep_setxattr(&sqe, "user.x", "x", PLAYGROUND "/file", 0, 1))
OPERATION(fixed_install, io_uring_prep_nop(&sqe); sqe.opcode = 54)
OPERATION(ftruncate, io_uring_prep_nop(&sqe); sqe.opcode = 55; sqe.fd = 2)
OPERATION(bind, io_uring_prep_nop(&sqe); sqe.opcode = 56; sqe.fd = c->socket)
OPERATION(listen, io_uring_prep_nop(&sqe); sqe.opcode = 57; sqe.fd = c->socket)
OPERATION(epoll_wait, io_uring_prep_nop(&sqe); sqe.opcode = 59; sqe.fd = c->socket)
OPERATION(futex_wake, io_uring_prep_nop(&sqe); sqe.opcode = 52)
OPERATION(sync_file_range, io_uring_prep_sync_file_range(&sqe, STDIN_FILENO, 0, 0, 0))
PLAIN(read, io_uring_prep_read(&sqe, STDIN_FILENO, buffer, 1, 0))
PLAIN(write, io_uring_prep_write(&sqe, STDERR_FILENO, buffer, 0, 0))
PLAIN(readv, io_uring_prep_readv(&sqe, STDIN_FILENO, &data, 1, 0))
PLAIN(read_registered, io_uring_prep_read_fixed(&sqe, STDIN_FILENO, buffer, 1, 0, 0))
PLAIN(fsync, io_uring_prep_fsync(&sqe, STDERR_FILENO, 0))
PLAIN(fallocate, io_uring_prep_fallocate(&sqe, STDERR_FILENO, 0, 0, 1))

PLAIN(read_device, io_uring_prep_read(&sqe, 0, buffer, sizeof(buffer), 0);
      sqe.flags |= IOSQE_FIXED_FILE)

/* An operation that is allowed, as far as the file and the flags are. */
static void prepare_command(struct io_uring_sqe *sqe, uint32_t command, uint16_t queue,
                            uint16_t tag) {
        const struct ublk_io_cmd payload = { .q_id = queue, .tag = tag };

        ublk_sqe_prepare(sqe, 0, command, &payload, sizeof(payload));
        sqe->flags = IOSQE_FIXED_FILE;
}

#define COMMAND(name, command, queue, tag)                         \
        static long ring_##name(const struct attempt_context *c) { \
                struct io_uring_sqe sqe;                           \
                prepare_command(&sqe, command, queue, tag);        \
                return run_sqe(c->ring, &sqe);                     \
        }
COMMAND(add_dev, (uint32_t)UBLK_CMD_ADD_DEV, 0, 0)
COMMAND(del_dev, (uint32_t)UBLK_CMD_DEL_DEV, 0, 0)
COMMAND(start_dev, (uint32_t)UBLK_CMD_START_DEV, 0, 0)
COMMAND(stop_dev, (uint32_t)UBLK_CMD_STOP_DEV, 0, 0)
COMMAND(get_info, (uint32_t)UBLK_CMD_GET_DEV_INFO, 0, 0)
COMMAND(set_params, (uint32_t)UBLK_CMD_SET_PARAMS, 0, 0)
COMMAND(quiesce, (uint32_t)UBLK_CMD_QUIESCE_DEV, 0, 0)
COMMAND(fetch_again, (uint32_t)UBLK_IO_FETCH_REQ, 0, 0)
COMMAND(fetch_other_queue, (uint32_t)UBLK_IO_FETCH_REQ, 9, 0)
COMMAND(fetch_other_tag, (uint32_t)UBLK_IO_FETCH_REQ, 0, 9)
COMMAND(commit_unfetched, (uint32_t)UBLK_IO_COMMIT_AND_FETCH_REQ, 0, 0)
COMMAND(need_get_data, (uint32_t)_IOWR('u', 0x22, struct ublk_io_cmd), 0, 0)
COMMAND(register_buffer, (uint32_t)_IOWR('u', 0x23, struct ublk_io_cmd), 0, 0)
COMMAND(old_fetch, 0x20, 0, 0)
COMMAND(no_command, 0xffffffff, 0, 0)

static long command_with_flags(struct io_uring *ring, uint8_t flags, int file) {
        struct io_uring_sqe sqe;

        prepare_command(&sqe, (uint32_t)UBLK_IO_FETCH_REQ, 9, 9);
        sqe.flags |= flags;
        sqe.fd = file;
        return run_sqe(ring, &sqe);
}

static long ring_link(const struct attempt_context *c) {
        return command_with_flags(c->ring, IOSQE_IO_LINK, 0);
}

static long ring_async(const struct attempt_context *c) {
        return command_with_flags(c->ring, IOSQE_ASYNC, 0);
}

static long ring_drain(const struct attempt_context *c) {
        return command_with_flags(c->ring, IOSQE_IO_DRAIN, 0);
}

/* Not of a command: in Linux 6.12 those have no such flag anyway. */
static long ring_buffer_select(const struct attempt_context *c) {
        struct io_uring_sqe sqe;

        io_uring_prep_read(&sqe, 0, NULL, 1, 0);
        sqe.flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
        return run_sqe(c->ring, &sqe);
}

static long ring_skip_success(const struct attempt_context *c) {
        return command_with_flags(c->ring, IOSQE_CQE_SKIP_SUCCESS, 0);
}

static long ring_other_file(const struct attempt_context *c) {
        return command_with_flags(c->ring, 0, 2);
}

/* A command to whatever the backing is. */
static long ring_command_backing(const struct attempt_context *c) {
        return command_with_flags(c->ring, 0, 1);
}

/* Another process's credentials, if some were registered. */
static long ring_personality(const struct attempt_context *c) {
        struct io_uring_sqe sqe;

        prepare_command(&sqe, (uint32_t)UBLK_IO_FETCH_REQ, 0, 0);
        sqe.personality = 1;
        return run_sqe(c->ring, &sqe);
}

static long own_ring(void (*prepare)(struct io_uring_sqe *sqe)) {
        struct io_uring ring;
        struct io_uring_sqe sqe;
        int r = io_uring_queue_init(4, &ring, 0);

        if (r < 0)
                return r;
        prepare(&sqe);
        return run_sqe(&ring, &sqe);
}

static void prepare_openat(struct io_uring_sqe *sqe) {
        io_uring_prep_openat(sqe, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
}

static void prepare_socket(struct io_uring_sqe *sqe) {
        io_uring_prep_socket(sqe, AF_INET, SOCK_RAW, 1, 0);
}

static void prepare_connect(struct io_uring_sqe *sqe) {
        io_uring_prep_connect(sqe, 3, (const void *)&bus, sizeof(bus));
}

static long own_ring_openat(const struct attempt_context *c) {
        (void)c;
        return own_ring(prepare_openat);
}

static long own_ring_socket(const struct attempt_context *c) {
        (void)c;
        return own_ring(prepare_socket);
}

static long own_ring_connect(const struct attempt_context *c) {
        (void)c;
        return own_ring(prepare_connect);
}

static struct io_uring_params parameters;
static int event_fd = 2;
static struct io_uring_clone_buffers_arg {
        uint32_t src_fd, flags, src_off, dst_off, nr, pad[3];
} clone_argument;

#define RING(name, function, flags) \
        { name, BY_RING, IN_QUEUE | (flags), .run = function }
#define BOTH(name, function, flags) \
        RING(name, function, flags), RING(name "-fixed", function##_fixed, (flags) | NO_CONTROL)
#define DRIVER(name, function) \
        { name, BY_KERNEL, IN_QUEUE | NO_CONTROL, .run = function }
#define REGISTER(name, opcode, arg, n, flags)                                 \
        {                                                                     \
                name, BY_FILTER, IN_QUEUE | (flags), SYS_io_uring_register, { \
                        ARG_RING, opcode, P(arg), n                           \
                }                                                             \
        }

static const struct attempt attempts[] = {
        BOTH("ring-openat", ring_openat, 0),
        BOTH("ring-openat2", ring_openat2, 0),
        BOTH("ring-socket", ring_socket, 0),
        BOTH("ring-connect", ring_connect, NO_CONTROL),
        BOTH("ring-accept", ring_accept, NO_CONTROL),
        BOTH("ring-statx", ring_statx, 0),
        BOTH("ring-unlinkat", ring_unlinkat, 0),
        BOTH("ring-renameat", ring_renameat, 0),
        BOTH("ring-mkdirat", ring_mkdirat, 0),
        BOTH("ring-symlinkat", ring_symlinkat, 0),
        BOTH("ring-linkat", ring_linkat, 0),
        BOTH("ring-close", ring_close, 0),
        BOTH("ring-files-update", ring_files_update, 0),
        BOTH("ring-provide-buffers", ring_provide_buffers, 0),
        BOTH("ring-remove-buffers", ring_remove_buffers, NO_CONTROL),
        BOTH("ring-msg-ring", ring_msg_ring, NO_CONTROL),
        BOTH("ring-splice", ring_splice, NO_CONTROL),
        BOTH("ring-tee", ring_tee, NO_CONTROL),
        BOTH("ring-epoll-ctl", ring_epoll_ctl, NO_CONTROL),
        BOTH("ring-send", ring_send, 0),
        BOTH("ring-sendmsg", ring_sendmsg, 0),
        BOTH("ring-recv", ring_recv, NO_CONTROL),
        BOTH("ring-shutdown", ring_shutdown, 0),
        BOTH("ring-poll-add", ring_poll_add, 0),
        BOTH("ring-fadvise", ring_fadvise, 0),
        BOTH("ring-madvise", ring_madvise, 0),
        BOTH("ring-setxattr", ring_setxattr, NO_CONTROL),
        BOTH("ring-fixed-install", ring_fixed_install, NO_CONTROL),
        BOTH("ring-ftruncate", ring_ftruncate, NO_CONTROL),
        BOTH("ring-bind", ring_bind, NO_CONTROL),
        BOTH("ring-listen", ring_listen, NO_CONTROL),
        BOTH("ring-epoll-wait", ring_epoll_wait, NO_CONTROL | YOUNG),
        BOTH("ring-futex-wake", ring_futex_wake, NO_CONTROL),
        BOTH("ring-sync-file-range", ring_sync_file_range, NO_CONTROL),
        RING("ring-read-plain", ring_read, 0),
        RING("ring-write-plain", ring_write, 0),
        RING("ring-readv-plain", ring_readv, 0),
        RING("ring-read-registered-plain", ring_read_registered, NO_CONTROL),
        RING("ring-fsync-plain", ring_fsync, NO_CONTROL),
        RING("ring-fallocate-plain", ring_fallocate, NO_CONTROL),
        RING("ring-link", ring_link, NO_CONTROL),
        RING("ring-async", ring_async, NO_CONTROL),
        RING("ring-buffer-select", ring_buffer_select, NO_CONTROL),
        DRIVER("ring-other-file", ring_other_file),
        DRIVER("ring-command-backing", ring_command_backing),
        DRIVER("ring-personality", ring_personality),
        DRIVER("ring-add-dev", ring_add_dev),
        DRIVER("ring-del-dev", ring_del_dev),
        DRIVER("ring-start-dev", ring_start_dev),
        DRIVER("ring-stop-dev", ring_stop_dev),
        DRIVER("ring-get-dev-info", ring_get_info),
        DRIVER("ring-set-params", ring_set_params),
        DRIVER("ring-quiesce-dev", ring_quiesce),
        DRIVER("ring-fetch-again", ring_fetch_again),
        DRIVER("ring-fetch-other-queue", ring_fetch_other_queue),
        DRIVER("ring-fetch-other-tag", ring_fetch_other_tag),
        DRIVER("ring-commit-unfetched", ring_commit_unfetched),
        DRIVER("ring-need-get-data", ring_need_get_data),
        DRIVER("ring-register-buffer", ring_register_buffer),
        DRIVER("ring-old-fetch", ring_old_fetch),
        DRIVER("ring-no-command", ring_no_command),
        /* On the file of the device: nothing can be read there but buffers of requests. */
        { "ring-read-device", BY_KERNEL, IN_QUEUE | NO_CONTROL, .run = ring_read_device },
        { "io-uring-setup", BY_FILTER, FILTER_ONLY, SYS_io_uring_setup, { 4, P(&parameters) } },
        { "own-ring-openat", BY_FILTER, .run = own_ring_openat },
        { "own-ring-socket", BY_FILTER, .run = own_ring_socket },
        { "own-ring-connect", BY_FILTER, NO_CONTROL, .run = own_ring_connect },
        REGISTER("register-files", IORING_REGISTER_FILES, files, 1, NO_CONTROL),
        REGISTER("register-files-update", IORING_REGISTER_FILES_UPDATE, files, 1, NO_CONTROL),
        /* Waits for the fetches in Linux 6.12. */
        REGISTER("unregister-files", IORING_UNREGISTER_FILES, 0, 0, NO_CONTROL),
        REGISTER("register-buffers", IORING_REGISTER_BUFFERS, &data, 1, 0),
        REGISTER("register-personality", IORING_REGISTER_PERSONALITY, 0, 0, 0),
        REGISTER("register-restrictions", IORING_REGISTER_RESTRICTIONS, &restriction, 1,
                 NO_CONTROL),
        REGISTER("register-enable", IORING_REGISTER_ENABLE_RINGS, 0, 0, NO_CONTROL),
        REGISTER("register-eventfd", IORING_REGISTER_EVENTFD, &event_fd, 1, NO_CONTROL),
        REGISTER("register-probe", IORING_REGISTER_PROBE, buffer, 1, 0),
        REGISTER("register-iowq", IORING_REGISTER_IOWQ_MAX_WORKERS, buffer, 2, 0),
        REGISTER("register-clone-buffers", 30, &clone_argument, 1, NO_CONTROL),
        REGISTER("register-resize", 33, &parameters, 1, NO_CONTROL),
        /* Late, because though they are refused they change how the ring goes on. */
        RING("ring-drain", ring_drain, NO_CONTROL),
        RING("ring-skip-success", ring_skip_success, NO_CONTROL),
};

const struct attempt_group group_ring = { "rings", attempts, ELEMENTSOF(attempts) };
