#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A device that is readOnly can't be written in any way, and the backing is safe even from its worker, because it is open for
# reading only: of a file that is immutable, and of a disk that is mounted by somebody else.

source "$(dirname "$0")/lib.sh"

slice disk 32
mkfs.ext4 -q -O ^has_journal /dev/mapper/disk
mounted /dev/mapper/disk "$work/mnt"
echo hello >"$work/mnt/file"
sync
dd if=/dev/mapper/disk of="$work/image" bs=1M status=none
chattr +i "$work/image"
defer "chattr -i '$work/image'"
before=$(md5sum <"$work/image")

for path in "$work/image" /dev/mapper/disk; do
        add ro --type=loop --path="$path" --read-only
        same "$(blockdev --getro "$node")" 1 "the kernel's idea of it"
        same "$(property ro ReadOnly)" true "the property"
        refused dd if=/dev/zero of="$node" bs=4K count=1 oflag=direct
        refused blkdiscard "$node"
        refused blkdiscard -z "$node"
        # Even if somebody clears the mark that the kernel goes by.
        blockdev --setrw "$node" 2>/dev/null || true
        refused dd if=/dev/zero of="$node" bs=4K count=1 oflag=direct
        # The worker has it in its ring only; an immutable file could not have been opened for writing.
        same "$(find "/proc/$(worker_of ro)/fd" -lname "$(readlink -f "$path")")" "" "the backing among the worker's fds"
        mounted "$node" "$work/ro" -o ro,noload
        same "$(cat "$work/ro/file")" hello "contents"
        umount "$work/ro"
        ublkctl remove ro
done
same "$(md5sum <"$work/image")" "$before" "checksum of the image"
announce 'I/O error|critical .* error|Trying to write to read-only'
