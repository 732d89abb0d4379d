/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The manager reads only what a manager wrote, yet the versions may differ and the disk may have been full, so
 * the spec inside goes through the same strict reader as a file of the administrator's.
 */

#include "lib/spec/record.h"

#include <errno.h>

#include <cjson/cJSON.h>

#include "lib/spec/json.h"

int record_to_json(const struct record *record, char **ret) {
        _cleanup_(strbuf_done) struct strbuf b = STRBUF_NULL;
        _cleanup_free_ char *spec = NULL;
        int r;

        r = spec_to_json(record->spec, false, &spec);
        if (r < 0)
                return r;
        strbuf_addf(&b, "{\"id\":%u,\"creationUSec\":%llu,\"origin\":", record->id,
                    (unsigned long long)record->creation_usec);
        json_add_string(&b, record->origin);
        strbuf_addf(&b, ",\"spec\":%s}\n", spec);
        return strbuf_steal(&b, ret);
}

static int read_spec(const cJSON *item, struct spec **ret) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        char *text;
        int r;

        text = cJSON_PrintUnformatted(item);
        if (!text)
                return -ENOMEM;
        r = spec_parse_json(text, strlen(text), ret, &errors);
        cJSON_free(text);
        return r;
}

static int read_record(const cJSON *json, struct record *ret) {
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(json, "id");
        const cJSON *creation = cJSON_GetObjectItemCaseSensitive(json, "creationUSec");
        const cJSON *origin = cJSON_GetObjectItemCaseSensitive(json, "origin");
        const cJSON *spec = cJSON_GetObjectItemCaseSensitive(json, "spec");

        if (!cJSON_IsNumber(id) || !cJSON_IsNumber(creation) || !cJSON_IsString(origin) ||
            !cJSON_IsObject(spec) || id->valuedouble < 0 || id->valuedouble >= UINT32_MAX ||
            creation->valuedouble < 0 || creation->valuedouble > JSON_INTEGER_MAX)
                return -EINVAL;
        ret->id = (uint32_t)id->valuedouble;
        ret->creation_usec = (uint64_t)creation->valuedouble;
        ret->origin = strdup(origin->valuestring);
        if (!ret->origin)
                return -ENOMEM;
        return read_spec(spec, &ret->spec);
}

int record_from_json(const char *text, size_t size, struct record *ret) {
        cJSON *json;
        int r;

        *ret = (struct record){ 0 };
        json = cJSON_ParseWithLength(text, size);
        if (!json)
                return -EINVAL;
        r = read_record(json, ret);
        cJSON_Delete(json);
        if (r < 0)
                record_done(ret);
        return r;
}

void record_done(struct record *record) {
        free(record->origin);
        spec_free(record->spec);
        *record = (struct record){ 0 };
}
