/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Helpers as children of the manager
 *
 * The event source of the child owns what is remembered about it: a helper that is forgotten is killed, but may take its
 * time (it can hang in the kernel behind the disk that it works on), and nobody waits for it then but the event loop.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/macro.h"
#include "ublkmgr/helper.h"

struct helper_exec {
        struct helper helper;
        int pidfd; /* of the event source */
        bool killed;
        sd_event_source *child;
        sd_event_source *deadline;
};

static void helper_kill(struct helper_exec *h) {
        (void)syscall(SYS_pidfd_send_signal, h->pidfd, SIGKILL, NULL, 0);
}

static int on_deadline(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        struct helper_exec *h = userdata;

        h->killed = true;
        helper_kill(h);
        return 0;
}

static int on_child(sd_event_source *source, const siginfo_t *si, void *userdata) {
        struct helper_exec *h = userdata;
        const struct helper helper = h->helper;
        int error = si->si_code == CLD_EXITED && si->si_status == 0 ? 0 : -ECHILD;
        char description[128];

        if (!helper.done) {
                /* Its last reference: h is gone after this. */
                (void)sd_event_source_set_floating(source, false);
                return 0;
        }
        if (h->killed) {
                error = -ETIMEDOUT;
                (void)snprintf(description, sizeof(description), "took too long and was killed");
        } else if (si->si_code == CLD_EXITED)
                (void)snprintf(description, sizeof(description), "exited with code %i",
                               si->si_status);
        else
                (void)snprintf(description, sizeof(description), "was killed by signal %i (%s)",
                               si->si_status, strsignal(si->si_status));
        sd_event_source_disable_unref(h->deadline);
        h->deadline = NULL;
        sd_event_source_unref(h->child);
        helper.done(helper.userdata, error, description);
        return 0;
}

static void exec_forget(struct helper *helper) {
        struct helper_exec *h = CONTAINER_OF(helper, struct helper_exec, helper);

        helper_kill(h);
        h->helper.done = NULL;
        h->deadline = sd_event_source_disable_unref(h->deadline);
        (void)sd_event_source_set_floating(h->child, true);
        sd_event_source_unref(h->child);
}

/* The event source is at its end, and what is remembered with it. */
static void on_destroy(void *userdata) {
        struct helper_exec *h = userdata;

        sd_event_source_disable_unref(h->deadline);
        free(h);
}

static const struct helper_ops exec_ops = {
        .forget = exec_forget,
};

/* The program gets /dev/null, the log, no signal blocked, and of the manager's environment only where the log is. */
static int spawn(const char *path, const char *const argv[], pid_t *ret) {
        char *stream = getenv("JOURNAL_STREAM"), *environment[2] = { NULL };
        _cleanup_free_ char *variable = NULL;
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t all, none;
        int r;

        if (stream && asprintf(&variable, "JOURNAL_STREAM=%s", stream) < 0)
                variable = NULL;
        environment[0] = variable;
        (void)sigfillset(&all);
        (void)sigemptyset(&none);
        r = posix_spawnattr_init(&attributes);
        if (r != 0)
                return -r;
        r = posix_spawn_file_actions_init(&actions);
        if (r != 0) {
                (void)posix_spawnattr_destroy(&attributes);
                return -r;
        }
        (void)posix_spawnattr_setsigdefault(&attributes, &all);
        (void)posix_spawnattr_setsigmask(&attributes, &none);
        (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                                            POSIX_SPAWN_SETSID);
        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn(ret, path, &actions, &attributes, (char *const *)argv, environment);
        (void)posix_spawn_file_actions_destroy(&actions);
        (void)posix_spawnattr_destroy(&attributes);
        return -r;
}

static int watch(sd_event *event, struct helper_exec *h, uint64_t timeout_usec) {
        int r;

        r = sd_event_add_child_pidfd(event, &h->child, h->pidfd, WEXITED, on_child, h);
        if (r < 0)
                return r;
        /* As in worker.c: looked at until it may be waited for, not once. */
        r = sd_event_source_set_enabled(h->child, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_enabled(h->child, SD_EVENT_ON);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &h->deadline, CLOCK_MONOTONIC, timeout_usec,
                                               0, on_deadline, h);
        if (r >= 0)
                r = sd_event_source_set_child_pidfd_own(h->child, true);
        if (r >= 0)
                r = sd_event_source_set_destroy_callback(h->child, on_destroy);
        return r;
}

int helper_run_exec(sd_event *event, const char *path, const char *const argv[],
                    uint64_t timeout_usec, helper_done done, void *userdata, struct helper **ret) {
        struct helper_exec *h;
        siginfo_t si;
        pid_t pid;
        int r;

        h = malloc(sizeof(*h));
        if (!h)
                return -ENOMEM;
        *h = (struct helper_exec){
                .helper = { .ops = &exec_ops, .done = done, .userdata = userdata },
                .pidfd = -EBADF,
        };
        r = spawn(path, argv, &pid);
        if (r < 0) {
                free(h);
                return r;
        }
        /* SIGCHLD is blocked, nobody else waits for it: the pid is still that of our child. */
        h->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        r = h->pidfd < 0 ? -errno : watch(event, h, timeout_usec);
        if (r < 0) {
                (void)kill(pid, SIGKILL);
                (void)waitid(P_PID, (id_t)pid, &si, WEXITED);
                sd_event_source_disable_unref(h->child);
                sd_event_source_disable_unref(h->deadline);
                safe_close(h->pidfd);
                free(h);
                return r;
        }
        *ret = &h->helper;
        return 0;
}
