/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asked to end, the manager ends at once and leaves its devices to their workers and to the next manager, with one
 * exception: when the machine goes down. Then everything that could be unmounted is, all processes have just been
 * asked to end, and what doesn't end in time is killed; a worker ignores the question, so the manager stops the
 * devices that nobody uses any more in the proper way, and their workers end by that.
 */

#include "ublkmgr/shutdown.h"

#include <signal.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "ublkmgr/device.h"

/* Process 1 is another program then. */
static bool machine_goes_down(void) {
        _cleanup_free_ char *comm = NULL;

        return read_file("/proc/1/comm", 64, &comm, NULL) >= 0 &&
               strncmp(comm, "systemd-shutdow", 15) == 0;
}

static void one_less(struct manager *m) {
        if (--m->stopping == 0)
                (void)sd_event_exit(m->event, 0);
}

static void on_detached(void *userdata, _unused_ struct device *d, int error, const char *problem) {
        struct manager *m = userdata;

        if (error < 0)
                log_warning("%s", problem);
        one_less(m);
}

static int on_signal(_unused_ sd_event_source *source, _unused_ const struct signalfd_siginfo *si,
                     void *userdata) {
        struct manager *m = userdata;

        if (m->stopping > 0)
                return 0;
        if (!machine_goes_down())
                return sd_event_exit(m->event, 0);

        udev_ignore(m->udev);
        m->stopping = 1;
        LIST_FOREACH (i, &m->devices) {
                struct device *d = CONTAINER_OF(i, struct device, list);

                if (d->state == DEVICE_LIVE && device_detach(d, false, on_detached, m) >= 0)
                        m->stopping++;
        }
        one_less(m);
        return 0;
}

int shutdown_watch(struct manager *m) {
        static const int numbers[] = { SIGTERM, SIGINT };

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                int r = sd_event_add_signal(m->event, NULL, numbers[i], on_signal, m);

                if (r < 0)
                        return r;
        }
        return 0;
}
