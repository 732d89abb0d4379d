/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names of what the kernel has numbers for. The feature names are those of the kernel's documentation in
 * lower case, so that a person finds them there.
 */

#include "lib/ublk/features.h"

#include "lib/ublk/ctrl.h"

static const struct {
        uint32_t op;
        const char *name;
} command_names[] = {
        { UBLK_CMD_GET_QUEUE_AFFINITY, "get-queue-affinity" },
        { UBLK_CMD_GET_DEV_INFO, "get-dev-info" },
        { UBLK_CMD_ADD_DEV, "add-dev" },
        { UBLK_CMD_DEL_DEV, "del-dev" },
        { UBLK_CMD_START_DEV, "start-dev" },
        { UBLK_CMD_STOP_DEV, "stop-dev" },
        { UBLK_CMD_SET_PARAMS, "set-params" },
        { UBLK_CMD_GET_PARAMS, "get-params" },
        { UBLK_CMD_GET_FEATURES, "get-features" },
};

const char *ublk_command_name(uint32_t op) {
        for (size_t i = 0; i < ELEMENTSOF(command_names); i++)
                if (command_names[i].op == op)
                        return command_names[i].name;
        return "unknown";
}

static const char *const feature_names[] = {
        "zero-copy",
        "uring-cmd-comp-in-task",
        "need-get-data",
        "user-recovery",
        "user-recovery-reissue",
        "unprivileged-dev",
        "cmd-ioctl-encode",
        "user-copy",
        "zoned",
        "user-recovery-fail-io",
        "update-size",
        "auto-buf-reg",
        "quiesce",
        "per-io-daemon",
        "buf-reg-off-daemon",
        "batch-io",
        "integrity",
        "safe-stop-dev",
        "no-auto-part-scan",
        "shmem-zc",
};

const char *ublk_feature_name(unsigned bit) {
        return bit < ELEMENTSOF(feature_names) ? feature_names[bit] : NULL;
}

int ublk_features_check(uint64_t features) {
        return FLAGS_SET(features, UBLK_FEATURES_REQUIRED) ? 0 : -EOPNOTSUPP;
}
