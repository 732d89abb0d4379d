/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Accepting workers
 *
 * Only root and the group of the workers can connect, and even so nobody is believed: the kernel says which process
 * connected, and systemd in which unit that runs. Whoever isn't waited for is disconnected before anything was read. How
 * many are looked at in a second, and at a time, is limited: a member of the group that connects in a loop must not keep
 * the manager from its work.
 */

#include "ublkmgr/worker-socket.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "ublkmgr/systemd.h"

#define SOCKET_GROUP "ublk-worker"

/* Since Linux 6.5, which is older than what ublk needs. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

enum {
        BACKLOG = 128,
        ACCEPTS_PER_SECOND = 200,
        CALLERS_MAX = 64,
};

struct worker_socket {
        struct sockaddr_un address;
        int fd;
        sd_event_source *source;
        sd_bus *bus;
        struct list callers;
        unsigned n_callers;
        worker_connected connected;
        void *userdata;
};

/* Somebody who has connected, while systemd is asked in which unit that is. */
struct caller {
        struct list list;
        struct worker_socket *socket;
        struct worker_process process;
        sd_bus_slot *call;
};

/* While too many are asked about, the others wait in the backlog. */
static void accept_if_room(struct worker_socket *s) {
        (void)sd_event_source_set_enabled(s->source,
                                          s->n_callers < CALLERS_MAX ? SD_EVENT_ON : SD_EVENT_OFF);
}

static void caller_free(struct caller *caller) {
        list_remove(&caller->list);
        caller->socket->n_callers--;
        sd_bus_slot_unref(caller->call);
        safe_close(caller->process.socket);
        safe_close(caller->process.pidfd);
        free(caller);
}

static bool is_alive(const struct worker_process *process) {
        return syscall(SYS_pidfd_send_signal, process->pidfd, 0, NULL, 0) >= 0 || errno == EPERM;
}

/* Returns 0 with the name (to be freed), or a negative errno. */
static int read_unit(sd_bus_message *reply, char **ret) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        const char *path;
        int r;

        if (error)
                return -sd_bus_error_get_errno(error);
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return r;
        r = sd_bus_path_decode(path, SYSTEMD_PATH "/unit", ret);
        return r == 0 ? -EBADMSG : r;
}

static int on_unit(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *ret_error) {
        struct caller *caller = userdata;
        struct worker_socket *s = caller->socket;
        _cleanup_free_ char *unit = NULL;
        int r;

        r = read_unit(reply, &unit);
        /* It still lives, so the number has meant this process all the time. */
        if (r >= 0 && !is_alive(&caller->process))
                r = -ESRCH;
        caller->process.unit = unit;
        if (r < 0)
                (void)log_errno(LOG_NOTICE, r, "%s: who has connected can't be found out, refused",
                                s->address.sun_path);
        else if (s->connected(s->userdata, &caller->process))
                caller->process.socket = caller->process.pidfd = -EBADF;
        else
                log_notice("%s: process %i of %s has connected and is not a worker that is waited "
                           "for, refused",
                           s->address.sun_path, (int)caller->process.pid, unit);
        caller_free(caller);
        accept_if_room(s);
        return 0;
}

/* What the kernel says about the other end of process->socket. Returns 0 or a negative errno. */
static int identify(struct worker_process *process) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (getsockopt(process->socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return -errno;
        process->pid = peer.pid;
        size = sizeof(process->pidfd);
        if (getsockopt(process->socket, SOL_SOCKET, SO_PEERPIDFD, &process->pidfd, &size) < 0)
                return -errno;
        return 0;
}

static int on_connection(_unused_ sd_event_source *source, int fd, _unused_ uint32_t revents,
                         void *userdata) {
        struct worker_socket *s = userdata;
        _cleanup_close_ int peer = -EBADF;
        struct caller *caller;
        int r;

        peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (peer < 0) {
                if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
                        (void)log_errno(LOG_WARNING, errno, "%s: can't accept",
                                        s->address.sun_path);
                return 0;
        }
        caller = calloc(1, sizeof(*caller));
        if (!caller)
                return log_errno(LOG_WARNING, ENOMEM, "%s: can't accept", s->address.sun_path), 0;
        caller->socket = s;
        caller->process = (struct worker_process){ .socket = TAKE_FD(peer), .pidfd = -EBADF };
        list_append(&s->callers, &caller->list);
        s->n_callers++;

        r = identify(&caller->process);
        if (r >= 0)
                r = sd_bus_call_method_async(s->bus, &caller->call, SYSTEMD_NAME, SYSTEMD_PATH,
                                             SYSTEMD_INTERFACE, "GetUnitByPID", on_unit, caller,
                                             "u", (uint32_t)caller->process.pid);
        if (r < 0) {
                caller_free(caller);
                (void)log_errno(LOG_NOTICE, r, "%s: who has connected can't be found out, refused",
                                s->address.sun_path);
        }
        accept_if_room(s);
        return 0;
}

/* Closed to all but root first; the workers' group is let in where there is one. */
static int open_to_group(const char *path) {
        const struct group *group;

        if (chmod(path, 0600) < 0)
                return -errno;
        group = getgrnam(SOCKET_GROUP);
        if (!group) {
                log_debug("there is no group " SOCKET_GROUP ", only root's workers can connect");
                return 0;
        }
        /* The unit gives us that group, so that we need no right to choose among all groups. */
        if (getegid() != group->gr_gid && chown(path, (uid_t)-1, group->gr_gid) < 0)
                return -errno;
        return chmod(path, 0660) < 0 ? -errno : 0;
}

static int listen_at(struct worker_socket *s) {
        const char *path = s->address.sun_path;

        s->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (s->fd < 0)
                return -errno;
        /* What an earlier manager has left; there is no other one (the folder is locked). */
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        if (bind(s->fd, (const struct sockaddr *)&s->address, sizeof(s->address)) < 0)
                return -errno;
        if (listen(s->fd, BACKLOG) < 0)
                return -errno;
        return open_to_group(path);
}

int worker_socket_new(sd_event *event, sd_bus *bus, const char *folder, worker_connected connected,
                      void *userdata, struct worker_socket **ret) {
        struct worker_socket *s;
        int r, n;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->fd = -EBADF;
        s->bus = bus;
        list_init(&s->callers);
        s->connected = connected;
        s->userdata = userdata;
        s->address.sun_family = AF_UNIX;
        n = snprintf(s->address.sun_path, sizeof(s->address.sun_path), "%s/worker.sock", folder);
        r = n < 0 || (size_t)n >= sizeof(s->address.sun_path) ? -ENAMETOOLONG : listen_at(s);
        if (r >= 0)
                r = sd_event_add_io(event, &s->source, s->fd, EPOLLIN, on_connection, s);
        if (r >= 0)
                r = sd_event_source_set_ratelimit(s->source, 1000000, ACCEPTS_PER_SECOND);
        if (r < 0) {
                worker_socket_free(s);
                return log_errno(LOG_ERR, r, "can't listen at %s/worker.sock", folder);
        }
        *ret = s;
        return 0;
}

struct worker_socket *worker_socket_free(struct worker_socket *s) {
        if (!s)
                return NULL;
        LIST_FOREACH (i, &s->callers)
                caller_free(CONTAINER_OF(i, struct caller, list));
        sd_event_source_disable_unref(s->source);
        if (s->fd >= 0)
                (void)unlink(s->address.sun_path);
        safe_close(s->fd);
        free(s);
        return NULL;
}
