/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The daemon: the manager with the real kernel. */

#include "ublkmgr/manager.h"

static int new_ctrl(_unused_ sd_event *event, struct ring *ring, struct ublk_ctrl **ret) {
        return ublk_ctrl_kernel_new(ring, ret);
}

int main(int argc, char **argv) {
        struct manager_config config = {
                .folder = RUNTIME_FOLDER,
                .worker_path = LIBEXEC_FOLDER "/ublk-worker",
                .partitions_path = LIBEXEC_FOLDER "/ublk-partitions",
                .udev = true,
                .new_ctrl = new_ctrl,
        };

        return manager_main(argc, argv, &config);
}
