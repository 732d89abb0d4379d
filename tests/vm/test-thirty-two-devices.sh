#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# 32 devices added and removed, twice, leave no descriptor, process, file or kernel device behind: first declared and applied, then
# added and removed over D-Bus all at once. (run-all.sh compares the manager's descriptors; here the loop shows it earlier.)

source "$(dirname "$0")/lib.sh"

n=32
fds() {
        local list=("/proc/$(manager_pid)/fd"/*)
        echo ${#list[@]}
}
fds_before=$(fds)
bus=(busctl --timeout=50 call org.ublk.Manager1 /org/ublk/Manager1 org.ublk.Manager1)
defer "ublkctl remove --force \$(seq -f d%g $n) 2>/dev/null"

check_all() {
        local i
        for ((i = 1; i <= n; i++)); do
                [[ -b /dev/ublk/by-name/d$i ]] || fail "$1: no device d$i"
        done
        same "$(pgrep -c -x ublk-worker)" $n "$1: workers"
}

mkdir "$work/devices.d" "$work/none.d"
for ((i = 1; i <= n; i++)); do
        echo '{"type": "null", "sizeBytes": "1M", "queues": 1, "queueDepth": 2, "maxIoBytes": 4096}' >"$work/devices.d/d$i.json"
done
ublkctl apply -q "$work/devices.d"
check_all applied
rm "$work/devices.d"/*
ublkctl apply -q --prune "$work/devices.d"
nothing_left "after the first time"
same "$(fds)" "$fds_before" "descriptors of the manager after the first time"

together() {
        local pids=() pid
        for ((i = 1; i <= n; i++)); do
                "$1" "$i" >/dev/null &
                pids+=($!)
        done
        for pid in "${pids[@]}"; do
                wait "$pid" || fail "$1 failed"
        done
}
add_one() {
        "${bus[@]}" AddDevice 'sa{sv}a{sh}a{sv}' "d$1" 5 type s null sizeBytes t 1048576 queues u 1 queueDepth u 2 maxIoBytes u 4096 0 0
}
remove_one() {
        "${bus[@]}" RemoveDevice 'sa{sv}' "d$1" 0
}
together add_one
check_all added
together remove_one
nothing_left "after the second time"
same "$(fds)" "$fds_before" "descriptors of the manager after the second time"
