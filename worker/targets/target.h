/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a target is
 *
 * A target turns block requests into whatever its storage needs. To write one, implement `struct
 * target_ops` in worker/targets/NAME.c, add it to registry.c and to the type table of lib/spec;
 * worker/targets/null.c is the smallest example, loop.c one that uses the ring. This header is the whole
 * contract: a target includes nothing else of the project but lib/base.
 *
 * Threads. open() and close() run in the main thread. Each queue has a thread of its own, and every I/O
 * stays in the thread of its queue from submit() to target_io_done(). One struct target is shared by all
 * queues: after open() it must not change, or only by means that are safe between threads.
 *
 * Meaning. The block layer's, and people's file systems depend on it:
 *   READ          fill buffer with length bytes from offset.
 *   WRITE         store them. With TARGET_FUA they are durable when it is done.
 *   FLUSH         every write that was done before it was submitted is durable when it is done. Comes only
 *                 if geometry.volatile_cache is set; without it every done write must be durable already.
 *   DISCARD       the contents are no longer needed; free the space if that is possible.
 *   WRITE_ZEROES  reads back as zeroes afterwards; the space may be freed, but with TARGET_NOUNMAP it must
 *                 stay allocated.
 * Requests may be done in any order. Ranges lie inside the device and are multiples of its logical block
 * size; the worker has checked that. On a read-only device nothing but READ and FLUSH arrives.
 *
 * Results. 0, or a negative errno for the whole request; never a part of it: retry short transfers. The
 * errnos that reach the user of the device as they are: ENOSPC, ETIMEDOUT, EREMOTEIO, EILSEQ, ENODATA,
 * ENOMEM, EOPNOTSUPP, and EDQUOT as ENOSPC; all others become EIO. EAGAIN, EINTR and ECANCELED mean that the
 * operation should be started again (target_io_retry()), they are never handed on.
 */

#include <liburing.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a target lives on, which decides what its process may still do while it serves (worker/calls.c). */
enum target_class {
        TARGET_CLASS_MEMORY,  /* memory and a memfd */
        TARGET_CLASS_FILE,    /* files, through the ring alone */
        TARGET_CLASS_NETWORK, /* connected sockets, through the ring */
        _TARGET_CLASS_MAX,
};

enum target_op {
        TARGET_READ,
        TARGET_WRITE,
        TARGET_FLUSH,
        TARGET_DISCARD,
        TARGET_WRITE_ZEROES,
        _TARGET_OP_MAX,
};

#define TARGET_FUA     (1U << 0)
#define TARGET_NOUNMAP (1U << 1)

/* One request. The first part is given; `done` and `step` are the target's own between submit() and
 * target_io_done(), zeroed before submit().
 *
 * `stale` is a hint for targets that make up data: whatever lies in the buffer of this request beyond the
 * first `stale` bytes is zero, because no WRITE has used it yet. A target that clears the buffer may lower it;
 * one that fills it with anything else must raise it if it wants to use the hint itself. */
struct target_io {
        enum target_op op;
        uint32_t flags;
        uint64_t offset; /* bytes, on the device */
        uint32_t length; /* bytes; for READ and WRITE at most max_io_bytes */
        void *buffer;    /* READ, WRITE: `length` bytes, page-aligned; otherwise NULL */

        uint32_t stale;

        uint32_t done;
        uint32_t step;
};

/* What the backing of the device is, as found by the manager. */
struct target_backing {
        int fd; /* -EBADF: there is none */
        uint64_t size_bytes;
        bool is_block_device;
        uint32_t logical_block_size;
        uint32_t discard_granularity; /* 0: can't punch holes */
        bool rotational;
};

struct target_config {
        const char *name;    /* of the device */
        uint64_t size_bytes; /* 0: not given, take the backing's */
        uint64_t offset_bytes;
        uint32_t logical_block_size;
        uint32_t physical_block_size;
        uint32_t max_io_bytes;
        bool read_only;
        struct target_backing backing;
};

/* What the device shall look like. Zero is a good value for what a target does not care about. */
struct target_geometry {
        uint64_t size_bytes;
        uint32_t io_min_bytes;
        uint32_t io_opt_bytes;
        uint32_t discard_granularity;
        uint32_t max_discard_bytes;      /* 0: no DISCARD arrives */
        uint32_t max_write_zeroes_bytes; /* 0: no WRITE_ZEROES arrives */
        bool volatile_cache;
        bool fua;
        bool rotational;
};

struct target {
        const struct target_ops *ops;
        const struct target_config *config;
        void *data; /* the target's own */
};

struct target_ops {
        const char *name;
        enum target_class class;

        /* What it starts in the ring (IORING_OP_…): the kernel refuses all else. */
        const uint8_t *opcodes;
        size_t n_opcodes;

        /* Opens it and says what the device looks like. On error, *what tells a person what to do (a static
         * string, or one that the target keeps; may be left alone). Called once a process. Returns 0 or a
         * negative errno. */
        int (*open)(struct target *target, struct target_geometry *ret, const char **what);

        /* Releases what open() made; every I/O has ended. May be NULL. */
        void (*close)(struct target *target);

        /* Begins a request. Must not wait. Either the target calls target_io_done() before it returns, or it
         * starts operations in the ring and calls it from complete(). */
        void (*submit)(struct target *target, struct target_io *io);

        /* An operation that was started for this I/O has ended with the result of its CQE. NULL for targets
         * that never start one. One I/O has at most one operation under way. */
        void (*complete)(struct target *target, struct target_io *io, int32_t result);
};

/* The SQE for one operation on behalf of io. Prepare it with io_uring_prep_…(), using
 * TARGET_FILE_BACKING as the fd, then hand it over with target_io_start(). Never NULL. */
struct io_uring_sqe *target_io_sqe(struct target_io *io);
void target_io_start(struct target_io *io, struct io_uring_sqe *sqe);

/* The backing as the fd of an SQE (a registered file: target_io_start() sets IOSQE_FIXED_FILE). */
#define TARGET_FILE_BACKING 1

/* Ends the request: 0 or a negative errno. io must not be touched afterwards. */
void target_io_done(struct target_io *io, int result);

/* Whether a CQE's result means that the same operation should simply be started again. */
static inline bool target_io_retry(int32_t result) {
        return result == -EAGAIN || result == -EINTR || result == -ECANCELED;
}

/* The targets of this build, by name; NULL: there is none of that name. */
const struct target_ops *target_find(const char *name);
