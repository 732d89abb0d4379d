/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a fuzz target over files (and the files of folders) given as arguments, so that everything
 * that a fuzzer has ever found stays a unit test, also for compilers without libFuzzer.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/base/macro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_SIZE_MAX = 16 * 1024 * 1024 };

static int replay_file(const char *path, unsigned *count) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = read_file(path, FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return r;
        /* A copy of exactly the size, so that the sanitizer sees a byte read beyond it. */
        _cleanup_free_ uint8_t *data = malloc(MAX(size, (size_t)1));
        if (!data)
                return -ENOMEM;
        memcpy(data, text, size);
        (void)LLVMFuzzerTestOneInput(data, size);
        (*count)++;
        return 0;
}

static int replay(const char *path, unsigned *count) {
        struct dirent **entries = NULL;
        int result = 0, n;

        n = scandir(path, &entries, NULL, alphasort);
        if (n < 0)
                return errno == ENOTDIR ? replay_file(path, count) : -errno;
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *file = NULL;

                if (entries[i]->d_name[0] != '.' && result >= 0) {
                        result = asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0
                                         ? -ENOMEM
                                         : replay_file(file, count);
                }
                free(entries[i]);
        }
        free(entries);
        return result;
}

int main(int argc, char **argv) {
        unsigned count = 0;

        for (int i = 1; i < argc; i++) {
                int r = replay(argv[i], &count);

                if (r < 0) {
                        fprintf(stderr, "%s: %s\n", argv[i], strerror(-r));
                        return 1;
                }
        }
        printf("%u inputs\n", count);
        return count > 0 ? 0 : 1;
}
