/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manager, seen over D-Bus. Everything here says itself what went wrong, in one line that names
 * what to do, and returns EXIT_FAILURE then; so verbs only pass the status on.
 */

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "lib/base/macro.h"
#include "ublkctl/arguments.h"

#define MANAGER_NAME      "org.ublk.Manager1"
#define MANAGER_OBJECT    "/org/ublk/Manager1"
#define MANAGER_INTERFACE "org.ublk.Manager1"
#define DEVICE_INTERFACE  "org.ublk.Manager1.Device"

#define _cleanup_bus_     _cleanup_(sd_bus_flush_close_unrefp)
#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)

int client_connect(const struct arguments *arguments, sd_bus **ret);

/* A call of one of the manager's own methods, to be filled. */
int client_new_call(sd_bus *bus, const char *method, sd_bus_message **ret);

/* Sends it and waits. subject: what it is about, for the error ("disk"), or NULL. */
int client_call(sd_bus *bus, sd_bus_message *call, const char *subject, sd_bus_message **ret);

/* The object of a device, by its name. */
int client_find_device(sd_bus *bus, const char *name, char **ret);

/* Connects and does `each` for every name of the command line, also after one that failed. Returns the worst status. */
int client_each_name(const struct arguments *arguments,
                     int (*each)(const struct arguments *arguments, sd_bus *bus, const char *name,
                                 bool first));

/* For messages that could not be built (there is no memory, or text is not UTF-8) … */
int client_unsendable(int error);
/* … and for replies that are not what the manager's interface says. */
int client_unreadable(int error);
