/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every way in which an operation of the loop target can end badly. What is hard to bring about (a disk that
 * fails to flush) is put in by the harness.
 */

#include <signal.h>
#include <sys/resource.h>

#include "lib/base/fd.h"
#include "tests/unit/target-loop-files.h"

static char data[8192], got[8192];

static void test_backing_shrank(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;

        (void)state;
        loop_open_file(&h, fd);
        assert_int_equal(ftruncate(fd, 4096 + 100), 0);
        assert_int_equal(harness_do(&h, TARGET_READ, 0, 0, 4096, got), 0);
        assert_int_equal(harness_do(&h, TARGET_READ, 0, 0, 8192, got), -EIO);
        assert_int_equal(harness_do(&h, TARGET_READ, 0, LOOP_SIZE / 2, 512, got), -EIO);
        harness_close(&h);
}

static int move_nothing(struct harness *h, struct io_uring_sqe *sqe) {
        (void)h, (void)sqe;
        return 0;
}

static int move_too_much(struct harness *h, struct io_uring_sqe *sqe) {
        (void)h;
        return (int)sqe->len + 1;
}

static void test_impossible_results(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;

        (void)state;
        loop_open_file(&h, fd);
        h.hook = move_nothing;
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 0, 512, data), -EIO);
        assert_int_equal(harness_do(&h, TARGET_READ, 0, 0, 512, data), -EIO);
        h.hook = move_too_much;
        assert_int_equal(harness_do(&h, TARGET_READ, 0, 0, 512, data), -EIO);
        harness_close(&h);
}

static void test_full(void **state) {
        _cleanup_close_ int fd = open("/dev/full", O_RDWR | O_CLOEXEC);
        struct harness h;

        (void)state;
        loop_open_file(&h, fd);
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 0, 4096, data), -ENOSPC);
        assert_int_equal(harness_do(&h, TARGET_WRITE, TARGET_FUA, 0, 4096, data), -ENOSPC);
        assert_int_equal(harness_do(&h, TARGET_READ, 0, 0, 4096, got), 0);
        harness_close(&h);
}

static void test_file_size_limit(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct rlimit before, limit;
        struct harness h;

        (void)state;
        (void)signal(SIGXFSZ, SIG_IGN);
        loop_open_file(&h, fd);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        limit = before;
        limit.rlim_cur = 4096;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 8192, 512, data), -EFBIG);
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 0, 8192, data), -EFBIG);
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 0, 4096, data), 0);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        harness_close(&h);
}

static void test_fua(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;

        (void)state;
        loop_open_file(&h, fd);
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 0, 512, data), 0);
        assert_int_equal(h.last_rw_flags, 0);
        assert_int_equal(harness_do(&h, TARGET_WRITE, TARGET_FUA, 0, 512, data), 0);
        assert_int_equal(h.last_rw_flags, RWF_DSYNC);
        assert_int_equal(harness_do(&h, TARGET_FLUSH, 0, 0, 0, NULL), 0);
        assert_int_equal(h.last_rw_flags, IORING_FSYNC_DATASYNC);
        assert_int_equal(h.by_opcode[IORING_OP_FSYNC], 1);
        harness_close(&h);
}

static int fail_flush(struct harness *h, struct io_uring_sqe *sqe) {
        (void)h;
        return sqe->opcode == IORING_OP_FSYNC ? -EIO : HARNESS_NO_RESULT;
}

/* The kernel tells of a lost page once. So a second flush must not get as far as the kernel. */
static void test_failed_flush_is_final(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;

        (void)state;
        loop_open_file(&h, fd);
        h.hook = fail_flush;
        assert_int_equal(harness_do(&h, TARGET_FLUSH, 0, 0, 0, NULL), -EIO);
        h.hook = NULL;
        assert_int_equal(harness_do(&h, TARGET_FLUSH, 0, 0, 0, NULL), -EIO);
        assert_int_equal(harness_do(&h, TARGET_WRITE, TARGET_FUA, 0, 512, data), -EIO);
        assert_int_equal(h.by_opcode[IORING_OP_FSYNC], 1);
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 0, 512, data), 0);
        assert_int_equal(harness_do(&h, TARGET_READ, 0, 0, 512, data), 0);
        harness_close(&h);
}

