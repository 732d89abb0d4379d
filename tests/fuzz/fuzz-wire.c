/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes as a message. The first byte is the number of fds that came with it. What is accepted must be
 * what the rest of the code relies on: ended strings and a size that is that of its type.
 */

#include <assert.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/wire/wire.h"

/* libFuzzer has no header of its own for this. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_config(const struct wire_config *c, size_t n_fds) {
        assert(strnlen(c->name, sizeof(c->name)) < sizeof(c->name));
        assert(strnlen(c->target, sizeof(c->target)) < sizeof(c->target));
        assert(is_power_of_two(c->logical_block_size));
        assert(c->max_io_bytes <= INT32_MAX);
        assert(c->size_bytes + c->offset_bytes >= c->size_bytes);
        assert(n_fds >= 1 && n_fds <= WIRE_FDS_MAX && c->fds[0] == WIRE_FD_DEVICE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        union wire_message message = { 0 };
        size_t n_fds;

        if (size < 1)
                return 0;
        n_fds = data[0];
        data++;
        size--;
        /* As the channel does: what doesn't fit was cut, and is not looked at. */
        if (size > sizeof(message))
                return 0;
        memcpy(&message, data, size);
        if (wire_check(&message, size, n_fds) < 0)
                return 0;

        assert(size == wire_size(message.header.type));
        if (message.header.type == WIRE_CONFIG)
                check_config(&message.config, n_fds);
        else
                assert(n_fds == 0);
        if (message.header.type == WIRE_FAILED) {
                const struct wire_failed *f = &message.failed;

                assert(f->error < 0);
                assert(strnlen(f->step, sizeof(f->step)) < sizeof(f->step));
                assert(strnlen(f->text, sizeof(f->text)) < sizeof(f->text));
        }
        return 0;
}
