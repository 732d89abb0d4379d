/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The plan for every pair of states of every field, and for everything that may be odd about files
 * and devices. After each plan it is carried out on paper, and the next one must have nothing to
 * do.
 */

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/spec/json.h"
#include "lib/spec/plan.h"

#define FOLDER "/etc/ublk/devices.d"
#define RAM    "{\"type\":\"ram\",\"sizeBytes\":\"64M\"}"

static const struct spec_machine machine = { .processors = 2 };

static struct spec *parse(const char *text) {
        _cleanup_(spec_errors_done) struct spec_errors errors = SPEC_ERRORS_NULL;
        struct spec *spec = NULL;

        if (spec_parse_json(text, strlen(text), &spec, &errors) < 0)
                fail_msg("%s: %s: %s", text, errors.items[0].key, errors.items[0].message);
        return spec;
}

/* One file and one device, both of them optional, both called db0. */
struct scene {
        const char *file, *device; /* specs as JSON */
        const char *file_origin, *device_origin;
        struct plan_options options;
        bool failed;
        const char *busy;
        struct spec *desired, *observed;
        struct plan *plan;
};

static void scene_done(struct scene *s) {
        spec_free(s->desired);
        spec_free(s->observed);
        plan_free(s->plan);
}

static void compute(struct scene *s) {
        s->options.machine = machine;
        s->options.folder = FOLDER;
        s->desired = s->file ? parse(s->file) : NULL;
        s->observed = s->device ? parse(s->device) : NULL;

        struct plan_desired desired = {
                .name = "db0",
                .origin = s->file_origin ? s->file_origin : FOLDER "/db0.json",
                .spec = s->desired,
        };
        struct plan_observed observed = {
                .name = "db0",
                .origin = s->device_origin ? s->device_origin : "config:" FOLDER "/db0.json",
                .spec = s->observed,
                .failed = s->failed,
                .busy = s->busy,
        };
        assert_int_equal(plan_compute(&desired, s->file != NULL, &observed, s->device != NULL,
                                      &s->options, &s->plan),
                         0);
}

static enum plan_verb verb_of(struct scene *s) {
        compute(s);
        assert_int_equal(s->plan->n_actions, 1);
        const struct plan_action *action = &s->plan->actions[0];
        assert_string_equal(action->name, "db0");
        bool silent = action->verb == PLAN_NONE || action->verb == PLAN_CREATE;
        assert_int_equal(action->reason == NULL, silent);
        return action->verb;
}

/* What carrying out the plan leaves must be what the next plan is content with. */
static void assert_converges(const struct scene *s) {
        const struct spec *result = s->plan->actions[0].spec;
        struct plan_desired desired = { .name = "db0",
                                        .origin = FOLDER "/db0.json",
                                        .spec = s->desired };
        struct plan_observed observed = { .name = "db0",
                                          .origin = "config:" FOLDER "/db0.json",
                                          .spec = result,
                                          .busy = "/mnt" };
        _cleanup_(plan_freep) struct plan *again = NULL;

        assert_int_equal(plan_compute(&desired, 1, &observed, 1, &s->options, &again), 0);
        assert_int_equal(again->n_actions, 1);
        assert_int_equal(again->actions[0].verb, PLAN_NONE);
        assert_int_equal(again->actions[0].n_changes, 0);
}

/* Three states of each field: not given and two values. */
static const struct {
        enum spec_key key;
        const char *values[2];
        const char *fallback; /* the value that is the same as none */
} fields[] = {
        { SPEC_SIZE_BYTES, { "1048576", "\"2M\"" }, NULL },
        { SPEC_OFFSET_BYTES, { "4096", "\"1M\"" }, "0" },
        { SPEC_READ_ONLY, { "true", "true" }, "false" },
        { SPEC_DIRECT, { "true", "false" }, NULL },
        { SPEC_LOGICAL_BLOCK_SIZE, { "1024", "4096" }, "512" },
        { SPEC_PHYSICAL_BLOCK_SIZE, { "8192", "\"16K\"" }, "4096" },
        { SPEC_QUEUES, { "2", "4" }, "1" },
        { SPEC_QUEUE_DEPTH, { "32", "128" }, "64" },
        { SPEC_MAX_IO_BYTES, { "\"64K\"", "\"1M\"" }, "524288" },
        { SPEC_ID, { "1", "2" }, NULL },
        { SPEC_DESCRIPTION, { "\"a\"", "\"b\"" }, NULL },
};

