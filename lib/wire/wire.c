/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Checking of messages: everything that a peer could get wrong on its own is refused here, before any
 * code acts on it. What depends on the device (is a geometry larger than its backing?) is checked by
 * who knows the device.
 */

#include "lib/wire/wire.h"

#include <errno.h>
#include <string.h>

#include "lib/base/macro.h"

static const size_t wire_sizes[_WIRE_TYPE_MAX] = {
        [WIRE_HELLO] = sizeof(struct wire_hello),
        [WIRE_CONFIG] = sizeof(struct wire_config),
        [WIRE_READY] = sizeof(struct wire_ready),
        [WIRE_FAILED] = sizeof(struct wire_failed),
};

size_t wire_size(unsigned type) {
        return type < ELEMENTSOF(wire_sizes) ? wire_sizes[type] : 0;
}

static bool text_ok(const char *text, size_t size) {
        const char *end = memchr(text, 0, size);

        if (!end)
                return false;
        /* It ends up in a log and on the bus: no control characters, and nothing that could be wrong UTF-8. */
        for (const char *c = text; c < end; c++)
                if (*c < ' ' || *c > '~')
                        return false;
        return true;
}

static bool block_size_ok(uint32_t n, uint32_t least) {
        return is_power_of_two(n) && n >= least && n <= (1U << 28);
}

static bool bool_ok(uint32_t n) {
        return n <= 1;
}

static int check_hello(const struct wire_hello *m) {
        return m->version == WIRE_VERSION ? 0 : -EPROTONOSUPPORT;
}

static int check_backing(const struct wire_backing *b) {
        if (b->size_bytes > INT64_MAX || !bool_ok(b->is_block_device) || !bool_ok(b->rotational) ||
            (b->logical_block_size != 0 && !block_size_ok(b->logical_block_size, 1)) ||
            (b->discard_granularity != 0 && b->discard_granularity % 512 != 0))
                return -EBADMSG;
        return 0;
}

static int check_config(const struct wire_config *m, size_t n_fds) {
        size_t named = 0;

        while (named < ELEMENTSOF(m->fds) && m->fds[named] != WIRE_FD_NONE)
                named++;
        for (size_t i = 0; i < ELEMENTSOF(m->fds); i++)
                if ((m->fds[i] != WIRE_FD_NONE) != (i < named) || m->fds[i] > WIRE_FD_BACKING ||
                    (m->fds[i] == WIRE_FD_DEVICE) != (i == 0))
                        return -EBADMSG;
        if (named != n_fds)
                return -EBADMSG;

        if (!text_ok(m->name, sizeof(m->name)) || !text_ok(m->target, sizeof(m->target)) ||
            !block_size_ok(m->logical_block_size, 512) ||
            !block_size_ok(m->physical_block_size, m->logical_block_size) || m->max_io_bytes == 0 ||
            m->max_io_bytes % 4096 != 0 || m->max_io_bytes > WIRE_IO_BYTES_MAX || m->queues == 0 ||
            m->queues > 4096 || m->queue_depth == 0 || m->queue_depth > 4096 ||
            !bool_ok(m->read_only) || (m->tolerated & ~(uint32_t)WIRE_CONFINE_ALL) != 0 ||
            m->reserved != 0 || m->size_bytes > INT64_MAX || m->offset_bytes > INT64_MAX)
                return -EBADMSG;
        return check_backing(&m->backing);
}

static int check_ready(const struct wire_ready *m) {
        const struct wire_geometry *g = &m->geometry;

        if (g->size_bytes == 0 || g->size_bytes > INT64_MAX ||
            !block_size_ok(g->logical_block_size, 512) ||
            g->size_bytes % g->logical_block_size != 0 ||
            !block_size_ok(g->physical_block_size, g->logical_block_size) ||
            (g->io_min_bytes != 0 && !block_size_ok(g->io_min_bytes, g->logical_block_size)) ||
            (g->io_opt_bytes != 0 && !block_size_ok(g->io_opt_bytes, g->logical_block_size)) ||
            (g->max_discard_bytes != 0 && g->discard_granularity == 0) ||
            (g->discard_granularity != 0 && g->discard_granularity % 512 != 0) ||
            g->max_discard_bytes % 512 != 0 || g->max_write_zeroes_bytes % 512 != 0 ||
            !bool_ok(g->volatile_cache) || !bool_ok(g->fua) || !bool_ok(g->rotational) ||
            (g->fua && !g->volatile_cache) || g->reserved[0] != 0 || g->reserved[1] != 0)
                return -EBADMSG;
        return 0;
}

static int check_failed(const struct wire_failed *m) {
        if (m->error >= 0 || m->error < -4095 || !text_ok(m->step, sizeof(m->step)) ||
            !text_ok(m->text, sizeof(m->text)))
                return -EBADMSG;
        return 0;
}

int wire_check(const union wire_message *message, size_t size, size_t n_fds) {
        if (size < sizeof(struct wire_header) || message->header.magic != WIRE_MAGIC ||
            wire_size(message->header.type) == 0 || message->header.size != size ||
            size != wire_size(message->header.type))
                return -EBADMSG;
        if (n_fds != 0 && message->header.type != WIRE_CONFIG)
                return -EBADMSG;

        switch (message->header.type) {
        case WIRE_HELLO:
                return check_hello(&message->hello);
        case WIRE_CONFIG:
                return check_config(&message->config, n_fds);
        case WIRE_READY:
                return check_ready(&message->ready);
        case WIRE_FAILED:
                return check_failed(&message->failed);
        default:
                return -EBADMSG;
        }
}
