/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The promises as a table, one row each: this is the place to read what a worker is promised to be, and to
 * change when the worker's sandbox does. What /proc doesn't tell is never a promise kept.
 */

#include "ublkctl/sandbox-facts.h"

#include <inttypes.h>

#include "lib/base/macro.h"
#include "lib/base/str.h"

/* The kernel's PF_MEMALLOC_NOIO and PF_LOCAL_THROTTLE, which PR_SET_IO_FLUSHER sets. */
#define FLAGS_IO_FLUSHER 0x00180000U

enum { ID_NOBODY = 65534, SECCOMP_FILTER = 2 };

static enum verdict verdict_of(bool holds) {
        return holds ? VERDICT_HOLDS : VERDICT_BROKEN;
}

static enum verdict judge_pid(const struct process *p, _unused_ unsigned argument,
                              struct strbuf *is) {
        strbuf_addf(is, "%d", (int)p->pid);
        return VERDICT_NONE;
}

static enum verdict judge_unit(const struct process *p, _unused_ unsigned argument,
                               struct strbuf *is) {
        if (process_knows(p, FACT_UNIT))
                strbuf_add(is, p->unit);
        return VERDICT_NONE;
}

static enum verdict judge_inner_pid(const struct process *p, _unused_ unsigned argument,
                                    struct strbuf *is) {
        if (process_knows(p, FACT_INNER_PID))
                strbuf_addf(is, "%d", (int)p->inner_pid);
        return VERDICT_NONE;
}

static enum verdict judge_threads(const struct process *p, _unused_ unsigned argument,
                                  struct strbuf *is) {
        strbuf_addf(is, "%zu", p->threads);
        return VERDICT_NONE;
}

/* argument: FACT_UID or FACT_GID. "nobody" is many others, too. */
static enum verdict judge_id(const struct process *p, unsigned argument, struct strbuf *is) {
        uint32_t low = argument == FACT_UID ? p->uid.low : p->gid.low;
        uint32_t high = argument == FACT_UID ? p->uid.high : p->gid.high;

        if (!process_knows(p, argument))
                return VERDICT_UNKNOWN;
        if (low == high)
                strbuf_addf(is, "%" PRIu32, low);
        else
                strbuf_addf(is, "%" PRIu32 " and %" PRIu32, low, high);
        return verdict_of(low == high && low != 0 && low != ID_NOBODY);
}

static enum verdict judge_groups(const struct process *p, _unused_ unsigned argument,
                                 struct strbuf *is) {
        if (!process_knows(p, FACT_GROUPS))
                return VERDICT_UNKNOWN;
        if (p->groups == 0)
                strbuf_add(is, "none");
        else
                strbuf_addf(is, "%zu", p->groups);
        return verdict_of(p->groups == 0);
}

static enum verdict judge_namespace(const struct process *p, unsigned argument, struct strbuf *is) {
        uint64_t own = p->namespaces[argument], first = p->first_namespaces[argument];

        if (own == 0)
                return VERDICT_UNKNOWN;
        if (first == 0) {
                strbuf_addf(is, "%" PRIu64 ", that of process 1 is not shown", own);
                return VERDICT_UNKNOWN;
        }
        strbuf_addf(is, "%s (%" PRIu64 ")", own == first ? "shared with process 1" : "own", own);
        return verdict_of(own != first);
}

static enum verdict judge_root(const struct process *p, _unused_ unsigned argument,
                               struct strbuf *is) {
        if (!process_knows(p, FACT_ROOT))
                return VERDICT_UNKNOWN;
        if (p->root_entries == 0)
                strbuf_add(is, "empty");
        else
                strbuf_addf(is, "%zu entries", p->root_entries);
        return verdict_of(p->root_entries == 0);
}

static enum verdict judge_mounts(const struct process *p, _unused_ unsigned argument,
                                 struct strbuf *is) {
        if (!process_knows(p, FACT_MOUNTS))
                return VERDICT_UNKNOWN;
        strbuf_addf(is, "%zu", p->mounts);
        return verdict_of(p->mounts <= 1);
}