static char *loop_with(enum spec_key key, const char *value) {
        char *text;

        int n = value ? asprintf(&text, "{\"type\":\"loop\",\"path\":\"/srv/a\",\"%s\":%s}",
                                 spec_field(key)->key, value)
                      : asprintf(&text, "{\"type\":\"loop\",\"path\":\"/srv/a\"}");
        assert_true(n > 0);
        return text;
}

static void check_pair(enum spec_key key, const char *before, const char *after, bool same) {
        _cleanup_free_ char *device = loop_with(key, before), *file = loop_with(key, after);
        _cleanup_(scene_done) struct scene s = { .device = device, .file = file };
        enum plan_verb wanted = same                                          ? PLAN_NONE
                                : spec_field(key)->change == SPEC_CHANGE_LIVE ? PLAN_UPDATE
                                                                              : PLAN_RECREATE;

        if (verb_of(&s) != wanted)
                fail_msg("%s: %s → %s: %s", spec_field(key)->key, before, after,
                         plan_verb_to_string(s.plan->actions[0].verb));
        const struct plan_action *action = &s.plan->actions[0];
        assert_int_equal(action->disruptive, wanted == PLAN_RECREATE);
        if (!same) {
                assert_true(action->n_changes >= 1);
                assert_int_equal(action->changes[0].key, key);
                assert_string_not_equal(action->changes[0].before, action->changes[0].after);
                assert_non_null(strstr(action->reason, spec_field(key)->key));
        }
        assert_converges(&s);
}

static void test_every_field(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                enum spec_key k = fields[i].key;
                const char *const states[] = { NULL, fields[i].values[0], fields[i].values[1],
                                               fields[i].fallback };

                for (size_t a = 0; a < 4; a++)
                        for (size_t b = 0; b < 4; b++) {
                                const char *x = states[a], *y = states[b];
                                const char *none = fields[i].fallback ? fields[i].fallback : "null";
                                bool same = streq(x ? x : none, y ? y : none);

                                /* Without an id any will do. */
                                check_pair(k, x, y, same || (k == SPEC_ID && !y));
                        }
        }
}

static void test_type_and_path(void **state) {
        static const char *const specs[] = {
                "{\"type\":\"null\",\"sizeBytes\":\"64M\"}",
                RAM,
                "{\"type\":\"loop\",\"path\":\"/srv/a\"}",
                "{\"type\":\"loop\",\"path\":\"/srv/b\"}",
        };

        (void)state;
        for (size_t a = 0; a < ELEMENTSOF(specs); a++)
                for (size_t b = 0; b < ELEMENTSOF(specs); b++) {
                        _cleanup_(scene_done) struct scene s = { .device = specs[a],
                                                                 .file = specs[b] };

                        assert_int_equal(verb_of(&s), a == b ? PLAN_NONE : PLAN_RECREATE);
                        assert_converges(&s);
                }
}

static void test_create(void **state) {
        _cleanup_(scene_done) struct scene s = { .file = RAM };

        (void)state;
        assert_int_equal(verb_of(&s), PLAN_CREATE);
        assert_int_equal(spec_number(s.plan->actions[0].spec, SPEC_QUEUES), 2);
        assert_converges(&s);
}

static void test_extra_keys(void **state) {
        _cleanup_(scene_done) struct scene s = {
                .device = RAM,
                .file = "{\"type\":\"ram\",\"sizeBytes\":\"64M\",\"x-a\":1}",
                .busy = "/mnt",
        };

        (void)state;
        assert_int_equal(verb_of(&s), PLAN_UPDATE);
        assert_int_equal(s.plan->actions[0].n_changes, 0);
        assert_false(s.plan->actions[0].disruptive);
        assert_converges(&s);
}

static void test_busy(void **state) {
        const char *other = "{\"type\":\"ram\",\"sizeBytes\":\"1M\",\"description\":\"d\"}";
        const char *live = "{\"type\":\"ram\",\"sizeBytes\":\"64M\",\"description\":\"d\"}";
        _cleanup_(
                scene_done) struct scene blocked = { .device = RAM, .file = other, .busy = "/mnt" };
        _cleanup_(scene_done) struct scene update = { .device = RAM, .file = live, .busy = "/mnt" };
        _cleanup_(scene_done) struct scene none = { .device = RAM, .file = RAM, .busy = "/mnt" };
        _cleanup_(scene_done) struct scene forced = {
                .device = RAM, .file = other, .busy = "/mnt", .options.force = true
        };

        (void)state;
        assert_int_equal(verb_of(&blocked), PLAN_BLOCKED);
        assert_non_null(strstr(blocked.plan->actions[0].reason, "/mnt"));
        assert_int_equal(blocked.plan->actions[0].n_changes, 2);
        assert_true(blocked.plan->actions[0].disruptive);
        assert_int_equal(verb_of(&update), PLAN_UPDATE);
        assert_int_equal(verb_of(&none), PLAN_NONE);
        assert_int_equal(verb_of(&forced), PLAN_RECREATE);
}

