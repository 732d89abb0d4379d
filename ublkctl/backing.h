/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The file or block device behind a device, opened with the rights of the user. */

#include <stdbool.h>

/* Returns the exit status, after having said what is wrong. */
int backing_open(const char *path, bool read_only, int *ret);
