/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The keys are few and unlike those of a device (one is a list), so they have no field table: each has a function
 * that reads its value. The text has been scanned before, so a value is known to be well-formed here.
 */

#include "lib/spec/settings.h"

#include <errno.h>

#include "lib/base/distance.h"
#include "lib/spec/json-scan.h"
#include "lib/spec/json-token.h"
#include "lib/spec/json.h"
#include "lib/spec/text.h"

static const char *const spawners[_SETTINGS_SPAWNER_MAX] = {
        [SETTINGS_SPAWNER_AUTO] = "auto",
        [SETTINGS_SPAWNER_SYSTEMD] = "systemd",
        [SETTINGS_SPAWNER_EXEC] = "exec",
};

static const char *const parts[_SETTINGS_PART_MAX] = {
        [SETTINGS_IO_FLUSHER] = "ioFlusher",
        [SETTINGS_MEMORY_LOCK] = "memoryLock",
        [SETTINGS_OOM_SCORE] = "oomScore",
        [SETTINGS_OWN_USER] = "ownUser",
        [SETTINGS_NAMESPACES] = "namespaces",
        [SETTINGS_PID_NAMESPACE] = "pidNamespace",
        [SETTINGS_RING_RESTRICTIONS] = "ringRestrictions",
        [SETTINGS_SYSTEM_CALL_FILTER] = "systemCallFilter",
};

/* A value in the text: where it is read and what it belongs to. */
struct reading {
        const struct json_member *member;
        struct json_reader reader;
        struct settings *settings;
        struct spec_errors *errors;
};

static int read_spawner(struct reading *r);
static int read_allow_missing(struct reading *r);

static const struct {
        const char *key;
        int (*read)(struct reading *r);
} keys[] = {
        { "spawner", read_spawner },
        { "allowMissing", read_allow_missing },
};

const char *settings_spawner_to_string(enum settings_spawner spawner) {
        return spawners[spawner];
}

const char *settings_part_to_string(enum settings_part part) {
        return parts[part];
}

/* Adds "WHAT; did you mean X?", or which words there are. */
static int refuse_word(struct reading *r, const struct spec_position *at, const char *key,
                       const char *code, const char *word, const char *const names[], size_t n) {
        const char *shown = streq(code, SPEC_ERROR_UNKNOWN_KEY) ? "unknown key" : QUOTED(word);
        const char *is = streq(code, SPEC_ERROR_UNKNOWN_KEY) ? "" : " is not known here";
        _cleanup_(strbuf_done) struct strbuf known = STRBUF_NULL;
        size_t best = MAX((size_t)1, strlen(word) / 3) + 1;
        const char *nearest = NULL;

        for (size_t i = 0; i < n; i++) {
                strbuf_addf(&known, "%s\"%s\"", i == 0 ? "" : ", ", names[i]);
                if (strlen(word) > DISTANCE_LENGTH_MAX || word_distance(word, names[i]) >= best)
                        continue;
                best = word_distance(word, names[i]);
                nearest = names[i];
        }
        if (known.error < 0)
                return known.error;
        if (nearest)
                return spec_errors_add(r->errors, at, key, code, "%s%s; did you mean \"%s\"?",
                                       shown, is, nearest);
        return spec_errors_add(r->errors, at, key, code, "%s%s; there are %s", shown, is,
                               known.text);
}

/* Reads the string at which the reader stands. Returns its index in names, -EINVAL (error added) or -ENOMEM. */
static int read_word(struct reading *r, const char *const names[], size_t n) {
        _cleanup_(strbuf_done) struct strbuf decoded = STRBUF_NULL;
        struct spec_position at = json_position(&r->reader);
        const char *word;
        int k;

        k = json_read_string(&r->reader, &decoded);
        if (k < 0)
                return k;
        if (decoded.error < 0)
                return decoded.error;
        word = decoded.text ? decoded.text : "";
        for (size_t i = 0; i < n; i++)
                if (streq(names[i], word))
                        return (int)i;
        return refuse_word(r, &at, r->member->key, SPEC_ERROR_VALUE, word, names, n);
}

static int read_spawner(struct reading *r) {
        int k;

        if (r->member->kind != JSON_STRING)
                return spec_errors_add(r->errors, &r->member->value_at, r->member->key,
                                       SPEC_ERROR_TYPE,
                                       "not a string; write \"auto\", \"systemd\" or \"exec\"");
        k = read_word(r, spawners, ELEMENTSOF(spawners));
        if (k < 0)
                return k;
        r->settings->spawner = (enum settings_spawner)k;
        return 0;
}

