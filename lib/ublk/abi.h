/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel's ublk interface, written down by us
 *
 * Distributions ship headers that are older than the kernels their users boot (Debian 12's know neither
 * the ioctl-encoded commands nor any flag after bit 4), so what we talk about is defined here. Numbers
 * and layouts are the kernel's and never change; sizes and offsets are asserted below. Names are the
 * kernel's without the prefix `UBLK_U_`, `ublksrv_`.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define UBLK_CONTROL_PATH  "/dev/ublk-control"
#define UBLK_ID_ANY        UINT32_MAX
#define UBLK_QUEUE_ID_NONE UINT16_MAX

/* Control commands, on /dev/ublk-control in a ring with 128-byte SQEs. */
#define UBLK_CMD_GET_QUEUE_AFFINITY  _IOR('u', 0x01, struct ublk_ctrl_cmd)
#define UBLK_CMD_GET_DEV_INFO        _IOR('u', 0x02, struct ublk_ctrl_cmd)
#define UBLK_CMD_ADD_DEV             _IOWR('u', 0x04, struct ublk_ctrl_cmd)
#define UBLK_CMD_DEL_DEV             _IOWR('u', 0x05, struct ublk_ctrl_cmd)
#define UBLK_CMD_START_DEV           _IOWR('u', 0x06, struct ublk_ctrl_cmd)
#define UBLK_CMD_STOP_DEV            _IOWR('u', 0x07, struct ublk_ctrl_cmd)
#define UBLK_CMD_SET_PARAMS          _IOWR('u', 0x08, struct ublk_ctrl_cmd)
#define UBLK_CMD_GET_PARAMS          _IOR('u', 0x09, struct ublk_ctrl_cmd)
#define UBLK_CMD_START_USER_RECOVERY _IOWR('u', 0x10, struct ublk_ctrl_cmd)
#define UBLK_CMD_END_USER_RECOVERY   _IOWR('u', 0x11, struct ublk_ctrl_cmd)
#define UBLK_CMD_GET_DEV_INFO2       _IOR('u', 0x12, struct ublk_ctrl_cmd)
#define UBLK_CMD_GET_FEATURES        _IOR('u', 0x13, struct ublk_ctrl_cmd)
#define UBLK_CMD_DEL_DEV_ASYNC       _IOR('u', 0x14, struct ublk_ctrl_cmd)
#define UBLK_CMD_UPDATE_SIZE         _IOWR('u', 0x15, struct ublk_ctrl_cmd)
#define UBLK_CMD_QUIESCE_DEV         _IOWR('u', 0x16, struct ublk_ctrl_cmd)
#define UBLK_CMD_TRY_STOP_DEV        _IOWR('u', 0x17, struct ublk_ctrl_cmd)

/* I/O commands, on /dev/ublkcN. */
#define UBLK_IO_FETCH_REQ            _IOWR('u', 0x20, struct ublk_io_cmd)
#define UBLK_IO_COMMIT_AND_FETCH_REQ _IOWR('u', 0x21, struct ublk_io_cmd)

