#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Whatever step of an attach fails, nothing is left of it, and the error names the step: no kernel device, worker, file, link or
# descriptor. Builds for tests have a hook that makes the first attach fail in its first step, the second one in its second and so
# on (UBLKMGR_FAIL_STEP=attach:each); it is all done by one manager, and the attach after the last step works.

source "$(dirname "$0")/lib.sh"

manager_with UBLKMGR_FAIL_STEP attach:each
truncate -s 4M "$work/backing"
attach() {
        busctl call org.ublk.Manager1 /org/ublk/Manager1 org.ublk.Manager1 AddDevice 'sa{sv}a{sh}a{sv}' \
                broken 2 type s loop path s "$work/backing" 0 0
}
pid=$(manager_pid)
before=("/proc/$pid/fd"/*)

for step in open-backing add-device open-device start-worker configure-worker set-parameters publish start-device wait-for-udev \
        make-partitions; do
        refused attach
        contains "$said" "(step $step)" "the error"
        nothing_left "$step"
        after=("/proc/$pid/fd"/*)
        same ${#after[@]} ${#before[@]} "descriptors of the manager after $step: $(ls -l "/proc/$pid/fd")"
done
defer 'ublkctl remove broken 2>/dev/null'
attach >/dev/null || fail "after all steps have failed once, the attach works no more"
ublkctl remove broken
