/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What holds, read back from the kernel
 *
 * A step that silently did nothing (an old kernel, a container, a mistake of ours) must not go unnoticed, so the
 * result is looked at and not the way to it. Each condition belongs to a part of the sandbox; those of a part that
 * is known to be missing, and was tolerated, are left out.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "worker/sandbox/namespaces.h"
#include "worker/sandbox/sandbox.h"

enum { TEXT_SIZE = 8192 };

/* What /proc/self/status must say; part 0: always. */
static const struct {
        uint32_t part;
        const char *line;
        const char *what;
} status_conditions[] = {
        { 0, "\nCapInh:\t0000000000000000\n", "it still has inheritable capabilities" },
        { 0, "\nCapPrm:\t0000000000000000\n", "it still has capabilities" },
        { 0, "\nCapEff:\t0000000000000000\n", "it still has capabilities" },
        { 0, "\nCapAmb:\t0000000000000000\n", "it still has ambient capabilities" },
        { SANDBOX_NAMESPACES, "\nCapBnd:\t0000000000000000\n", "it could still get capabilities" },
        { 0, "\nNoNewPrivs:\t1\n", "it could still get privileges by exec" },
        { 0, "\nThreads:\t", "its status can't be read" },
};

static int read_text(const struct sandbox *s, const char *path, char text[TEXT_SIZE]) {
        _cleanup_close_ int fd = openat(s->proc, path, O_RDONLY | O_CLOEXEC);
        size_t n = 0;
        ssize_t k;

        if (fd < 0)
                return -errno;
        do {
                k = read(fd, text + n, TEXT_SIZE - 1 - n);
                if (k < 0)
                        return -errno;
                n += (size_t)k;
        } while (k > 0);
        text[n] = 0;
        return 0;
}

static int broken(struct sandbox *s, const char *what) {
        s->what = what;
        return -EPERM;
}

static int verify_status(struct sandbox *s) {
        char text[TEXT_SIZE];
        int r;

        r = read_text(s, "self/status", text);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(status_conditions); i++)
                if (!(s->missing & status_conditions[i].part) &&
                    !strstr(text, status_conditions[i].line))
                        return broken(s, status_conditions[i].what);
        if (s->uid != 0 && !(s->missing & SANDBOX_OWN_USER) && !strstr(text, "\nGroups:\t \n"))
                return broken(s, "it is still in groups");
        if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
                return broken(s, "others could still look into it");
        return 0;
}

static int verify_limits(struct sandbox *s) {
        struct rlimit core, files;

        if (getrlimit(RLIMIT_CORE, &core) < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0 ||
            core.rlim_max != 0 || files.rlim_max != SANDBOX_OPEN_FILES_MAX)
                return broken(s, "its limits are not set");
        return 0;
}

static int count_lines(const char *text) {
        int n = 0;

        for (; *text; text++)
                n += *text == '\n';
        return n;
}

/* Nobody else's, and nothing in them: no interface but "lo" (below two lines of heading), one mount, no user. */
static int verify_namespaces(struct sandbox *s) {
        static const struct {
                const char *path;
                int lines;
                const char *what;
        } contents[] = {
                { "self/net/dev", 3, "it still has network interfaces" },
                { "self/mountinfo", 1, "it still has mounts" },
                { "self/uid_map", 0, "it still has users" },
        };
        char text[TEXT_SIZE];
        int r;

        for (size_t i = 0; i < SANDBOX_NAMESPACE_COUNT; i++) {
                char now[SANDBOX_LINK_SIZE];

                sandbox_read_namespace(s, i, now);
                if (now[0] == 0 || streq(now, s->before[i]))
                        return broken(s, "it still shares a namespace");
        }
        for (size_t i = 0; i < ELEMENTSOF(contents); i++) {
                r = read_text(s, contents[i].path, text);
                if (r < 0)
                        return r;
                if (count_lines(text) != contents[i].lines)
                        return broken(s, contents[i].what);
        }
        return 0;
}

/* Nothing is there, and nothing can be made. */
static int verify_root(struct sandbox *s) {
        _cleanup_close_ int fd = -EBADF;
        struct dirent *entry;
        DIR *root = opendir("/");
        bool empty = true;

        if (!root)
                return -errno;
        while ((entry = readdir(root)))
                empty = empty && (streq(entry->d_name, ".") || streq(entry->d_name, ".."));
        closedir(root);
        if (!empty)
                return broken(s, "it can still see files");
        fd = open("/x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        return fd < 0 ? 0 : broken(s, "it can still make files");
}

/* Afterwards nothing can be opened any more. */
static int keep_status(struct sandbox *s) {
        s->status = openat(s->proc, "self/status", O_RDONLY | O_CLOEXEC);
        if (s->status < 0)
                return -errno;
        s->proc = safe_close(s->proc);
        return 0;
}

int sandbox_verify(struct sandbox *s) {
        int r;

        r = verify_status(s);
        if (r >= 0)
                r = verify_limits(s);
        if (r >= 0 && !(s->missing & SANDBOX_NAMESPACES))
                r = verify_namespaces(s);
        if (r >= 0 && !(s->missing & SANDBOX_NAMESPACES))
                r = verify_root(s);
        if (r >= 0 && !(s->missing & SANDBOX_PID_NAMESPACE) && getpid() != 1)
                r = broken(s, "it is not the first process of a pid namespace");
        if (r >= 0 && !(s->missing & SANDBOX_OWN_USER) && geteuid() == 0)
                r = broken(s, "it is still root");
        if (r >= 0)
                r = keep_status(s);
        if (r < 0 && !s->what)
                s->what = "whether it is confined can't be read in /proc";
        return r;
}
