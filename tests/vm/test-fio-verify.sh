#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every byte read is the one last written, with many requests of many sizes in flight: fio writes blocks with checksums in
# random order and reads all of them back. On each target that keeps data and each kind of backing, with one queue and with
# two (two jobs a device then, so that both are used). The second round also shows that apply recreates what changed.

source "$(dirname "$0")/lib.sh"

slice backing-disk 64
truncate -s 64M "$work/direct.img" "$work/cached.img"
defer 'ublkctl remove --force ram direct cached disk 2>/dev/null'

declare_devices() {
        local common="\"queues\": $1, \"queueDepth\": 32, \"maxIoBytes\": \"128K\""
        mkdir -p "$work/devices.d"
        echo "{\"type\": \"ram\", \"sizeBytes\": \"64M\", $common}" >"$work/devices.d/ram.json"
        echo "{\"type\": \"loop\", \"path\": \"$work/direct.img\", \"direct\": true, $common}" >"$work/devices.d/direct.json"
        echo "{\"type\": \"loop\", \"path\": \"$work/cached.img\", \"direct\": false, $common}" >"$work/devices.d/cached.json"
        echo "{\"type\": \"loop\", \"path\": \"/dev/mapper/backing-disk\", $common}" >"$work/devices.d/disk.json"
}

for queues in 1 2; do
        declare_devices "$queues"
        ublkctl apply "$work/devices.d"
        jobs=()
        for name in ram direct cached disk; do
                node=$(readlink -f "/dev/ublk/by-name/$name")
                same "$(find "/sys/block/${node##*/}/mq" -mindepth 1 -maxdepth 1 -type d | wc -l)" "$queues" "queues of $name"
                for ((i = 0; i < queues; i++)); do
                        jobs+=(--name="$name-$i" --filename="$node" --offset=$((i * 8))M)
                done
        done
        fio --ioengine=libaio --direct=1 --iodepth=16 --rw=randwrite --bsrange=4k-256k --blockalign=4k --size=6M \
                --verify=crc32c --do_verify=1 --verify_fatal=1 --verify_state_save=0 --randseed="$queues" --thread \
                --output-format=terse --output="$work/fio.out" "${jobs[@]}" || fail "fio finds wrong data: $(cat "$work/fio.out")"
        # A line a job: its name, its error and what it has read back are the 3rd, 5th and 6th field.
        verified=0
        while IFS=';' read -r version _ name _ error kib _; do
                [[ $version == 3 ]] || continue
                same "$error" 0 "error of $name"
                ((kib >= 6 * 1024 * 9 / 10)) || fail "$name has verified $kib KiB only"
                verified=$((verified + 1))
        done <"$work/fio.out"
        same "$verified" $((4 * queues)) "jobs that have verified"
done
