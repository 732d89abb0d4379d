/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ublkmgr.conf: which file it is, and whether it may be believed. What it says is lib/spec/settings.h. */

#include <stdint.h>

#include "lib/spec/settings.h"

/* Where it is looked for below `root` ("": the real ones); the first one that is there counts alone. One that is empty, or
 * a link to /dev/null, counts as one without settings. *ret is NULL when there is none. Returns 0 or -ENOMEM. */
int settings_find(const char *root, char **ret);

/* Reads one file (NULL: none, the defaults). Returns as settings_parse(); a file that can't be read, or that others than
 * root can write, is an error, too. */
int settings_load(const char *path, struct settings *ret, struct spec_errors *errors);

/* Reads the one at path (NULL: that which is found) and tells in the log what is wrong with it and what is allowed to be
 * missing. A wrong one is the same as none. Returns 0 or -ENOMEM. */
int settings_setup(const char *path, struct settings *ret);

/* Prints what is wrong with it. Returns the exit status: 0 when nothing is. */
int settings_check(const char *path);

/* The same as enum wire_confinement, for the worker. */
uint32_t settings_tolerated(const struct settings *settings);
