#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A FLUSH that returned is on the backing, and so is a write with FUA. Counting fsyncs with strace shows nothing here, as they go
# through io_uring; so the power fails, in two ways that each lose what was not flushed:
#
#   file   the backing is a file (through the page cache) on ext4 on a dm-flakey device that drops all writes from some moment on
#   disk   the backing is a null_blk disk with a volatile write cache, which is lost when the disk is switched off
#
# Each time A is written and flushed, C written with FUA, and B written (to the device, past its page cache) but not flushed. After
# the power cut A and C must be there. B must be missing: that is the proof that the method can fail.

source "$(dirname "$0")/lib.sh"

mib=1048576
for i in A B C; do
        random_file "$work/$i" 1
done

# write_all NODE: A at 0 with a flush, C at 2 MiB with FUA, then B at 1 MiB with nothing.
write_all() {
        local disk=${1##*/}
        same "$(cat "/sys/block/$disk/queue/write_cache")" "write back" "write cache of $disk"
        same "$(cat "/sys/block/$disk/queue/fua")" 1 "FUA of $disk"
        dd if="$work/A" of="$1" bs=64K oflag=direct conv=fsync,notrunc status=none
        dd if="$work/C" of="$1" bs=1M seek=2 oflag=direct,dsync conv=notrunc status=none
        dd if="$work/B" of="$1" bs=64K seek=16 oflag=direct conv=notrunc status=none
}

# judge WHERE WHAT
judge() {
        equal "$work/A" "$1" 0 0 $mib "$2: what was flushed is lost"
        equal "$work/C" "$1" 0 $((2 * mib)) $mib "$2: what was written with FUA is lost"
        ! cmp -s -n $mib -i "0:$mib" "$work/B" "$1" || fail "$2: what was not flushed is there: this test could not fail"
}

# --- a file
announce 'EXT4-fs|JBD2|I/O error|lost .*page write'
size=$((64 * 2048))
slice flaky 64
mkfs.ext4 -q -O ^has_journal /dev/mapper/flaky
mounted /dev/mapper/flaky "$work/mnt"
# Allocated and on the disk beforehand: then a flush of data is all that A and C need.
dd if=/dev/zero of="$work/mnt/backing" bs=1M count=4 conv=fsync status=none
sync
add file --type=loop --path="$work/mnt/backing" --direct=no
write_all "$node"
table flaky "0 $size flakey $scratch 0 0 3600 1 drop_writes"
ublkctl remove file
umount "$work/mnt"
table flaky "0 $size linear $scratch 0"
drop_caches
mount -o ro "/dev/mapper/flaky" "$work/mnt"
judge "$work/mnt/backing" file
umount "$work/mnt"

# --- a disk
modprobe null_blk nr_devices=0
null=/sys/kernel/config/nullb/ublktest
mkdir "$null"
defer "echo 0 >$null/power; rmdir $null"
echo 1 >$null/memory_backed
echo 64 >$null/size
echo 16 >$null/cache_size
echo 4096 >$null/blocksize
echo 1 >$null/power
# Named by the folder on newer kernels, numbered on older ones.
disk=ublktest
[[ -d /sys/block/$disk ]] || disk=nullb0
udevadm settle
add disk --type=loop --path="/dev/$disk" --logical-block-size=4096
write_all "$node"
echo 0 >$null/power
ublkctl remove --force disk
echo 1 >$null/power
udevadm settle
judge "/dev/$disk" disk
