/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.ublk.Manager1.Device: one object a device, found by its path. */

#include <errno.h>
#include <stdio.h>

#include "lib/spec/json.h"
#include "ublkmgr/bus.h"
#include "ublkmgr/device.h"

int bus_device_find(_unused_ sd_bus *bus, const char *path, _unused_ const char *interface,
                    void *userdata, void **ret_found, _unused_ sd_bus_error *error) {
        struct manager *m = userdata;

        LIST_FOREACH (i, &m->devices) {
                struct device *d = CONTAINER_OF(i, struct device, list);

                if (streq(d->object_path, path)) {
                        *ret_found = d;
                        return 1;
                }
        }
        return 0;
}

int bus_device_enumerate(_unused_ sd_bus *bus, _unused_ const char *prefix, void *userdata,
                         char ***ret_nodes, _unused_ sd_bus_error *error) {
        struct manager *m = userdata;
        size_t n = 0;
        char **nodes;

        LIST_FOREACH (i, &m->devices)
                n++;
        nodes = calloc(n + 1, sizeof(*nodes));
        if (!nodes)
                return -ENOMEM;
        n = 0;
        LIST_FOREACH (i, &m->devices) {
                struct device *d = CONTAINER_OF(i, struct device, list);

                /* Its InterfacesAdded is still to come, or never comes. */
                if (d->state == DEVICE_ATTACHING)
                        continue;
                nodes[n] = strdup(d->object_path);
                if (!nodes[n++]) {
                        while (n-- > 0)
                                free(nodes[n]);
                        free(nodes);
                        return -ENOMEM;
                }
        }
        *ret_nodes = nodes;
        return 0;
}

#define GETTER(name)                                                                   \
        static int name(_unused_ sd_bus *bus, _unused_ const char *path,               \
                        _unused_ const char *interface, _unused_ const char *property, \
                        sd_bus_message *reply, _unused_ void *userdata,                \
                        _unused_ sd_bus_error *error)

GETTER(get_devnode) {
        struct device *d = userdata;
        char node[32] = "";

        if (d->started)
                (void)snprintf(node, sizeof(node), "/dev/ublkb%u", d->info.dev_id);
        return sd_bus_message_append(reply, "s", node);
}

GETTER(get_type) {
        struct device *d = userdata;

        return sd_bus_message_append(
                reply, "s", spec_type_to_string((enum spec_type)spec_number(d->spec, SPEC_TYPE)));
}

GETTER(get_read_only) {
        struct device *d = userdata;

        return sd_bus_message_append(reply, "b", (int)spec_number(d->spec, SPEC_READ_ONLY));
}

GETTER(get_state) {
        struct device *d = userdata;

        return sd_bus_message_append(reply, "s", device_state_to_string(d->state));
}

GETTER(get_owner) {
        return sd_bus_message_append(reply, "u", 0U);
}

GETTER(get_spec) {
        struct device *d = userdata;
        _cleanup_free_ char *json = NULL;
        int r;

        r = spec_to_json(d->spec, false, &json);
        if (r < 0)
                return r;
        return sd_bus_message_append(reply, "s", json);
}

GETTER(get_features) {
        struct device *d = userdata;

        return bus_append_features(reply, d->added ? d->info.flags : 0);
}

GETTER(get_worker_pid) {
        struct device *d = userdata;

        return sd_bus_message_append(reply, "u", d->worker ? (uint32_t)worker_pid(d->worker) : 0U);
}

GETTER(get_worker_unit) {
        struct device *d = userdata;
        const char *unit = d->worker ? worker_unit(d->worker) : NULL;

        return sd_bus_message_append(reply, "s", unit ? unit : "");
}

const sd_bus_vtable bus_device_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Name", "s", NULL, offsetof(struct device, name),
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Id", "u", NULL, offsetof(struct device, info.dev_id), 0),
        SD_BUS_PROPERTY("DevNode", "s", get_devnode, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Type", "s", get_type, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("SizeBytes", "t", NULL, offsetof(struct device, geometry.size_bytes), 0),
        SD_BUS_PROPERTY("ReadOnly", "b", get_read_only, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Origin", "s", NULL, offsetof(struct device, origin), 0),
        SD_BUS_PROPERTY("OwnerUID", "u", get_owner, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Spec", "s", get_spec, 0, SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
        SD_BUS_PROPERTY("Features", "as", get_features, 0, 0),
        SD_BUS_PROPERTY("WorkerPID", "u", get_worker_pid, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("WorkerUnit", "s", get_worker_unit, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("CreationUSec", "t", NULL, offsetof(struct device, creation_usec),
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("DiskSeq", "t", NULL, offsetof(struct device, diskseq), 0),
        SD_BUS_VTABLE_END,
};
