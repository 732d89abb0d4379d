#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A discard of the device gives room back where the data really lies: blocks of the backing file, memory of a ram disk (the
# memfd that its worker holds). Only the range that was named: what is beside it is still there.

source "$(dirname "$0")/lib.sh"

random_file "$work/data" 24
cp "$work/data" "$work/backing"
add file --type=loop --path="$work/backing"
(( $(used_kib "$work/backing") >= 24 * 1024 )) || fail "the backing is not full to begin with"
blkdiscard -o 8M -l 8M "$node"
(( $(used_kib "$work/backing") <= 16 * 1024 + 64 )) || fail "discard freed nothing: $(used_kib "$work/backing") KiB used"
equal "$work/data" "$node" 0 0 $((8 << 20)) "data before the discarded range has changed"
equal "$work/data" "$node" $((16 << 20)) $((16 << 20)) $((8 << 20)) "data after the discarded range has changed"
is_zero "$node" $((8 << 20)) $((8 << 20)) "the discarded range has contents"
same "$(stat -c %s "$work/backing")" $((24 << 20)) "size of the backing"

# fstrim: what a file system knows to be free.
mkfs.ext4 -q "$node"
mounted "$node" "$work/mnt"
random_file "$work/mnt/f" 12
sync
before=$(used_kib "$work/backing")
rm "$work/mnt/f"
sync
fstrim "$work/mnt"
after=$(used_kib "$work/backing")
(( after < before - 8 * 1024 )) || fail "fstrim freed nothing: $before KiB before, $after after"
umount "$work/mnt"

add ram --type=ram --size-bytes=24M
memory_kib() {
        echo $(($(stat -L -c %b "$1") / 2))
}
memfd=$(find "/proc/$(worker_of ram)/fd" -lname '*memfd:ublk-ram*')
dd if="$work/data" of="$node" bs=1M oflag=direct status=none
(( $(memory_kib "$memfd") >= 24 * 1024 )) || fail "the memory is not full to begin with"
blkdiscard -o 8M -l 8M "$node"
same "$(memory_kib "$memfd")" $((16 * 1024)) "memory after discard"
drop_caches
equal "$work/data" "$node" 0 0 $((8 << 20)) "ram: data before the discarded range has changed"
is_zero "$node" $((8 << 20)) $((8 << 20)) "ram: the discarded range has contents"
