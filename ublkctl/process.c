/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading a process of another user. Each file is read for itself, and what can't be read is a fact that isn't
 * known, so that a kernel that doesn't show one thing doesn't hide the others. Only a process whose namespaces
 * aren't shown is given up: then nothing that matters is.
 */

#include "ublkctl/process.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/base/macro.h"
#include "lib/base/str.h"
#include "ublkctl/process-parts.h"

static const char *const namespace_names[_NAMESPACE_MAX] = {
        [NAMESPACE_USER] = "user",     [NAMESPACE_MNT] = "mnt", [NAMESPACE_NET] = "net",
        [NAMESPACE_IPC] = "ipc",       [NAMESPACE_UTS] = "uts", [NAMESPACE_PID] = "pid",
        [NAMESPACE_CGROUP] = "cgroup",
};

const char *process_namespace_name(enum process_namespace namespace) {
        return namespace_names[namespace];
}

static void learn(struct process *p, enum process_fact fact) {
        p->known |= 1U << fact;
}

static int read_namespaces(const char *folder, uint64_t inodes[_NAMESPACE_MAX]) {
        for (enum process_namespace n = 0; n < _NAMESPACE_MAX; n++) {
                _cleanup_free_ char *path = NULL;
                struct stat st;

                if (asprintf(&path, "%s/ns/%s", folder, namespace_names[n]) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                if (stat(path, &st) >= 0)
                        inodes[n] = st.st_ino;
                else if (errno == EACCES || errno == EPERM)
                        return -EACCES;
        }
        return 0;
}

/* "/system.slice/a.service/x": the innermost part that is a unit, else all of it. */
static int take_unit(struct process *p, const char *path) {
        const char *best = path;
        size_t best_size = strlen(path);

        for (const char *part = path; *part; part += strcspn(part, "/"), part += *part == '/') {
                size_t n = strcspn(part, "/");

                if ((n > 8 && strncmp(part + n - 8, ".service", 8) == 0) ||
                    (n > 6 && strncmp(part + n - 6, ".scope", 6) == 0)) {
                        best = part;
                        best_size = n;
                }
        }
        p->unit = strndup(best, best_size);
        if (!p->unit)
                return -ENOMEM;
        learn(p, FACT_UNIT);
        return 0;
}

static int read_unit(struct process *p, const char *folder) {
        _cleanup_free_ char *text = NULL;

        if (process_read_file(folder, "cgroup", &text) < 0)
                return 0;
        for (char *line = text, *next; *line; line = next) {
                size_t n = strcspn(line, "\n");

                next = line + n + (line[n] == '\n');
                line[n] = 0;
                if (strncmp(line, "0::", 3) == 0)
                        return take_unit(p, line + 3);
        }
        return 0;
}

static int count_entries(const char *folder, const char *name, size_t *ret) {
        _cleanup_free_ char *path = NULL;
        const struct dirent *entry;
        DIR *dir;

        if (asprintf(&path, "%s/%s", folder, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        dir = opendir(path);
        if (!dir)
                return -errno;
        *ret = 0;
        errno = 0;
        while ((entry = readdir(dir)))
                *ret += !streq(entry->d_name, ".") && !streq(entry->d_name, "..");
        int r = -errno;
        (void)closedir(dir);
        return r;
}

static void read_files(struct process *p, const char *folder) {
        _cleanup_free_ char *mounts = NULL, *oom = NULL, *path = NULL;
        struct stat st;

        if (count_entries(folder, "root", &p->root_entries) >= 0)
                learn(p, FACT_ROOT);
        if (process_read_file(folder, "mountinfo", &mounts) >= 0) {
                for (const char *c = mounts; (c = strchr(c, '\n')); c++)
                        p->mounts++;
                learn(p, FACT_MOUNTS);
        }
        if (process_read_file(folder, "oom_score_adj", &oom) >= 0) {
                p->oom_score_adj = atoi(oom);
                learn(p, FACT_OOM_SCORE);
        }
        /* Not the folder: that belongs to the process's user in any case. */
        if (asprintf(&path, "%s/status", folder) < 0)
                path = NULL;
        else if (stat(path, &st) >= 0) {
                p->owner_uid = st.st_uid;
                learn(p, FACT_OWNER);
        }
}

static int read_limits(struct process *p, const char *folder) {
        static const char *const names[_LIMIT_MAX] = {
                [LIMIT_CORE] = "Max core file size",         [LIMIT_FILE_SIZE] = "Max file size",
                [LIMIT_LOCKED_MEMORY] = "Max locked memory", [LIMIT_OPEN_FILES] = "Max open files",
                [LIMIT_PROCESSES] = "Max processes",
        };
        _cleanup_free_ char *text = NULL;

        if (process_read_file(folder, "limits", &text) < 0)
                return 0;
        for (enum process_limit l = 0; l < _LIMIT_MAX; l++) {
                const char *line = strstr(text, names[l]);

                if (!line)
                        continue;
                line += strlen(names[l]);
                line += strspn(line, " ");
                p->limits[l].soft = strndup(line, strcspn(line, " \n"));
                line += strcspn(line, " \n");
                line += strspn(line, " ");
                p->limits[l].hard = strndup(line, strcspn(line, " \n"));
                if (!p->limits[l].soft || !p->limits[l].hard)
                        return -ENOMEM;
        }
        return 0;
}

int process_read(const char *proc, pid_t pid, struct process *ret) {
        _cleanup_free_ char *folder = NULL, *first = NULL;
        int r;

        *ret = (struct process){ .pid = pid };
        if (asprintf(&folder, "%s/%d", proc, (int)pid) < 0) {
                folder = NULL;
                return -ENOMEM;
        }
        if (asprintf(&first, "%s/1", proc) < 0) {
                first = NULL;
                return -ENOMEM;
        }
        r = process_read_threads(ret, folder);
        if (r >= 0)
                r = read_namespaces(folder, ret->namespaces);
        if (r >= 0 && read_namespaces(first, ret->first_namespaces) == -ENOMEM)
                r = -ENOMEM;
        if (r >= 0)
                r = read_unit(ret, folder);
        if (r >= 0)
                r = read_limits(ret, folder);
        if (r >= 0)
                r = process_read_fds(ret, folder);
        if (r < 0)
                return r;
        read_files(ret, folder);
        return 0;
}

void process_done(struct process *p) {
        for (size_t i = 0; i < p->n_fds; i++)
                free(p->fds[i].is);
        for (enum process_limit l = 0; l < _LIMIT_MAX; l++) {
                free(p->limits[l].soft);
                free(p->limits[l].hard);
        }
        free(p->fds);
        free(p->unit);
        *p = (struct process){ 0 };
}