/* Two at once: the second, which the kernel takes for good, ends after the first one's error is known. */
static int fail_first_flush(struct harness *h, struct io_uring_sqe *sqe) {
        (void)sqe;
        return h->operations == 1 ? -EIO : 0;
}

static void test_flushes_at_once(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;

        (void)state;
        loop_open_file(&h, fd);
        h.hook = fail_first_flush;
        harness_begin(&h, 0, TARGET_FLUSH, 0, 0, 0, NULL);
        harness_begin(&h, 1, TARGET_FLUSH, 0, 0, 0, NULL);
        assert_int_equal(harness_end(&h, 0), -EIO);
        assert_int_equal(harness_end(&h, 1), -EIO);
        harness_close(&h);
}

static int fail_durable_write(struct harness *h, struct io_uring_sqe *sqe) {
        (void)h;
        return sqe->opcode == IORING_OP_WRITE && (sqe->rw_flags & RWF_DSYNC) ? -ENOSPC
                                                                             : HARNESS_NO_RESULT;
}

static int fail_every_write(struct harness *h, struct io_uring_sqe *sqe) {
        (void)h;
        return sqe->opcode == IORING_OP_WRITE ? -ENOSPC : HARNESS_NO_RESULT;
}

static void test_failed_fua(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;

        (void)state;
        loop_open_file(&h, fd);
        /* The write itself fails: nobody else is concerned. */
        h.hook = fail_every_write;
        assert_int_equal(harness_do(&h, TARGET_WRITE, TARGET_FUA, 0, 512, data), -ENOSPC);
        h.hook = NULL;
        assert_int_equal(harness_do(&h, TARGET_FLUSH, 0, 0, 0, NULL), 0);

        /* Without FUA it works: it was the flush, and that may have been about other writes. */
        h.hook = fail_durable_write;
        assert_int_equal(harness_do(&h, TARGET_WRITE, TARGET_FUA, 0, 512, data), -EIO);
        h.hook = NULL;
        assert_int_equal(harness_do(&h, TARGET_FLUSH, 0, 0, 0, NULL), -EIO);
        harness_close(&h);
}

static int fail_fallocate(struct harness *h, struct io_uring_sqe *sqe) {
        (void)h;
        return sqe->opcode == IORING_OP_FALLOCATE ? -ENOSPC : HARNESS_NO_RESULT;
}

static void test_zeroes_errors(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        _cleanup_close_ int full = open("/dev/full", O_RDWR | O_CLOEXEC);
        struct harness h;

        (void)state;
        loop_open_file(&h, fd);
        h.hook = fail_fallocate;
        assert_int_equal(harness_do(&h, TARGET_WRITE_ZEROES, 0, 0, 4096, NULL), -ENOSPC);
        assert_int_equal(harness_do(&h, TARGET_DISCARD, 0, 0, 4096, NULL), -ENOSPC);
        harness_close(&h);

        loop_open_file(&h, full);
        h.hook = loop_no_fallocate;
        assert_int_equal(harness_do(&h, TARGET_WRITE_ZEROES, 0, 0, 4096, NULL), -ENOSPC);
        assert_int_equal(harness_do(&h, TARGET_DISCARD, 0, 0, 4096, NULL), 0);
        harness_close(&h);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_backing_shrank),
                cmocka_unit_test(test_impossible_results),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_file_size_limit),
                cmocka_unit_test(test_fua),
                cmocka_unit_test(test_failed_flush_is_final),
                cmocka_unit_test(test_flushes_at_once),
                cmocka_unit_test(test_failed_fua),
                cmocka_unit_test(test_zeroes_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
