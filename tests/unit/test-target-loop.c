/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The loop target on real files through a real ring: what it stores, where, and what space that takes. */

#include <stdio.h>
#include <sys/mman.h>

#include "lib/base/fd.h"
#include "tests/unit/target-loop-files.h"

enum { DATA = 65536 };

static char data[DATA], got[DATA], zeroes[DATA];

static uint64_t allocated(int fd) {
        struct stat st;

        assert_int_equal(fstat(fd, &st), 0);
        return (uint64_t)st.st_blocks * 512;
}

static void run_suite(struct harness *h, unsigned seed) {
        suite_geometry(h);
        assert_true(h->geometry.volatile_cache && h->geometry.fua);
        suite_random(h, 0, seed);
        suite_parallel(h, 0);
}

static void test_suite_buffered(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;

        (void)state;
        loop_open_file(&h, fd);
        run_suite(&h, 1);
        harness_close(&h);
}

static void test_suite_direct(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, O_DIRECT);
        struct harness h;

        (void)state;
        if (fd == -EINVAL)
                skip();
        loop_prepare(&h, fd, LOOP_SIZE);
        h.config.logical_block_size = 4096;
        h.config.backing.logical_block_size = 4096;
        assert_int_equal(harness_open(&h, "loop"), 0);
        run_suite(&h, 2);
        harness_close(&h);
}

/* tmpfs can punch but not zero a range. */
static void test_suite_memory(void **state) {
        _cleanup_close_ int fd = memfd_create("test", MFD_CLOEXEC);
        struct harness h;

        (void)state;
        assert_int_equal(ftruncate(fd, LOOP_SIZE), 0);
        loop_open_file(&h, fd);
        run_suite(&h, 3);
        harness_close(&h);
}

static void test_suite_without_fallocate(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;

        (void)state;
        loop_open_file(&h, fd);
        h.hook = loop_no_fallocate;
        run_suite(&h, 4);
        /* Each way was asked for once. */
        assert_int_equal(h.by_opcode[IORING_OP_FALLOCATE], 2);
        harness_close(&h);
}

/* Every transfer is cut, every third is to be repeated. */
static int cut_and_interrupt(struct harness *h, struct io_uring_sqe *sqe) {
        static const int again[] = { -EAGAIN, -EINTR, -ECANCELED };

        if (h->operations % 3 == 0)
                return again[h->operations / 3 % 3];
        if (sqe->opcode == IORING_OP_READ || sqe->opcode == IORING_OP_WRITE)
                sqe->len = MAX(sqe->len / 2, 1U);
        return HARNESS_NO_RESULT;
}

static void test_suite_short_transfers(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;

        (void)state;
        loop_open_file(&h, fd);
        h.hook = cut_and_interrupt;
        run_suite(&h, 5);
        harness_close(&h);
}

static void test_window(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;

        (void)state;
        loop_prepare(&h, fd, LOOP_SIZE);
        h.config.offset_bytes = 1 << 20;
        h.config.size_bytes = DATA;
        assert_int_equal(harness_open(&h, "loop"), 0);
        assert_int_equal(h.geometry.size_bytes, DATA);
        memset(data, 'w', sizeof(data));
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 0, DATA, data), 0);
        assert_int_equal(pread(fd, got, DATA, 1 << 20), DATA);
        assert_memory_equal(got, data, DATA);

        /* The neighbours stay as they are, whatever is done to the whole window. */
        assert_int_equal(pwrite(fd, "left", 4, (1 << 20) - 4), 4);
        assert_int_equal(pwrite(fd, "right", 5, (1 << 20) + DATA), 5);
        assert_int_equal(harness_do(&h, TARGET_DISCARD, 0, 0, DATA, NULL), 0);
        assert_int_equal(harness_do(&h, TARGET_WRITE_ZEROES, 0, 0, DATA, NULL), 0);
        assert_int_equal(harness_do(&h, TARGET_WRITE_ZEROES, TARGET_NOUNMAP, 0, DATA, NULL), 0);
        assert_int_equal(pread(fd, got, 4, (1 << 20) - 4), 4);
        assert_memory_equal(got, "left", 4);
        assert_int_equal(pread(fd, got, 5, (1 << 20) + DATA), 5);
        assert_memory_equal(got, "right", 5);
        harness_close(&h);
}

static void test_window_refused(void **state) {
        static const struct {
                uint64_t backing, offset, size;
                const char *text;
        } cases[] = {
                { 1 << 20, 0, (1 << 20) + 512,
                  "1048576 bytes, the device begins at 0 and needs 1049088" },
                { 1 << 20, 512, 1 << 20,
                  "1048576 bytes, the device begins at 512 and needs 1048576" },
                { 1 << 20, 2 << 20, 512, "begins at 2097152" },
                { 1 << 20, 1 << 20, 0, "begins at 1048576" },
                { 511, 0, 0, "511 bytes" },
                { 0, 0, 0, "0 bytes" },
                { INT64_MAX, INT64_MAX, INT64_MAX, "9223372036854775807" },
        };
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct harness h;

                loop_prepare(&h, fd, cases[i].backing);
                h.config.offset_bytes = cases[i].offset;
                h.config.size_bytes = cases[i].size;
                assert_int_equal(harness_open(&h, "loop"), -EINVAL);
                assert_non_null(h.what);
                assert_non_null(strstr(h.what, cases[i].text));
        }
}

