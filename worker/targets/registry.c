/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The targets of this build. The name is the value of `type` in a device's description. */

#include "lib/base/macro.h"
#include "worker/targets/target.h"

extern const struct target_ops target_null, target_ram, target_loop;

static const struct target_ops *const targets[] = {
        &target_null,
        &target_ram,
        &target_loop,
};

const struct target_ops *target_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(targets); i++)
                if (streq(targets[i]->name, name))
                        return targets[i];
        return NULL;
}
