#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Without the driver the manager runs, says in one line what is missing and what to do, and works as soon as the driver is there,
# without a restart.

source "$(dirname "$0")/lib.sh"

# The unit asks for the module to be loaded; as if the kernel had none.
mkdir -p /run/modprobe.d
echo 'install ublk_drv /bin/false' >/run/modprobe.d/ublk-test.conf
defer 'rm -f /run/modprobe.d/ublk-test.conf; modprobe ublk_drv'
systemctl stop ublkmgr
modprobe -r ublk_drv
[[ ! -e /dev/ublk-control ]] || fail "the driver is still there"

refused ublkctl add disk --type=ram --size-bytes=1M
one_line
contains "$said" "modprobe ublk_drv" "what to do"
ublkctl features >"$work/out" 2>&1 || true
ublkctl list >/dev/null || fail "list needs the driver"

rm /run/modprobe.d/ublk-test.conf
modprobe ublk_drv
add disk --type=ram --size-bytes=1M
