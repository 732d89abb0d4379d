/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* status: everything about a device, for a person who wonders what it is and where it came from. The
 * manager tells the spec as it was asked for; which defaults it has besides is worked out here, by the
 * same function that the manager used.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/spec/json.h"
#include "lib/spec/text.h"
#include "ublkctl/client.h"
#include "ublkctl/output.h"
#include "ublkctl/properties.h"
#include "ublkctl/verbs.h"

static void add_line(struct strbuf *out, const char *title, const char *text) {
        strbuf_addf(out, "%11s%s ", title, *title ? ":" : " ");
        text_add(out, text && *text ? text : "-");
        strbuf_add(out, "\n");
}

static void add_created(struct strbuf *out, uint64_t usec) {
        time_t seconds = (time_t)(usec / USEC_PER_SEC);
        char text[64] = "";
        struct tm tm;

        if (usec > 0 && localtime_r(&seconds, &tm))
                (void)strftime(text, sizeof(text), "%a %Y-%m-%d %H:%M:%S %Z", &tm);
        add_line(out, "Created", text);
}

/* Each word of a list, in one line. */
static void add_features(struct strbuf *out, const char *features) {
        _cleanup_free_ char *copy = strdup(features ? features : "");

        if (!copy) {
                out->error = -ENOMEM;
                return;
        }
        for (char *c = copy; *c; c++)
                if (*c == '\n')
                        *c = ' ';
        add_line(out, "Features", copy);
}

/* Who asked for what isn't a default: "api", or the file. */
static const char *giver(const char *origin) {
        static const char prefix[] = "config:";

        if (!origin || !*origin)
                return "given";
        return strncmp(origin, prefix, strlen(prefix)) == 0 ? "file" : origin;
}

static void add_spec_value(struct strbuf *out, const struct spec *spec, enum spec_key key,
                           const char *origin, bool first) {
        const struct spec_value *value = &spec->values[key];
        const struct spec_field *field = spec_field(key);
        _cleanup_free_ char *json = NULL, *line = NULL;
        char size[32];

        if (spec_value_to_json(spec, key, &json) < 0) {
                out->error = -ENOMEM;
                return;
        }
        format_size(value->number, size, sizeof(size));
        const char *shown = field->kind == SPEC_KIND_SIZE     ? size
                            : field->kind == SPEC_KIND_STRING ? value->string
                            : field->kind == SPEC_KIND_TYPE
                                    ? spec_type_to_string((enum spec_type)value->number)
                                    : json;
        if (asprintf(&line, "%s=%s (%s)", field->key, shown,
                     value->defaulted ? "default" : giver(origin)) < 0) {
                line = NULL;
                out->error = -ENOMEM;
                return;
        }
        add_line(out, first ? "Spec" : "", line);
}

/* NULL: what the manager sent isn't understood, a newer one perhaps. */
static struct spec *parse_spec(const char *json) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        struct spec_machine machine = { .processors = (unsigned)sysconf(_SC_NPROCESSORS_ONLN) };
        struct spec *spec;

        if (!json || spec_parse_json(json, strlen(json), &spec, &errors) < 0)
                return NULL;
        spec_apply_defaults(spec, &machine);
        return spec;
}

static int print_text(const struct properties *p) {
        _cleanup_(spec_freep) struct spec *spec = parse_spec(property_text(p, "Spec"));
        _cleanup_(strbuf_done) struct strbuf out = STRBUF_NULL;
        const char *origin = property_text(p, "Origin");
        char size[64], text[64] = "";
        bool first = true;

        text_add(&out, property_text(p, "Name") ? property_text(p, "Name") : "-");
        strbuf_add(&out, "\n");
        format_bytes(property_number(p, "SizeBytes"), size, sizeof(size));
        add_line(&out, "Node", property_text(p, "DevNode"));
        add_line(&out, "Size", size);
        add_line(&out, "Type", property_text(p, "Type"));
        add_line(&out, "State", property_text(p, "State"));
        add_line(&out, "Read-only", property_number(p, "ReadOnly") ? "yes" : "no");
        add_line(&out, "Backing", spec ? spec_string(spec, SPEC_PATH) : NULL);
        if (property_number(p, "WorkerPID") > 0)
                (void)snprintf(text, sizeof(text), "PID %" PRIu64, property_number(p, "WorkerPID"));
        add_line(&out, "Worker", text);
        add_line(&out, "Unit", property_text(p, "WorkerUnit"));
        add_line(&out, "Origin", origin);
        (void)snprintf(text, sizeof(text), "UID %" PRIu64, property_number(p, "OwnerUID"));
        add_line(&out, "Owner", text);
        add_created(&out, property_number(p, "CreationUSec"));
        (void)snprintf(text, sizeof(text), "%" PRIu64, property_number(p, "DiskSeq"));
        add_line(&out, "Diskseq", text);
        add_features(&out, property_text(p, "Features"));
        for (enum spec_key k = 0; spec && k < _SPEC_KEY_MAX; k++)
                if (spec_is_set(spec, k)) {
                        add_spec_value(&out, spec, k, origin, first);
                        first = false;
                }
        if (!spec)
                add_line(&out, "Spec", property_text(p, "Spec"));
        else if (spec->extra)
                add_line(&out, "", spec->extra);
        if (out.error < 0)
                return out_of_memory();
        (void)fputs(out.text, stdout);
        return EXIT_SUCCESS;
}

static int print_object(const struct arguments *a, const char *object,
                        const struct properties *properties) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;

        strbuf_add(&b, "{\"object\":");
        json_add_string(&b, object);
        strbuf_add(&b, properties->count > 0 ? "," : "");
        properties_add_json(properties, &b);
        strbuf_add(&b, "}");
        return print_json_buffer(a->json, &b);
}

static int show(const struct arguments *a, sd_bus *bus, const char *name, bool first) {
        _cleanup_(properties_done) struct properties properties = { 0 };
        _cleanup_free_ char *object = NULL;
        int status;

        status = client_find_device(bus, name, &object);
        if (status != EXIT_SUCCESS)
                return status;
        status = properties_get(bus, object, DEVICE_INTERFACE, name, &properties);
        if (status != EXIT_SUCCESS || is_given(a, OPTION_QUIET))
                return status;
        if (a->json != JSON_OFF)
                return print_object(a, object, &properties);
        if (!first)
                (void)putchar('\n');
        return print_text(&properties);
}

int verb_status(const struct arguments *a) {
        return client_each_name(a, show);
}
