/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ublkctl: the command line of ublkmgr. It talks to the manager over D-Bus, except for what needs no
 * manager (verify, schema). The verbs are a table; help and errors are made of it.
 */

#include <errno.h>
#include <stdio.h>

#include "ublkctl/output.h"
#include "ublkctl/verbs.h"

static const struct verb verbs[] = {
        {
                .name = "list",
                .arguments = "[PATTERN…]",
                .maximum = SIZE_MAX,
                .help = "List the devices whose names match, or all (default)",
                .run = verb_list,
        },
        {
                .name = "status",
                .arguments = "NAME…",
                .minimum = 1,
                .maximum = SIZE_MAX,
                .help = "Show everything about devices",
                .run = verb_status,
        },
        {
                .name = "sandbox",
                .arguments = "NAME…",
                .minimum = 1,
                .maximum = SIZE_MAX,
                .help = "Show what the workers of devices are confined to (root)",
                .run = verb_sandbox,
        },
        {
                .name = "add",
                .arguments = "NAME",
                .minimum = 1,
                .maximum = 1,
                .fields = true,
                .help = "Attach a device and print its node",
                .run = verb_add,
        },
        {
                .name = "remove",
                .arguments = "NAME…",
                .minimum = 1,
                .maximum = SIZE_MAX,
                .options = 1U << OPTION_FORCE,
                .help = "Detach devices",
                .run = verb_remove,
        },
        {
                .name = "apply",
                .arguments = "[DIR|FILE…]",
                .maximum = SIZE_MAX,
                .options = 1U << OPTION_FORCE | 1U << OPTION_DRY_RUN | 1U << OPTION_PRUNE,
                .help = "Make the devices what files say (" DEVICES_FOLDER ")",
                .run = verb_apply,
        },
        {
                .name = "verify",
                .arguments = "[DIR|FILE…]",
                .maximum = SIZE_MAX,
                .help = "Check files (" DEVICES_FOLDER "); needs no manager",
                .run = verb_verify,
        },
        {
                .name = "schema",
                .arguments = "",
                .help = "Print the JSON Schema of files; needs no manager",
                .run = verb_schema,
        },
        {
                .name = "features",
                .arguments = "",
                .help = "Show what the manager and the kernel can",
                .run = verb_features,
        },
};

const struct verb *verb_at(size_t index) {
        return index < ELEMENTSOF(verbs) ? &verbs[index] : NULL;
}

const struct verb *verb_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(verbs[i].name, name))
                        return &verbs[i];
        return NULL;
}

static int run(const struct arguments *arguments) {
        if (is_given(arguments, OPTION_HELP)) {
                if (arguments->verb_given)
                        help_verb(arguments->verb);
                else
                        help_all();
                return EXIT_SUCCESS;
        }
        if (is_given(arguments, OPTION_VERSION)) {
                puts("ublkctl " PROJECT_VERSION);
                return EXIT_SUCCESS;
        }
        return arguments->verb->run(arguments);
}

int main(int argc, char **argv) {
        _cleanup_(arguments_done) struct arguments arguments = { 0 };
        int status;

        status = arguments_parse(argc, argv, &arguments);
        if (status == 0)
                status = run(&arguments);

        /* A result that didn't arrive (full disk, closed pipe) isn't one. */
        if (fflush(stdout) != 0 || ferror(stdout))
                return complain("can't write the result: %s", strerror(errno));
        return status;
}
