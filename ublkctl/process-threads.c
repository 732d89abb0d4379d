/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Credentials, system call filters and process flags belong to threads: one thread that was forgotten is a way
 * out, so each is asked, and the weakest answer counts. A line that one thread's status doesn't have is not
 * known for the process.
 */

#include "ublkctl/process-parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/base/macro.h"

enum { FILE_MAX = 1024 * 1024 };

int process_read_file(const char *folder, const char *name, char **ret) {
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "%s/%s", folder, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return read_file(path, FILE_MAX, ret, NULL);
}

/* What follows "KEY:" and blanks; NULL: there is no such line. */
static const char *find_line(const char *status, const char *key) {
        size_t n = strlen(key);

        while (status) {
                if (strncmp(status, key, n) == 0 && status[n] == ':')
                        return status + n + 1 + strspn(status + n + 1, " \t");
                status = strchr(status, '\n');
                status += status != NULL;
        }
        return NULL;
}

/* Reads the numbers of a line, at most `size`. Returns how many there are; 0: no line, or other things in it. */
static size_t read_numbers(const char *status, const char *key, int base, uint64_t *ret,
                           size_t size) {
        const char *text = find_line(status, key);
        size_t n = 0;

        if (!text)
                return 0;
        while (*text && *text != '\n') {
                char *end;
                uint64_t number = strtoull(text, &end, base);

                if (end == text)
                        return 0;
                if (n < size)
                        ret[n] = number;
                n++;
                text = end + strspn(end, " \t");
        }
        return n;
}

/* One number; false: it isn't there, which makes the fact an unknown one. */
static bool read_number(struct process *p, const char *status, const char *key, int base,
                        enum process_fact fact, uint64_t *ret) {
        if (read_numbers(status, key, base, ret, 1) == 1)
                return true;
        p->known &= ~(1U << fact);
        return false;
}

static void fold_ids(struct process *p, const char *status) {
        uint64_t ids[4];

        if (read_numbers(status, "Uid", 10, ids, 4) != 4)
                p->known &= ~(1U << FACT_UID);
        else
                for (size_t i = 0; i < 4; i++) {
                        p->uid.low = MIN(p->uid.low, (uint32_t)ids[i]);
                        p->uid.high = MAX(p->uid.high, (uint32_t)ids[i]);
                }
        if (read_numbers(status, "Gid", 10, ids, 4) != 4)
                p->known &= ~(1U << FACT_GID);
        else
                for (size_t i = 0; i < 4; i++) {
                        p->gid.low = MIN(p->gid.low, (uint32_t)ids[i]);
                        p->gid.high = MAX(p->gid.high, (uint32_t)ids[i]);
                }
        if (!find_line(status, "Groups"))
                p->known &= ~(1U << FACT_GROUPS);
        p->groups = MAX(p->groups, read_numbers(status, "Groups", 10, NULL, 0));
}

static void fold_rights(struct process *p, const char *status) {
        static const char *const sets[CAPABILITY_SETS] = { "CapInh", "CapPrm", "CapEff", "CapBnd",
                                                           "CapAmb" };
        uint64_t n;

        for (size_t i = 0; i < CAPABILITY_SETS; i++)
                if (read_number(p, status, sets[i], 16, FACT_CAPABILITIES, &n))
                        p->capabilities[i] |= n;
        if (read_number(p, status, "NoNewPrivs", 10, FACT_NO_NEW_PRIVS, &n))
                p->no_new_privs &= n != 0;
        if (read_number(p, status, "Seccomp", 10, FACT_SECCOMP, &n)) {
                p->seccomp = MIN(p->seccomp, (unsigned)n);
                p->filtered_threads += n == 2;
        }
        if (read_number(p, status, "Seccomp_filters", 10, FACT_FILTERS, &n))
                p->filters = MIN(p->filters, (unsigned)n);
}

/* Of "PID (COMM) STATE PPID …"; the name may hold blanks and parentheses. field counts from 1, as in proc(5). */
static bool stat_field(const char *text, unsigned field, uint64_t *ret) {
        const char *c = strrchr(text, ')');

        for (unsigned i = 2; c && i < field; i++) {
                c = strchr(c, ' ');
                c += c != NULL;
        }
        if (!c || *c < '0' || *c > '9')
                return false;
        *ret = strtoull(c, NULL, 10);
        return true;
}

/* Returns 0, also when the thread has ended, or a negative errno. */
static int read_thread(struct process *p, const char *folder, const char *thread) {
        _cleanup_free_ char *path = NULL, *status = NULL, *stat = NULL;
        uint64_t flags;
        int r;

        if (asprintf(&path, "%s/task/%s", folder, thread) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        r = process_read_file(path, "status", &status);
        if (r >= 0)
                r = process_read_file(path, "stat", &stat);
        if (r == -ENOENT || r == -ESRCH)
                return 0;
        if (r < 0)
                return r;

        p->threads++;
        fold_ids(p, status);
        fold_rights(p, status);
        if (stat_field(stat, 9, &flags))
                p->flags &= (unsigned)flags;
        else
                p->known &= ~(1U << FACT_FLAGS);
        return 0;
}

/* What is the same for all threads. */
static void read_common(struct process *p, const char *status) {
        const char *locked = find_line(status, "VmLck"); /* "N kB" */
        uint64_t pids[32];
        size_t n;

        if (locked && *locked >= '0' && *locked <= '9') {
                p->known |= 1U << FACT_LOCKED;
                p->locked_bytes = strtoull(locked, NULL, 10) * 1024;
        }
        n = read_numbers(status, "NSpid", 10, pids, ELEMENTSOF(pids));
        if (n > 0 && n <= ELEMENTSOF(pids)) {
                p->known |= 1U << FACT_INNER_PID;
                p->inner_pid = (pid_t)pids[n - 1];
        }
}

int process_read_threads(struct process *p, const char *folder) {
        static const unsigned facts = 1U << FACT_UID | 1U << FACT_GID | 1U << FACT_GROUPS |
                                      1U << FACT_CAPABILITIES | 1U << FACT_NO_NEW_PRIVS |
                                      1U << FACT_SECCOMP | 1U << FACT_FILTERS | 1U << FACT_FLAGS;
        _cleanup_free_ char *path = NULL, *status = NULL;
        struct dirent **entries;
        int n, r;

        r = process_read_file(folder, "status", &status);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;
        if (asprintf(&path, "%s/task", folder) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        n = scandir(path, &entries, NULL, NULL);
        if (n < 0)
                return errno == ENOENT ? -ESRCH : -errno;

        p->known |= facts;
        p->uid.low = p->gid.low = p->seccomp = p->filters = p->flags = UINT32_MAX;
        p->no_new_privs = true;
        for (int i = 0; i < n; i++) {
                if (r >= 0 && entries[i]->d_name[0] != '.')
                        r = read_thread(p, folder, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        if (r < 0)
                return r;
        read_common(p, status);
        return p->threads > 0 ? 0 : -ESRCH;
}
