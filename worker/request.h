/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A request as the driver describes it becomes one that a target can trust; a result becomes one that the
 * driver understands. Both are pure functions.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/ublk/abi.h"
#include "worker/targets/target.h"

/* What a request must keep within. */
struct request_limits {
        uint64_t size_bytes;
        uint32_t logical_block_size;
        uint32_t max_io_bytes;
        uint32_t max_discard_bytes;
        uint32_t max_write_zeroes_bytes;
        bool read_only;
};

/* Fills in op, flags, offset and length. Returns 0 or the negative errno that the request shall end with. */
int request_translate(const struct request_limits *limits, const struct ublk_io_desc *descriptor,
                      struct target_io *ret);

/* What to commit for a request that ended with `result` (0 or a negative errno). */
int32_t request_result(const struct target_io *io, int result);