/* Over a value of any kind, to the comma or bracket that follows it. */
static int skip_value(struct json_reader *r) {
        for (unsigned depth = 0; r->p < r->end; json_skip_space(r)) {
                if (depth == 0 && (json_at(r, ',') || json_at(r, ']')))
                        break;
                if (json_at(r, '"')) {
                        int k = json_read_string(r, NULL);

                        if (k < 0)
                                return k;
                        continue;
                }
                depth += json_at(r, '[') || json_at(r, '{');
                depth -= json_at(r, ']') || json_at(r, '}');
                r->p++;
        }
        return 0;
}

/* One element of the list. Returns 0, -EINVAL (error added) or -ENOMEM. */
static int read_part(struct reading *r) {
        struct spec_position at = json_position(&r->reader);
        int k;

        if (!json_at(&r->reader, '"')) {
                k = skip_value(&r->reader);
                if (k < 0)
                        return k;
                return spec_errors_add(r->errors, &at, r->member->key, SPEC_ERROR_TYPE,
                                       "not a string; write names such as \"%s\"", parts[0]);
        }
        k = read_word(r, parts, ELEMENTSOF(parts));
        if (k < 0)
                return k;
        if (r->settings->allow_missing & 1U << k)
                return spec_errors_add(r->errors, &at, r->member->key, SPEC_ERROR_DUPLICATE,
                                       "\"%s\" is given twice; keep one of them", parts[k]);
        r->settings->allow_missing |= 1U << k;
        return 0;
}

static int read_allow_missing(struct reading *r) {
        struct json_reader *reader = &r->reader;
        int result = 0;

        if (r->member->kind != JSON_LIST)
                return spec_errors_add(r->errors, &r->member->value_at, r->member->key,
                                       SPEC_ERROR_TYPE, "not a list; write [\"%s\"], for example",
                                       parts[0]);
        reader->p++;
        json_skip_space(reader);
        while (reader->p < reader->end && !json_at(reader, ']')) {
                int k = read_part(r);

                if (k == -ENOMEM)
                        return k;
                if (k < 0)
                        result = k;
                json_skip_space(reader);
                if (json_at(reader, ','))
                        reader->p++;
                json_skip_space(reader);
        }
        return result;
}

static int read_member(const struct json_member *m, struct settings *settings,
                       struct spec_errors *errors) {
        struct reading r = {
                .member = m,
                .reader = { .p = m->value,
                            .end = m->value + m->value_size,
                            .line_begin = m->value - (m->value_at.column - 1),
                            .line = m->value_at.line,
                            .key = m->key,
                            .errors = errors },
                .settings = settings,
                .errors = errors,
        };
        const char *names[ELEMENTSOF(keys)];

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                if (streq(keys[i].key, m->key))
                        return m->repeated ? 0 : keys[i].read(&r);
                names[i] = keys[i].key;
        }
        if (strncmp(m->key, "x-", 2) == 0)
                return 0;
        return refuse_word(&r, &m->key_at, m->key, SPEC_ERROR_UNKNOWN_KEY, m->key, names,
                           ELEMENTSOF(names));
}

static bool is_blank(const char *text, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (text[i] == 0 || !strchr(" \t\r\n", text[i]))
                        return false;
        return true;
}

int settings_parse(const char *text, size_t size, struct settings *ret,
                   struct spec_errors *errors) {
        _cleanup_(json_document_done) struct json_document document = JSON_DOCUMENT_NULL;
        struct settings settings = SETTINGS_DEFAULT;
        size_t before = errors->count;
        int r;

        *ret = SETTINGS_DEFAULT;
        if (size > SPEC_TEXT_MAX)
                return spec_errors_add(errors, NULL, NULL, SPEC_ERROR_SYNTAX,
                                       "the file has %zu bytes; it may have %d at most", size,
                                       SPEC_TEXT_MAX);
        if (is_blank(text, size))
                return spec_errors_add(errors, NULL, NULL, SPEC_ERROR_SYNTAX,
                                       "there are only blanks in it; write {} to set nothing");
        r = json_scan(text, size, SPEC_DEPTH_MAX, &document, errors);
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && document.kind != JSON_OBJECT &&
            spec_errors_add(errors, &document.at, NULL, SPEC_ERROR_TYPE,
                            "settings are an object; write {\"spawner\": …}") == -ENOMEM)
                return -ENOMEM;
        for (size_t i = 0; i < document.n_members; i++)
                if (read_member(&document.members[i], &settings, errors) == -ENOMEM)
                        return -ENOMEM;
        if (errors->count > before) {
                spec_errors_sort(errors, before);
                return -EINVAL;
        }
        *ret = settings;
        return 0;
}
