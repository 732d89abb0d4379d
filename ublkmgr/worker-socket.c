/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Accepting workers
 *
 * Only root and the group of the workers can connect, and even so nobody is believed: the kernel says which process
 * connected, and its cgroup, which no process can choose for itself, says in which unit that runs. Whoever isn't waited for
 * is disconnected before anything was read, so there is never a connection that belongs to nobody. How many are looked at in
 * a second is limited: a member of the group that connects in a loop must not keep the manager from its work.
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
#include <systemd/sd-login.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/log.h"

#define SOCKET_GROUP "ublk-worker"

/* Since Linux 6.5, which is older than what ublk needs. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

enum {
        BACKLOG = 128,
        ACCEPTS_PER_SECOND = 200,
};

struct worker_socket {
        struct sockaddr_un address;
        int fd;
        sd_event_source *source;
        worker_connected connected;
        void *userdata;
};

/* Returns 0 with the process and its unit (to be freed), or a negative errno. */
static int identify(int fd, struct worker_process *ret, char **ret_unit) {
        struct ucred peer;
        socklen_t size = sizeof(peer);
        _cleanup_close_ int pidfd = -EBADF;
        int r;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return -errno;
        size = sizeof(pidfd);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0)
                return -errno;
        r = sd_pid_get_unit(peer.pid, ret_unit);
        if (r < 0)
                return r;
        /* It still lives, so the number has meant this process all the time. */
        if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0 && errno != EPERM) {
                free(TAKE_PTR(*ret_unit));
                return -errno;
        }
        *ret = (struct worker_process){
                .pid = peer.pid, .pidfd = TAKE_FD(pidfd), .socket = fd, .unit = *ret_unit
        };
        return 0;
}

static int on_connection(_unused_ sd_event_source *source, int fd, _unused_ uint32_t revents,
                         void *userdata) {
        struct worker_socket *s = userdata;
        _cleanup_close_ int peer = -EBADF;
        _cleanup_free_ char *unit = NULL;
        struct worker_process process;
        int r;

        peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (peer < 0) {
                if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
                        (void)log_errno(LOG_WARNING, errno, "%s: can't accept",
                                        s->address.sun_path);
                return 0;
        }
        r = identify(peer, &process, &unit);
        if (r < 0) {
                (void)log_errno(LOG_NOTICE, r, "%s: who has connected can't be found out, refused",
                                s->address.sun_path);
                return 0;
        }
        if (s->connected(s->userdata, &process)) {
                peer = -EBADF;
                return 0;
        }
        log_notice("%s: process %i of %s has connected and is not a worker that is waited for, "
                   "refused",
                   s->address.sun_path, (int)process.pid, unit);
        safe_close(process.pidfd);
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

int worker_socket_new(sd_event *event, const char *folder, worker_connected connected,
                      void *userdata, struct worker_socket **ret) {
        struct worker_socket *s;
        int r, n;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->fd = -EBADF;
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
        sd_event_source_disable_unref(s->source);
        if (s->fd >= 0)
                (void)unlink(s->address.sun_path);
        safe_close(s->fd);
        free(s);
        return NULL;
}
