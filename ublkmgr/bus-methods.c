/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Methods of org.ublk.Manager1 that concern one device. A call that takes time keeps its message and is
 * answered when the thing is done; nothing waits.
 */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "ublkmgr/bus.h"
#include "ublkmgr/device.h"

static int no_such_device(sd_bus_error *error, const char *name) {
        return sd_bus_error_setf(error, ERROR_NO_SUCH_DEVICE, "There is no device '%s'.", name);
}

static int device_busy(sd_bus_error *error, const struct device *d) {
        return sd_bus_error_setf(error, ERROR_DEVICE_BUSY,
                                 "Device '%s' is %s: wait for that to end.", d->name,
                                 device_state_to_string(d->state));
}

/* A caller that doesn't want an answer, or is gone, gets none; that is no error of ours. */
static void reply_error(sd_bus_message *call, int error, const char *problem) {
        int r = sd_bus_reply_method_errorf(call, bus_error_name(error), "%s",
                                           problem ? problem : strerror(-error));

        /* The text may hold what can't be sent (a path that is no UTF-8); an answer there must be. */
        if (r < 0)
                (void)sd_bus_reply_method_errorf(call, bus_error_name(error), "%s",
                                                 strerror(-error));
        sd_bus_message_unref(call);
}

static void on_added(void *userdata, struct device *d, int error, const char *problem) {
        sd_bus_message *call = userdata;
        char node[32];

        if (error < 0) {
                reply_error(call, error, problem);
                return;
        }
        bus_device_added(d);
        (void)snprintf(node, sizeof(node), "/dev/ublkb%u", d->info.dev_id);
        (void)sd_bus_reply_method_return(call, "os", d->object_path, node);
        sd_bus_message_unref(call);
}

/* The fd fits the spec: a loop device may get one instead of opening its path. */
static int check_fds(const struct spec *spec, int backing, sd_bus_error *error) {
        if (backing >= 0 && spec_number(spec, SPEC_TYPE) != SPEC_TYPE_LOOP)
                return sd_bus_error_setf(
                        error, ERROR_INVALID_OPTION, "A device of type %s takes no backing.",
                        spec_type_to_string((enum spec_type)spec_number(spec, SPEC_TYPE)));
        return 0;
}

int bus_method_add_device(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct manager *m = userdata;
        _cleanup_(spec_freep) struct spec *spec = NULL;
        _cleanup_close_ int backing = -EBADF;
        struct device *d;
        const char *name;
        int r;

        r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &name);
        if (r < 0)
                return r;
        if (!name_is_valid(name))
                return sd_bus_error_setf(
                        error, ERROR_INVALID_NAME,
                        "'%s' is no device name: it must begin with a letter or digit, "
                        "go on with those, '.', '_' and '-', and have at most %i.",
                        name, NAME_LENGTH_MAX);
        r = bus_read_spec(message, &spec, error);
        if (r >= 0)
                r = bus_read_fds(message, &backing, error);
        if (r >= 0)
                r = bus_read_options(message, NULL, 0, error);
        if (r >= 0)
                r = check_fds(spec, backing, error);
        if (r < 0)
                return r;
        if (manager_find_device(m, name))
                return sd_bus_error_setf(error, ERROR_DEVICE_EXISTS,
                                         "There is a device '%s' already: remove it first, or take "
                                         "another name.",
                                         name);

        spec_apply_defaults(spec, &m->machine);
        r = device_new(m, name, spec, "api", &d);
        if (r < 0)
                return r;
        TAKE_PTR(spec);
        r = device_attach(d, TAKE_FD(backing), on_added, message);
        if (r < 0) {
                device_free(d);
                return r;
        }
        sd_bus_message_ref(message);
        return 1;
}

static void on_removed(void *userdata, struct device *d, int error, const char *problem) {
        sd_bus_message *call = userdata;

        if (error < 0) {
                reply_error(call, error, problem);
                return;
        }
        bus_device_removed(d);
        (void)sd_bus_reply_method_return(call, NULL);
        sd_bus_message_unref(call);
}

int bus_method_remove_device(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct manager *m = userdata;
        struct device *d;
        const char *name;
        int r, force = false;

        r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &name);
        if (r < 0)
                return r;
        r = bus_read_options(message,
                             &(const struct bus_option){ "force", SD_BUS_TYPE_BOOLEAN, &force }, 1,
                             error);
        if (r < 0)
                return r;
        d = manager_find_device(m, name);
        if (!d)
                return no_such_device(error, name);
        r = device_detach(d, force, on_removed, message);
        if (r == -EBUSY)
                return device_busy(error, d);
        if (r < 0)
                return r;
        sd_bus_message_ref(message);
        return 1;
}

int bus_method_get_device(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        struct device *d;
        const char *name;
        int r;

        r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &name);
        if (r < 0)
                return r;
        d = manager_find_device(userdata, name);
        if (!d)
                return no_such_device(error, name);
        return sd_bus_reply_method_return(message, "o", d->object_path);
}

int bus_method_list_devices(sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        struct manager *m = userdata;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "(sosuts)");
        if (r < 0)
                return r;
        LIST_FOREACH (i, &m->devices) {
                struct device *d = CONTAINER_OF(i, struct device, list);
                enum spec_type type = (enum spec_type)spec_number(d->spec, SPEC_TYPE);

                r = sd_bus_message_append(reply, "(sosuts)", d->name, d->object_path,
                                          spec_type_to_string(type), d->info.dev_id,
                                          d->geometry.size_bytes, device_state_to_string(d->state));
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}
