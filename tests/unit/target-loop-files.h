/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Opening the loop target on files of a test. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/target-suite.h"

enum { LOOP_SIZE = 4 << 20 };

/* A file without a name where temporary files lie; flags such as O_DIRECT. -EINVAL: not there. */
static inline int loop_make_file(off_t size, int flags) {
        const char *folder = getenv("TMPDIR");
        int fd = open(folder ? folder : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC | flags, 0600);

        if (fd < 0)
                return -errno;
        assert_int_equal(ftruncate(fd, size), 0);
        return fd;
}

static inline void loop_prepare(struct harness *h, int fd, uint64_t size) {
        harness_init(h);
        h->config.backing.fd = fd;
        h->config.backing.size_bytes = size;
        h->config.backing.discard_granularity = 4096;
}

static inline void loop_open_file(struct harness *h, int fd) {
        struct stat st;

        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        loop_prepare(h, fd, S_ISREG(st.st_mode) ? (uint64_t)st.st_size : LOOP_SIZE);
        assert_int_equal(harness_open(h, "loop"), 0);
}

static inline int loop_no_fallocate(struct harness *h, struct io_uring_sqe *sqe) {
        (void)h;
        return sqe->opcode == IORING_OP_FALLOCATE ? -EOPNOTSUPP : HARNESS_NO_RESULT;
}
