#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# An error of the backing reaches exactly the requests that it concerns, as EIO, and the worker lives on: a dm device has one MiB
# that can neither be read nor written, everything around it works.
#
# A flush that failed is final: the kernel forgets what it could not write back, so a later fsync() of the backing succeeds
# although data is lost; the device must not pass on that lie. Shown with dm-flakey failing writes under the page cache
# (direct=false), then healed: fsync on the device goes on failing until it is made anew.

source "$(dirname "$0")/lib.sh"
announce 'I/O error|lost async page write|Buffer I/O'

mib=1048576
dmsetup create bad <<TABLE
0 8192 linear $scratch 0
8192 2048 error
10240 6144 linear $scratch 10240
TABLE
defer 'dmsetup remove --retry bad'
random_file "$work/data" 8
add disk --type=loop --path=/dev/mapper/bad
worker=$(worker_of disk)
io() {
        dd if="$work/data" of="$node" bs=64K count=16 oflag=direct conv=notrunc status=none skip=$(($1 * 16)) seek=$(($1 * 16))
}
for i in 0 1 2 3 5 6 7; do
        io $i || fail "writing MiB $i failed, which is not broken"
done
refused io 4
contains "$said" "Input/output error" "writing what is broken"
refused dd if="$node" of=/dev/null bs=64K count=1 skip=64 iflag=direct
contains "$said" "Input/output error" "reading what is broken"
# A request that lies half in the broken part.
refused dd if="$node" of=/dev/null bs=128K count=1 skip=$((4 * mib - 65536))B iflag=direct
contains "$said" "Input/output error" "reading across the edge"
refused blkdiscard -z -o 4M -l 64K "$node"
for i in 0 1 2 3 5 6 7; do
        equal "$work/data" "$node" $((i * mib)) $((i * mib)) $mib "MiB $i differs"
done
same "$(state_of disk)" live "state after errors"
same "$(worker_of disk)" "$worker" "worker after errors"
ublkctl remove disk

size=$((16 * 2048))
slice flaky 16
write_and_sync() {
        random_bytes "$1" 65536 | dd of="$node" bs=64K iflag=fullblock conv=fsync,notrunc status=none
}
add cached --type=loop --path=/dev/mapper/flaky --direct=no
write_and_sync 1 || fail "fsync fails with a healthy backing"
table flaky "0 $size flakey $scratch 0 0 3600 1 error_writes"
refused write_and_sync 2
contains "$said" "Input/output error" "fsync with a broken backing"
table flaky "0 $size linear $scratch 0"
refused write_and_sync 3
contains "$said" "Input/output error" "fsync after the backing was healed"
refused dd if="$work/data" of="$node" bs=64K count=1 seek=4 oflag=direct,dsync
contains "$said" "Input/output error" "a write with FUA after a flush has failed"
dd if="$node" of=/dev/null bs=64K iflag=direct status=none || fail "reading fails after a flush has failed"
same "$(state_of cached)" live "state after a failed flush"
ublkctl remove cached
add cached --type=loop --path=/dev/mapper/flaky --direct=no
write_and_sync 4 || fail "fsync fails on a device that was made anew"
