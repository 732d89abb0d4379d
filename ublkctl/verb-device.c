/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* add and remove. What is given is checked here first, by the same code as in the manager: the answer is
 * at once and the same as for a file. A backing is opened here, by whoever may open it, and handed over
 * as an fd: the manager needs no trust in a path that a caller names.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/spec/json.h"
#include "lib/spec/text.h"
#include "ublkctl/backing.h"
#include "ublkctl/client.h"
#include "ublkctl/fields.h"
#include "ublkctl/output.h"
#include "ublkctl/verbs.h"

static int append_value(sd_bus_message *m, const struct spec *spec, enum spec_key key) {
        const char *name = spec_field(key)->key;
        uint64_t number = spec_number(spec, key);

        switch (spec_field(key)->kind) {
        case SPEC_KIND_TYPE:
                return sd_bus_message_append(m, "{sv}", name, "s",
                                             spec_type_to_string((enum spec_type)number));
        case SPEC_KIND_STRING:
                return sd_bus_message_append(m, "{sv}", name, "s", spec_string(spec, key));
        case SPEC_KIND_BOOL:
                return sd_bus_message_append(m, "{sv}", name, "b", (int)number);
        case SPEC_KIND_SIZE:
        case SPEC_KIND_INTEGER:
                return sd_bus_message_append(m, "{sv}", name, "t", number);
        }
        return -EINVAL;
}

static int append_spec(sd_bus_message *m, const struct spec *spec) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (enum spec_key k = 0; r >= 0 && k < _SPEC_KEY_MAX; k++)
                if (spec_is_set(spec, k))
                        r = append_value(m, spec, k);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_request(sd_bus_message *m, const char *name, const struct spec *spec,
                          int backing) {
        int r;

        r = sd_bus_message_append(m, "s", name);
        if (r >= 0)
                r = append_spec(m, spec);
        if (r >= 0)
                r = backing >= 0 ? sd_bus_message_append(m, "a{sh}", 1, "backing", backing)
                                 : sd_bus_message_append(m, "a{sh}", 0);
        return r < 0 ? r : sd_bus_message_append(m, "a{sv}", 0);
}

static int print_added(const struct arguments *a, sd_bus_message *reply) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;
        const char *object, *node;
        int r;

        r = sd_bus_message_read(reply, "os", &object, &node);
        if (r < 0)
                return client_unreadable(r);
        if (is_given(a, OPTION_QUIET))
                return EXIT_SUCCESS;
        if (a->json == JSON_OFF) {
                text_add(&b, node);
                if (b.error < 0)
                        return out_of_memory();
                puts(b.text);
                return EXIT_SUCCESS;
        }
        strbuf_add(&b, "{\"name\":");
        json_add_string(&b, a->names[0]);
        strbuf_add(&b, ",\"object\":");
        json_add_string(&b, object);
        strbuf_add(&b, ",\"node\":");
        json_add_string(&b, node);
        strbuf_add(&b, "}");
        return print_json_buffer(a->json, &b);
}

int verb_add(const struct arguments *a) {
        _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
        _cleanup_(spec_freep) struct spec *spec = NULL;
        _cleanup_close_ int backing = -EBADF;
        _cleanup_bus_ sd_bus *bus = NULL;
        const char *name = a->names[0];
        int status;

        if (!name_is_valid(name))
                return usage("'%s' is not the name of a device: letters, digits, '.', '_' and '-', "
                             "%d at most, a letter or digit first",
                             SHOWN(name), NAME_LENGTH_MAX);
        status = fields_to_spec(a, &spec);
        if (status == EXIT_SUCCESS && spec_is_set(spec, SPEC_PATH))
                status = backing_open(spec_string(spec, SPEC_PATH),
                                      spec_number(spec, SPEC_READ_ONLY) != 0, &backing);
        if (status == EXIT_SUCCESS)
                status = client_connect(a, &bus);
        if (status == EXIT_SUCCESS)
                status = client_new_call(bus, "AddDevice", &call);
        if (status != EXIT_SUCCESS)
                return status;

        int r = append_request(call, name, spec, backing);
        if (r < 0)
                return client_unsendable(r);
        status = client_call(bus, call, name, &reply);
        return status == EXIT_SUCCESS ? print_added(a, reply) : status;
}

static int remove_one(const struct arguments *a, sd_bus *bus, const char *name,
                      _unused_ bool first) {
        _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
        int r, status;

        if (!name_is_valid(name))
                return complain("%s: no device can have this name", SHOWN(name));
        status = client_new_call(bus, "RemoveDevice", &call);
        if (status != EXIT_SUCCESS)
                return status;
        if (is_given(a, OPTION_FORCE))
                r = sd_bus_message_append(call, "sa{sv}", name, 1, "force", "b", 1);
        else
                r = sd_bus_message_append(call, "sa{sv}", name, 0);
        if (r < 0)
                return client_unsendable(r);
        return client_call(bus, call, name, &reply);
}

int verb_remove(const struct arguments *a) {
        return client_each_name(a, remove_one);
}
