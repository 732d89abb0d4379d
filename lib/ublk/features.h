/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the driver can do
 *
 * GET_FEATURES answers with bits. Some are required, the others are used where they are. ADD_DEV drops
 * silently what it doesn't know and returns what it took, so what a device really has is read there.
 */

#include <errno.h>
#include <stdint.h>

#include "lib/ublk/abi.h"

/* Without these no device is made: commands are sent ioctl-encoded (Linux 6.4). */
#define UBLK_FEATURES_REQUIRED UBLK_F_CMD_IOCTL_ENCODE

/* Marks a device as ours for ever, in dev_info.ublksrv_flags: "ublm" and 32 random bits, which tell this device
 * from another one of ours that gets the same id later. */
#define UBLK_COOKIE          (UINT64_C(0x75626c6d) << 32)
#define UBLK_COOKIE_MASK     (UINT64_C(0xffffffff) << 32)
#define UBLK_COOKIE_INSTANCE UINT64_C(0xffffffff)

/* The name of a feature bit ("user-recovery"), NULL for one that we don't know. */
const char *ublk_feature_name(unsigned bit);

/* Returns 0, or -EOPNOTSUPP when something required is missing. */
int ublk_features_check(uint64_t features);
