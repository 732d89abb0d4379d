/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What tests of processes and fds share. */

#include <systemd/sd-event.h>

/* An event loop that can wait for children: SIGCHLD is blocked. */
sd_event *new_event(void);

/* Equal before and after: none was left open. */
int count_fds(void);
