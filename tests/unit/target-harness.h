/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A worker in miniature, for testing one target without a driver: the target_io_…() functions of its own,
 * a real ring with the backing as registered file, and a hook that sees every operation before the kernel
 * does, to shorten it or to make it fail.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/macro.h"
#include "worker/targets/target.h"

enum {
        HARNESS_TAGS = 16,
        HARNESS_IO_BYTES = 256 * 1024,
        HARNESS_NO_RESULT = INT32_MAX,
};

struct harness;

struct harness_io {
        struct target_io io;
        struct harness *harness;
        char *buffer;
        bool ended;
        int result;   /* of the request */
        int injected; /* instead of what the kernel says of the operation; HARNESS_NO_RESULT: none */
};

struct harness {
        struct target_config config;
        struct target target;
        struct target_geometry geometry;
        const char *what;
        bool opened;

        struct io_uring ring;
        struct harness_io ios[HARNESS_TAGS];
        char *buffers;

        /* May change the SQE. Returns HARNESS_NO_RESULT, or what the operation shall end with. */
        int (*hook)(struct harness *h, struct io_uring_sqe *sqe);
        unsigned operations; /* started so far; also a counter for hooks to use */
        unsigned by_opcode[256];
        uint32_t last_rw_flags;
};

/* Sizes that most tests use; the caller sets size_bytes, backing and what else differs. */
void harness_init(struct harness *h);
/* What the target's open() returned; rings and buffers exist only when it is 0. */
int harness_open(struct harness *h, const char *target);
void harness_close(struct harness *h);

/* Starts a request on a tag that is free; for WRITE, data is what is written. */
void harness_begin(struct harness *h, unsigned tag, enum target_op op, uint32_t flags,
                   uint64_t offset, uint32_t length, const void *data);
/* Waits for the end of a tag's request. Returns its result. */
int harness_end(struct harness *h, unsigned tag);

/* One request from beginning to end, on tag 0; data is read into for READ. */
int harness_do(struct harness *h, enum target_op op, uint32_t flags, uint64_t offset,
               uint32_t length, void *data);
