/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Small files as a whole. */

#include <stddef.h>
#include <sys/types.h>

/* Reads a regular file of at most `limit` bytes; the result is NUL-terminated (the NUL is not counted).
 * Returns 0, -EFBIG (larger), -EINVAL (no regular file) or what opening and reading returned. */
int read_file(const char *path, size_t limit, char **ret, size_t *ret_size);

/* The same of an open file, whose owner or mode was looked at. */
int read_open_file(int fd, size_t limit, char **ret, size_t *ret_size);

/* Replaces path with text: written beside it, then renamed, so that a reader sees the old or the new
 * content and nothing in between. Returns 0 or a negative errno; nothing is left behind on error. */
int write_file_atomic(const char *path, const char *text, mode_t mode);

/* Creates a folder; one that exists is fine. Returns 0 or a negative errno. */
int make_folder(const char *path, mode_t mode);
