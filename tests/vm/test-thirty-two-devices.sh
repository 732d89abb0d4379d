#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# 32 devices added and removed, twice, leave no descriptor, process, file or kernel device behind: 24 that are declared and applied,
# and meanwhile 8 over D-Bus, all at once. (run-all.sh compares the manager's descriptors too; here it is seen which time it was.)

source "$(dirname "$0")/lib.sh"

n=32 declared=24
pid=$(manager_pid)
fds=("/proc/$pid/fd"/*)
fds_before=${#fds[@]}
bus=(busctl --timeout=100 call org.ublk.Manager1 /org/ublk/Manager1 org.ublk.Manager1)
defer "ublkctl remove --force \$(seq -f d%g $n) 2>/dev/null"

add_one() {
        "${bus[@]}" AddDevice 'sa{sv}a{sh}a{sv}' "d$1" 5 \
                type s null sizeBytes t 1048576 queues u 1 queueDepth u 2 maxIoBytes u 4096 0 0 >/dev/null
}
remove_one() {
        "${bus[@]}" RemoveDevice 'sa{sv}' "d$1" 0
}

# together FUNCTION: what files say, and FUNCTION for each of the others.
together() {
        local pids=() pid i
        for ((i = declared + 1; i <= n; i++)); do
                "$1" "$i" &
                pids+=($!)
        done
        ublkctl apply -q --prune "$work/devices.d"
        for pid in "${pids[@]}"; do
                wait "$pid" || fail "$1 failed"
        done
}

mkdir "$work/devices.d"
for time in first second; do
        for ((i = 1; i <= declared; i++)); do
                echo '{"type": "null", "sizeBytes": "1M", "queues": 1, "queueDepth": 2, "maxIoBytes": 4096}' \
                        >"$work/devices.d/d$i.json"
        done
        together add_one
        for ((i = 1; i <= n; i++)); do
                [[ -b /dev/ublk/by-name/d$i ]] || fail "no device d$i the $time time"
        done
        same "$(pgrep -c -x ublk-worker)" $n "workers the $time time"

        rm "$work/devices.d"/*
        together remove_one
        nothing_left "after the $time time"
        fds=("/proc/$pid/fd"/*)
        same ${#fds[@]} "$fds_before" "descriptors of the manager after the $time time"
done
