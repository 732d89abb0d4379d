/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workers as children of the manager
 *
 * clone3() gives a pidfd without a race. The child gets stdin from nowhere, the manager's stdout and stderr
 * (the log) and its socket as fd 3; everything else is closed, because any stray copy of another device's
 * fd in a worker would hide the death of that device's own worker from the kernel. That exec failed is told
 * through a pipe that exec closes.
 *
 * The child begins in a pid namespace of its own, because that is the one which a process can't enter later itself. Not
 * everywhere that is allowed; whether it is bearable then is for the worker to judge.
 */

#include "ublkmgr/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"

enum {
        WORKER_SOCKET_FD = 3,
        WORKER_STATUS_FD = 4,
};

struct spawner_exec {
        struct spawner spawner;
        sd_event *event;
        const char *path;
};

/* It has its process from the beginning; only the answer comes later. */
struct spawn {
        struct worker_process process;
        sd_event_source *answer;
        spawn_done done;
        void *userdata;
};

struct command {
        const char *path;
        const char *name;
        char uid[32]; /* "--uid=N"; empty: as whoever the manager is */
};

static void reset_signals(void) {
        sigset_t none;

        for (int i = 1; i < NSIG; i++)
                (void)signal(i, SIG_DFL);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Moves an fd to a number; the result stays open across exec. */
static int place_fd(int fd, int number) {
        if (fd == number)
                return fcntl(fd, F_SETFD, 0);
        return dup2(fd, number);
}

_Noreturn static void child_main(struct command *command, int socket, int status) {
        char *argv[] = { (char *)"ublk-worker", (char *)"--socket-fd=3", command->uid,
                         (char *)command->name, NULL };
        char *stream = getenv("JOURNAL_STREAM"), *environment[2] = { NULL };
        int null, error, told = status;

        if (command->uid[0] == 0) {
                argv[2] = argv[3];
                argv[3] = NULL;
        }
        reset_signals();
        (void)setsid();

        /* First out of the way of the numbers that they shall get. */
        socket = fcntl(socket, F_DUPFD, 10);
        status = fcntl(status, F_DUPFD, 10);
        if (status >= 0)
                told = status;
        null = open("/dev/null", O_RDONLY);
        if (socket < 0 || status < 0 || null < 0 || place_fd(null, STDIN_FILENO) < 0 ||
            place_fd(socket, WORKER_SOCKET_FD) < 0 || place_fd(status, WORKER_STATUS_FD) < 0 ||
            fcntl(WORKER_STATUS_FD, F_SETFD, FD_CLOEXEC) < 0 ||
            syscall(SYS_close_range, WORKER_STATUS_FD + 1, ~0U, 0) < 0)
                goto fail;

        told = WORKER_STATUS_FD;
        /* The manager's own environment (NOTIFY_SOCKET …) is none of a worker's business. */
        if (stream && asprintf(&environment[0], "JOURNAL_STREAM=%s", stream) < 0)
                environment[0] = NULL;
        execve(command->path, argv, environment);
fail:
        error = errno;
        _unused_ ssize_t n = write(told, &error, sizeof(error));
        _exit(127);
}

/* Waits for exec: it either closes the pipe or writes what went wrong. Takes as long as the kernel needs to
 * load a program from the disk that the manager's own program came from. */
static int wait_for_exec(int pipe) {
        int error = 0;
        ssize_t n;

        do
                n = read(pipe, &error, sizeof(error));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        return n == sizeof(error) ? -error : 0;
}

static int clone_worker(pid_t *ret_pid, int *ret_pidfd) {
        int pidfd = -EBADF;
        struct clone_args args = {
                .flags = CLONE_PIDFD | CLONE_NEWPID,
                .pidfd = (uint64_t)(uintptr_t)&pidfd,
                .exit_signal = SIGCHLD,
        };
        long pid;

        pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid < 0 && (errno == EPERM || errno == EINVAL || errno == ENOSYS || errno == ENOSPC)) {
                args.flags &= ~(uint64_t)CLONE_NEWPID;
                pid = syscall(SYS_clone3, &args, sizeof(args));
        }
        if (pid < 0)
                return -errno;
        *ret_pid = (pid_t)pid;
        *ret_pidfd = pidfd;
        return 0;
}

static int start_child(struct command *command, struct worker_process *ret) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF, status = -EBADF, status_end = -EBADF,
                            pidfd = -EBADF;
        int pair[2], r;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];
        if (fcntl(ours, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
                return -errno;
        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        status = pair[0];
        status_end = pair[1];

        r = clone_worker(&pid, &pidfd);
        if (r < 0)
                return r;
        if (pid == 0)
                child_main(command, theirs, status_end);

        status_end = safe_close(status_end);
        r = wait_for_exec(status);
        if (r < 0) {
                (void)waitpid(pid, NULL, 0);
                return r;
        }
        *ret = (struct worker_process){
                .pid = pid,
                .pidfd = TAKE_FD(pidfd),
                .socket = TAKE_FD(ours),
                .child = true,
        };
        return 0;
}

static void spawn_free(struct spawn *spawn) {
        sd_event_source_disable_unref(spawn->answer);
        safe_close(spawn->process.pidfd);
        safe_close(spawn->process.socket);
        free(spawn);
}

static int on_answer(_unused_ sd_event_source *source, void *userdata) {
        struct spawn *spawn = userdata;
        const struct worker_process process = spawn->process;
        spawn_done done = spawn->done;
        void *order = spawn->userdata;

        spawn->process.pidfd = spawn->process.socket = -EBADF;
        spawn_free(spawn);
        done(order, 0, NULL, &process);
        return 0;
}

/* It has begun to run our own program, so nothing keeps it from ending at once. */
static void end_child(struct spawn *spawn) {
        (void)kill(spawn->process.pid, SIGKILL);
        (void)waitpid(spawn->process.pid, NULL, 0);
        spawn_free(spawn);
}

static int exec_start(struct spawner *s, const struct spawn_order *order, struct spawn **ret) {
        struct spawner_exec *e = CONTAINER_OF(s, struct spawner_exec, spawner);
        struct command command = { .path = e->path, .name = order->name };
        struct spawn *spawn;
        int r;

        spawn = calloc(1, sizeof(*spawn));
        if (!spawn)
                return -ENOMEM;
        spawn->done = order->done;
        spawn->userdata = order->userdata;
        if (geteuid() == 0)
                (void)snprintf(command.uid, sizeof(command.uid), "--uid=%u", (unsigned)order->uid);

        r = start_child(&command, &spawn->process);
        if (r < 0) {
                free(spawn);
                return r;
        }
        r = sd_event_add_defer(e->event, &spawn->answer, on_answer, spawn);
        if (r < 0) {
                end_child(spawn);
                return r;
        }
        *ret = spawn;
        return 0;
}

static void exec_cancel(_unused_ struct spawner *s, struct spawn *spawn) {
        end_child(spawn);
}

static void exec_free(struct spawner *s) {
        free(CONTAINER_OF(s, struct spawner_exec, spawner));
}

static const struct spawner_ops exec_ops = {
        .start = exec_start,
        .cancel = exec_cancel,
        .free = exec_free,
};

int spawner_exec_new(sd_event *event, const char *path, struct spawner **ret) {
        struct spawner_exec *e = malloc(sizeof(*e));

        if (!e)
                return -ENOMEM;
        *e = (struct spawner_exec){ .spawner = { .ops = &exec_ops, .what = path },
                                    .event = event,
                                    .path = path };
        *ret = &e->spawner;
        return 0;
}
