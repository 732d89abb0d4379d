/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening may wait (a network file system, a sleeping disk), so it is an operation of the ring like a control
 * command. A block device that is to be written is opened with O_EXCL: the kernel refuses one that is
 * mounted or part of something else.
 */

#include "ublkmgr/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"

/* Takes the path over. */
static int start_open(struct ring *ring, char *path, int flags, uint64_t timeout_usec,
                      ring_done done, void *userdata, struct ring_op **ret) {
        union ring_sqe sqe = { 0 };

        /* O_NONBLOCK: a FIFO must not make us wait for its other end; it means nothing for files. */
        io_uring_prep_openat(&sqe.sqe, AT_FDCWD, path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                             0);
        sqe.sqe.flags |= IOSQE_ASYNC;
        return ring_start(ring, &sqe, path, ring_late_close, timeout_usec, done, userdata, ret);
}

int backing_open(struct ring *ring, const struct spec *spec, uint64_t timeout_usec, ring_done done,
                 void *userdata, struct ring_op **ret) {
        int flags = spec_number(spec, SPEC_READ_ONLY) ? O_RDONLY : O_RDWR | O_EXCL;
        char *path = strdup(spec_string(spec, SPEC_PATH));

        if (!path)
                return -ENOMEM;
        return start_open(ring, path, flags, timeout_usec, done, userdata, ret);
}

bool backing_needs_claim(const struct backing *b, const struct spec *spec) {
        struct stat st;
        int flags = fcntl(b->fd, F_GETFL);
        int mode = flags & O_ACCMODE;

        /* Only with what the caller's own fd allows: this opens with our rights. A caller's fd of a block device must
         * not be exclusive itself (ublkctl's isn't), or the device is found taken. */
        return flags >= 0 && !(flags & (O_PATH | O_APPEND)) && fstat(b->fd, &st) >= 0 &&
               (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) &&
               (mode == O_RDWR || (mode == O_RDONLY && spec_number(spec, SPEC_READ_ONLY)));
}

int backing_claim(struct ring *ring, const struct backing *b, const struct spec *spec,
                  uint64_t timeout_usec, ring_done done, void *userdata, struct ring_op **ret) {
        char *path;

        if (asprintf(&path, "/proc/self/fd/%i", b->fd) < 0)
                return -ENOMEM;
        return start_open(ring, path,
                          spec_number(spec, SPEC_READ_ONLY) ? O_RDONLY : O_RDWR | O_EXCL,
                          timeout_usec, done, userdata, ret);
}

int backing_new_memory(const struct spec *spec, const char *name) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *label = NULL;

        if (asprintf(&label, "ublk-%s", name) < 0) {
                label = NULL;
                return -ENOMEM;
        }
        fd = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        if (ftruncate(fd, (off_t)spec_number(spec, SPEC_SIZE_BYTES)) < 0)
                return -errno;
        /* A worker gone wrong must neither be able to pull the memory from under its successor nor to take all that the
         * machine has. */
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* Reads a number from the queue folder of a block device, which for a partition is that of its disk. */
static uint64_t queue_number(dev_t device, const char *name) {
        static const char *const parents[] = { "", "/.." };

        for (size_t i = 0; i < ELEMENTSOF(parents); i++) {
                _cleanup_free_ char *path = NULL, *text = NULL;
                uint64_t n;

                if (asprintf(&path, "/sys/dev/block/%u:%u%s/queue/%s", major(device), minor(device),
                             parents[i], name) < 0)
                        return 0;
                if (read_file(path, 4096, &text, NULL) < 0)
                        continue;
                text[strcspn(text, "\n")] = 0;
                return parse_u64(text, &n) < 0 ? 0 : n;
        }
        return 0;
}

static int examine_block_device(struct backing *b, const struct stat *st) {
        uint64_t size;
        int block_size;

        if (ioctl(b->fd, BLKGETSIZE64, &size) < 0 || ioctl(b->fd, BLKSSZGET, &block_size) < 0)
                return -errno;
        b->device = st->st_rdev;
        b->info = (struct wire_backing){
                .size_bytes = size,
                .is_block_device = 1,
                .logical_block_size = (uint32_t)block_size,
                .rotational = queue_number(st->st_rdev, "rotational") == 1,
        };
        /* Punching holes into a block device writes zeroes by its own command, if it has one. */
        if (queue_number(st->st_rdev, "write_zeroes_max_bytes") > 0)
                b->info.discard_granularity = (uint32_t)MAX(
                        queue_number(st->st_rdev, "discard_granularity"), (uint64_t)block_size);
        return 0;
}

