/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ram target: what it stores, what memory it takes, and what a next worker finds. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "tests/unit/target-suite.h"

enum { SIZE = 4 << 20 };

static int make_memory(off_t size, int seals) {
        int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, size), 0);
        assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
        return fd;
}

static void open_ram(struct harness *h, int fd) {
        harness_init(h);
        h->config.backing.fd = fd;
        assert_int_equal(harness_open(h, "ram"), 0);
}

static uint64_t allocated(int fd) {
        struct stat st;

        assert_int_equal(fstat(fd, &st), 0);
        return (uint64_t)st.st_blocks * 512;
}

static void test_suite(void **state) {
        (void)state;
        for (unsigned seed = 1; seed <= 3; seed++) {
                _cleanup_close_ int fd = make_memory(SIZE + (seed == 3 ? 512 : 0), F_SEAL_SHRINK);
                struct harness h;

                open_ram(&h, fd);
                suite_geometry(&h);
                assert_false(h.geometry.volatile_cache);
                suite_random(&h, 0, seed);
                suite_parallel(&h, 0);
                harness_close(&h);
        }
}

static void test_reading_takes_no_memory(void **state) {
        _cleanup_close_ int fd = make_memory(SIZE, F_SEAL_SHRINK);
        static char data[65536], zeroes[65536];
        struct harness h;

        (void)state;
        open_ram(&h, fd);
        memset(data, 'x', sizeof(data));
        assert_int_equal(harness_do(&h, TARGET_READ, 0, 0, sizeof(data), data), 0);
        assert_memory_equal(data, zeroes, sizeof(data));
        assert_int_equal(allocated(fd), 0);
        harness_close(&h);
}

static void test_holes(void **state) {
        _cleanup_close_ int fd = make_memory(SIZE, F_SEAL_SHRINK);
        static char data[65536], got[65536], expected[65536];
        struct harness h;

        (void)state;
        open_ram(&h, fd);
        memset(data, 'd', sizeof(data));
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 0, sizeof(data), data), 0);
        assert_int_equal(allocated(fd), sizeof(data));

        /* From the middle of a page to the middle of another one. */
        assert_int_equal(harness_do(&h, TARGET_DISCARD, 0, 512, 16384, NULL), 0);
        assert_int_equal(allocated(fd), sizeof(data) - 3 * 4096);
        memcpy(expected, data, sizeof(data));
        memset(expected + 512, 0, 16384);
        assert_int_equal(harness_do(&h, TARGET_READ, 0, 0, sizeof(got), got), 0);
        assert_memory_equal(got, expected, sizeof(got));

        assert_int_equal(harness_do(&h, TARGET_WRITE_ZEROES, TARGET_NOUNMAP, 0, sizeof(data), NULL),
                         0);
        assert_int_equal(allocated(fd), sizeof(data));
        assert_int_equal(harness_do(&h, TARGET_WRITE_ZEROES, 0, 0, sizeof(data), NULL), 0);
        assert_int_equal(allocated(fd), 0);
        harness_close(&h);
}

static void test_next_worker_finds_data(void **state) {
        _cleanup_close_ int fd = make_memory(SIZE, F_SEAL_SHRINK);
        char data[512], got[512];
        struct harness h;

        (void)state;
        memset(data, 'k', sizeof(data));
        open_ram(&h, fd);
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 512 * 5, 512, data), 0);
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, SIZE - 512, 512, data), 0);
        harness_close(&h);

        open_ram(&h, fd);
        assert_int_equal(harness_do(&h, TARGET_READ, 0, 512 * 5, 512, got), 0);
        assert_memory_equal(got, data, 512);
        assert_int_equal(harness_do(&h, TARGET_READ, 0, SIZE - 512, 512, got), 0);
        assert_memory_equal(got, data, 512);
        harness_close(&h);
}

/* Stands for every way in which memory can be refused: what matters is an error and no signal. */
static void test_no_memory(void **state) {
        _cleanup_close_ int fd = make_memory(SIZE, F_SEAL_SHRINK);
        struct rlimit before, limit;
        static char data[8192];
        struct harness h;

        (void)state;
        (void)signal(SIGXFSZ, SIG_IGN);
        open_ram(&h, fd);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        limit = before;
        limit.rlim_cur = 4096;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 4096, sizeof(data), data), -EFBIG);
        assert_int_equal(harness_do(&h, TARGET_WRITE, 0, 0, 4096, data), 0);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        harness_close(&h);
}

static void test_read_only(void **state) {
        _cleanup_close_ int fd =
                make_memory(SIZE, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE);
        char got[512];
        struct harness h;

        (void)state;
        harness_init(&h);
        h.config.backing.fd = fd;
        h.config.read_only = true;
        assert_int_equal(harness_open(&h, "ram"), 0);
        assert_int_equal(h.geometry.max_discard_bytes, 0);
        assert_int_equal(harness_do(&h, TARGET_READ, 0, 0, 512, got), 0);
        harness_close(&h);
}

static void test_refused(void **state) {
        _cleanup_close_ int unsealed = make_memory(SIZE, F_SEAL_GROW);
        _cleanup_close_ int small = make_memory(4096, F_SEAL_SHRINK);
        _cleanup_close_ int empty = make_memory(0, F_SEAL_SHRINK);
        const int fds[] = { unsealed, small, empty };
        struct harness h;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                harness_init(&h);
                h.config.backing.fd = fds[i];
                h.config.size_bytes = i == 2 ? 0 : SIZE;
                assert_int_equal(harness_open(&h, "ram"), -EINVAL);
                assert_non_null(h.what);
        }
        harness_init(&h);
        assert_int_equal(harness_open(&h, "ram"), -EBADF);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_suite),     cmocka_unit_test(test_reading_takes_no_memory),
                cmocka_unit_test(test_holes),     cmocka_unit_test(test_next_worker_finds_data),
                cmocka_unit_test(test_no_memory), cmocka_unit_test(test_read_only),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
