/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the manager and a worker say to each other
 *
 * One message is one SOCK_SEQPACKET datagram of a fixed size: a header and one struct. Both sides come
 * from the same build of one package, yet an upgrade may leave an old worker with a new manager, so the
 * version is checked with the first message. Neither side trusts the other: sizes, ranges and the order
 * of messages are checked (wire.c), nothing is allocated by a number that came over the wire.
 *
 *     worker                         manager
 *     HELLO {version, pid}     ->
 *                              <-    CONFIG {device} + the fds it names, in its order
 *     READY {geometry}         ->        every queue has fetched all of its tags
 *                              <-    (START_DEV, or the connection closes)
 *     FAILED {errno, step}     ->        at any time instead of READY; the worker exits
 *
 * A worker whose manager goes away serves on: the device belongs to its users.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MAGIC   UINT32_C(0x75626c6b) /* "ublk" */
#define WIRE_VERSION 2

/* Parts of a worker's confinement without which the administrator of this machine lets it serve all the same,
 * because its kernel, or the container around it, doesn't have them. The rest is never missing. */
enum wire_confinement {
        WIRE_CONFINE_IO_FLUSHER = 1U << 0,
        WIRE_CONFINE_MEMORY_LOCK = 1U << 1,
        WIRE_CONFINE_OOM_SCORE = 1U << 2,
        WIRE_CONFINE_OWN_USER = 1U << 3,
        WIRE_CONFINE_NAMESPACES =
                1U << 4, /* user, mount, net, ipc, uts, cgroup; and so the empty root */
        WIRE_CONFINE_PID_NAMESPACE = 1U << 5,
        WIRE_CONFINE_RING = 1U << 6,    /* io_uring restricted to operations and files */
        WIRE_CONFINE_SECCOMP = 1U << 7, /* system calls */
        WIRE_CONFINE_ALL = (1U << 8) - 1,
};

enum wire_type {
        WIRE_HELLO = 1,
        WIRE_CONFIG,
        WIRE_READY,
        WIRE_FAILED,
        _WIRE_TYPE_MAX,
};

enum {
        WIRE_NAME_SIZE = 64,  /* with its NUL */
        WIRE_TEXT_SIZE = 128, /* with its NUL */
        WIRE_FDS_MAX = 4,
        WIRE_IO_BYTES_MAX = 32 << 20, /* what the driver can address in one request */
};

struct wire_header {
        uint32_t magic;
        uint16_t type;
        uint16_t size; /* of the whole message */
};

struct wire_hello {
        struct wire_header header;
        uint32_t version;
        int32_t pid; /* as the worker sees itself, for the log only */
};

/* What an fd of CONFIG is. The first one is always the device. */
enum wire_fd {
        WIRE_FD_NONE = 0,
        WIRE_FD_DEVICE,  /* /dev/ublkcN */
        WIRE_FD_BACKING, /* a regular file, a block device or a memfd */
};

/* What the manager found out about the backing. Zero means: not known, or can't. */
struct wire_backing {
        uint64_t size_bytes;
        uint32_t is_block_device;
        uint32_t logical_block_size;  /* that I/O on it must be aligned to; 1 where any will do */
        uint32_t discard_granularity; /* 0: can't punch holes */
        uint32_t rotational;
};

struct wire_config {
        struct wire_header header;
        char name[WIRE_NAME_SIZE];   /* of the device, for the log */
        char target[WIRE_NAME_SIZE]; /* "null", "ram", "loop" */
        uint64_t size_bytes;         /* 0: as large as the backing allows */
        uint64_t offset_bytes;
        uint32_t logical_block_size;
        uint32_t physical_block_size;
        uint32_t max_io_bytes;
        uint32_t read_only;
        uint16_t queues; /* as the kernel granted them */
        uint16_t queue_depth;
        uint32_t device_id;
        uint32_t tolerated; /* enum wire_confinement: what may be missing */
        uint32_t reserved;  /* 0 */
        struct wire_backing backing;
        uint32_t fds[WIRE_FDS_MAX]; /* enum wire_fd, what each fd of this message is */
};

/* What the target says that the device is; the manager checks it and makes SET_PARAMS of it. */
struct wire_geometry {
        uint64_t size_bytes;
        uint32_t logical_block_size;
        uint32_t physical_block_size;
        uint32_t io_min_bytes; /* 0: as the physical block size */
        uint32_t io_opt_bytes; /* 0: none */
        uint32_t discard_granularity;
        uint32_t max_discard_bytes;      /* 0: no discard */
        uint32_t max_write_zeroes_bytes; /* 0: none, the block layer writes zeroes itself */
        uint32_t volatile_cache;         /* bool: completed writes may be lost until a FLUSH */
        uint32_t fua;                    /* bool: single writes can be made durable */
        uint32_t rotational;             /* bool */
        uint32_t reserved[2];            /* 0 */
};

struct wire_ready {
        struct wire_header header;
        struct wire_geometry geometry;
};

struct wire_failed {
        struct wire_header header;
        int32_t error; /* a negative errno */
        char step[WIRE_NAME_SIZE];
        char text[WIRE_TEXT_SIZE]; /* what a person can do about it */
};

static_assert(sizeof(struct wire_header) == 8, "no padding in messages");
static_assert(sizeof(struct wire_hello) == 16, "no padding in messages");
static_assert(sizeof(struct wire_config) == 224, "no padding in messages");
static_assert(sizeof(struct wire_ready) == 56 + 8, "no padding in messages");
static_assert(sizeof(struct wire_failed) == 204, "no padding in messages");

/* Room for any message. */
union wire_message {
        struct wire_header header;
        struct wire_hello hello;
        struct wire_config config;
        struct wire_ready ready;
        struct wire_failed failed;
};

/* How large a message of this type is; 0 when there is no such type. */
size_t wire_size(unsigned type);

/* Checks what can be checked without knowing the state of the conversation: magic, type, size, version,
 * terminated strings, ranges, that a CONFIG names as many fds as came with it, the device first.
 * Returns 0 or -EBADMSG (-EPROTONOSUPPORT: another version). */
int wire_check(const union wire_message *message, size_t size, size_t n_fds);
