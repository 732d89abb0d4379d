/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Paths as the manager needs them: absolute and plain, because its working directory is another one. */

/* For a backing: only what has to change changes, so /dev/disk/by-id/… stays as it was written. The last
 * part need not exist. Returns 0 or a negative errno. */
int path_make_plain(const char *path, char **ret);

/* For device files and their folders: links on the way there are followed, so that a file has one path
 * however it was reached, and devices are found again by it. */
int path_resolve_folder(const char *path, char **ret);
int path_resolve_file(const char *path, char **ret);
