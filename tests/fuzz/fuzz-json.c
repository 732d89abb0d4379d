/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes as a device file, and as ublkmgr.conf. Beyond not crashing: what parses must come back from its own JSON as
 * the same spec, with and without defaults, and what doesn't parse must say why in one printable
 * line each.
 */

#include <assert.h>

#include "lib/spec/json.h"
#include "lib/spec/settings.h"

/* libFuzzer has no header of its own for this. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_errors(const struct spec_errors *errors) {
        for (size_t i = 0; i < errors->count; i++) {
                _cleanup_(strbuf_done) struct strbuf line = STRBUF_NULL;

                spec_error_format(&errors->items[i], &line);
                for (size_t j = 0; j + 1 < line.length; j++)
                        assert((unsigned char)line.text[j] >= 0x20 && line.text[j] != 0x7f);
        }
}

static void check_round_trip(const struct spec *spec, bool with_defaults) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        _cleanup_(spec_freep) struct spec *again = NULL;
        _cleanup_free_ char *json = NULL, *pretty = NULL;

        assert(spec_to_json(spec, with_defaults, &json) >= 0);
        assert(json_pretty(json, &pretty) >= 0);
        /* Numbers may get longer (1e15), so a file of just the largest size may not come back. */
        if (strlen(pretty) > SPEC_TEXT_MAX)
                return;
        assert(spec_parse_json(pretty, strlen(pretty), &again, &errors) >= 0);
        for (enum spec_key k = 0; k < _SPEC_KEY_MAX; k++)
                if (with_defaults || !spec->values[k].defaulted)
                        assert(spec_value_equal(spec, again, k));
        assert(!spec->extra == !again->extra && (!spec->extra || streq(spec->extra, again->extra)));
}

static void check_settings(const char *text, size_t size) {
        _cleanup_(spec_errors_done) struct spec_errors errors = { .file = "fuzz.conf" };
        struct settings settings;

        int r = settings_parse(text, size, &settings, &errors);
        assert((r < 0) == (errors.count > 0));
        assert(r >= 0 || settings.allow_missing == 0);
        check_errors(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(spec_errors_done) struct spec_errors errors = { .file = "fuzz.json" };
        _cleanup_(spec_freep) struct spec *spec = NULL;

        check_settings((const char *)data, size);
        int r = spec_parse_json((const char *)data, size, &spec, &errors);
        assert((r < 0) == (errors.count > 0) && (r < 0) == !spec);
        check_errors(&errors);
        if (r < 0)
                return 0;

        check_round_trip(spec, false);
        spec_apply_defaults(spec, &(struct spec_machine){ .processors = 2 });
        check_round_trip(spec, false);
        check_round_trip(spec, true);
        return 0;
}
