/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The open files of a process. Nothing is opened and no file system is asked: one of them may be on a network disk
 * that doesn't answer any more, and that is when somebody looks.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/str.h"
#include "ublkctl/process-parts.h"

static const char *fd_type(const char *path, const char *is) {
        struct statx st;

        if (strncmp(is, "anon_inode:", 11) == 0)
                return "anonymous";
        if (strncmp(is, "/memfd:", 7) == 0)
                return "memfd";
        if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0)
                return strncmp(is, "socket:", 7) == 0 ? "socket"
                       : strncmp(is, "pipe:", 5) == 0 ? "pipe"
                                                      : "unknown";
        switch (st.stx_mode & S_IFMT) {
        case S_IFREG:
                return "file";
        case S_IFDIR:
                return "folder";
        case S_IFBLK:
                return "block";
        case S_IFCHR:
                return "character";
        case S_IFIFO:
                return "pipe";
        case S_IFSOCK:
                return "socket";
        default:
                return "unknown";
        }
}

/* An fd that was closed since the folder was listed is left out. */
static int add_fd(struct process *p, const char *folder, const char *number) {
        _cleanup_free_ char *path = NULL;
        struct process_fd *fds;
        char is[4096];
        uint64_t n;

        if (parse_u64(number, &n) < 0)
                return 0;
        if (asprintf(&path, "%s/fd/%s", folder, number) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        ssize_t size = readlink(path, is, sizeof(is) - 1);
        if (size < 0)
                return 0;
        is[size] = 0;
        fds = reallocarray(p->fds, p->n_fds + 1, sizeof(*fds));
        if (!fds)
                return -ENOMEM;
        p->fds = fds;
        fds[p->n_fds] = (struct process_fd){
                .number = (unsigned)n,
                .type = fd_type(path, is),
                .is = strdup(is),
        };
        return fds[p->n_fds++].is ? 0 : -ENOMEM;
}

static int compare_fds(const void *a, const void *b) {
        const struct process_fd *x = a, *y = b;

        return x->number < y->number ? -1 : x->number > y->number;
}

int process_read_fds(struct process *p, const char *folder) {
        _cleanup_free_ char *path = NULL;
        const struct dirent *entry;
        DIR *dir;
        int r = 0;

        if (asprintf(&path, "%s/fd", folder) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        dir = opendir(path);
        if (!dir)
                return 0;
        while (r >= 0 && (entry = readdir(dir)))
                r = add_fd(p, folder, entry->d_name);
        (void)closedir(dir);
        if (r < 0)
                return r;
        if (p->n_fds > 0)
                qsort(p->fds, p->n_fds, sizeof(*p->fds), compare_fds);
        p->known |= 1U << FACT_FDS;
        return 0;
}
