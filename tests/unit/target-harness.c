/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* See target-harness.h. A target that breaks its contract (ends a request twice, starts two operations
 * for one request) fails the test that it happens in.
 */

#include "tests/unit/target-harness.h"

#include <errno.h>
#include <sys/mman.h>

void harness_init(struct harness *h) {
        *h = (struct harness){
                .config = {
                        .name = "test",
                        .logical_block_size = 512,
                        .physical_block_size = 4096,
                        .max_io_bytes = HARNESS_IO_BYTES,
                        .backing = { .fd = -EBADF, .logical_block_size = 1 },
                },
        };
}

int harness_open(struct harness *h, const char *target) {
        int r;

        h->target.ops = target_find(target);
        assert_non_null(h->target.ops);
        h->target.config = &h->config;
        r = h->target.ops->open(&h->target, &h->geometry, &h->what);
        if (r < 0)
                return r;
        h->opened = true;

        assert_int_equal(io_uring_queue_init(2 * HARNESS_TAGS, &h->ring, 0), 0);
        if (h->config.backing.fd >= 0) {
                int fds[] = { -1, h->config.backing.fd };
                assert_int_equal(io_uring_register_files(&h->ring, fds, 2), 0);
        }
        h->buffers = mmap(NULL, (size_t)HARNESS_TAGS * HARNESS_IO_BYTES, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(h->buffers != MAP_FAILED);
        for (size_t i = 0; i < HARNESS_TAGS; i++) {
                h->ios[i].harness = h;
                h->ios[i].buffer = h->buffers + i * HARNESS_IO_BYTES;
                h->ios[i].ended = true;
        }
        return 0;
}

void harness_close(struct harness *h) {
        if (!h->opened)
                return;
        h->opened = false;
        io_uring_queue_exit(&h->ring);
        (void)munmap(h->buffers, (size_t)HARNESS_TAGS * HARNESS_IO_BYTES);
        if (h->target.ops->close)
                h->target.ops->close(&h->target);
}

struct io_uring_sqe *target_io_sqe(struct target_io *io) {
        struct io_uring_sqe *sqe =
                io_uring_get_sqe(&CONTAINER_OF(io, struct harness_io, io)->harness->ring);

        assert_non_null(sqe);
        return sqe;
}

void target_io_start(struct target_io *io, struct io_uring_sqe *sqe) {
        struct harness_io *hio = CONTAINER_OF(io, struct harness_io, io);
        struct harness *h = hio->harness;

        assert_false(hio->ended);
        assert_int_equal(sqe->fd, TARGET_FILE_BACKING);
        h->operations++;
        h->by_opcode[sqe->opcode]++;
        h->last_rw_flags = (uint32_t)sqe->rw_flags;
        hio->injected = h->hook ? h->hook(h, sqe) : HARNESS_NO_RESULT;
        if (hio->injected != HARNESS_NO_RESULT)
                io_uring_prep_nop(sqe);
        else
                sqe->flags |= IOSQE_FIXED_FILE;
        io_uring_sqe_set_data(sqe, hio);
}

void target_io_done(struct target_io *io, int result) {
        struct harness_io *hio = CONTAINER_OF(io, struct harness_io, io);

        assert_false(hio->ended);
        assert_true(result <= 0);
        assert_false(target_io_retry(result));
        hio->ended = true;
        hio->result = result;
}

void harness_begin(struct harness *h, unsigned tag, enum target_op op, uint32_t flags,
                   uint64_t offset, uint32_t length, const void *data) {
        struct harness_io *hio = &h->ios[tag];
        bool transfers = op == TARGET_READ || op == TARGET_WRITE;

        assert_true(hio->ended);
        hio->ended = false;
        hio->io = (struct target_io){
                .op = op,
                .flags = flags,
                .offset = offset,
                .length = length,
                .buffer = transfers ? hio->buffer : NULL,
                .stale = hio->io.stale,
        };
        if (op == TARGET_WRITE) {
                assert_true(length <= HARNESS_IO_BYTES);
                memcpy(hio->buffer, data, length);
                hio->io.stale = MAX(hio->io.stale, length);
        }
        h->target.ops->submit(&h->target, &hio->io);
}

int harness_end(struct harness *h, unsigned tag) {
        struct harness_io *wanted = &h->ios[tag];

        while (!wanted->ended) {
                struct io_uring_cqe *cqe;
                struct harness_io *hio;
                int result;

                (void)io_uring_submit(&h->ring);
                assert_int_equal(io_uring_wait_cqe(&h->ring, &cqe), 0);
                hio = io_uring_cqe_get_data(cqe);
                result = hio->injected != HARNESS_NO_RESULT ? hio->injected : cqe->res;
                io_uring_cqe_seen(&h->ring, cqe);
                h->target.ops->complete(&h->target, &hio->io, result);
        }
        return wanted->result;
}

int harness_do(struct harness *h, enum target_op op, uint32_t flags, uint64_t offset,
               uint32_t length, void *data) {
        int r;

        harness_begin(h, 0, op, flags, offset, length, data);
        r = harness_end(h, 0);
        if (op == TARGET_READ && r == 0)
                memcpy(data, h->ios[0].buffer, length);
        return r;
}
