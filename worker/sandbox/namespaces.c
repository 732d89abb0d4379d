/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* No network, no mounts, no IPC objects, no host name, no cgroups and no users of anybody else
 *
 * All at once, because the user namespace is what gives an ordinary user the right to make the others. No id is
 * mapped into it. If there are no user namespaces a privileged process still gets the rest. A pid namespace is for
 * children only, so whoever was not started as the first process of one has to fork.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "worker/sandbox/namespaces.h"
#include "worker/sandbox/sandbox.h"

const char *const sandbox_namespaces[SANDBOX_NAMESPACE_COUNT] = { "user", "mnt", "net",
                                                                  "ipc",  "uts", "cgroup" };

enum { COMMON = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP };

void sandbox_read_namespace(const struct sandbox *s, size_t which, char ret[SANDBOX_LINK_SIZE]) {
        char path[32] = "self/ns/";
        ssize_t n;

        (void)strcat(path, sandbox_namespaces[which]);
        n = readlinkat(s->proc, path, ret, SANDBOX_LINK_SIZE - 1);
        ret[n > 0 ? n : 0] = 0;
}

int sandbox_leave_namespaces(struct sandbox *s, bool may_fork, bool *ret_fork) {
        int pid = may_fork && getpid() != 1 ? CLONE_NEWPID : 0;
        const struct {
                int flags;
                uint32_t missing;
        } attempts[] = {
                { COMMON | CLONE_NEWUSER | pid, 0 },
                { COMMON | CLONE_NEWUSER, 0 },
                { COMMON | pid, SANDBOX_NAMESPACES },
                { 0, SANDBOX_NAMESPACES },
        };
        int error = 0;
        size_t i = 0;

        for (size_t k = 0; k < SANDBOX_NAMESPACE_COUNT; k++)
                sandbox_read_namespace(s, k, s->before[k]);

        /* The last one asks for nothing. */
        while (unshare(attempts[i].flags) < 0) {
                error = errno;
                i++;
        }
        *ret_fork = attempts[i].flags & CLONE_NEWPID;
        if (attempts[i].missing)
                (void)sandbox_miss(s, SANDBOX_NAMESPACES, error);
        if (!*ret_fork && getpid() != 1)
                (void)sandbox_miss(s, SANDBOX_PID_NAMESPACE, error ? error : EPERM);
        return 0;
}
