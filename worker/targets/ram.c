/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A disk in memory: a memfd that the manager made and keeps, so that its contents outlive this process.
 *
 * Data is copied to and from a mapping of it, which takes half the time of pread() and pwrite(). A
 * mapping alone has two faults, though: reading a page that was never written would allocate it (a look
 * at an empty disk could use up the machine), and a write for which there is no memory would end in
 * SIGBUS instead of ENOSPC. So one bit a page says whether the memfd has the page. Pages that are not
 * there read as zeroes untouched, and are first written with pwrite(), which can fail in an orderly way.
 *
 * When memory is gone altogether, the kernel kills something, maybe this worker; it is restarted with
 * the same memfd like any other. A page that can't be read back from swap raises SIGBUS, with the same
 * end.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "worker/targets/target.h"

extern const struct target_ops target_ram;

enum { PAGE_BYTES = 4096, BITS = 64 };

struct ram {
        int fd;
        uint64_t size;
        char *memory;
        uint64_t *present; /* a bit a page; changed atomically, queues share it */
};

static bool page_present(const struct ram *ram, uint64_t page) {
        return __atomic_load_n(&ram->present[page / BITS], __ATOMIC_ACQUIRE) >> page % BITS & 1;
}

/* Whole words at once where they are covered, as a discard may span millions of pages. */
static void mark_pages(struct ram *ram, uint64_t page, uint64_t end, bool present) {
        while (page < end) {
                unsigned first = page % BITS;
                unsigned n = (unsigned)MIN(BITS - first, end - page);
                uint64_t mask = (n == BITS ? UINT64_MAX : (UINT64_C(1) << n) - 1) << first;

                if (present)
                        __atomic_fetch_or(&ram->present[page / BITS], mask, __ATOMIC_RELEASE);
                else
                        __atomic_fetch_and(&ram->present[page / BITS], ~mask, __ATOMIC_RELEASE);
                page += n;
        }
}

/* How many bytes from offset on, up to length, lie in pages that are all there or all not. */
static uint32_t run_length(const struct ram *ram, uint64_t offset, uint32_t length, bool *present) {
        uint64_t page = offset / PAGE_BYTES, end = offset + length;

        *present = page_present(ram, page);
        do
                page++;
        while (page * PAGE_BYTES < end && page_present(ram, page) == *present);
        return (uint32_t)(MIN(page * PAGE_BYTES, end) - offset);
}

static int ram_read(struct ram *ram, const struct target_io *io) {
        for (uint32_t done = 0, n; done < io->length; done += n) {
                char *buffer = (char *)io->buffer + done;
                bool present;

                n = run_length(ram, io->offset + done, io->length - done, &present);
                if (present)
                        memcpy(buffer, ram->memory + io->offset + done, n);
                else
                        memset(buffer, 0, n);
        }
        return 0;
}

/* Fills pages that the memfd doesn't have yet. */
static int write_new(struct ram *ram, const char *buffer, uint64_t offset, uint32_t length) {
        for (uint32_t done = 0; done < length;) {
                ssize_t n = pwrite(ram->fd, buffer + done, length - done, (off_t)(offset + done));

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        return -ENOSPC;
                if (n > 0)
                        done += (uint32_t)n;
        }
        mark_pages(ram, offset / PAGE_BYTES, (offset + length - 1) / PAGE_BYTES + 1, true);
        return 0;
}

