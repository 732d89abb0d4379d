/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A process locks itself in
 *
 * What reads the bytes of strangers is assumed to be taken over one day. Then it must be able to spoil its own
 * device and nothing else. So it gives everything away before it looks at the first byte: what needs privilege
 * comes first, then the privilege goes, then, when its threads and rings stand, nearly all system calls. One file
 * a step; the calls below are in the order that is forced: memory and the I/O flusher while there is privilege for
 * them, the user before the namespaces that shall belong to it, the root in its mount namespace, capabilities after
 * all that needs them. At the end the kernel is asked what really holds (verify.c).
 *
 * A part that the kernel or a container around us refuses is noted in `missing` and the rest goes on; whether it
 * may be missing is for the administrator to say, and the caller asks sandbox_check_missing() once it knows. What
 * is not in the list of parts can't be missing: its step fails.
 *
 * One thread until sandbox_seal(); nothing here has an undo, because the process ends if a step fails.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Also on the wire, with these numbers. */
enum sandbox_part {
        SANDBOX_IO_FLUSHER = 1U << 0,
        SANDBOX_MEMORY_LOCK = 1U << 1,
        SANDBOX_OOM_SCORE = 1U << 2,
        SANDBOX_OWN_USER = 1U << 3,
        SANDBOX_NAMESPACES = 1U << 4,
        SANDBOX_PID_NAMESPACE = 1U << 5,
        SANDBOX_RING = 1U << 6,
        SANDBOX_SECCOMP = 1U << 7,
};

/* A queue has a ring, and a device has up to 4096 queues. */
enum { SANDBOX_OPEN_FILES_MAX = 4096 + 256 };

enum { SANDBOX_NAMESPACE_COUNT = 6, SANDBOX_LINK_SIZE = 32 };

struct sandbox {
        uid_t uid; /* an id that nobody else has, to be changed to; 0: keep the one that is */
        const char *what; /* about an error, for people; static */
        uint32_t missing; /* enum sandbox_part */
        int missing_error[8];
        int proc; /* /proc, open until the end of sandbox_verify() */
        char before[SANDBOX_NAMESPACE_COUNT][SANDBOX_LINK_SIZE]; /* namespaces that it came from */
};

/* What a system call filter lets through. An fd other than SANDBOX_ANY_FD must be the first argument. */
struct sandbox_call {
        unsigned number;
        int fd;
};

#define SANDBOX_ANY_FD (-1)

/* Opens /proc for the other steps. Returns 0 or a negative errno, like all that follow. */
int sandbox_begin(struct sandbox *s);

/* limits.c: resource limits, I/O flusher, OOM score. */
int sandbox_set_limits(struct sandbox *s);

/* identity.c: the own user id, no groups. */
int sandbox_change_identity(struct sandbox *s);

/* namespaces.c: user, mount, net, ipc, uts, cgroup. Makes a pid namespace as well if this process isn't the first of
 * its own and may fork; *ret_fork then says that it has to, because only a child will be in it. */
int sandbox_leave_namespaces(struct sandbox *s, bool may_fork, bool *ret_fork);

/* root.c: an empty, read-only file system. */
int sandbox_leave_root(struct sandbox *s);

/* memory.c: locks what is and will be mapped, as it is touched. Not inherited by fork(). */
int sandbox_lock_memory(struct sandbox *s);

/* fds.c: closes what is neither stdin, stdout, stderr nor in the list, and checks the types of the first three. */
int sandbox_close_fds(struct sandbox *s, const int *fds, size_t n_fds);

/* capabilities.c: none, and no way to get any; nobody may look into the process. */
int sandbox_drop_capabilities(struct sandbox *s);

/* Notes that the kernel refused a part. Always 0. */
int sandbox_miss(struct sandbox *s, enum sandbox_part part, int error);

/* Whether all that is missing is tolerated (a mask of parts). Returns 0, or the errno of a part that is missing
 * against the will of the administrator, with `what`. */
int sandbox_check_missing(struct sandbox *s, uint32_t tolerated);

/* verify.c: asks the kernel for everything above, except of parts that are noted as missing. */
int sandbox_verify(struct sandbox *s);

/* seccomp.c: from now on every thread can do these calls and no others; one that tries is killed with its process.
 * No memory is allocated and nothing opened after this. Looks whether it holds before it returns. */
int sandbox_filter_calls(struct sandbox *s, const struct sandbox_call *calls, size_t n_calls);
