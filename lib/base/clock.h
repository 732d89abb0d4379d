/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Time in microseconds. Waits and deadlines are CLOCK_MONOTONIC, so that setting the clock of the
 * machine never shortens or stretches one; only what people see is CLOCK_REALTIME.
 */

#include <stdint.h>
#include <time.h>

#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)

static inline uint64_t clock_usec(clockid_t clock) {
        struct timespec ts;

        (void)clock_gettime(clock, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}
