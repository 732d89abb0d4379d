/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writing JSON. By hand, because a spec is flat and because a library that keeps numbers as doubles
 * may write a size as 1.2e+15; here an integer is its digits.
 */

#include "lib/spec/json.h"

#include <errno.h>
#include <inttypes.h>

#include "lib/spec/json-scan.h"
#include "lib/spec/text.h"

enum { PRETTY_DEPTH_MAX = 64, INDENT = 4 };

void json_add_string(struct strbuf *out, const char *text) {
        static const char specials[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
        size_t left = strlen(text);

        strbuf_add(out, "\"");
        while (left > 0) {
                const char *special = strchr(specials, *text);
                uint32_t c;
                size_t n = utf8_decode(text, left, &c);

                if (special)
                        strbuf_addf(out, "\\%c", letters[special - specials]);
                else if (n == 0) /* a file's name may be any bytes; what is written must be JSON */
                        strbuf_add(out, "\xef\xbf\xbd");
                else if (c < 0x20)
                        strbuf_addf(out, "\\u%04x", (unsigned)c);
                else
                        strbuf_add_n(out, text, n);
                n = MAX(n, (size_t)1);
                text += n;
                left -= n;
        }
        strbuf_add(out, "\"");
}

/* The end of the string that begins at text; the text is known to be well-formed. */
static const char *string_end(const char *text) {
        for (text++; *text && *text != '"'; text++)
                if (*text == '\\' && text[1])
                        text++;
        return *text ? text + 1 : text;
}

void json_add_compact(struct strbuf *out, const char *json) {
        while (*json) {
                if (*json == '"') {
                        const char *end = string_end(json);

                        strbuf_add_n(out, json, (size_t)(end - json));
                        json = end;
                        continue;
                }
                if (!strchr(" \t\r\n", *json))
                        strbuf_add_n(out, json, 1);
                json++;
        }
}

static void add_value(struct strbuf *out, const struct spec *spec, enum spec_key key) {
        const struct spec_value *value = &spec->values[key];

        if (!value->set) {
                strbuf_add(out, "null");
                return;
        }
        switch (spec_field(key)->kind) {
        case SPEC_KIND_TYPE:
                json_add_string(out, spec_type_to_string((enum spec_type)value->number));
                break;
        case SPEC_KIND_STRING:
                json_add_string(out, value->string);
                break;
        case SPEC_KIND_BOOL:
                strbuf_add(out, value->number ? "true" : "false");
                break;
        case SPEC_KIND_SIZE:
        case SPEC_KIND_INTEGER:
                if (value->number > JSON_INTEGER_MAX)
                        strbuf_addf(out, "\"%" PRIu64 "\"", value->number);
                else
                        strbuf_addf(out, "%" PRIu64, value->number);
                break;
        }
}

int spec_value_to_json(const struct spec *spec, enum spec_key key, char **ret) {
        _cleanup_(strbuf_done) struct strbuf out = STRBUF_NULL;

        add_value(&out, spec, key);
        return strbuf_steal(&out, ret);
}

int spec_to_json(const struct spec *spec, bool with_defaults, char **ret) {
        _cleanup_(strbuf_done) struct strbuf out = STRBUF_NULL;

        strbuf_add(&out, "{");
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++) {
                if (!spec->values[k].set || (spec->values[k].defaulted && !with_defaults))
                        continue;
                strbuf_addf(&out, "%s\"%s\":", out.length > 1 ? "," : "", spec_field(k)->key);
                add_value(&out, spec, k);
        }
        if (spec->extra) {
                strbuf_add(&out, out.length > 1 ? "," : "");
                strbuf_add_n(&out, spec->extra + 1, strlen(spec->extra) - 2);
        }
        strbuf_add(&out, "}");
        return strbuf_steal(&out, ret);
}

static void new_line(struct strbuf *out, int depth) {
        strbuf_addf(out, "\n%*s", depth * INDENT, "");
}

static void add_pretty(struct strbuf *out, const char *json) {
        int depth = 0;

        for (; *json; json++)
                switch (*json) {
                case '"': {
                        const char *end = string_end(json);

                        strbuf_add_n(out, json, (size_t)(end - json));
                        json = end - 1;
                        break;
                }
                case '{':
                case '[':
                        strbuf_add_n(out, json, 1);
                        if (json[1] == '}' || json[1] == ']')
                                strbuf_add_n(out, ++json, 1);
                        else
                                new_line(out, ++depth);
                        break;
                case '}':
                case ']':
                        new_line(out, --depth);
                        strbuf_add_n(out, json, 1);
                        break;
                case ',':
                        strbuf_add(out, ",");
                        new_line(out, depth);
                        break;
                case ':':
                        strbuf_add(out, ": ");
                        break;
                default:
                        strbuf_add_n(out, json, 1);
                }
}

int json_pretty(const char *json, char **ret) {
        _cleanup_(json_document_done) struct json_document document = JSON_DOCUMENT_NULL;
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        _cleanup_(strbuf_done) struct strbuf compact = STRBUF_NULL, out = STRBUF_NULL;
        int r;

        r = json_scan(json, strlen(json), PRETTY_DEPTH_MAX, &document, &errors);
        if (r < 0)
                return r;
        json_add_compact(&compact, json);
        if (compact.error < 0)
                return compact.error;
        add_pretty(&out, compact.text);
        return strbuf_steal(&out, ret);
}
