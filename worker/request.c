/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The block layer checks requests before we see them. They are checked again here, in one place, because
 * a target that computes with an offset or a length must be able to rely on it, and because a device that
 * is read-only for the driver is no more than marked so.
 */

#include "worker/request.h"

#include <errno.h>

static int translate_op(uint32_t op_flags, struct target_io *ret) {
        switch (op_flags & UBLK_OP_MASK) {
        case UBLK_OP_READ:
                ret->op = TARGET_READ;
                return 0;
        case UBLK_OP_WRITE:
                ret->op = TARGET_WRITE;
                /* On others the block layer refuses it. */
                ret->flags = op_flags & UBLK_IO_FUA ? TARGET_FUA : 0;
                return 0;
        case UBLK_OP_FLUSH:
                ret->op = TARGET_FLUSH;
                return 0;
        case UBLK_OP_DISCARD:
                ret->op = TARGET_DISCARD;
                return 0;
        case UBLK_OP_WRITE_ZEROES:
                ret->op = TARGET_WRITE_ZEROES;
                ret->flags = op_flags & UBLK_IO_NOUNMAP ? TARGET_NOUNMAP : 0;
                return 0;
        default:
                return -EOPNOTSUPP;
        }
}

static uint32_t longest(const struct request_limits *limits, enum target_op op) {
        switch (op) {
        case TARGET_DISCARD:
                return limits->max_discard_bytes;
        case TARGET_WRITE_ZEROES:
                return limits->max_write_zeroes_bytes;
        default:
                return limits->max_io_bytes;
        }
}

int request_translate(const struct request_limits *limits, const struct ublk_io_desc *descriptor,
                      struct target_io *ret) {
        uint64_t length = (uint64_t)descriptor->nr_sectors << 9;
        uint64_t sectors = limits->size_bytes >> 9;
        uint32_t most;
        int r;

        ret->flags = 0;
        ret->offset = 0;
        ret->length = 0;
        r = translate_op(descriptor->op_flags, ret);
        if (r < 0)
                return r;
        /* Its sector is a number without meaning. */
        if (ret->op == TARGET_FLUSH)
                return 0;
        if (ret->op != TARGET_READ && limits->read_only)
                return -EROFS;

        most = longest(limits, ret->op);
        if (most == 0)
                return -EOPNOTSUPP;
        if (descriptor->nr_sectors == 0 || length > most || descriptor->start_sector > sectors ||
            descriptor->nr_sectors > sectors - descriptor->start_sector)
                return -EIO;
        ret->offset = descriptor->start_sector << 9;
        ret->length = (uint32_t)length;
        if (((ret->offset | ret->length) & (limits->logical_block_size - 1)) != 0)
                return -EIO;
        return 0;
}

int32_t request_result(const struct target_io *io, int result) {
        switch (result) {
        case 0:
                return io->op == TARGET_READ || io->op == TARGET_WRITE ? (int32_t)io->length : 0;
        case -EDQUOT:
                return -ENOSPC;
        case -ENOSPC:
        case -ETIMEDOUT:
        case -EREMOTEIO:
        case -EILSEQ:
        case -ENODATA:
        case -ENOMEM:
        case -EOPNOTSUPP:
                return result;
        default:
                /* Among them EAGAIN, which would reach the application, and whatever a target
                 * returns by mistake: a positive number would be taken for success. */
                return -EIO;
        }
}
