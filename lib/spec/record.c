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
        strbuf_addf(&b,
                    "{\"id\":%u,\"instance\":%u,\"workerPid\":%u,\"workerIdentity\":%llu,"
                    "\"backingDevice\":%llu,\"backingInode\":%llu,\"backingWritable\":%s,"
                    "\"creationUSec\":%llu,\"origin\":",
                    record->id, record->instance, record->worker_pid,
                    (unsigned long long)record->worker_identity,
                    (unsigned long long)record->backing_device,
                    (unsigned long long)record->backing_inode,
                    record->backing_writable ? "true" : "false",
                    (unsigned long long)record->creation_usec);
        json_add_string(&b, record->origin);
        if (record->worker_unit) {
                strbuf_add(&b, ",\"workerUnit\":");
                json_add_string(&b, record->worker_unit);
        }
        strbuf_addf(&b, ",\"spec\":%s}\n", spec);
        return strbuf_steal(&b, ret);
}

/* The spec's own text, not what cJSON would make of it again: that writes large numbers of `x-…` keys differently. It
 * comes last; a quote inside of a string is never bare, so the key can't be found in one. */
static int read_spec(const char *text, size_t size, struct spec **ret) {
        static const char key[] = ",\"spec\":";
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        const char *begin = memmem(text, size, key, strlen(key));
        const char *end = memrchr(text, '}', size);

        if (!begin || !end || end < begin + strlen(key))
                return -EINVAL;
        begin += strlen(key);
        return spec_parse_json(begin, (size_t)(end - begin), ret, &errors);
}

static int read_number(const cJSON *json, const char *key, uint64_t maximum, uint64_t *ret) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

        if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > (double)maximum)
                return -EINVAL;
        *ret = (uint64_t)item->valuedouble;
        return 0;
}

static int read_numbers(const cJSON *json, struct record *ret) {
        uint64_t id, instance, pid;
        const struct {
                const char *key;
                uint64_t maximum;
                uint64_t *to;
        } numbers[] = {
                { "id", UINT32_MAX - 1, &id },
                { "instance", UINT32_MAX, &instance },
                { "workerPid", INT32_MAX, &pid },
                { "workerIdentity", JSON_INTEGER_MAX, &ret->worker_identity },
                { "backingDevice", JSON_INTEGER_MAX, &ret->backing_device },
                { "backingInode", JSON_INTEGER_MAX, &ret->backing_inode },
                { "creationUSec", JSON_INTEGER_MAX, &ret->creation_usec },
        };

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (read_number(json, numbers[i].key, numbers[i].maximum, numbers[i].to) < 0)
                        return -EINVAL;
        ret->id = (uint32_t)id;
        ret->instance = (uint32_t)instance;
        ret->worker_pid = (uint32_t)pid;
        ret->backing_writable =
                cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "backingWritable"));
        return 0;
}

static int read_record(const cJSON *json, struct record *ret) {
        const cJSON *origin = cJSON_GetObjectItemCaseSensitive(json, "origin");
        const cJSON *unit = cJSON_GetObjectItemCaseSensitive(json, "workerUnit");

        if (!cJSON_IsString(origin) || (unit && !cJSON_IsString(unit)) ||
            read_numbers(json, ret) < 0)
                return -EINVAL;
        ret->origin = strdup(origin->valuestring);
        if (!ret->origin)
                return -ENOMEM;
        if (!unit)
                return 0;
        ret->worker_unit = strdup(unit->valuestring);
        return ret->worker_unit ? 0 : -ENOMEM;
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
        if (r >= 0)
                r = read_spec(text, size, &ret->spec);
        if (r < 0)
                record_done(ret);
        return r;
}

void record_done(struct record *record) {
        free(record->origin);
        free(record->worker_unit);
        spec_free(record->spec);
        *record = (struct record){ 0 };
}
