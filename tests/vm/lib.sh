#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the tests of this folder share. A test is a bash script that sources this file, says with `fail` what is wrong and
# otherwise ends with 0. Whatever it makes (mounts, dm devices, ublk devices, files in $work) is taken back when it ends,
# newest first, by what it gave to `defer`. Nothing here sleeps: each wait is for an event (udev, the end of a process).
#
# shellcheck shell=bash

set -euo pipefail
export LC_ALL=C
# run-all.sh -x
if [[ $- == *x* ]]; then
        PS4='+ $EPOCHREALTIME '
        exec {BASH_XTRACEFD}>&2
fi

# The root disk of the machine: ext4, so that direct I/O, holes and sparse files are there.
work=/var/tmp/ublk-test
# shellcheck disable=SC2034  # for the tests
scratch=/dev/disk/by-id/virtio-scratch

# Of the client; the manager and its workers are started by systemd, with the sanitizers as they are.
export ASAN_OPTIONS=detect_leaks=0

deferred=()

# shellcheck disable=SC2317  # called by trap
run_deferred() {
        local i
        set +e
        for ((i = ${#deferred[@]} - 1; i >= 0; i--)); do
                eval "${deferred[i]}"
        done
        rm -rf -- "$work"
}
trap run_deferred EXIT
# Not in the middle of a command whose clean-up was not given yet.
trap 'exit 143' TERM
trap 'echo "${0##*/}: line $LINENO: \"$BASH_COMMAND\" failed" >&2' ERR
mkdir -p "$work"
cd "$work"

# defer COMMAND: run it when the test ends, after everything that is deferred later.
defer() {
        deferred+=("$1")
}

fail() {
        trap - ERR
        echo "FAILED: $*" >&2
        exit 1
}

# Things that a test has to see in the kernel log (a regular expression); run-all.sh takes offence at the others.
announce() {
        printf '%s\n' "$1" >>/run/ublk-test.announced
}

# ---------------------------------------------------------------- judging

same() {
        [[ $1 == "$2" ]] || fail "$3: expected '$2', got '$1'"
}

contains() {
        [[ $1 == *"$2"* ]] || fail "$3: '$2' is not in: $1"
}

# refused COMMAND...: it must fail; what it says (both outputs) is in $said.
refused() {
        if said=$("$@" 2>&1); then
                fail "worked, but should not: $* ($said)"
        fi
}

one_line() {
        [[ $said != *$'\n'* ]] || fail "more than one line: $said"
}

# within FIRST LIMIT FACT: since the time FIRST (of `now`), no more than LIMIT milliseconds.
now() {
        local t=${EPOCHREALTIME/[.,]/}
        echo $((t / 1000))
}

within() {
        local took=$(($(now) - $1))
        echo "$3: after $took ms"
        ((took <= $2)) || fail "$3: took $took ms, not $2 at most"
}

# used_kib FILE: what it takes on its disk.
used_kib() {
        sync -- "$1"
        du -k -- "$1" | cut -f 1
}

# Random bytes, made once by run-all.sh, because an emulated processor makes five megabytes of them in a second. Two files
# have no block in common as long as they begin at different offsets.
pool=/run/ublk-test.pool

# random_bytes OFFSET BYTES
random_bytes() {
        dd if=$pool bs=1M iflag=skip_bytes,count_bytes skip="$1" count="$2" status=none
}

# random_file FILE MIB [OFFSET]
random_file() {
        random_bytes "${3:-0}" $(($2 << 20)) >"$1"
}

# equal A B OFFSET-A OFFSET-B BYTES WHAT
equal() {
        cmp -n "$5" -i "$3:$4" -- "$1" "$2" || fail "$6"
}

# is_zero FILE OFFSET BYTES WHAT
is_zero() {
        equal "$1" /dev/zero "$2" 0 "$3" "$4"
}

# ---------------------------------------------------------------- ublk

# add NAME KEY=VALUE...: a device whose node is in $node from then on, removed when the test ends.
add() {
        node=$(ublkctl add "$@")
        # To ask the link is quicker than to ask the manager.
        defer "[[ ! -e /dev/ublk/by-name/$1 ]] || ublkctl remove --force '$1'"
        [[ -b $node ]] || fail "add $*: no node $node"
}

# property NAME PROPERTY
property() {
        local type value
        read -r type value < <(busctl get-property org.ublk.Manager1 "/org/ublk/Manager1/device/$1" \
                org.ublk.Manager1.Device "$2")
        [[ -n $type ]] || fail "device $1 has no $2"
        value=${value#\"}
        echo "${value%\"}"
}

state_of() {
        property "$1" State
}

worker_of() {
        property "$1" WorkerPID
}

manager_pid() {
        pgrep -o -x ublkmgr
}

# drop_caches: what is read next comes from the device.
drop_caches() {
        echo 3 >/proc/sys/vm/drop_caches
}

# wait_gone PID SECONDS: for the end of a process that need not be a child.
wait_gone() {
        timeout "$2" tail --pid="$1" -s 0.1 -f /dev/null || fail "process $1 is still there after $2 s"
}

# wait_removed NODE SECONDS
wait_removed() {
        udevadm wait --removed --timeout="$2" "$1" || fail "$1 is still there after $2 s"
}

# What must not be left when no device is there. Prints what is. Nothing but the shell itself as far as possible: this is run
# often, and an emulated processor takes long to start a program.
leftovers() {
        local path name
        udevadm settle --timeout=20 || echo "udev is busy"
        for path in /dev/ublk[bc][0-9]* /sys/class/ublk-char/* /sys/block/ublkb* /dev/ublk/by-name/* /dev/disk/by-id/ublk-* \
                /run/ublkmgr/* /run/ublkmgr/.[!.]* /run/ublkmgr/*/* /run/ublkmgr/*/.[!.]*; do
                [[ ! -e $path && ! -L $path || $path == /run/ublkmgr/@(udev|devices|workers|worker.sock) ]] || echo "$path"
        done
        for path in /proc/[0-9]*; do
                # It may be gone by now.
                { read -r name <"$path/comm"; } 2>/dev/null || name=''
                [[ $name != ublk-worker ]] || echo "process ${path#/proc/}: $(tr '\0' ' ' <"$path/cmdline")"
        done
        return 0
}

nothing_left() {
        local left
        left=$(leftovers)
        [[ -z $left ]] || fail "$1: left behind: $left"
}

# manager_with VARIABLE VALUE: the manager restarted with this in its environment, and without it at the end of the test. (A
# drop-in would need a daemon-reload, which takes longer than all the rest.)
manager_with() {
        if [[ ${manager_variable:-} != "$1" ]]; then
                manager_variable=$1
                defer "systemctl unset-environment $1; systemctl restart ublkmgr"
        fi
        systemctl set-environment "$1=$2"
        systemctl restart ublkmgr
}

# with_units: workers as units of systemd for the rest of the test, as users have them. run-all.sh starts them as children,
# because on an emulated processor a unit of a build with sanitizers takes seconds to start.
with_units() {
        local exec=/run/systemd/system/ublkmgr.service.d/90-exec.conf
        mv /etc/ublk/ublkmgr.conf /run/ublk-test.conf
        mv $exec /run/ublk-test.unit
        defer "mv /run/ublk-test.conf /etc/ublk/ublkmgr.conf; mv /run/ublk-test.unit $exec
                systemctl daemon-reload; systemctl restart ublkmgr"
        systemctl daemon-reload
        systemctl restart ublkmgr
}

# ---------------------------------------------------------------- disks

# slice NAME MIB [START-MIB]: /dev/mapper/NAME, a part of the scratch disk.
slice() {
        dmsetup create "$1" --table "0 $(($2 * 2048)) linear $scratch $((${3:-0} * 2048))"
        defer "dmsetup remove --retry '$1'"
}

# table NAME TABLE: another table for a dm device, without writing out what is on its way.
table() {
        dmsetup load "$1" --table "$2"
        dmsetup suspend --noflush --nolockfs "$1"
        dmsetup resume "$1"
}

# mounted NODE FOLDER [OPTION...]
mounted() {
        mkdir -p "$2"
        mount "${@:3}" "$1" "$2"
        defer "mountpoint -q '$2' && umount '$2'"
}
