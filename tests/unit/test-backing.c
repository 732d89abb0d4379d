/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What may be a backing and what is found out about it, as far as it can be shown without being root: files,
 * memory, and what is neither. Block devices are for the tests in the virtual machine.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "ublkmgr/backing.h"

enum { SIZE = 1 << 20 };

static char folder[64];

static struct spec *make_spec(enum spec_type type, bool read_only) {
        struct spec *spec;

        assert_int_equal(spec_new(&spec), 0);
        spec->values[SPEC_TYPE] = (struct spec_value){ .set = true, .number = type };
        spec->values[SPEC_READ_ONLY] = (struct spec_value){ .set = true, .number = read_only };
        spec->values[SPEC_SIZE_BYTES] = (struct spec_value){ .set = true, .number = SIZE };
        spec->values[SPEC_LOGICAL_BLOCK_SIZE] =
                (struct spec_value){ .set = true, .defaulted = true, .number = 512 };
        return spec;
}

static int make_file(const char *where, int flags) {
        char path[128];
        int fd;

        (void)snprintf(path, sizeof(path), "%s/test-backing-XXXXXX", where);
        fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, SIZE), 0);
        close(fd);
        fd = open(path, flags | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(unlink(path), 0);
        return fd;
}

/* Takes the fd over. */
static int examine(int fd, const struct spec *spec, struct backing *ret, const char **what) {
        *ret = BACKING_NULL;
        ret->fd = fd;
        return backing_examine(ret, spec, what);
}

static void test_file(void **state) {
        _cleanup_(spec_freep) struct spec *spec = make_spec(SPEC_TYPE_LOOP, false);
        struct backing b;
        const char *what;
        struct stat st;

        (void)state;
        assert_int_equal(examine(make_file(folder, O_RDWR | O_NONBLOCK), spec, &b, &what), 0);
        assert_null(what);
        assert_true(b.writable);
        assert_int_equal(fstat(b.fd, &st), 0);
        assert_int_equal(b.device, st.st_dev);
        assert_int_equal(b.inode, st.st_ino);
        assert_int_equal(b.info.size_bytes, SIZE);
        assert_int_equal(b.info.is_block_device, 0);
        assert_true(b.info.discard_granularity >= 512);
        assert_int_equal(fcntl(b.fd, F_GETFL) & O_NONBLOCK, 0);
        safe_close(b.fd);
}

static void test_access(void **state) {
        _cleanup_(spec_freep) struct spec *writable = make_spec(SPEC_TYPE_LOOP, false),
                                          *read_only = make_spec(SPEC_TYPE_LOOP, true);
        static const struct {
                int flags, writable, read_only;
        } cases[] = {
                { O_RDWR, 0, 0 },
                { O_RDONLY, -EACCES, 0 },
                { O_WRONLY, -EACCES, -EACCES },
                { O_PATH, -EINVAL, -EINVAL },
                { O_RDWR | O_APPEND, -EINVAL, -EINVAL },
                { O_RDONLY | O_APPEND, -EINVAL, -EINVAL },
        };
        struct backing b;
        const char *what;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(examine(make_file(folder, cases[i].flags), writable, &b, &what),
                                 cases[i].writable);
                assert_int_equal(what == NULL, cases[i].writable == 0);
                assert_int_equal(b.writable, (cases[i].flags & O_ACCMODE) == O_RDWR);
                safe_close(b.fd);
                assert_int_equal(examine(make_file(folder, cases[i].flags), read_only, &b, &what),
                                 cases[i].read_only);
                safe_close(b.fd);
        }
}

static void test_kinds(void **state) {
        _cleanup_(spec_freep) struct spec *spec = make_spec(SPEC_TYPE_LOOP, true);
        struct backing b;
        const char *what;
        char path[128];
        int pair[2];

        (void)state;
        assert_int_equal(examine(open(folder, O_RDONLY | O_CLOEXEC), spec, &b, &what), -EISDIR);
        assert_non_null(what);
        safe_close(b.fd);
        assert_int_equal(examine(open("/dev/null", O_RDWR | O_CLOEXEC), spec, &b, &what), -EINVAL);
        assert_non_null(what);
        safe_close(b.fd);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(examine(pair[0], spec, &b, &what), -EINVAL);
        close(pair[0]);
        close(pair[1]);
        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        assert_int_equal(examine(pair[0], spec, &b, &what), -EINVAL);
        close(pair[0]);
        close(pair[1]);
        (void)snprintf(path, sizeof(path), "%s/fifo", folder);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(examine(open(path, O_RDWR | O_CLOEXEC), spec, &b, &what), -EINVAL);
        safe_close(b.fd);
        assert_int_equal(unlink(path), 0);
}

/* 0: this file system doesn't tell, or can't. */
static uint32_t alignment(int fd) {
        struct statx stx = { 0 };

        assert_int_equal(statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx), 0);
        return stx.stx_mask & STATX_DIOALIGN ? MAX(stx.stx_dio_mem_align, stx.stx_dio_offset_align)
                                             : 0;
}

