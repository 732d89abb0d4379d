#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A device that somebody uses is not taken away by a plain remove: the refusal names the mount point or what is stacked on it, and
# the device works on. With --force it goes, and nothing is left.

source "$(dirname "$0")/lib.sh"
announce 'EXT4-fs|I/O error|lost .*page write|JBD2'

add disk --type=ram --size-bytes=16M
mkfs.ext4 -q "$node"
mkdir -p "$work/mount point"
mounted "$node" "$work/mount point"
refused ublkctl remove disk
one_line
contains "$said" "mount" "remove of a mounted device"
contains "$said" "$work/mount point" "remove of a mounted device"
same "$(state_of disk)" live "state after a refusal"
echo works >"$work/mount point/file"
sync -f "$work/mount point/file"
umount "$work/mount point"

dmsetup create top --table "0 8192 linear $node 0"
defer 'dmsetup remove --retry top 2>/dev/null'
refused ublkctl remove disk
one_line
contains "$said" "dm-" "remove of a device with a holder"
dmsetup remove --retry top

mkswap "$node" >/dev/null
swapon "$node"
defer "swapoff '$node' 2>/dev/null"
refused ublkctl remove disk
one_line
contains "$said" "swap" "remove of a device with swap on it"
swapoff "$node"

# Mounted and open besides. A reader of a disk that is gone finds its end.
mkfs.ext4 -q -F "$node"
mounted "$node" "$work/mount point"
exec 7<"$node"
since=$(now)
ublkctl remove --force disk
within "$since" 15000 "remove --force of a mounted device"
refused dd if="$work/mount point/lost+found" of=/dev/null status=none
same "$(head -c 512 <&7 | wc -c)" 0 "bytes read from a disk that is gone"
exec 7<&-
umount "$work/mount point"
nothing_left "remove --force"
