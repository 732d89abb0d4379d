/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* File descriptors
 *
 * An fd that is not there is -EBADF, never -1 and never 0, so that using it by mistake fails loudly.
 * Every fd of this project is close-on-exec; one that a child shall have is passed to it on purpose.
 */

#include <errno.h>
#include <stdint.h>

#include "lib/base/macro.h"

/* Closes fd if it is one and returns -EBADF, for `x->fd = safe_close(x->fd)`. Keeps errno. */
int safe_close(int fd);

static inline void closep(int *fd) {
        safe_close(*fd);
}
#define _cleanup_close_ _cleanup_(closep)
