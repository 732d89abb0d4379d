#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# When the disk under the backing is full, the writer on the device is told (ENOSPC, or EIO after write-back) and nobody else:
# the device lives, what was written before can be read, and as soon as there is room writes work again. The backing is a sparse
# file that promises more than its small file system has.

source "$(dirname "$0")/lib.sh"
announce 'critical space allocation error|I/O error|lost async page write'

slice small 14
mkfs.ext4 -q -m 0 -O ^has_journal /dev/mapper/small
mounted /dev/mapper/small "$work/mnt"
truncate -s 64M "$work/mnt/backing"
fallocate -l 8M "$work/mnt/fill"

for direct in yes no; do
        add disk --type=loop --path="$work/mnt/backing" --direct=$direct
        worker=$(worker_of disk)
        random_bytes 77 $((2 << 20)) | dd of="$node" bs=64K iflag=fullblock oflag=direct status=none
        refused dd if=/dev/zero of="$node" bs=1M seek=2 oflag=direct,dsync
        [[ $said == *"No space left"* || $said == *"Input/output error"* ]] || fail "direct=$direct: the writer heard: $said"
        same "$(state_of disk)" live "state after ENOSPC, direct=$direct"
        same "$(worker_of disk)" "$worker" "worker after ENOSPC, direct=$direct"
        drop_caches
        cmp <(random_bytes 77 $((2 << 20))) <(head -c 2M "$node") || fail "direct=$direct: what was there before is damaged"
        # Room again.
        rm "$work/mnt/fill"
        random_bytes 99 1048576 | dd of="$node" bs=1M seek=40 iflag=fullblock oflag=direct,dsync status=none ||
                fail "direct=$direct: writes still fail with room on the disk"
        equal <(random_bytes 99 1048576) "$node" 0 $((40 << 20)) 1048576 "direct=$direct: what was written with room again differs"
        ublkctl remove disk
        rm "$work/mnt/backing"
        truncate -s 64M "$work/mnt/backing"
        fallocate -l 8M "$work/mnt/fill"
done