static void check_direct(const char *where) {
        _cleanup_(spec_freep) struct spec *spec = make_spec(SPEC_TYPE_LOOP, false);
        struct spec_value *direct = &spec->values[SPEC_DIRECT];
        struct backing b;
        const char *what;
        uint32_t align;
        bool can;

        b.fd = make_file(where, O_RDWR);
        align = alignment(b.fd);
        safe_close(b.fd);
        can = align > 0 && align <= 512;

        /* Left open: where it can be done. */
        assert_int_equal(examine(make_file(where, O_RDWR), spec, &b, &what), 0);
        assert_int_equal((fcntl(b.fd, F_GETFL) & O_DIRECT) != 0, can);
        assert_int_equal(b.info.logical_block_size, can ? align : 1);
        safe_close(b.fd);

        /* Asked for: or it fails. */
        *direct = (struct spec_value){ .set = true, .number = 1 };
        assert_int_equal(examine(make_file(where, O_RDWR), spec, &b, &what), can ? 0 : -EOPNOTSUPP);
        assert_int_equal(what == NULL, can);
        safe_close(b.fd);

        /* An offset that isn't aligned to what the backing needs. */
        spec->values[SPEC_OFFSET_BYTES] = (struct spec_value){ .set = true, .number = 1 };
        if (align > 1) {
                assert_int_equal(examine(make_file(where, O_RDWR), spec, &b, &what), -EOPNOTSUPP);
                safe_close(b.fd);
        }

        /* Not wanted: switched off, also where the caller had it on. */
        direct->number = 0;
        assert_int_equal(
                examine(make_file(where, can ? O_RDWR | O_DIRECT : O_RDWR), spec, &b, &what), 0);
        assert_int_equal(fcntl(b.fd, F_GETFL) & O_DIRECT, 0);
        assert_int_equal(b.info.logical_block_size, 1);
        safe_close(b.fd);
}

static void test_direct(void **state) {
        (void)state;
        check_direct(folder);
        check_direct("/var/tmp");
        if (access("/dev/shm", W_OK) == 0)
                check_direct("/dev/shm");
}

static void test_memory(void **state) {
        _cleanup_(spec_freep) struct spec *spec = make_spec(SPEC_TYPE_RAM, false);
        struct backing b;
        const char *what;
        int fd;

        (void)state;
        fd = backing_new_memory(spec, "name");
        assert_true(fd >= 0);
        assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(ftruncate(fd, SIZE / 2), -1);
        assert_int_equal(errno, EPERM);
        /* A worker may fill it, and no more. */
        assert_int_equal(fallocate(fd, 0, 0, SIZE), 0);
        assert_int_equal(fallocate(fd, 0, SIZE, SIZE), -1);
        assert_int_equal(pwrite(fd, "x", 1, SIZE), -1);
        assert_int_equal(examine(fd, spec, &b, &what), 0);
        assert_int_equal(b.info.size_bytes, SIZE);
        assert_int_equal(fcntl(fd, F_GETFL) & O_DIRECT, 0);
        close(fd);
}

static void test_conflicts(void **state) {
        _cleanup_(spec_freep) struct spec *writable = make_spec(SPEC_TYPE_LOOP, false),
                                          *read_only = make_spec(SPEC_TYPE_LOOP, true);
        struct backing w, r1, r2, other, none = BACKING_NULL;
        const char *what;
        char path[32];

        (void)state;
        assert_int_equal(examine(make_file(folder, O_RDWR), writable, &w, &what), 0);
        assert_int_equal(examine(make_file(folder, O_RDWR), writable, &other, &what), 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%i", w.fd);
        assert_int_equal(examine(open(path, O_RDONLY | O_CLOEXEC), read_only, &r1, &what), 0);
        assert_int_equal(examine(open(path, O_RDONLY | O_CLOEXEC), read_only, &r2, &what), 0);
        assert_true(backing_conflicts(&w, &w));
        assert_true(backing_conflicts(&w, &r1));
        assert_true(backing_conflicts(&r1, &w));
        assert_false(backing_conflicts(&r1, &r2));
        assert_false(backing_conflicts(&w, &other));
        assert_false(backing_conflicts(&none, &none));
        assert_false(backing_conflicts(&w, &none));
        /* It is about the file: after the hand-over the fd is gone. */
        w.fd = safe_close(w.fd);
        assert_true(backing_conflicts(&w, &r1));
        safe_close(r1.fd);
        safe_close(r2.fd);
        safe_close(other.fd);
}

static int setup(void **state) {
        (void)state;
        (void)snprintf(folder, sizeof(folder), "/tmp/test-backing-XXXXXX");
        return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state) {
        (void)state;
        return rmdir(folder);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_file),   cmocka_unit_test(test_access),
                cmocka_unit_test(test_kinds),  cmocka_unit_test(test_direct),
                cmocka_unit_test(test_memory), cmocka_unit_test(test_conflicts),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
