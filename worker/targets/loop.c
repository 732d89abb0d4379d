/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A window of a regular file or of a block device. Everything goes through the ring of the queue: that
 * is what makes the kernel wait for the writes of a dead worker before a new one may take over.
 *
 * A failed fsync() is final. The kernel reports a lost page once and then takes it for clean, so the
 * next fsync() of the same file would succeed although the data is gone. Therefore the first error of a
 * flush is kept and every later one fails with it, until somebody makes the device anew. A write with
 * FUA is a write and a flush in one and can swallow the same report; when it fails it is written once
 * more without FUA: if that fails too, the error was this write's own (a full disk, say) and concerns
 * nobody else, if it works, it was the flush that failed.
 *
 * What can't be seen from here: with several queues, of two flushes at the same moment only one gets the
 * kernel's report, and the other may be told success just before the error is known. The kernel sends one
 * flush at a time to a queue, which is why a loop device has one queue unless its spec asks for more.
 */

#include "worker/targets/loop.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "lib/base/macro.h"

extern const struct target_ops target_loop;

static void start_transfer(struct loop *loop, struct target_io *io) {
        uint64_t offset = loop->offset + io->offset + io->done;
        char *buffer = (char *)io->buffer + io->done;
        uint32_t length = io->length - io->done;
        struct io_uring_sqe *sqe = target_io_sqe(io);

        if (io->op == TARGET_READ)
                io_uring_prep_read(sqe, TARGET_FILE_BACKING, buffer, length, offset);
        else
                io_uring_prep_write(sqe, TARGET_FILE_BACKING, buffer, length, offset);
        if ((io->flags & TARGET_FUA) && io->step != LOOP_REWRITE)
                sqe->rw_flags = RWF_DSYNC;
        target_io_start(io, sqe);
}

static void start_flush(struct target_io *io) {
        struct io_uring_sqe *sqe = target_io_sqe(io);

        io_uring_prep_fsync(sqe, TARGET_FILE_BACKING, IORING_FSYNC_DATASYNC);
        target_io_start(io, sqe);
}

static void loop_submit(struct target *target, struct target_io *io) {
        struct loop *loop = target->data;
        int error = atomic_load(&loop->flush_error);

        /* Nothing can be promised to be durable any more. */
        if (error != 0 && (io->op == TARGET_FLUSH || (io->flags & TARGET_FUA))) {
                target_io_done(io, error);
                return;
        }

        switch (io->op) {
        case TARGET_READ:
        case TARGET_WRITE:
                io->step = LOOP_TRANSFER;
                start_transfer(loop, io);
                break;
        case TARGET_FLUSH:
                io->step = LOOP_FLUSH;
                start_flush(io);
                break;
        case TARGET_DISCARD:
        case TARGET_WRITE_ZEROES:
                loop_zeroes_submit(loop, io);
                break;
        default:
                target_io_done(io, -EOPNOTSUPP);
        }
}

/* Ends a request that promises durability, with the first error of any that did. */
static void done_durable(struct loop *loop, struct target_io *io, int error) {
        int first = 0;

        if (error < 0)
                (void)atomic_compare_exchange_strong(&loop->flush_error, &first, error);
        target_io_done(io, atomic_load(&loop->flush_error));
}

static void transfer_ended(struct loop *loop, struct target_io *io, int32_t result) {
        /* Of a write that moves nothing there is no end to hope for, and reading beyond the end means
         * that the backing has become shorter. */
        if (result == 0 || (result > 0 && (uint32_t)result > io->length - io->done))
                result = -EIO;

        if (result < 0 && (io->flags & TARGET_FUA) && io->step == LOOP_TRANSFER) {
                io->step = LOOP_REWRITE;
                start_transfer(loop, io);
                return;
        }
        if (result < 0) {
                target_io_done(io, result);
                return;
        }

        io->done += (uint32_t)result;
        if (io->done < io->length)
                start_transfer(loop, io);
        else if (io->step == LOOP_REWRITE)
                done_durable(loop, io, -EIO);
        else if (io->flags & TARGET_FUA)
                done_durable(loop, io, 0);
        else
                target_io_done(io, 0);
}

