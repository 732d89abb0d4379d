/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A device that forgets what is written and reads as zeroes: for measuring everything but storage, and
 * the smallest example of a target.
 *
 * A read must not hand out what an earlier write, of somebody else perhaps, has left in the buffer. Only
 * that much of it is cleared (target_io.stale), so that reading alone costs nothing.
 */

#include <errno.h>
#include <string.h>

#include "lib/base/macro.h"
#include "worker/targets/target.h"

extern const struct target_ops target_null;

static int null_open(struct target *target, struct target_geometry *ret, const char **what) {
        const struct target_config *config = target->config;

        if (config->size_bytes == 0) {
                *what = "a null device needs a size";
                return -EINVAL;
        }
        *ret = (struct target_geometry){
                .size_bytes = config->size_bytes,
                .discard_granularity = config->logical_block_size,
                .max_discard_bytes = 1U << 30,
                .max_write_zeroes_bytes = 1U << 30,
        };
        return 0;
}

static void null_submit(struct target *target, struct target_io *io) {
        (void)target;

        if (io->op == TARGET_READ) {
                memset(io->buffer, 0, MIN(io->length, io->stale));
                if (io->stale <= io->length)
                        io->stale = 0;
        }
        target_io_done(io, 0);
}

const struct target_ops target_null = {
        .name = "null",
        .class = TARGET_CLASS_MEMORY,
        .open = null_open,
        .submit = null_submit,
};