static void test_failed(void **state) {
        _cleanup_(scene_done) struct scene idle = { .device = RAM, .file = RAM, .failed = true };
        _cleanup_(scene_done) struct scene busy = {
                .device = RAM, .file = RAM, .failed = true, .busy = "/mnt"
        };
        _cleanup_(scene_done) struct scene forced = {
                .device = RAM, .file = RAM, .failed = true, .busy = "/mnt", .options.force = true
        };

        (void)state;
        assert_int_equal(verb_of(&idle), PLAN_RECREATE);
        assert_int_equal(idle.plan->actions[0].n_changes, 0);
        assert_int_equal(verb_of(&busy), PLAN_BLOCKED);
        assert_int_equal(verb_of(&forced), PLAN_RECREATE);
}

static void test_other_origin(void **state) {
        static const char *const origins[] = { "api",
                                               "api:uid=1000",
                                               "foreign",
                                               "config:/srv/db0.json",
                                               "config:" FOLDER "/db1.json",
                                               FOLDER "/db0.json" };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(origins); i++) {
                _cleanup_(scene_done) struct scene s = {
                        .device = RAM,
                        .file = RAM,
                        .device_origin = origins[i],
                        .options = { .force = true, .prune = true },
                };

                assert_int_equal(verb_of(&s), PLAN_BLOCKED);
                assert_non_null(strstr(s.plan->actions[0].reason, origins[i]));
                assert_false(s.plan->actions[0].disruptive);
        }
}

