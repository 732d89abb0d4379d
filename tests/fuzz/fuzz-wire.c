/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes as a message. The first byte is the number of fds that came with it. What is accepted must be what the rest
 * of the code relies on: ended strings and a size that is that of its type; and of a READY that fits its device the
 * manager makes parameters that no kernel refuses, or worse. The same bytes go through a socket as well, where the
 * channel must take as good what the check does, and nothing else.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/macro.h"
#include "lib/spec/spec.h"
#include "lib/ublk/abi.h"
#include "lib/wire/channel.h"
#include "ublkmgr/params.h"

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

static void set(struct spec *spec, enum spec_key key, uint64_t value) {
        spec->values[key] = (struct spec_value){ .set = true, .number = value };
}

/* What the manager does with a READY, for a loop device that takes what its backing has. The spec has the block sizes
 * of the message, so that there is something to be fitted. */
static void check_ready(const struct wire_geometry *g) {
        const struct ublk_dev_info info = { .max_io_buf_bytes = 512 * 1024 };
        const uint64_t backing = UINT64_C(1) << 40, offset = 4096;
        _cleanup_(spec_freep) struct spec *spec = NULL;
        struct ublk_params p;
        const char *what = NULL;

        assert(spec_new(&spec) >= 0);
        set(spec, SPEC_TYPE, SPEC_TYPE_LOOP);
        set(spec, SPEC_OFFSET_BYTES, offset);
        set(spec, SPEC_LOGICAL_BLOCK_SIZE, MIN(g->logical_block_size, 4096U));
        set(spec, SPEC_PHYSICAL_BLOCK_SIZE, MIN(g->physical_block_size, 65536U));
        if (geometry_check(g, spec, backing, &what) < 0) {
                assert(what);
                return;
        }
        geometry_to_params(g, &info, false, &p);
        assert(p.basic.dev_sectors > 0 && p.basic.dev_sectors <= (backing - offset) >> 9);
        assert(p.basic.logical_bs_shift >= 9 && p.basic.logical_bs_shift <= 12);
        assert(p.basic.physical_bs_shift >= p.basic.logical_bs_shift);
        assert(p.basic.physical_bs_shift <= 16);
        assert(p.basic.io_min_shift >= p.basic.logical_bs_shift && p.basic.io_min_shift <= 28);
        assert(p.basic.io_opt_shift >= p.basic.logical_bs_shift && p.basic.io_opt_shift <= 28);
        if (p.types & UBLK_PARAM_TYPE_DISCARD) {
                const uint32_t block = 1U << (p.basic.logical_bs_shift - 9);

                assert(p.discard.discard_granularity != 0 && p.discard.max_discard_segments == 1);
                assert(p.discard.max_discard_sectors % block == 0);
                assert(p.discard.max_write_zeroes_sectors % block == 0);
        }
}

/* As the manager receives: no fds, and one wrong message is one error, not two. */
static void check_channel(const uint8_t *data, size_t size) {
        static int pair[2] = { -EBADF, -EBADF };
        union wire_message sent = { 0 }, message;
        int expected = size == 0 ? 0 : -EBADMSG, r;

        if (pair[0] < 0)
                assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                                  pair) == 0);
        if (size > 0 && size <= sizeof(sent)) {
                memcpy(&sent, data, size);
                r = wire_check(&sent, size, 0);
                expected = r < 0 ? r : 1;
        }
        if (size > 4096)
                return;
        assert(send(pair[0], data, size, MSG_NOSIGNAL) == (ssize_t)size);
        r = wire_receive(pair[1], &message, NULL);
        assert(r == expected);
        assert(r <= 0 || memcmp(&message, &sent, size) == 0);
        assert(wire_receive(pair[1], &message, NULL) == -EAGAIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        union wire_message message = { 0 };
        size_t n_fds;

        if (size < 1)
                return 0;
        n_fds = data[0];
        data++;
        size--;
        check_channel(data, size);
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
        if (message.header.type == WIRE_READY)
                check_ready(&message.ready.geometry);
        if (message.header.type == WIRE_FAILED) {
                const struct wire_failed *f = &message.failed;

                assert(f->error < 0);
                assert(strnlen(f->step, sizeof(f->step)) < sizeof(f->step));
                assert(strnlen(f->text, sizeof(f->text)) < sizeof(f->text));
        }
        return 0;
}
