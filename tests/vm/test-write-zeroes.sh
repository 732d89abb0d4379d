#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What was zeroed reads back as zeroes, whichever way it is asked for: `blkdiscard -z` (NOUNMAP), `fallocate -z` (NOUNMAP too)
# and `fallocate -p` (may unmap), on a file with direct I/O and through the page cache, on a disk, on tmpfs (no ZERO_RANGE: the
# worker writes zeroes) and in ram. The bytes beside the range stay, and so does the kernel's ability: a first refusal by the
# driver would switch write zeroes off for good.

source "$(dirname "$0")/lib.sh"

random_file "$work/data" 8
slice backing-disk 8
mounted none "$work/tmpfs" -t tmpfs
cp "$work/data" "$work/direct.img"
cp "$work/data" "$work/cached.img"
cp "$work/data" "$work/tmpfs/img"
dd if="$work/data" of=/dev/mapper/backing-disk bs=1M conv=fsync status=none

try() {
        local queue=/sys/block/${node##*/}/queue
        blkdiscard -z -o 1M -l 1M "$node"
        fallocate -z -o 3M -l 1M "$node"
        fallocate -p -o 5M -l 1M "$node"
        # Odd ends: not a multiple of the pages or blocks of the backing.
        blkdiscard -z -o $(((6 << 20) + 512)) -l 1024 "$node"
        drop_caches
        blockdev --flushbufs "$node"
        is_zero "$node" $((1 << 20)) $((1 << 20)) "$1: blkdiscard -z"
        is_zero "$node" $((3 << 20)) $((1 << 20)) "$1: fallocate -z"
        is_zero "$node" $((5 << 20)) $((1 << 20)) "$1: fallocate -p"
        is_zero "$node" $(((6 << 20) + 512)) 1024 "$1: blkdiscard -z of two sectors"
        # Just before and just after the ranges.
        for at in 960 2048 3008 4096 5056; do
                equal "$work/data" "$node" $((at << 10)) $((at << 10)) 65536 "$1: data beside the zeroes at $at KiB"
        done
        equal "$work/data" "$node" $((6 << 20)) $((6 << 20)) 512 "$1: the sector before"
        equal "$work/data" "$node" $(((6 << 20) + 1536)) $(((6 << 20) + 1536)) 512 "$1: the sector after"
        [[ $(cat "$queue/write_zeroes_max_bytes") != 0 ]] || fail "$1: the kernel has switched write zeroes off"
}

add direct --type=loop --path="$work/direct.img" --direct
try direct
add cached --type=loop --path="$work/cached.img" --direct=no
try cached
add disk --type=loop --path=/dev/mapper/backing-disk
try disk
add tmpfs --type=loop --path="$work/tmpfs/img"
try tmpfs
add ram --type=ram --size-bytes=8M
dd if="$work/data" of="$node" bs=1M oflag=direct status=none
try ram
ublkctl remove tmpfs
