#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the confinement of workers costs: instructions per I/O and the time of an attach, with it and without it, side by
# side in one run; an attach both with the worker as a unit and as a child of the manager. Runs in the virtual machine under its instruction clock (scripts/bench): there a nanosecond is an
# instruction, so the time that fio measures is what was executed, and a busy host changes nothing.
#
# The worker of a build with test hooks stays unconfined while the file below exists. Modes take turns, so that what drifts
# (caches, the age of the machine) hits both; the spread between turns is printed as the noise.

set -euo pipefail
export LC_ALL=C

hook=/run/ublk-test.unconfined
turns=${TURNS:-3}
results=/run/bench.results
: >"$results"

# NAME TYPE RW BS DEPTH IOS
points=(
        'null-4k-1 null randread 4k 1 12000'
        'null-4k-32 null randread 4k 32 20000'
        'ram-4k-1 ram randwrite 4k 1 10000'
        'loop-4k-1 loop randread 4k 1 10000'
        'loop-4k-32 loop randread 4k 32 15000'
        'loop-128k-8 loop randread 128k 8 2000'
)

set_mode() {
        case $1 in
        confined) rm -f "$hook" ;;
        unconfined) touch "$hook" ;;
        esac
}

attach() {
        case $1 in
        null) ublkctl add bench --type=null --size-bytes=1G --queues=1 ;;
        ram) ublkctl add bench --type=ram --size-bytes=32M --queues=1 ;;
        loop) ublkctl add bench --type=loop --path=/run/bench.img --queues=1 ;;
        esac
}

# Nanoseconds that an I/O takes, so instructions. fio counts milliseconds: the I/Os are many enough for a tenth of a percent.
measure() {
        local node=$1 rw=$2 bs=$3 depth=$4 count=$5
        fio --name=x --filename="$node" --direct=1 --ioengine=io_uring --rw="$rw" --bs="$bs" --iodepth="$depth" \
                --number_ios="$count" --randrepeat=1 --size=24M --io_size=10G --output-format=json 2>/dev/null |
                jq '.jobs[0] | (if .read.total_ios > 0 then .read else .write end) | .runtime * 1e6 / .total_ios | floor'
}

now_us() {
        echo "${EPOCHREALTIME/./}"
}

run_mode() {
        local mode=$1 point name type rw bs depth ios node
        set_mode "$mode"
        for point in "${points[@]}"; do
                read -r name type rw bs depth ios <<<"$point"
                node=$(attach "$type")
                # The first ones fill caches and fault memory in.
                fio --name=x --filename="$node" --direct=1 --rw=write --bs=128k --size=24M --output-format=terse >/dev/null
                measure "$node" "$rw" "$bs" "$depth" 500 >/dev/null
                echo "$name $mode $(measure "$node" "$rw" "$bs" "$depth" "$ios")" >>"$results"
                ublkctl remove bench
        done
}

# The manager's unit leaves a child of its own too few rights for the sandbox (ublkmgr(8)).
use_spawner() {
        local folder=/run/systemd/system/ublkmgr.service.d
        mkdir -p /etc/ublk "$folder"
        rm -f /etc/ublk/ublkmgr.conf "$folder/exec.conf"
        if [[ $1 == exec ]]; then
                echo '{ "spawner": "exec" }' >/etc/ublk/ublkmgr.conf
                printf '[Service]\nCapabilityBoundingSet=~\nRestrictNamespaces=no\nSystemCallFilter=\nProtectKernelTunables=no\n' \
                        >"$folder/exec.conf"
        fi
        systemctl daemon-reload
        systemctl restart ublkmgr
        # The first one finds nothing in any cache.
        attach ram >/dev/null
        ublkctl remove bench
}

time_attaches() {
        local spawner=$1 mode=$2 before i
        set_mode "$mode"
        for ((i = 0; i < 5; i++)); do
                before=$(now_us)
                attach ram >/dev/null
                echo "attach-$spawner $mode $(($(now_us) - before))" >>"$results"
                ublkctl remove bench
        done
}

report() {
        awk '
        { key = $1; mode = $2; n[key, mode]++; sum[key, mode] += $3
          if (!((key, mode) in min) || $3 < min[key, mode]) min[key, mode] = $3
          if ($3 > max[key, mode]) max[key, mode] = $3
          if (!(key in seen)) { seen[key] = 1; order[++keys] = key } }
        END {
          printf "%-12s %12s %12s %8s %8s\n", "", "unconfined", "confined", "cost", "noise"
          for (i = 1; i <= keys; i++) {
            k = order[i]; a = sum[k, "unconfined"] / n[k, "unconfined"]; b = sum[k, "confined"] / n[k, "confined"]
            noise = (max[k, "unconfined"] - min[k, "unconfined"]) / a
            other = (max[k, "confined"] - min[k, "confined"]) / b
            if (other > noise) noise = other
            printf "%-12s %12d %12d %7.2f%% %7.2f%%\n", k, a, b, (b / a - 1) * 100, noise * 100
          } }' "$results"
}

# Memory, so that no time of a disk is measured; all of it is there before the first figure.
head -c 32M /dev/zero >/run/bench.img
uname -r
for ((turn = 0; turn < turns; turn++)); do
        run_mode unconfined
        run_mode confined
done
for spawner in unit exec; do
        use_spawner $spawner
        for ((turn = 0; turn < 2; turn++)); do
                time_attaches $spawner unconfined
                time_attaches $spawner confined
        done
done
echo "instructions per I/O, mean of $turns turns; an attach in microseconds, that is thousands of instructions, mean of 10"
report