static enum verdict judge_capabilities(const struct process *p, _unused_ unsigned argument,
                                       struct strbuf *is) {
        static const char *const sets[CAPABILITY_SETS] = { "inheritable", "permitted", "effective",
                                                           "bounding", "ambient" };
        bool first = true;

        if (!process_knows(p, FACT_CAPABILITIES))
                return VERDICT_UNKNOWN;
        for (size_t i = 0; i < CAPABILITY_SETS; i++)
                if (p->capabilities[i] != 0) {
                        strbuf_addf(is, "%s%s %#" PRIx64, first ? "" : ", ", sets[i],
                                    p->capabilities[i]);
                        first = false;
                }
        if (first)
                strbuf_add(is, "none");
        return verdict_of(first);
}

static enum verdict judge_no_new_privs(const struct process *p, _unused_ unsigned argument,
                                       struct strbuf *is) {
        if (!process_knows(p, FACT_NO_NEW_PRIVS))
                return VERDICT_UNKNOWN;
        strbuf_add(is, p->no_new_privs ? "yes" : "no");
        return verdict_of(p->no_new_privs);
}

static enum verdict judge_seccomp(const struct process *p, _unused_ unsigned argument,
                                  struct strbuf *is) {
        if (!process_knows(p, FACT_SECCOMP))
                return VERDICT_UNKNOWN;
        if (p->filtered_threads == 0)
                strbuf_add(is, p->seccomp == 0 ? "off" : "strict");
        else
                strbuf_addf(is, "filter in %zu of %zu thread%s", p->filtered_threads, p->threads,
                            p->threads == 1 ? "" : "s");
        if (p->filtered_threads > 0 && process_knows(p, FACT_FILTERS) && p->filters > 0)
                strbuf_addf(is, ", %u filter%s", p->filters, p->filters == 1 ? "" : "s");
        return verdict_of(p->filtered_threads == p->threads);
}

/* A dumpable process owns its files in /proc; those of another belong to root. Of root's own they always do. */
static enum verdict judge_dumpable(const struct process *p, _unused_ unsigned argument,
                                   struct strbuf *is) {
        if (!process_knows(p, FACT_OWNER) || !process_knows(p, FACT_UID))
                return VERDICT_UNKNOWN;
        if (p->uid.low == 0) {
                strbuf_add(is, "can't be told of root's processes");
                return VERDICT_UNKNOWN;
        }
        strbuf_add(is, p->owner_uid == 0 ? "no" : "yes");
        return verdict_of(p->owner_uid == 0);
}

static enum verdict judge_io_flusher(const struct process *p, _unused_ unsigned argument,
                                     struct strbuf *is) {
        bool holds = FLAGS_SET(p->flags, FLAGS_IO_FLUSHER);

        if (!process_knows(p, FACT_FLAGS))
                return VERDICT_UNKNOWN;
        strbuf_add(is, holds ? "yes" : "no");
        return verdict_of(holds);
}

static enum verdict judge_oom_score(const struct process *p, _unused_ unsigned argument,
                                    struct strbuf *is) {
        if (!process_knows(p, FACT_OOM_SCORE))
                return VERDICT_UNKNOWN;
        strbuf_addf(is, "%d", p->oom_score_adj);
        return verdict_of(p->oom_score_adj < 0);
}

static enum verdict judge_locked(const struct process *p, _unused_ unsigned argument,
                                 struct strbuf *is) {
        char size[32];

        if (!process_knows(p, FACT_LOCKED))
                return VERDICT_UNKNOWN;
        format_size(p->locked_bytes, size, sizeof(size));
        strbuf_add(is, size);
        return verdict_of(p->locked_bytes > 0);
}

static enum verdict judge_limit(const struct process *p, unsigned argument, struct strbuf *is) {
        const char *soft = p->limits[argument].soft, *hard = p->limits[argument].hard;
        bool core = argument == LIMIT_CORE;