static int ram_write(struct ram *ram, const struct target_io *io) {
        for (uint32_t done = 0, n; done < io->length; done += n) {
                const char *buffer = (const char *)io->buffer + done;
                bool present;

                n = run_length(ram, io->offset + done, io->length - done, &present);
                if (present) {
                        memcpy(ram->memory + io->offset + done, buffer, n);
                        continue;
                }
                int r = write_new(ram, buffer, io->offset + done, n);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int ram_fallocate(struct ram *ram, int mode, const struct target_io *io) {
        while (fallocate(ram->fd, mode, (off_t)io->offset, io->length) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

/* Frees whole pages; of those that are covered in part the kernel zeroes that part. */
static int ram_punch(struct ram *ram, const struct target_io *io) {
        uint64_t end = io->offset + io->length;
        uint64_t first_page = ROUND_UP(io->offset, PAGE_BYTES) / PAGE_BYTES;
        uint64_t end_page =
                end == ram->size ? ROUND_UP(end, PAGE_BYTES) / PAGE_BYTES : end / PAGE_BYTES;
        int r = ram_fallocate(ram, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, io);

        if (r < 0)
                return r;
        /* Not before: had it failed, the pages would still hold what they held. */
        mark_pages(ram, first_page, end_page, false);
        return 0;
}

/* Zeroes that keep their memory: what is missing is allocated, or there is an error before any change. */
static int ram_zero(struct ram *ram, const struct target_io *io) {
        int r = ram_fallocate(ram, 0, io);

        if (r < 0)
                return r;
        memset(ram->memory + io->offset, 0, io->length);
        mark_pages(ram, io->offset / PAGE_BYTES, (io->offset + io->length - 1) / PAGE_BYTES + 1,
                   true);
        return 0;
}

static void ram_submit(struct target *target, struct target_io *io) {
        struct ram *ram = target->data;
        int r = 0; /* for FLUSH: what is done is as durable as memory gets */

        if (io->op == TARGET_READ)
                r = ram_read(ram, io);
        else if (io->op == TARGET_WRITE)
                r = ram_write(ram, io);
        else if (io->op == TARGET_WRITE_ZEROES && (io->flags & TARGET_NOUNMAP))
                r = ram_zero(ram, io);
        else if (io->op == TARGET_DISCARD || io->op == TARGET_WRITE_ZEROES)
                r = ram_punch(ram, io);
        target_io_done(io, r);
}

/* A worker that takes over from another one finds pages in the memfd. */
static int find_pages(struct ram *ram) {
        off_t data = 0, hole;

        for (;;) {
                data = lseek(ram->fd, data, SEEK_DATA);
                if (data < 0)
                        return errno == ENXIO ? 0 : -errno;
                if ((uint64_t)data >= ram->size)
                        return 0;
                hole = lseek(ram->fd, data, SEEK_HOLE);
                if (hole < 0)
                        return -errno;
                uint64_t end = MIN((uint64_t)hole, ram->size);
                mark_pages(ram, (uint64_t)data / PAGE_BYTES, (end - 1) / PAGE_BYTES + 1, true);
                data = hole;
        }
}

static void ram_close(struct target *target) {
        struct ram *ram = target->data;

        if (!ram)
                return;
        if (ram->memory)
                (void)munmap(ram->memory, ram->size);
        free(ram->present);
        free(ram);
        target->data = NULL;
}

static int ram_map(struct ram *ram, bool read_only) {
        uint64_t pages = ROUND_UP(ram->size, PAGE_BYTES) / PAGE_BYTES;
        void *p = mmap(NULL, ram->size, PROT_READ | (read_only ? 0 : PROT_WRITE), MAP_SHARED,
                       ram->fd, 0);

        if (p == MAP_FAILED)
                return -errno;
        ram->memory = p;
        /* Everything else of this process is locked. What people store may be swapped out, as in a tmpfs. */
        (void)munlock(p, ram->size);
        ram->present = calloc(ROUND_UP(pages, BITS) / BITS, sizeof(*ram->present));
        return ram->present ? find_pages(ram) : -ENOMEM;
}

static int ram_open(struct target *target, struct target_geometry *ret, const char **what) {
        const struct target_config *config = target->config;
        struct ram *ram;
        struct stat st;
        int r;

        if (fstat(config->backing.fd, &st) < 0)
                return -errno;
        /* Were it cut, touching the mapping would kill this process. */
        r = fcntl(config->backing.fd, F_GET_SEALS);
        if (r < 0 || !(r & F_SEAL_SHRINK)) {
                *what = "the memory of a ram device must be a memfd that is sealed against "
                        "shrinking";
                return -EINVAL;
        }
        if (st.st_size == 0 || config->size_bytes > (uint64_t)st.st_size) {
                *what = "the memory given is smaller than the device";
                return -EINVAL;
        }

        ram = calloc(1, sizeof(*ram));
        if (!ram)
                return -ENOMEM;
        target->data = ram;
        ram->fd = config->backing.fd;
        ram->size = config->size_bytes ? config->size_bytes : (uint64_t)st.st_size;
        r = ram_map(ram, config->read_only);
        if (r < 0) {
                ram_close(target);
                return r;
        }

        *ret = (struct target_geometry){ .size_bytes = ram->size };
        if (!config->read_only) {
                ret->discard_granularity = MAX(config->logical_block_size, (uint32_t)PAGE_BYTES);
                /* Bounded, because the queue serves nothing else meanwhile. */
                ret->max_discard_bytes = 128U << 20;
                ret->max_write_zeroes_bytes = 32U << 20;
        }
        return 0;
}

const struct target_ops target_ram = {
        .name = "ram",
        .class = TARGET_CLASS_MEMORY,
        .open = ram_open,
        .close = ram_close,
        .submit = ram_submit,
};
