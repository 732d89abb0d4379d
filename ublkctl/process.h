/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A process as /proc shows it to others: what it may do and what it holds. Facts only; what they mean for a
 * worker is said in sandbox-facts.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum process_namespace {
        NAMESPACE_USER,
        NAMESPACE_MNT,
        NAMESPACE_NET,
        NAMESPACE_IPC,
        NAMESPACE_UTS,
        NAMESPACE_PID,
        NAMESPACE_CGROUP,
        _NAMESPACE_MAX,
};

enum process_limit {
        LIMIT_CORE,
        LIMIT_OPEN_FILES,
        LIMIT_LOCKED_MEMORY,
        LIMIT_PROCESSES,
        LIMIT_FILE_SIZE,
        _LIMIT_MAX,
};

/* A fact may be missing: the kernel doesn't have it, or doesn't show it. */
enum process_fact {
        FACT_UNIT,
        FACT_INNER_PID,
        FACT_UID,
        FACT_GID,
        FACT_GROUPS,
        FACT_ROOT,
        FACT_MOUNTS,
        FACT_CAPABILITIES,
        FACT_NO_NEW_PRIVS,
        FACT_SECCOMP,
        FACT_FILTERS,
        FACT_OWNER,
        FACT_FLAGS,
        FACT_OOM_SCORE,
        FACT_LOCKED,
        FACT_FDS,
        _FACT_MAX,
};

enum { CAPABILITY_SETS = 5 }; /* inheritable, permitted, effective, bounding, ambient */

struct process_fd {
        unsigned number;
        const char *type; /* "socket", "file", "folder" … */
        char *is;         /* what its link says */
};

/* What each thread has of its own is put together so that the weakest counts: a capability of one is a
 * capability of the process, and a filter that one doesn't have is none. */
struct process {
        pid_t pid;
        unsigned known; /* mask of 1 << enum process_fact */
        size_t threads;

        char *unit;      /* or the cgroup where it is in no unit */
        pid_t inner_pid; /* in its own pid namespace */
        struct {
                uint32_t low, high;
        } uid, gid; /* over real, effective, saved and file system id */
        size_t groups;
        uint64_t capabilities[CAPABILITY_SETS];
        bool no_new_privs;
        unsigned seccomp;        /* the lowest mode */
        unsigned filters;        /* the fewest */
        size_t filtered_threads; /* those in mode 2 */
        unsigned flags;          /* the kernel's PF_…, those that all threads have */
        uint32_t owner_uid;      /* of its files in /proc */

        /* Inodes; 0: not known. */
        uint64_t namespaces[_NAMESPACE_MAX];
        uint64_t first_namespaces[_NAMESPACE_MAX]; /* those of process 1 */

        size_t root_entries, mounts;
        struct {
                char *soft, *hard; /* as the kernel writes them; NULL: not known */
        } limits[_LIMIT_MAX];
        int oom_score_adj;
        uint64_t locked_bytes;
        struct process_fd *fds; /* by number */
        size_t n_fds;
};

static inline bool process_knows(const struct process *p, enum process_fact fact) {
        return p->known & 1U << fact;
}

/* "user", "mnt" …, as in /proc. */
const char *process_namespace_name(enum process_namespace namespace);

/* Reads it below `proc` ("/proc"). The process may end or become another one meanwhile: who calls this holds a
 * pidfd and asks that afterwards. Returns 0, -ESRCH (there is none), -EACCES (the kernel doesn't show it to this
 * user) or -ENOMEM; *ret is to be freed with process_done() in each case. */
int process_read(const char *proc, pid_t pid, struct process *ret);

void process_done(struct process *p);
