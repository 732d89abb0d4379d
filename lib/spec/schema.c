/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The schema is written from the field table, so it can't say anything else than the parser does.
 * What a schema has no words for stays with the parser: bounds of sizes written as strings, lengths
 * in bytes (it counts characters), relations between two numbers, keys given twice.
 */

#include "lib/spec/schema.h"

#include <errno.h>
#include <inttypes.h>

#include "lib/spec/json.h"

static void add_text(struct strbuf *b, const char *key, const char *text) {
        strbuf_addf(b, "\"%s\":", key);
        json_add_string(b, text);
}

static void add_types(struct strbuf *b) {
        strbuf_add(b, ",\"type\":\"string\",\"enum\":[");
        for (enum spec_type t = 0; t < _SPEC_TYPE_MAX; t++) {
                strbuf_add(b, t == 0 ? "" : ",");
                json_add_string(b, spec_type_to_string(t));
        }
        strbuf_add(b, "]");
}

static void add_integer(struct strbuf *b, const struct spec_field *field) {
        strbuf_addf(b, "\"type\":\"integer\",\"minimum\":%" PRIu64 ",\"maximum\":%" PRIu64,
                    field->minimum, MIN(field->maximum, JSON_INTEGER_MAX));
        if (field->power_of_two) {
                strbuf_add(b, ",\"enum\":[");
                for (uint64_t n = field->minimum; n <= field->maximum; n *= 2)
                        strbuf_addf(b, "%s%" PRIu64, n == field->minimum ? "" : ",", n);
                strbuf_add(b, "]");
        } else if (field->multiple > 1)
                strbuf_addf(b, ",\"multipleOf\":%" PRIu64, field->multiple);
}

static void add_size(struct strbuf *b, const struct spec_field *field) {
        strbuf_add(b, ",\"anyOf\":[{");
        add_integer(b, field);
        strbuf_add(b, "},{\"type\":\"string\",");
        add_text(b, "pattern", "^[0-9]+([KMGTPE](iB)?)?$");
        strbuf_add(b, "}]");
}

/* Two patterns: no control characters anywhere, and for a path also nothing that isn't plain. */
static void add_string(struct strbuf *b, const struct spec_field *field) {
        strbuf_addf(b, ",\"type\":\"string\",\"minLength\":%" PRIu64 ",\"maxLength\":%" PRIu64 ",",
                    field->absolute_path ? field->minimum : 0, field->maximum);
        if (field->absolute_path)
                add_text(b, "pattern",
                         "^(/(?!\\.{1,2}(/|$))[^/\\u0000-\\u001f\\u007f-\\u009f]+)+$");
        else
                add_text(b, "pattern", "^[^\\u0000-\\u001f\\u007f-\\u009f]*$");
}

static void add_default(struct strbuf *b, const struct spec_field *field) {
        uint64_t n;

        if (spec_field_default(field, &n) < 0)
                return;
        if (field->kind == SPEC_KIND_BOOL)
                strbuf_addf(b, ",\"default\":%s", n ? "true" : "false");
        else
                strbuf_addf(b, ",\"default\":%" PRIu64, n);
}

static void add_field(struct strbuf *b, const struct spec_field *field) {
        strbuf_addf(b, "\"%s\":{", field->key);
        if (field->fallback) {
                strbuf_add(b, "\"description\":");
                _cleanup_(strbuf_done) struct strbuf doc = STRBUF_NULL;
                strbuf_addf(&doc, "%s. Default: %s.", field->doc, field->fallback);
                json_add_string(b, doc.text ? doc.text : field->doc);
        } else
                add_text(b, "description", field->doc);

        switch (field->kind) {
        case SPEC_KIND_TYPE:
                add_types(b);
                break;
        case SPEC_KIND_STRING:
                add_string(b, field);
                break;
        case SPEC_KIND_SIZE:
                add_size(b, field);
                break;
        case SPEC_KIND_INTEGER:
                strbuf_add(b, ",");
                add_integer(b, field);
                break;
        case SPEC_KIND_BOOL:
                strbuf_add(b, ",\"type\":\"boolean\"");
                break;
        }
        add_default(b, field);
        strbuf_addf(b, ",\"examples\":[%s]}", field->example);
}

/* For one type: the keys that it needs, and those that it doesn't have. */
static void add_rule(struct strbuf *b, enum spec_type type) {
        const char *comma = "";

        strbuf_addf(
                b,
                "{\"if\":{\"properties\":{\"type\":{\"const\":\"%s\"}},\"required\":[\"type\"]},"
                "\"then\":{\"required\":[",
                spec_type_to_string(type));
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++)
                if (spec_field(k)->required & 1U << type) {
                        strbuf_addf(b, "%s\"%s\"", comma, spec_field(k)->key);
                        comma = ",";
                }
        strbuf_add(b, "],\"properties\":{");
        comma = "";
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++)
                if (!(spec_field(k)->types & 1U << type)) {
                        strbuf_addf(b, "%s\"%s\":false", comma, spec_field(k)->key);
                        comma = ",";
                }
        strbuf_add(b, "}}}");
}

int spec_schema(char **ret) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL, text = STRBUF_NULL;
        _cleanup_free_ char *json = NULL, *pretty = NULL;
        int r;

        strbuf_add(&b, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
                       "\"$id\":\"https://ublk.org/schema/device-v1.schema.json\","
                       "\"title\":\"A ublk block device\","
                       "\"description\":\"One file of devices.d; its name is the device's.\","
                       "\"type\":\"object\",\"properties\":{\"$schema\":{\"type\":\"string\"}");
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++) {
                strbuf_add(&b, ",");
                add_field(&b, spec_field(k));
        }
        strbuf_add(&b, "},\"patternProperties\":{\"^x-\":{\"description\":\"Ignored and kept.\"}},"
                       "\"additionalProperties\":false,\"required\":[\"type\"],\"allOf\":[");
        for (enum spec_type t = 0; t < _SPEC_TYPE_MAX; t++) {
                strbuf_add(&b, t == 0 ? "" : ",");
                add_rule(&b, t);
        }
        strbuf_add(&b, "]}");

        r = strbuf_steal(&b, &json);
        if (r < 0)
                return r;
        r = json_pretty(json, &pretty);
        if (r < 0)
                return r;
        strbuf_addf(&text, "%s\n", pretty);
        return strbuf_steal(&text, ret);
}
