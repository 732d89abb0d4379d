/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manager's side of D-Bus: names, objects, errors, and how arguments are read. */

#include <systemd/sd-bus.h>

#include "lib/spec/spec.h"
#include "ublkmgr/manager.h"

#define BUS_NAME             "org.ublk.Manager1"
#define BUS_PATH             "/org/ublk/Manager1"
#define BUS_INTERFACE        "org.ublk.Manager1"
#define BUS_DEVICE_INTERFACE "org.ublk.Manager1.Device"

#define ERROR_NO_SUCH_DEVICE "org.ublk.Manager1.Error.NoSuchDevice"
#define ERROR_DEVICE_EXISTS  "org.ublk.Manager1.Error.DeviceExists"
#define ERROR_DEVICE_BUSY    "org.ublk.Manager1.Error.DeviceBusy"
#define ERROR_INVALID_SPEC   "org.ublk.Manager1.Error.InvalidSpec"
#define ERROR_INVALID_OPTION "org.ublk.Manager1.Error.InvalidOption"
#define ERROR_INVALID_NAME   "org.ublk.Manager1.Error.InvalidName"
#define ERROR_UNSUPPORTED    "org.ublk.Manager1.Error.UnsupportedByKernel"
#define ERROR_WORKER_FAILED  "org.ublk.Manager1.Error.WorkerFailed"
#define ERROR_TIMEOUT        "org.ublk.Manager1.Error.Timeout"
#define ERROR_FAILED         "org.ublk.Manager1.Error.Failed"

/* Connects and puts the objects up. Returns 0 or a negative errno. */
int bus_setup(struct manager *m);

/* Asks for the name, by which clients find us. Returns 0 or a negative errno. */
int bus_take_name(struct manager *m);

/* Registers the errors with their errnos. Returns 0 or a negative errno. */
int bus_errors_register(void);

/* The name of the error for an errno that an operation on a device ended with. */
const char *bus_error_name(int error);

extern const sd_bus_vtable bus_manager_vtable[];
extern const sd_bus_vtable bus_device_vtable[];

/* Appends the names of feature bits as one array of strings. */
int bus_append_features(sd_bus_message *reply, uint64_t features);

/* Finds the device of an object path, and lists all paths; for sd-bus. */
int bus_device_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
                    void **ret_found, sd_bus_error *error);
int bus_device_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                         sd_bus_error *error);

/* Methods of the manager (bus-methods.c). */
int bus_method_add_device(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_method_remove_device(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_method_get_device(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_method_list_devices(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_method_plan(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_method_apply(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* Reads a spec (a{sv}); every error of it becomes one line of the D-Bus error. Returns 0, -ENOMEM, or what
 * sd_bus_error_set() returned. */
int bus_read_spec(sd_bus_message *m, struct spec **ret, sd_bus_error *error);

/* One option of a method: its value is stored at `value`. */
struct bus_option {
        const char *key;
        char type; /* SD_BUS_TYPE_BOOLEAN (int) or SD_BUS_TYPE_STRING (const char *, the message's) */
        void *value;
};

/* Reads options (a{sv}). A key that is not in the table, or given twice, is an error. */
int bus_read_options(sd_bus_message *m, const struct bus_option *options, size_t n,
                     sd_bus_error *error);

/* Reads fds (a{sh}), of which only "backing" is known. *ret is the caller's; -EBADF: not given. */
int bus_read_fds(sd_bus_message *m, int *ret, sd_bus_error *error);

/* Tells the bus that a device object is there, is gone, or is in another state. */
void bus_device_added(struct device *d);
void bus_device_removed(struct device *d);
void bus_device_changed(struct device *d);
