/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The end of the manager, by a signal. */

#include "ublkmgr/manager.h"

/* Watches for SIGTERM and SIGINT. Returns 0 or a negative errno. */
int shutdown_watch(struct manager *m);
