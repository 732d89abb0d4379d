#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a worker that has been taken over could do: nothing. tests/sandbox has what is tried, one worker and one device for each.

source "$(dirname "$0")/lib.sh"

tests=/usr/libexec/ublkmgr/tests
# Disks lose their workers in the middle of I/O.
announce 'I/O error, dev ublkb'
defer 'rm -rf /run/ublk-escape'

run() {
        local from
        from=$(now)
        "$tests/escape-run" "$tests/escape-worker" "$@" >"$work/out" 2>&1 ||
                fail "$*: $(grep -E '^WRONG|^the attempts' "$work/out" | head -n 20; tail -n 1 "$work/out")"
        tail -n 1 "$work/out"
        echo "$*: $(($(now) - from)) ms"
}

run control loop
for target in null ram loop network; do
        run try $target
done
run nofilter loop
for target in ram loop network; do
        run without $target
done