static void loop_complete(struct target *target, struct target_io *io, int32_t result) {
        struct loop *loop = target->data;

        switch ((enum loop_step)io->step) {
        case LOOP_TRANSFER:
        case LOOP_REWRITE:
                if (target_io_retry(result))
                        start_transfer(loop, io);
                else
                        transfer_ended(loop, io, result);
                break;
        case LOOP_FLUSH:
                if (target_io_retry(result))
                        start_flush(io);
                else
                        done_durable(loop, io, result);
                break;
        case LOOP_PUNCH:
        case LOOP_ZERO_RANGE:
        case LOOP_WRITE_ZEROES:
                loop_zeroes_complete(loop, io, result);
                break;
        }
}

/* The size of the device, after a check that the window lies inside the backing. The text is made here,
 * as it names both sizes; it has to stay after open() has returned. */
static int window_size(const struct target_config *config, uint64_t *ret, const char **what) {
        static char text[128];
        uint64_t backing = config->backing.size_bytes, offset = config->offset_bytes;
        uint64_t size = config->size_bytes;

        if (size == 0 && offset < backing)
                size = (backing - offset) / config->logical_block_size * config->logical_block_size;
        if (size == 0 || offset > backing || size > backing - offset) {
                (void)snprintf(text, sizeof(text),
                               "the backing has %ju bytes, the device begins at %ju and needs %ju",
                               (uintmax_t)backing, (uintmax_t)offset,
                               (uintmax_t)MAX(size, config->logical_block_size));
                *what = text;
                return -EINVAL;
        }
        *ret = size;
        return 0;
}

static int check_alignment(const struct target_config *config, const char **what) {
        uint32_t block = MAX(config->backing.logical_block_size, 1U);

        if (config->logical_block_size % block != 0) {
                *what = "the logical block size must be a multiple of the backing's";
                return -EINVAL;
        }
        if (config->offset_bytes % block != 0) {
                *what = "the offset must be a multiple of the backing's logical block size";
                return -EINVAL;
        }
        return 0;
}

/* Files take any range, block devices only whole blocks of theirs, direct or not. */
static uint32_t allocation_alignment(const struct target_backing *backing) {
        int block = 0;

        if (backing->is_block_device && ioctl(backing->fd, BLKSSZGET, &block) == 0 && block > 0)
                return (uint32_t)block;
        return MAX(backing->logical_block_size, 1U);
}

static int loop_open(struct target *target, struct target_geometry *ret, const char **what) {
        const struct target_config *config = target->config;
        struct loop *loop;
        uint64_t size;
        int r;

        if (config->backing.fd < 0)
                return -EBADF;
        r = check_alignment(config, what);
        if (r < 0)
                return r;
        r = window_size(config, &size, what);
        if (r < 0)
                return r;

        loop = calloc(1, sizeof(*loop));
        if (!loop)
                return -ENOMEM;
        loop->offset = config->offset_bytes;
        loop->alignment = allocation_alignment(&config->backing);
        atomic_init(&loop->cant_punch, config->backing.discard_granularity == 0);
        target->data = loop;

        *ret = (struct target_geometry){
                .size_bytes = size,
                .volatile_cache = true,
                .fua = true,
                .rotational = config->backing.rotational,
        };
        if (!config->read_only) {
                ret->discard_granularity = config->backing.discard_granularity;
                ret->max_discard_bytes = ret->discard_granularity ? 1U << 30 : 0;
                ret->max_write_zeroes_bytes = 128U << 20;
        }
        return 0;
}

static void loop_close(struct target *target) {
        free(target->data);
        target->data = NULL;
}

static const uint8_t loop_opcodes[] = { IORING_OP_READ, IORING_OP_WRITE, IORING_OP_FSYNC,
                                        IORING_OP_FALLOCATE };

const struct target_ops target_loop = {
        .name = "loop",
        .class = TARGET_CLASS_FILE,
        .opcodes = loop_opcodes,
        .n_opcodes = ELEMENTSOF(loop_opcodes),
        .open = loop_open,
        .close = loop_close,
        .submit = loop_submit,
        .complete = loop_complete,
};
