/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading device files on behalf of the manager, which never opens what a caller names. A file that
 * can't be read stays in the list: left out it would look deleted, and --prune would remove its device.
 */

#include "ublkctl/documents.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/spec/json.h"

static void document_done(struct document *document) {
        free(document->path);
        free(document->text);
}

/* Takes the path over, also when it fails. */
static int add_file(struct documents *documents, char *path, bool listed) {
        struct document document = { .path = path, .listed = listed };
        struct document *items;

        if (!path)
                return -ENOMEM;
        document.error = read_file(path, SPEC_TEXT_MAX, &document.text, &document.size);
        if (document.error < 0)
                document.text = strdup("");
        items = reallocarray(documents->items, documents->count + 1, sizeof(*items));
        if (items)
                documents->items = items;
        if (!items || !document.text) {
                document_done(&document);
                return -ENOMEM;
        }
        items[documents->count++] = document;
        return 0;
}

/* Backups and what editors write meanwhile end otherwise (db0.json~) or are hidden (.db0.json.swp). */
static int is_device_file(const struct dirent *entry) {
        static const char suffix[] = ".json";
        size_t n = strlen(entry->d_name);

        return entry->d_name[0] != '.' && n >= sizeof(suffix) &&
               streq(entry->d_name + n - (sizeof(suffix) - 1), suffix);
}

/* Not alphasort(): the order must not depend on the language of the user. */
static int compare_names(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct documents *documents, const char *folder) {
        size_t length = strlen(folder);
        struct dirent **entries;
        int n, r = 0;

        n = scandir(folder, &entries, is_device_file, compare_names);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                char *path;

                if (r >= 0 && asprintf(&path, "%s%s%s", folder,
                                       length > 0 && folder[length - 1] == '/' ? "" : "/",
                                       entries[i]->d_name) < 0)
                        r = -ENOMEM;
                if (r >= 0)
                        r = add_file(documents, path, true);
                free(entries[i]);
        }
        free(entries);
        return r;
}

int documents_read(const char *path, struct documents *documents, bool *ret_is_folder) {
        struct stat st;

        *ret_is_folder = stat(path, &st) >= 0 && S_ISDIR(st.st_mode);
        return *ret_is_folder ? add_folder(documents, path)
                              : add_file(documents, strdup(path), false);
}

const char *document_error(const struct document *document) {
        if (document->error == -EFBIG)
                return "the file is too large; the most is 64K";
        if (document->error == -EINVAL)
                return "not a regular file";
        return strerror(-document->error);
}

void documents_done(struct documents *documents) {
        for (size_t i = 0; i < documents->count; i++)
                document_done(&documents->items[i]);
        free(documents->items);
        *documents = (struct documents){ 0 };
}
