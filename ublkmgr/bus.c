/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting to the bus and putting the objects up. The vtables are in bus-manager.c and bus-device.c; what
 * they do is elsewhere.
 */

#include "ublkmgr/bus.h"

#include <errno.h>

#include "lib/base/log.h"
#include "ublkmgr/device.h"

static int connect_bus(struct manager *m) {
        int r;

        if (!m->config->address)
                return sd_bus_open_system(&m->bus);

        r = sd_bus_new(&m->bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(m->bus, m->config->address);
        if (r < 0)
                return r;
        r = sd_bus_set_bus_client(m->bus, true);
        if (r < 0)
                return r;
        return sd_bus_start(m->bus);
}

/* Devices outlive the manager, so it may simply start anew with the next bus. */
static int on_disconnected(_unused_ sd_bus_message *message, void *userdata,
                           _unused_ sd_bus_error *error) {
        struct manager *m = userdata;

        log_error("the connection to the bus is lost, exiting; devices are served on");
        return sd_event_exit(m->event, -ECONNRESET);
}

static int put_up_objects(struct manager *m) {
        int r;

        r = sd_bus_add_object_vtable(m->bus, NULL, BUS_PATH, BUS_INTERFACE, bus_manager_vtable, m);
        if (r < 0)
                return r;
        r = sd_bus_add_fallback_vtable(m->bus, NULL, BUS_PATH "/device", BUS_DEVICE_INTERFACE,
                                       bus_device_vtable, bus_device_find, m);
        if (r < 0)
                return r;
        r = sd_bus_add_node_enumerator(m->bus, NULL, BUS_PATH "/device", bus_device_enumerate, m);
        if (r < 0)
                return r;
        return sd_bus_add_object_manager(m->bus, NULL, BUS_PATH);
}

int bus_setup(struct manager *m) {
        int r;

        r = bus_errors_register();
        if (r < 0)
                return r;
        r = connect_bus(m);
        if (r < 0)
                return log_errno(LOG_ERR, r, "can't connect to the bus");
        r = sd_bus_attach_event(m->bus, m->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        r = put_up_objects(m);
        if (r < 0)
                return log_errno(LOG_ERR, r, "can't put up the bus objects");
        r = sd_bus_match_signal_async(m->bus, NULL, "org.freedesktop.DBus.Local", NULL,
                                      "org.freedesktop.DBus.Local", "Disconnected", on_disconnected,
                                      NULL, m);
        return r < 0 ? r : 0;
}

int bus_take_name(struct manager *m) {
        int r;

        r = sd_bus_request_name(m->bus, BUS_NAME, 0);
        if (r < 0)
                return log_errno(LOG_ERR, r,
                                 "can't take the bus name %s (is another manager running?)",
                                 BUS_NAME);
        return 0;
}

void bus_device_added(struct device *d) {
        (void)sd_bus_emit_object_added(d->manager->bus, d->object_path);
}

void bus_device_removed(struct device *d) {
        (void)sd_bus_emit_object_removed(d->manager->bus, d->object_path);
}

void bus_device_changed(struct device *d) {
        (void)sd_bus_emit_properties_changed(d->manager->bus, d->object_path, BUS_DEVICE_INTERFACE,
                                             "State", "DevNode", "WorkerPID", "WorkerUnit", NULL);
}