static int examine_file(struct backing *b, const struct stat *st) {
        b->device = st->st_dev;
        b->inode = st->st_ino;
        b->info = (struct wire_backing){
                .size_bytes = (uint64_t)st->st_size,
                .logical_block_size = 1,
                .discard_granularity = MAX((uint32_t)st->st_blksize, 512U),
        };
        return 0;
}

/* The alignment that direct I/O on the fd needs; 0: it can't be done at all. */
static uint32_t direct_alignment(const struct backing *b) {
        struct statx stx = { 0 };

        if (b->info.is_block_device)
                return b->info.logical_block_size;
        if (statx(b->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) < 0 ||
            !(stx.stx_mask & STATX_DIOALIGN))
                return 0;
        return MAX(stx.stx_dio_mem_align, stx.stx_dio_offset_align);
}

static int set_direct(struct backing *b, const struct spec *spec, const char **what) {
        bool asked = spec_is_set(spec, SPEC_DIRECT);
        uint32_t alignment;
        int flags;

        flags = fcntl(b->fd, F_GETFL);
        if (flags < 0)
                return -errno;
        if (asked && !spec_number(spec, SPEC_DIRECT)) {
                if (fcntl(b->fd, F_SETFL, flags & ~O_DIRECT) < 0)
                        return -errno;
                return 0;
        }

        alignment = direct_alignment(b);
        if (alignment == 0 || alignment > spec_number(spec, SPEC_LOGICAL_BLOCK_SIZE) ||
            spec_number(spec, SPEC_OFFSET_BYTES) % alignment != 0 ||
            fcntl(b->fd, F_SETFL, flags | O_DIRECT) < 0) {
                if (!asked)
                        return 0;
                *what = "direct I/O was asked for and the backing can't do it at this "
                        "logicalBlockSize "
                        "and offsetBytes: set them to what the backing needs, or leave out direct";
                return -EOPNOTSUPP;
        }
        b->info.logical_block_size = alignment;
        return 0;
}

static int check_access(struct backing *b, const struct spec *spec, const char **what) {
        int flags = fcntl(b->fd, F_GETFL);

        if (flags < 0)
                return -errno;
        /* It was for the opening alone: with it, io_uring answers -EAGAIN instead of waiting for the disk. */
        if ((flags & O_NONBLOCK) && fcntl(b->fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
                return -errno;
        b->writable = (flags & O_ACCMODE) == O_RDWR;
        if (flags & (O_PATH | O_APPEND)) {
                *what = "the backing must be opened without O_PATH and O_APPEND";
                return -EINVAL;
        }
        if ((flags & O_ACCMODE) == O_WRONLY ||
            (!b->writable && !spec_number(spec, SPEC_READ_ONLY))) {
                *what = "the backing must be open for reading and writing, or the device be "
                        "readOnly";
                return -EACCES;
        }
        return 0;
}

int backing_examine(struct backing *b, const struct spec *spec, const char **what) {
        struct stat st;
        int r;

        *what = NULL;
        r = check_access(b, spec, what);
        if (r < 0)
                return r;
        if (fstat(b->fd, &st) < 0)
                return -errno;

        if (S_ISBLK(st.st_mode))
                r = examine_block_device(b, &st);
        else if (S_ISREG(st.st_mode))
                r = examine_file(b, &st);
        else {
                *what = "path must be a regular file or a block device";
                r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        }
        if (r < 0)
                return r;
        if (spec_number(spec, SPEC_TYPE) == SPEC_TYPE_LOOP) {
                if (b->info.is_block_device &&
                    b->info.logical_block_size > spec_number(spec, SPEC_LOGICAL_BLOCK_SIZE)) {
                        *what = "the backing's blocks are larger than logicalBlockSize: set it to "
                                "theirs";
                        return -EINVAL;
                }
                return set_direct(b, spec, what);
        }
        return 0;
}

bool backing_conflicts(const struct backing *a, const struct backing *b) {
        return a->device != 0 && a->device == b->device && a->inode == b->inode &&
               a->info.is_block_device == b->info.is_block_device && (a->writable || b->writable);
}
