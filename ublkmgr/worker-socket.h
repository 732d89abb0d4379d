/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The socket to which workers that run in units connect. Who connects is found out from the kernel and
 * systemd, not asked. */

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "ublkmgr/spawner.h"

struct worker_socket;

/* Somebody who runs in process->unit has connected. Returns true if it was waited for; its fds are the callee's then. */
typedef bool (*worker_connected)(void *userdata, const struct worker_process *process);

/* Listens at `folder`/worker.sock, and asks systemd over `bus` (borrowed). Returns 0 or a negative errno (logged). */
int worker_socket_new(sd_event *event, sd_bus *bus, const char *folder, worker_connected connected,
                      void *userdata, struct worker_socket **ret);

/* Stops listening and removes the socket. NULL is fine; returns NULL. */
struct worker_socket *worker_socket_free(struct worker_socket *s);
