/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Our own writing down of the kernel's interface, against the numbers that the kernel really uses (seen in
 * its source and in a running one). A mistake here would otherwise show as -EOPNOTSUPP in a guest.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/ublk/abi.h"
#include "lib/ublk/sqe.h"

static void test_commands(void **state) {
        (void)state;
        assert_int_equal((uint32_t)UBLK_CMD_GET_QUEUE_AFFINITY, 0x80207501);
        assert_int_equal((uint32_t)UBLK_CMD_GET_DEV_INFO, 0x80207502);
        assert_int_equal((uint32_t)UBLK_CMD_ADD_DEV, 0xc0207504);
        assert_int_equal((uint32_t)UBLK_CMD_DEL_DEV, 0xc0207505);
        assert_int_equal((uint32_t)UBLK_CMD_START_DEV, 0xc0207506);
        assert_int_equal((uint32_t)UBLK_CMD_STOP_DEV, 0xc0207507);
        assert_int_equal((uint32_t)UBLK_CMD_SET_PARAMS, 0xc0207508);
        assert_int_equal((uint32_t)UBLK_CMD_GET_PARAMS, 0x80207509);
        assert_int_equal((uint32_t)UBLK_CMD_START_USER_RECOVERY, 0xc0207510);
        assert_int_equal((uint32_t)UBLK_CMD_END_USER_RECOVERY, 0xc0207511);
        assert_int_equal((uint32_t)UBLK_CMD_GET_DEV_INFO2, 0x80207512);
        assert_int_equal((uint32_t)UBLK_CMD_GET_FEATURES, 0x80207513);
        assert_int_equal((uint32_t)UBLK_CMD_DEL_DEV_ASYNC, 0x80207514);
        assert_int_equal((uint32_t)UBLK_CMD_UPDATE_SIZE, 0xc0207515);
        assert_int_equal((uint32_t)UBLK_CMD_QUIESCE_DEV, 0xc0207516);
        assert_int_equal((uint32_t)UBLK_CMD_TRY_STOP_DEV, 0xc0207517);
        assert_int_equal((uint32_t)UBLK_IO_FETCH_REQ, 0xc0107520);
        assert_int_equal((uint32_t)UBLK_IO_COMMIT_AND_FETCH_REQ, 0xc0107521);
}

static void test_features(void **state) {
        (void)state;
        /* What 6.12 answers to GET_FEATURES, bit by bit. */
        assert_int_equal(UBLK_F_URING_CMD_COMP_IN_TASK | UBLK_F_NEED_GET_DATA |
                                 UBLK_F_USER_RECOVERY | UBLK_F_USER_RECOVERY_REISSUE |
                                 UBLK_F_UNPRIVILEGED_DEV | UBLK_F_CMD_IOCTL_ENCODE |
                                 UBLK_F_USER_COPY | UBLK_F_ZONED,
                         0x1fe);
        assert_int_equal(UBLK_F_SHMEM_ZC, 1 << 19);
        assert_int_equal(UBLK_F_NO_AUTO_PART_SCAN, 1 << 18);
        assert_int_equal(UBLK_IO_FUA, 1 << 13);
        assert_int_equal(UBLK_IO_NOUNMAP, 1 << 15);
}

static void test_mapping(void **state) {
        (void)state;
        assert_int_equal(ublk_queue_mmap_offset(0), 0);
        assert_int_equal(ublk_queue_mmap_offset(1), 98304);
        assert_int_equal(ublk_queue_mmap_offset(4095), UINT64_C(4095) * 98304);
        assert_int_equal(ublk_queue_mmap_size(1), 4096);
        assert_int_equal(ublk_queue_mmap_size(128), 4096);
        assert_int_equal(ublk_queue_mmap_size(170), 4096);
        assert_int_equal(ublk_queue_mmap_size(171), 8192);
        assert_int_equal(ublk_queue_mmap_size(4096), 98304);
}

static void test_sqe(void **state) {
        struct ublk_io_cmd small = {
                .q_id = 1, .tag = 2, .result = -5, .addr = 0x1122334455667788
        };
        struct ublk_ctrl_cmd large = { .dev_id = 7, .reserved = 0x55555555 };
        unsigned char bytes[128];

        (void)state;
        /* A plain SQE ends after 64 bytes, what follows is the next one. */
        memset(bytes, 0xaa, sizeof(bytes));
        ublk_sqe_prepare((struct io_uring_sqe *)bytes, 3, (uint32_t)UBLK_IO_FETCH_REQ, &small,
                         sizeof(small));
        assert_int_equal(bytes[0], 46); /* IORING_OP_URING_CMD */
        assert_int_equal(bytes[4], 3);
        assert_memory_equal(bytes + 8, "\x20\x75\x10\xc0\0\0\0\0", 8);
        assert_memory_equal(bytes + 48, &small, 16);
        assert_int_equal(bytes[64], 0xaa);

        memset(bytes, 0xaa, sizeof(bytes));
        ublk_sqe_prepare((struct io_uring_sqe *)bytes, 3, (uint32_t)UBLK_CMD_ADD_DEV, &large,
                         sizeof(large));
        assert_memory_equal(bytes + 48, &large, 32);
        for (size_t i = 80; i < 128; i++)
                assert_int_equal(bytes[i], 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_commands),
                cmocka_unit_test(test_features),
                cmocka_unit_test(test_mapping),
                cmocka_unit_test(test_sqe),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
