/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.ublk.Manager1: the vtable, and its properties. Only root may call anything for now: no member has
 * SD_BUS_VTABLE_UNPRIVILEGED, so sd-bus refuses all others before a handler runs.
 */

#include "lib/ublk/features.h"
#include "ublkmgr/bus.h"

static int get_version(_unused_ sd_bus *bus, _unused_ const char *path,
                       _unused_ const char *interface, _unused_ const char *property,
                       sd_bus_message *reply, _unused_ void *userdata,
                       _unused_ sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", PROJECT_VERSION);
}

static int get_targets(_unused_ sd_bus *bus, _unused_ const char *path,
                       _unused_ const char *interface, _unused_ const char *property,
                       sd_bus_message *reply, _unused_ void *userdata,
                       _unused_ sd_bus_error *error) {
        const char *names[_SPEC_TYPE_MAX + 1] = { NULL };

        for (enum spec_type type = 0; type < _SPEC_TYPE_MAX; type++)
                names[type] = spec_type_to_string(type);
        return sd_bus_message_append_strv(reply, (char **)names);
}

int bus_append_features(sd_bus_message *reply, uint64_t features) {
        const char *names[65] = { NULL };
        size_t n = 0;

        for (unsigned bit = 0; bit < 64; bit++) {
                const char *name = ublk_feature_name(bit);

                if (name && (features & (UINT64_C(1) << bit)))
                        names[n++] = name;
        }
        return sd_bus_message_append_strv(reply, (char **)names);
}

static int get_features(_unused_ sd_bus *bus, _unused_ const char *path,
                        _unused_ const char *interface, _unused_ const char *property,
                        sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        struct manager *m = userdata;

        return bus_append_features(reply, m->features);
}

const sd_bus_vtable bus_manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS(
                "AddDevice", SD_BUS_ARGS("s", name, "a{sv}", spec, "a{sh}", fds, "a{sv}", options),
                SD_BUS_RESULT("o", device, "s", devnode), bus_method_add_device, 0),
        SD_BUS_METHOD_WITH_ARGS("RemoveDevice", SD_BUS_ARGS("s", name, "a{sv}", options),
                                SD_BUS_NO_RESULT, bus_method_remove_device, 0),
        SD_BUS_METHOD_WITH_ARGS("GetDevice", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", device),
                                bus_method_get_device, 0),
        SD_BUS_METHOD_WITH_ARGS("ListDevices", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sosuts)", devices),
                                bus_method_list_devices, 0),
        SD_BUS_METHOD_WITH_ARGS("Plan", SD_BUS_ARGS("a(ss)", documents, "a{sv}", options),
                                SD_BUS_RESULT("s", plan), bus_method_plan, 0),
        SD_BUS_METHOD_WITH_ARGS("Apply", SD_BUS_ARGS("a(ss)", documents, "a{sv}", options),
                                SD_BUS_RESULT("s", plan), bus_method_apply, 0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Targets", "as", get_targets, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("KernelFeatures", "as", get_features, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END,
};
