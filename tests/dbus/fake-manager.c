/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The manager with a kernel that is made up: everything but the driver and udev is the real thing, so that
 * the bus, the steps and their undo can be tested on any machine. UBLK_FAKE_FAIL scripts failures of the
 * kernel (ctrl-fake.h); when asked by SIGUSR1 it says on stdout which kernel devices are left.
 */

#include <signal.h>
#include <stdio.h>

#include "lib/ublk/ctrl-fake.h"
#include "ublkmgr/manager.h"

static struct ublk_ctrl *kernel;

static int on_usr1(_unused_ sd_event_source *source, _unused_ const struct signalfd_siginfo *si,
                   _unused_ void *userdata) {
        _cleanup_free_ uint32_t *ids = NULL;
        size_t n = 0;

        if (ublk_ctrl_list(kernel, &ids, &n) < 0)
                return 0;
        printf("kernel devices: %zu\n", n);
        (void)fflush(stdout);
        return 0;
}

static int new_ctrl(sd_event *event, _unused_ struct ring *ring, struct ublk_ctrl **ret) {
        sigset_t usr1;
        int r;

        (void)sigemptyset(&usr1);
        (void)sigaddset(&usr1, SIGUSR1);
        (void)sigprocmask(SIG_BLOCK, &usr1, NULL);
        r = sd_event_add_signal(event, NULL, SIGUSR1, on_usr1, NULL);
        if (r < 0)
                return r;
        r = ublk_ctrl_fake_new(event, getenv("UBLK_FAKE_FAIL"), ret);
        kernel = *ret;
        return r;
}

int main(int argc, char **argv) {
        struct manager_config config = {
                .folder = RUNTIME_FOLDER,
                .worker_path = LIBEXEC_FOLDER "/ublk-worker",
                .partitions_path = LIBEXEC_FOLDER "/ublk-partitions",
                .udev = false,
                .new_ctrl = new_ctrl,
        };

        return manager_main(argc, argv, &config);
}