        if (!soft || !hard)
                return core ? VERDICT_UNKNOWN : VERDICT_NONE;
        if (streq(soft, hard))
                strbuf_add(is, soft);
        else
                strbuf_addf(is, "%s, can be raised to %s", soft, hard);
        return core ? verdict_of(streq(soft, "0") && streq(hard, "0")) : VERDICT_NONE;
}

enum verdict sandbox_judge_fd(const struct process_fd *fd) {
        return verdict_of(strncmp(fd->is, "/dev/ublkc", 10) != 0 && !streq(fd->type, "folder"));
}

static enum verdict judge_fds(const struct process *p, _unused_ unsigned argument,
                              struct strbuf *is) {
        enum verdict verdict = VERDICT_HOLDS;

        if (!process_knows(p, FACT_FDS))
                return VERDICT_UNKNOWN;
        strbuf_addf(is, "%zu", p->n_fds);
        for (size_t i = 0; i < p->n_fds; i++)
                if (sandbox_judge_fd(&p->fds[i]) == VERDICT_BROKEN)
                        verdict = VERDICT_BROKEN;
        return verdict;
}

static const struct sandbox_fact facts[] = {
        { "pid", "process", NULL, judge_pid, 0 },
        { "unit", "unit", NULL, judge_unit, 0 },
        { "innerPid", "its own number", NULL, judge_inner_pid, 0 },
        { "threads", "threads", NULL, judge_threads, 0 },
        { "uid", "user", "its own", judge_id, FACT_UID },
        { "gid", "group", "its own", judge_id, FACT_GID },
        { "groups", "further groups", "none", judge_groups, 0 },
        { "userNamespace", "user namespace", "own", judge_namespace, NAMESPACE_USER },
        { "mountNamespace", "mount namespace", "own", judge_namespace, NAMESPACE_MNT },
        { "netNamespace", "net namespace", "own", judge_namespace, NAMESPACE_NET },
        { "ipcNamespace", "ipc namespace", "own", judge_namespace, NAMESPACE_IPC },
        { "utsNamespace", "uts namespace", "own", judge_namespace, NAMESPACE_UTS },
        { "pidNamespace", "pid namespace", "own", judge_namespace, NAMESPACE_PID },
        { "cgroupNamespace", "cgroup namespace", "own", judge_namespace, NAMESPACE_CGROUP },
        { "root", "root folder", "empty", judge_root, 0 },
        { "mounts", "mounts", "1", judge_mounts, 0 },
        { "capabilities", "capabilities", "none", judge_capabilities, 0 },
        { "noNewPrivs", "no new privileges", "yes", judge_no_new_privs, 0 },
        { "systemCallFilter", "system calls", "filter in all", judge_seccomp, 0 },
        { "dumpable", "dumpable", "no", judge_dumpable, 0 },
        { "ioFlusher", "I/O flusher", "yes", judge_io_flusher, 0 },
        { "oomScore", "OOM score", "below 0", judge_oom_score, 0 },
        { "lockedBytes", "locked memory", "some", judge_locked, 0 },
        { "coreLimit", "limit: core", "0", judge_limit, LIMIT_CORE },
        { "openFilesLimit", "limit: open files", NULL, judge_limit, LIMIT_OPEN_FILES },
        { "lockedMemoryLimit", "limit: locked memory", NULL, judge_limit, LIMIT_LOCKED_MEMORY },
        { "processesLimit", "limit: processes", NULL, judge_limit, LIMIT_PROCESSES },
        { "fileSizeLimit", "limit: file size", NULL, judge_limit, LIMIT_FILE_SIZE },
        { "fds", "open files", "no ublkcN, no folder", judge_fds, 0 },
};

const struct sandbox_fact *sandbox_fact(size_t index) {
        return index < ELEMENTSOF(facts) ? &facts[index] : NULL;
}

const char *verdict_to_string(enum verdict verdict) {
        static const char *const names[_VERDICT_MAX] = {
                [VERDICT_HOLDS] = "holds",
                [VERDICT_BROKEN] = "broken",
                [VERDICT_UNKNOWN] = "unknown",
        };

        return names[verdict];
}