/* Features: bits of ublk_dev_info.flags and of what GET_FEATURES answers. */
#define UBLK_F_SUPPORT_ZERO_COPY      (UINT64_C(1) << 0)
#define UBLK_F_URING_CMD_COMP_IN_TASK (UINT64_C(1) << 1)
#define UBLK_F_NEED_GET_DATA          (UINT64_C(1) << 2)
#define UBLK_F_USER_RECOVERY          (UINT64_C(1) << 3)
#define UBLK_F_USER_RECOVERY_REISSUE  (UINT64_C(1) << 4)
#define UBLK_F_UNPRIVILEGED_DEV       (UINT64_C(1) << 5)
#define UBLK_F_CMD_IOCTL_ENCODE       (UINT64_C(1) << 6)
#define UBLK_F_USER_COPY              (UINT64_C(1) << 7)
#define UBLK_F_ZONED                  (UINT64_C(1) << 8)
#define UBLK_F_USER_RECOVERY_FAIL_IO  (UINT64_C(1) << 9)
#define UBLK_F_UPDATE_SIZE            (UINT64_C(1) << 10)
#define UBLK_F_AUTO_BUF_REG           (UINT64_C(1) << 11)
#define UBLK_F_QUIESCE                (UINT64_C(1) << 12)
#define UBLK_F_PER_IO_DAEMON          (UINT64_C(1) << 13)
#define UBLK_F_BUF_REG_OFF_DAEMON     (UINT64_C(1) << 14)
#define UBLK_F_BATCH_IO               (UINT64_C(1) << 15)
#define UBLK_F_INTEGRITY              (UINT64_C(1) << 16)
#define UBLK_F_SAFE_STOP_DEV          (UINT64_C(1) << 17)
#define UBLK_F_NO_AUTO_PART_SCAN      (UINT64_C(1) << 18)
#define UBLK_F_SHMEM_ZC               (UINT64_C(1) << 19)

/* States of a device: ublk_dev_info.state. DEAD is also the state between ADD_DEV and START_DEV. */
enum {
        UBLK_STATE_DEAD = 0,
        UBLK_STATE_LIVE = 1,
        UBLK_STATE_QUIESCED = 2,
        UBLK_STATE_FAIL_IO = 3,
};

/* Operations: the low 8 bits of ublk_io_desc.op_flags. */
enum {
        UBLK_OP_READ = 0,
        UBLK_OP_WRITE = 1,
        UBLK_OP_FLUSH = 2,
        UBLK_OP_DISCARD = 3,
        UBLK_OP_WRITE_ZEROES = 5,
};
#define UBLK_OP_MASK 0xffU

/* Flags of an operation, to be tested in op_flags as it is, unshifted. */
#define UBLK_IO_FUA     (1U << 13)
#define UBLK_IO_NOUNMAP (1U << 15)

enum {
        UBLK_QUEUE_DEPTH_MAX = 4096,
        UBLK_PAGE_SIZE = 4096,
};

struct ublk_ctrl_cmd {
        uint32_t dev_id;
        uint16_t queue_id;
        uint16_t len;
        uint64_t addr;
        uint64_t data[1];
        uint16_t dev_path_len;
        uint16_t pad;
        uint32_t reserved;
};
static_assert(sizeof(struct ublk_ctrl_cmd) == 32, "ublksrv_ctrl_cmd");
static_assert(offsetof(struct ublk_ctrl_cmd, addr) == 8, "ublksrv_ctrl_cmd.addr");
static_assert(offsetof(struct ublk_ctrl_cmd, data) == 16, "ublksrv_ctrl_cmd.data");
static_assert(offsetof(struct ublk_ctrl_cmd, dev_path_len) == 24, "ublksrv_ctrl_cmd.dev_path_len");

struct ublk_dev_info {
        uint16_t nr_hw_queues;
        uint16_t queue_depth;
        uint16_t state;
        uint16_t pad0; /* gets a meaning in Linux 7.3: must be zero */
        uint32_t max_io_buf_bytes;
        uint32_t dev_id;
        int32_t ublksrv_pid;
        uint32_t pad1;
        uint64_t flags;
        uint64_t ublksrv_flags; /* never looked at by the kernel: our cookie */
        uint32_t owner_uid;
        uint32_t owner_gid;
        uint64_t reserved1;
        uint64_t reserved2;
};
static_assert(sizeof(struct ublk_dev_info) == 64, "ublksrv_ctrl_dev_info");
static_assert(offsetof(struct ublk_dev_info, max_io_buf_bytes) == 8, "ublksrv_ctrl_dev_info");
static_assert(offsetof(struct ublk_dev_info, dev_id) == 12, "ublksrv_ctrl_dev_info.dev_id");
static_assert(offsetof(struct ublk_dev_info, flags) == 24, "ublksrv_ctrl_dev_info.flags");
static_assert(offsetof(struct ublk_dev_info, ublksrv_flags) == 32, "ublksrv_ctrl_dev_info");
static_assert(offsetof(struct ublk_dev_info, owner_uid) == 40, "ublksrv_ctrl_dev_info.owner_uid");