static void test_prune(void **state) {
        static const struct {
                const char *origin;
                bool gone;
        } cases[] = {
                { "config:" FOLDER "/db0.json", true },
                { "config:" FOLDER "/sub/db0.json", false },
                { "config:" FOLDER "2/db0.json", false },
                { "config:" FOLDER, false },
                { "config:/etc/ublk/db0.json", false },
                { "api", false },
                { FOLDER "/db0.json", false },
                { "", false },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (int prune = 0; prune < 2; prune++) {
                        _cleanup_(scene_done) struct scene s = {
                                .device = RAM,
                                .device_origin = cases[i].origin,
                                .options.prune = prune,
                        };

                        compute(&s);
                        assert_int_equal(s.plan->n_actions, prune && cases[i].gone);
                        if (s.plan->n_actions > 0) {
                                assert_int_equal(s.plan->actions[0].verb, PLAN_REMOVE);
                                assert_string_equal(s.plan->actions[0].origin, FOLDER "/db0.json");
                                assert_true(s.plan->actions[0].disruptive);
                        }
                }
}

static void test_prune_busy(void **state) {
        _cleanup_(scene_done) struct scene kept = { .device = RAM,
                                                    .busy = "swap",
                                                    .options.prune = true };
        _cleanup_(scene_done) struct scene forced = { .device = RAM,
                                                      .busy = "swap",
                                                      .options = { .prune = true, .force = true } };

        (void)state;
        assert_int_equal(verb_of(&kept), PLAN_BLOCKED);
        assert_int_equal(verb_of(&forced), PLAN_REMOVE);
}

/* A whole folder: a good file, a broken one, one with a bad name, two for one device, one that
 * is gone. */
static void test_folder(void **state) {
        _cleanup_(spec_freep) struct spec *spec = parse(RAM);
        _cleanup_(spec_errors_done) struct spec_errors errors = { .file = "broken.json" };
        (void)spec_errors_add(&errors, &(struct spec_position){ 1, 2 }, "type", SPEC_ERROR_VALUE,
                              "no");
        (void)spec_errors_add(&errors, &(struct spec_position){ 3, 4 }, "id", SPEC_ERROR_RANGE,
                              "\"no\"");
        const struct plan_desired desired[] = {
                { .name = "twice", .origin = FOLDER "/twice.json", .spec = spec },
                { .name = "new", .origin = FOLDER "/new.json", .spec = spec },
                { .name = "broken", .origin = FOLDER "/broken.json", .errors = &errors },
                { .name = NULL, .origin = FOLDER "/a b.json", .spec = spec },
                { .name = "twice", .origin = "/run/ublk/devices.d/twice.json", .spec = spec },
        };
        const struct plan_observed observed[] = {
                { .name = "broken", .origin = "config:" FOLDER "/broken.json", .spec = spec },
                { .name = "zzz", .origin = "config:" FOLDER "/zzz.json", .spec = spec },
                { .name = "twice", .origin = "config:" FOLDER "/twice.json", .spec = spec },
                { .name = "foreign", .origin = "api", .spec = spec },
        };
        static const struct {
                const char *name;
                enum plan_verb verb;
        } wanted[] = {
                { "zzz", PLAN_REMOVE }, { "a b.json", PLAN_BLOCKED }, { "broken", PLAN_BLOCKED },
                { "new", PLAN_CREATE }, { "twice", PLAN_BLOCKED },    { "twice", PLAN_BLOCKED },
        };
        struct plan_options options = { .prune = true, .folder = FOLDER, .machine = machine };
        _cleanup_(plan_freep) struct plan *plan = NULL;
        _cleanup_free_ char *json = NULL, *done = NULL, *pretty = NULL;

        (void)state;
        assert_int_equal(plan_compute(desired, ELEMENTSOF(desired), observed, ELEMENTSOF(observed),
                                      &options, &plan),
                         0);
        assert_int_equal(plan->n_actions, ELEMENTSOF(wanted));
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++) {
                assert_string_equal(plan->actions[i].name, wanted[i].name);
                assert_int_equal(plan->actions[i].verb, wanted[i].verb);
        }
        assert_string_equal(plan->actions[2].errors,
                            "broken.json:1:2: type: no\nbroken.json:3:4: id: \"no\"\n");

        assert_int_equal(plan_to_json(plan, false, &json), 0);
        assert_int_equal(json_pretty(json, &pretty), 0);
        assert_non_null(strstr(json, "\"errors\":[\"broken.json:1:2: type: no\","
                                     "\"broken.json:3:4: id: \\\"no\\\"\"]"));
        assert_non_null(strstr(json, "\"changed\":2,\"failed\":0,\"blocked\":4}"));
        assert_null(strstr(json, "\"result\""));

        plan->actions[0].result = PLAN_DONE;
        plan->actions[3].result = PLAN_FAILED;
        plan->actions[3].error = strdup("no memory");
        assert_int_equal(plan_to_json(plan, true, &done), 0);
        assert_non_null(strstr(done, "\"result\":\"failed\",\"error\":\"no memory\""));
        assert_non_null(strstr(done, "\"changed\":1,\"failed\":1,\"blocked\":4}"));
}

static void test_json(void **state) {
        _cleanup_(scene_done) struct scene s = {
                .device = RAM,
                .file = "{\"type\":\"ram\",\"sizeBytes\":\"64M\",\"description\":\"d\"}",
        };
        _cleanup_free_ char *json = NULL;

        (void)state;
        compute(&s);
        assert_int_equal(plan_to_json(s.plan, false, &json), 0);
        assert_string_equal(
                json, "{\"actions\":[{\"name\":\"db0\",\"action\":\"update\",\"origin\":\"" FOLDER
                      "/db0.json\","
                      "\"reason\":\"description can change while the device is in "
                      "use\",\"disruptive\":false,"
                      "\"fields\":[{\"key\":\"description\",\"old\":null,\"new\":\"d\",\"change\":"
                      "\"live\"}]}],"
                      "\"changed\":1,\"failed\":0,\"blocked\":0}");
}

static void test_empty(void **state) {
        _cleanup_(scene_done) struct scene s = { .options.prune = true };

        (void)state;
        compute(&s);
        assert_int_equal(s.plan->n_actions, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_field),  cmocka_unit_test(test_type_and_path),
                cmocka_unit_test(test_create),       cmocka_unit_test(test_extra_keys),
                cmocka_unit_test(test_busy),         cmocka_unit_test(test_failed),
                cmocka_unit_test(test_other_origin), cmocka_unit_test(test_prune),
                cmocka_unit_test(test_prune_busy),   cmocka_unit_test(test_folder),
                cmocka_unit_test(test_json),         cmocka_unit_test(test_empty),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
