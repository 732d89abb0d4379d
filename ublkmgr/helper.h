/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs that do for the manager what may wait, or needs rights that the manager shall not have: each is run to its end,
 * which the manager hears of in its event loop.
 *
 * Where the manager is a unit of systemd one is a unit beside it (helper-unit.c), because the manager's own may do less; elsewhere
 * it is a child (helper-exec.c).
 */

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

struct helper;

/* It has ended, or could not go on: error is 0 if it did its work, otherwise a negative errno, and description is for
 * people ("exited with code 1"). The helper is freed after this call. */
typedef void (*helper_done)(void *userdata, int error, const char *description);

struct helper_ops {
        /* Ends it if it runs; done() is not called any more. */
        void (*forget)(struct helper *h);
};

struct helper {
        const struct helper_ops *ops;
        helper_done done;
        void *userdata;
};

/* Runs a program as a child. argv: its arguments with its name first, NULL at the end. What it writes goes into the log of
 * the manager. After timeout_usec it is killed (-ETIMEDOUT). Returns 0, and then done() is called later, or a negative
 * errno: it can't be run at all. */
int helper_run_exec(sd_event *event, const char *path, const char *const argv[],
                    uint64_t timeout_usec, helper_done done, void *userdata, struct helper **ret);

/* Runs a program as the unit `unit` of Type=oneshot, which is on its own about everything else; `bus` is the system's. Returns as
 * helper_run_exec(). */
int helper_run_unit(sd_bus *bus, const char *unit, uint64_t timeout_usec, helper_done done,
                    void *userdata, struct helper **ret);

/* Ends it and forgets it. NULL is fine; returns NULL. */
static inline struct helper *helper_forget(struct helper *h) {
        if (h)
                h->ops->forget(h);
        return NULL;
}
