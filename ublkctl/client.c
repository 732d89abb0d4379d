/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting, calling and translating errors. The names of D-Bus errors mean nothing to who wants a
 * disk; the few that everybody runs into (no manager, no right, no ublk) become what to do about them,
 * the others are the manager's own words.
 */

#include "ublkctl/client.h"

#include <errno.h>

#include "lib/base/str.h"
#include "lib/spec/text.h"
#include "ublkctl/output.h"

/* Attaching waits for udev, applying does it for each device: far more than the 25 s of the library. */
#define CALL_TIMEOUT_USEC UINT64_C(120000000)

#define START_IT          "start it with 'systemctl start ublkmgr', and see 'systemctl status ublkmgr'"

enum trouble { TROUBLE_OTHER, TROUBLE_ABSENT, TROUBLE_DENIED, TROUBLE_SILENT, TROUBLE_KERNEL };

/* Ends with a dot: everything that begins so. */
static const struct {
        const char *name;
        enum trouble trouble;
} troubles[] = {
        { "org.freedesktop.DBus.Error.ServiceUnknown", TROUBLE_ABSENT },
        { "org.freedesktop.DBus.Error.NameHasNoOwner", TROUBLE_ABSENT },
        { "org.freedesktop.DBus.Error.Spawn.", TROUBLE_ABSENT },
        { "org.freedesktop.systemd1.", TROUBLE_ABSENT },
        { "org.freedesktop.DBus.Error.AccessDenied", TROUBLE_DENIED },
        { "org.freedesktop.DBus.Error.AuthFailed", TROUBLE_DENIED },
        { "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", TROUBLE_DENIED },
        { "org.ublk.Manager1.Error.AccessDenied", TROUBLE_DENIED },
        { "org.freedesktop.DBus.Error.NoReply", TROUBLE_SILENT },
        { "org.freedesktop.DBus.Error.Timeout", TROUBLE_SILENT },
        { "org.freedesktop.DBus.Error.TimedOut", TROUBLE_SILENT },
        { "org.freedesktop.DBus.Error.Disconnected", TROUBLE_SILENT },
        { "System.Error.ECONNRESET", TROUBLE_SILENT }, /* of sd-bus: the connection broke */
        { "System.Error.ENOTCONN", TROUBLE_SILENT },
        { "System.Error.EPIPE", TROUBLE_SILENT },
        { "org.ublk.Manager1.Error.UnsupportedByKernel", TROUBLE_KERNEL },
};

static enum trouble classify(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(troubles); i++) {
                const char *known = troubles[i].name;
                size_t n = strlen(known);

                if (known[n - 1] == '.' ? strncmp(name, known, n) == 0 : streq(name, known))
                        return troubles[i].trouble;
        }
        return TROUBLE_OTHER;
}

/* One line, whatever the message holds. */
static int flatten(const char *message, char **ret) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;
        size_t n = strlen(message);
        _cleanup_free_ char *text = strndup(message, n);

        if (!text)
                return -ENOMEM;
        while (n > 0 && text[n - 1] == '\n')
                text[--n] = 0;
        for (char *c = text; *c; c++)
                if (*c == '\n')
                        *c = ' ';
        text_add(&b, text);
        return strbuf_steal(&b, ret);
}

static int complain_of_call(const char *subject, const char *name, const char *message) {
        _cleanup_free_ char *text = NULL;
        const char *before = subject ? subject : "", *colon = subject ? ": " : "";

        if (flatten(message ? message : "", &text) < 0)
                return out_of_memory();
        switch (classify(name)) {
        case TROUBLE_ABSENT:
                return complain("the manager is not running: " START_IT);
        case TROUBLE_DENIED:
                return complain("%s%spermission denied; run it as root, for example with sudo (%s)",
                                before, colon, text);
        case TROUBLE_SILENT:
                return complain("%s%sthe manager doesn't answer; see 'systemctl status ublkmgr'",
                                before, colon);
        case TROUBLE_KERNEL:
                return complain("%s%sthe kernel can't do this: %s%s", before, colon, text,
                                strstr(text, "modprobe") ? ""
                                                         : "; try 'modprobe ublk_drv', and see "
                                                           "'ublkctl features'");
        case TROUBLE_OTHER:
                break;
        }
        return complain("%s%s%s", before, colon, *text ? text : name);
}

static int complain_of_bus(int error, const char *address) {
        if (error == -ENOMEM)
                return out_of_memory();
        if (error == -EACCES || error == -EPERM)
                return complain("permission denied at the message bus; run it as root, for example "
                                "with sudo");
        if (error == -EINVAL && address)
                return usage("--address=%s: this is no D-Bus address (unix:path=/run/…)",
                             SHOWN(address));
        return complain("the manager is not running: there is no message bus%s%s (%s); " START_IT,
                        address ? " at " : "", address ? SHOWN(address) : "", strerror(-error));
}

int client_connect(const struct arguments *arguments, sd_bus **ret) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        int r;

        if (arguments->address) {
                r = sd_bus_new(&bus);
                if (r >= 0)
                        r = sd_bus_set_address(bus, arguments->address);
                if (r >= 0)
                        r = sd_bus_set_bus_client(bus, 1);
                if (r >= 0)
                        r = sd_bus_start(bus);
        } else
                r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(bus, CALL_TIMEOUT_USEC);
        if (r < 0)
                return complain_of_bus(r, arguments->address);
        *ret = TAKE_PTR(bus);
        return EXIT_SUCCESS;
}

int client_new_call(sd_bus *bus, const char *method, sd_bus_message **ret) {
        int r;

        r = sd_bus_message_new_method_call(bus, ret, MANAGER_NAME, MANAGER_OBJECT,
                                           MANAGER_INTERFACE, method);
        return r < 0 ? client_unsendable(r) : EXIT_SUCCESS;
}

int client_call(sd_bus *bus, sd_bus_message *call, const char *subject, sd_bus_message **ret) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_call(bus, call, 0, &error, ret);
        if (r >= 0)
                return EXIT_SUCCESS;
        /* Without a reply the library makes an error of its own. */
        return complain_of_call(subject, error.name ? error.name : "", error.message);
}

int client_find_device(sd_bus *bus, const char *name, char **ret) {
        _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
        const char *object;
        int r, status;

        if (!name_is_valid(name))
                return complain("%s: no device can have this name", SHOWN(name));
        status = client_new_call(bus, "GetDevice", &call);
        if (status != EXIT_SUCCESS)
                return status;
        r = sd_bus_message_append(call, "s", name);
        if (r < 0)
                return client_unsendable(r);
        status = client_call(bus, call, name, &reply);
        if (status != EXIT_SUCCESS)
                return status;
        r = sd_bus_message_read(reply, "o", &object);
        if (r < 0)
                return client_unreadable(r);
        *ret = strdup(object);
        return *ret ? EXIT_SUCCESS : out_of_memory();
}

int client_each_name(const struct arguments *a,
                     int (*each)(const struct arguments *arguments, sd_bus *bus, const char *name,
                                 bool first)) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int status;

        status = client_connect(a, &bus);
        if (status != EXIT_SUCCESS)
                return status;
        for (size_t i = 0; i < a->n_names; i++)
                status = worse(status, each(a, bus, a->names[i], i == 0));
        return status;
}

int client_unsendable(int error) {
        return complain("can't ask the manager: %s", strerror(-error));
}

int client_unreadable(int error) {
        return complain("the manager's answer is not understood (%s); are it and ublkctl of the "
                        "same version?",
                        strerror(error < 0 ? -error : EBADMSG));
}
