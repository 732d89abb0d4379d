#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Whatever step of an attach fails, nothing is left of it, and the error names the step: no kernel device, worker, file, link, and the
# same device can be attached right after. Builds for tests have a hook that makes one step fail (UBLKMGR_FAIL_STEP).

source "$(dirname "$0")/lib.sh"

truncate -s 4M "$work/backing"
for step in open-backing add-device open-device start-worker configure-worker set-parameters publish start-device wait-for-udev; do
        manager_with UBLKMGR_FAIL_STEP "attach:$step"
        refused busctl call org.ublk.Manager1 /org/ublk/Manager1 org.ublk.Manager1 AddDevice 'sa{sv}a{sh}a{sv}' \
                broken 2 type s loop path s "$work/backing" 0 0
        contains "$said" "step $step" "the error"
        [[ $(busctl call org.ublk.Manager1 /org/ublk/Manager1 org.ublk.Manager1 ListDevices) == 'a(sosuts) 0' ]] ||
                fail "$step: the device is still listed"
        nothing_left "$step"
        # Opened by nobody any more.
        for fd in "/proc/$(manager_pid)/fd"/*; do
                [[ $(readlink "$fd") != "$work/backing" ]] || fail "$step: the manager still holds the backing"
        done
done
