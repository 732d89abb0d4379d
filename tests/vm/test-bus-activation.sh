#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nobody has to start the manager: a call on the bus does, whoever makes it, and it is ready when it answers.

source "$(dirname "$0")/lib.sh"

systemctl stop ublkmgr
! systemctl -q is-active ublkmgr || fail "the manager is still active"
same "$(busctl call org.ublk.Manager1 /org/ublk/Manager1 org.ublk.Manager1 ListDevices)" 'a(sosuts) 0' "answer of ListDevices"
systemctl -q is-active ublkmgr || fail "the call has not started the manager"
# By the unit, not by the bus itself.
contains "$(cat "/proc/$(manager_pid)/cgroup")" ublkmgr.service "cgroup of the manager"
