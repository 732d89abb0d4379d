/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A process locks itself in
 *
 * What reads the bytes of strangers is assumed to be taken over one day. Then it must be able to spoil its own
 * device and nothing else. So it gives everything away before it looks at the first byte: what needs privilege
 * comes first, then the privilege goes, then the kernel is asked what really holds (verify.c), then every way to a
 * file, a socket or another program that isn't there already is closed by a filter of system calls; when threads and
 * rings stand, a second one leaves nearly none. One file a step; the calls below are in the order that is forced: memory
 * and the I/O flusher while there is privilege for them, the user before the namespaces that shall belong to it, the
 * root in its mount namespace, capabilities after all that needs them.
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
        int proc;   /* /proc, until the end of sandbox_verify() */
        int status; /* its own in there, from then until the end of the last sandbox_filter_calls() */
        char before[SANDBOX_NAMESPACE_COUNT][SANDBOX_LINK_SIZE]; /* namespaces that it came from */
};

/* A line of a filter of system calls: if the call has this number and its argument passes the test, it is allowed, or
 * refused with an errno; otherwise the lines below are asked, and after the last one the process is killed. Of an
 * argument only the lower half is seen, which is all that there is of an fd, a command or flags. */
enum sandbox_test {
        SANDBOX_ALWAYS,
        SANDBOX_IS,    /* the value */
        SANDBOX_HAS,   /* a bit of the value */
        SANDBOX_LACKS, /* all bits of the value */
};

struct sandbox_call {
        unsigned number;
        enum sandbox_test test;
        unsigned argument; /* from 0 */
        uint32_t value;
        int error; /* positive; 0: allowed */
};

#define SANDBOX_ALLOW(call) \
        { .number = (call) }
#define SANDBOX_ALLOW_IF(call, how, n, what) \
        { .number = (call), .test = (how), .argument = (n), .value = (uint32_t)(what) }
#define SANDBOX_REFUSE(call, with) \
        { .number = (call), .error = (with) }

enum { SANDBOX_CALLS_MAX = 96 };

/* Opens /proc for the other steps. Returns 0 or a negative errno, like all that follow. */
int sandbox_begin(struct sandbox *s);

/* limits.c: resource limits, I/O flusher, OOM score. */
int sandbox_set_limits(struct sandbox *s);

/* limits.c: no file can be made larger than that by this process any more; a write beyond is an error. */
int sandbox_limit_file_size(struct sandbox *s, uint64_t bytes);

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

/* verify.c: asks the kernel for everything above, except of parts that are noted as missing. Closes /proc: through an fd
 * in it the way leads out, whatever the root is. */
int sandbox_verify(struct sandbox *s);

/* seccomp.c: from now on all threads are under this filter and every earlier one. Looks whether it holds before it
 * returns. */
int sandbox_filter_calls(struct sandbox *s, const struct sandbox_call *calls, size_t n_calls);
