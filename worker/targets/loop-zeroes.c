/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* DISCARD and WRITE_ZEROES of the loop target
 *
 * The best that the backing can do is tried first: a hole (unless NOUNMAP asks for allocated zeroes), a
 * range that the file system or the disk zeroes, and zeroes that are written. tmpfs has no ZERO_RANGE,
 * NFS and FAT have nothing, many a disk lacks a command. A DISCARD is only advice: where there are no
 * holes it is done without doing anything. What the backing can't is found out once.
 */

#include <errno.h>
#include <fcntl.h>

#include "lib/base/macro.h"
#include "worker/targets/loop.h"

/* What is written where fallocate() can't. Never written to, so that it takes no memory: all of its
 * pages are the kernel's zero page. */
static char zeroes[256 * 1024] __attribute__((aligned(4096)));

static void start_fallocate(struct loop *loop, struct target_io *io, int mode) {
        struct io_uring_sqe *sqe = target_io_sqe(io);

        io_uring_prep_fallocate(sqe, TARGET_FILE_BACKING, mode | FALLOC_FL_KEEP_SIZE,
                                (off_t)(loop->offset + io->offset), (off_t)io->length);
        target_io_start(io, sqe);
}

static void start_write(struct loop *loop, struct target_io *io) {
        struct io_uring_sqe *sqe = target_io_sqe(io);

        io_uring_prep_write(sqe, TARGET_FILE_BACKING, zeroes,
                            MIN(io->length - io->done, (uint32_t)sizeof(zeroes)),
                            loop->offset + io->offset + io->done);
        target_io_start(io, sqe);
}

static void write_ended(struct loop *loop, struct target_io *io, int32_t result) {
        if (target_io_retry(result)) {
                start_write(loop, io);
        } else if (result <= 0) {
                target_io_done(io, result < 0 ? result : -EIO);
        } else {
                io->done += (uint32_t)result;
                if (io->done < io->length)
                        start_write(loop, io);
                else
                        target_io_done(io, 0);
        }
}

void loop_zeroes_submit(struct loop *loop, struct target_io *io) {
        bool zeroes_wanted = io->op == TARGET_WRITE_ZEROES;
        bool hole_wanted = !zeroes_wanted || !(io->flags & TARGET_NOUNMAP);
        bool aligned = (loop->offset + io->offset) % loop->alignment == 0 &&
                       io->length % loop->alignment == 0;

        if (hole_wanted && aligned && !atomic_load(&loop->cant_punch)) {
                io->step = LOOP_PUNCH;
                start_fallocate(loop, io, FALLOC_FL_PUNCH_HOLE);
        } else if (zeroes_wanted && aligned && !atomic_load(&loop->cant_zero_range)) {
                io->step = LOOP_ZERO_RANGE;
                start_fallocate(loop, io, FALLOC_FL_ZERO_RANGE);
        } else if (zeroes_wanted) {
                io->step = LOOP_WRITE_ZEROES;
                start_write(loop, io);
        } else {
                target_io_done(io, 0);
        }
}

void loop_zeroes_complete(struct loop *loop, struct target_io *io, int32_t result) {
        if (io->step == LOOP_WRITE_ZEROES) {
                write_ended(loop, io, result);
        } else if (result == -EOPNOTSUPP || result == -ENOSYS) {
                atomic_store(io->step == LOOP_PUNCH ? &loop->cant_punch : &loop->cant_zero_range,
                             true);
                loop_zeroes_submit(loop, io);
        } else if (target_io_retry(result)) {
                loop_zeroes_submit(loop, io);
        } else {
                target_io_done(io, result);
        }
}
