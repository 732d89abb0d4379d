/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the two files of the loop target share. */

#include <stdatomic.h>

#include "worker/targets/target.h"

/* Where an I/O is (target_io.step). Each has one operation under way. */
enum loop_step {
        LOOP_TRANSFER = 0, /* READ, WRITE */
        LOOP_REWRITE,      /* a FUA write has failed: once more without, to learn why */
        LOOP_FLUSH,
        LOOP_PUNCH,        /* DISCARD, WRITE_ZEROES: by a hole */
        LOOP_ZERO_RANGE,   /* WRITE_ZEROES: allocated, by the file system or the disk */
        LOOP_WRITE_ZEROES, /* WRITE_ZEROES: by writing them */
};

struct loop {
        uint64_t offset;    /* of the device in the backing */
        uint32_t alignment; /* that fallocate() wants */

        /* What the queues tell each other. Only ever set, so that no order matters. */
        atomic_int flush_error; /* of the first flush that failed; see loop.c */
        atomic_bool cant_punch; /* fallocate() said so once: don't ask each time */
        atomic_bool cant_zero_range;
};

/* DISCARD and WRITE_ZEROES: loop-zeroes.c */
void loop_zeroes_submit(struct loop *loop, struct target_io *io);
void loop_zeroes_complete(struct loop *loop, struct target_io *io, int32_t result);