struct ublk_io_desc {
        uint32_t op_flags;
        uint32_t nr_sectors;
        uint64_t start_sector;
        uint64_t addr;
};
static_assert(sizeof(struct ublk_io_desc) == 24, "ublksrv_io_desc");
static_assert(offsetof(struct ublk_io_desc, start_sector) == 8, "ublksrv_io_desc.start_sector");

struct ublk_io_cmd {
        uint16_t q_id;
        uint16_t tag;
        int32_t result;
        uint64_t addr;
};
static_assert(sizeof(struct ublk_io_cmd) == 16, "ublksrv_io_cmd");
static_assert(offsetof(struct ublk_io_cmd, addr) == 8, "ublksrv_io_cmd.addr");

/* Where a queue's descriptors lie in the mapping of /dev/ublkcN, and how many bytes they take there. */
static inline uint64_t ublk_queue_mmap_offset(uint16_t queue) {
        uint64_t stride = UBLK_QUEUE_DEPTH_MAX * sizeof(struct ublk_io_desc);

        return queue * ((stride + UBLK_PAGE_SIZE - 1) / UBLK_PAGE_SIZE * UBLK_PAGE_SIZE);
}
static inline uint64_t ublk_queue_mmap_size(uint16_t depth) {
        uint64_t bytes = depth * sizeof(struct ublk_io_desc);

        return (bytes + UBLK_PAGE_SIZE - 1) / UBLK_PAGE_SIZE * UBLK_PAGE_SIZE;
}

/* Parameters of SET_PARAMS and GET_PARAMS. */
#define UBLK_ATTR_READ_ONLY      (1U << 0)
#define UBLK_ATTR_ROTATIONAL     (1U << 1)
#define UBLK_ATTR_VOLATILE_CACHE (1U << 2)
#define UBLK_ATTR_FUA            (1U << 3)

struct ublk_param_basic {
        uint32_t attrs;
        uint8_t logical_bs_shift;
        uint8_t physical_bs_shift;
        uint8_t io_opt_shift;
        uint8_t io_min_shift;
        uint32_t max_sectors;
        uint32_t chunk_sectors;
        uint64_t dev_sectors;
        uint64_t virt_boundary_mask;
};
static_assert(sizeof(struct ublk_param_basic) == 32, "ublk_param_basic");

struct ublk_param_discard {
        uint32_t discard_alignment;
        uint32_t discard_granularity;
        uint32_t max_discard_sectors;
        uint32_t max_write_zeroes_sectors;
        uint16_t max_discard_segments;
        uint16_t reserved0;
};
static_assert(sizeof(struct ublk_param_discard) == 20, "ublk_param_discard");

struct ublk_param_devt {
        uint32_t char_major, char_minor, disk_major, disk_minor;
};
static_assert(sizeof(struct ublk_param_devt) == 16, "ublk_param_devt");

#define UBLK_PARAM_TYPE_BASIC   (1U << 0)
#define UBLK_PARAM_TYPE_DISCARD (1U << 1)
#define UBLK_PARAM_TYPE_DEVT    (1U << 2)

/* Only the blocks that we use; `len` tells the kernel how much of its struct it gets. */
struct ublk_params {
        uint32_t len;
        uint32_t types;
        struct ublk_param_basic basic;
        struct ublk_param_discard discard;
        struct ublk_param_devt devt;
        uint32_t pad;
};
static_assert(offsetof(struct ublk_params, basic) == 8, "ublk_params.basic");
static_assert(offsetof(struct ublk_params, discard) == 40, "ublk_params.discard");
static_assert(offsetof(struct ublk_params, devt) == 60, "ublk_params.devt");
static_assert(sizeof(struct ublk_params) == 80, "ublk_params, as far as it is used");
