/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ".." can't be taken out of a path by looking at the text, as what stands before it may be a link; that
 * is asked of the kernel (realpath), and only where it is needed.
 */

#include "ublkctl/path.h"

#include <errno.h>
#include <unistd.h>

#include "lib/base/strbuf.h"

static bool has_dot_dot(const char *path) {
        while (*path) {
                size_t n = strcspn(path, "/");

                if (n == 2 && strncmp(path, "..", 2) == 0)
                        return true;
                path += n + (path[n] == '/');
        }
        return false;
}

/* Appends the parts of path, without empty ones and ".". */
static void add_parts(struct strbuf *out, const char *path) {
        while (*path) {
                size_t n = strcspn(path, "/");

                if (n > 0 && !(n == 1 && path[0] == '.')) {
                        strbuf_add(out, "/");
                        strbuf_add_n(out, path, n);
                }
                path += n + (path[n] == '/');
        }
}

int path_resolve_folder(const char *path, char **ret) {
        *ret = realpath(path, NULL);
        return *ret ? 0 : -errno;
}

int path_resolve_file(const char *path, char **ret) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        _cleanup_free_ char *folder = NULL, *real = NULL;
        int r;

        if (*base == 0 || streq(base, ".") || streq(base, ".."))
                return path_resolve_folder(path, ret);
        folder = slash ? strndup(path, (size_t)(base - path)) : strdup(".");
        if (!folder)
                return -ENOMEM;
        r = path_resolve_folder(folder, &real);
        if (r < 0)
                return r;
        add_parts(&b, real);
        add_parts(&b, base);
        return strbuf_steal(&b, ret);
}

int path_make_plain(const char *path, char **ret) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;
        _cleanup_free_ char *here = NULL;

        if (*path == 0)
                return -ENOENT;
        if (has_dot_dot(path))
                return path_resolve_file(path, ret);
        if (path[0] != '/') {
                here = getcwd(NULL, 0);
                if (!here)
                        return -errno;
                add_parts(&b, here);
        }
        add_parts(&b, path);
        if (b.length == 0)
                strbuf_add(&b, "/");
        return strbuf_steal(&b, ret);
}