static void test_rest_of_backing(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;

        (void)state;
        loop_prepare(&h, fd, 10000);
        h.config.offset_bytes = 1024;
        h.config.read_only = true;
        assert_int_equal(harness_open(&h, "loop"), 0);
        assert_int_equal(h.geometry.size_bytes, 8704);
        assert_int_equal(h.geometry.max_discard_bytes, 0);
        harness_close(&h);
}

static void test_alignment_refused(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;

        (void)state;
        loop_prepare(&h, fd, LOOP_SIZE);
        h.config.backing.logical_block_size = 4096;
        assert_int_equal(harness_open(&h, "loop"), -EINVAL);
        h.config.logical_block_size = 4096;
        h.config.offset_bytes = 512;
        assert_int_equal(harness_open(&h, "loop"), -EINVAL);
        assert_non_null(h.what);
}

static void test_space(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;
        uint64_t full;

        (void)state;
        loop_open_file(&h, fd);
        memset(data, 'a', sizeof(data));
        assert_int_equal(harness_do(&h, TARGET_WRITE, TARGET_FUA, 0, DATA, data), 0);
        assert_int_equal(fsync(fd), 0);
        full = allocated(fd);
        assert_true(full >= DATA);
        assert_int_equal(harness_do(&h, TARGET_WRITE_ZEROES, TARGET_NOUNMAP, 0, DATA, NULL), 0);
        assert_true(allocated(fd) >= full);
        assert_int_equal(harness_do(&h, TARGET_DISCARD, 0, 0, DATA, NULL), 0);
        /* Where the file system under the test can do it at all. */
        if (h.by_opcode[IORING_OP_WRITE] == 1)
                assert_true(allocated(fd) < full);
        harness_close(&h);
}

static void test_no_discard(void **state) {
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        struct harness h;

        (void)state;
        loop_prepare(&h, fd, LOOP_SIZE);
        h.config.backing.discard_granularity = 0;
        assert_int_equal(harness_open(&h, "loop"), 0);
        assert_int_equal(h.geometry.max_discard_bytes, 0);
        memset(data, 'n', sizeof(data));
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 0, DATA, data), 0);
        assert_int_equal(harness_do(&h, TARGET_DISCARD, 0, 0, DATA, NULL), 0);
        assert_int_equal(h.by_opcode[IORING_OP_FALLOCATE], 0);
        assert_int_equal(harness_do(&h, TARGET_WRITE_ZEROES, 0, 0, DATA, NULL), 0);
        assert_int_equal(harness_do(&h, TARGET_READ, 0, 0, DATA, got), 0);
        assert_memory_equal(got, zeroes, DATA);
        harness_close(&h);
}

/* Several pieces, at an offset, and a last one that is not full. */
static void test_written_zeroes(void **state) {
        enum { OFFSET = 1 << 20, LENGTH = (1 << 20) + 512 };
        _cleanup_close_ int fd = loop_make_file(LOOP_SIZE, 0);
        static char whole[LENGTH + 2], expected[LENGTH + 2];
        struct harness h;

        (void)state;
        loop_prepare(&h, fd, LOOP_SIZE);
        h.config.offset_bytes = OFFSET;
        assert_int_equal(harness_open(&h, "loop"), 0);
        h.hook = loop_no_fallocate;

        memset(whole, 'z', sizeof(whole));
        assert_int_equal(pwrite(fd, whole, sizeof(whole), OFFSET - 1), sizeof(whole));
        assert_int_equal(harness_do(&h, TARGET_WRITE_ZEROES, 0, 0, LENGTH, NULL), 0);
        assert_int_equal(pread(fd, whole, sizeof(whole), OFFSET - 1), sizeof(whole));
        expected[0] = expected[LENGTH + 1] = 'z';
        assert_memory_equal(whole, expected, sizeof(whole));
        harness_close(&h);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_suite_buffered),
                cmocka_unit_test(test_suite_direct),
                cmocka_unit_test(test_suite_memory),
                cmocka_unit_test(test_suite_without_fallocate),
                cmocka_unit_test(test_suite_short_transfers),
                cmocka_unit_test(test_window),
                cmocka_unit_test(test_window_refused),
                cmocka_unit_test(test_rest_of_backing),
                cmocka_unit_test(test_alignment_refused),
                cmocka_unit_test(test_space),
                cmocka_unit_test(test_no_discard),
                cmocka_unit_test(test_written_zeroes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
