/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Properties are read by their type, not by a list of names: what a newer manager adds is in the JSON
 * without this program having to know it.
 */

#include "ublkctl/properties.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "lib/spec/json.h"
#include "ublkctl/output.h"

static int read_number(sd_bus_message *m, const char *type, struct property *property) {
        union {
                uint64_t t;
                uint32_t u;
                int b;
        } value = { 0 };
        int r;

        r = sd_bus_message_read_basic(m, type[0], &value);
        if (r < 0)
                return r;
        property->kind = type[0] == 'b' ? 'b' : 'n';
        property->number = type[0] == 't' ? value.t : type[0] == 'u' ? value.u : (uint64_t)value.b;
        return 0;
}

static int read_text(sd_bus_message *m, const char *type, struct property *property) {
        const char *text;
        int r;

        r = sd_bus_message_read_basic(m, type[0], &text);
        if (r < 0)
                return r;
        property->kind = 's';
        property->text = strdup(text);
        return property->text ? 0 : -ENOMEM;
}

static int read_texts(sd_bus_message *m, struct property *property) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;
        const char *text;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "s", &text)) > 0)
                strbuf_addf(&b, "%s%s", b.length > 0 ? "\n" : "", text);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        property->kind = 'a';
        return strbuf_steal(&b, &property->text);
}

static int read_value(sd_bus_message *m, struct property *property) {
        const char *type;
        int r;

        r = sd_bus_message_peek_type(m, NULL, &type);
        if (r < 0)
                return r;
        if (!streq(type, "as") && (strlen(type) != 1 || !strchr("sotub", type[0])))
                return sd_bus_message_skip(m, "v");

        r = sd_bus_message_enter_container(m, 'v', type);
        if (r < 0)
                return r;
        if (streq(type, "as"))
                r = read_texts(m, property);
        else if (strchr("so", type[0]))
                r = read_text(m, type, property);
        else
                r = read_number(m, type, property);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_property(sd_bus_message *m, struct properties *properties) {
        struct property *items;
        const char *name;
        int r;

        items = reallocarray(properties->items, properties->count + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        properties->items = items;
        struct property *property = &items[properties->count];
        *property = (struct property){ 0 };

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        r = read_value(m, property);
        if (r < 0) {
                free(property->text);
                return r;
        }
        if (property->kind == 0)
                return 0;
        properties->count++;
        property->name = strdup(name);
        return property->name ? 0 : -ENOMEM;
}

static int read_all(sd_bus_message *m, struct properties *properties) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_property(m, properties);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r;
}

int properties_get(sd_bus *bus, const char *object, const char *interface, const char *subject,
                   struct properties *ret) {
        _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &call, MANAGER_NAME, object,
                                           "org.freedesktop.DBus.Properties", "GetAll");
        if (r >= 0)
                r = sd_bus_message_append(call, "s", interface);
        if (r < 0)
                return client_unsendable(r);
        int status = client_call(bus, call, subject, &reply);
        if (status != EXIT_SUCCESS)
                return status;
        r = read_all(reply, ret);
        return r < 0 ? client_unreadable(r) : EXIT_SUCCESS;
}

static const struct property *find(const struct properties *properties, const char *name) {
        for (size_t i = 0; i < properties->count; i++)
                if (streq(properties->items[i].name, name))
                        return &properties->items[i];
        return NULL;
}

const char *property_text(const struct properties *properties, const char *name) {
        const struct property *property = find(properties, name);

        return property ? property->text : NULL;
}

uint64_t property_number(const struct properties *properties, const char *name) {
        const struct property *property = find(properties, name);

        return property ? property->number : 0;
}

/* "SizeBytes" becomes "sizeBytes", as in the files; what `list` and `add` print has their name for it. */
static void add_key(struct strbuf *out, const char *name) {
        static const struct {
                const char *property, *key;
        } special[] = {
                { "DevNode", "node" },
                { "OwnerUID", "ownerUid" },
                { "WorkerPID", "workerPid" },
                { "CreationUSec", "creationUsec" },
        };

        for (size_t i = 0; i < ELEMENTSOF(special); i++)
                if (streq(special[i].property, name)) {
                        strbuf_addf(out, "\"%s\":", special[i].key);
                        return;
                }
        strbuf_addf(out, "\"%c%s\":", tolower((unsigned char)name[0]), name[0] ? name + 1 : "");
}

static void add_texts(struct strbuf *out, const char *texts) {
        strbuf_add(out, "[");
        for (bool first = true; *texts; first = false) {
                size_t n = strcspn(texts, "\n");
                _cleanup_free_ char *text = strndup(texts, n);

                if (!text) {
                        out->error = -ENOMEM;
                        return;
                }
                strbuf_add(out, first ? "" : ",");
                json_add_string(out, text);
                texts += n + (texts[n] == '\n');
        }
        strbuf_add(out, "]");
}

static void add_text(struct strbuf *out, const struct property *property) {
        _cleanup_free_ char *checked = NULL;

        if (streq(property->name, "Spec") && json_pretty(property->text, &checked) >= 0)
                json_add_compact(out, property->text);
        else
                json_add_string(out, property->text);
}

void properties_add_json(const struct properties *properties, struct strbuf *out) {
        for (size_t i = 0; i < properties->count; i++) {
                const struct property *property = &properties->items[i];

                strbuf_add(out, i > 0 ? "," : "");
                add_key(out, property->name);
                if (property->kind == 's')
                        add_text(out, property);
                else if (property->kind == 'a')
                        add_texts(out, property->text);
                else if (property->kind == 'b')
                        strbuf_add(out, property->number ? "true" : "false");
                else
                        strbuf_addf(out, "%" PRIu64, property->number);
        }
}

void properties_done(struct properties *properties) {
        for (size_t i = 0; i < properties->count; i++) {
                free(properties->items[i].name);
                free(properties->items[i].text);
        }
        free(properties->items);
        *properties = (struct properties){ 0 };
}
