#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# offsetBytes and sizeBytes show a part of the backing and never touch the rest. A backing of an odd size is cut down to whole
# blocks; a window that is larger than the backing or begins where it can't is an error that says what would fit.

source "$(dirname "$0")/lib.sh"

random_file "$work/backing" 4
cp "$work/backing" "$work/before"
add window --type=loop --path="$work/backing" --offset-bytes=1M --size-bytes=$((1048576 + 4096))
same "$(blockdev --getsize64 "$node")" $((1048576 + 4096)) "size of the window"
equal "$work/before" "$node" 1048576 0 $((1048576 + 4096)) "what the window shows"
dd if=/dev/zero of="$node" bs=64K oflag=direct status=none 2>/dev/null || true
blkdiscard "$node"
is_zero "$work/backing" 1048576 $((1048576 + 4096)) "the window was not written"
equal "$work/before" "$work/backing" 0 0 1048576 "before the window"
equal "$work/before" "$work/backing" $((2097152 + 4096)) $((2097152 + 4096)) $((2097152 - 4096)) "after the window"
ublkctl remove window
cp "$work/before" "$work/backing"

# Sectors that the backing, read directly, would not have: through the page cache they work.
add odd --type=loop --path="$work/backing" --offset-bytes=512 --size-bytes=10752 --direct=no
same "$(blockdev --getsize64 "$node")" 10752 "size of an odd window"
equal "$work/before" "$node" 512 0 10752 "what an odd window shows"
dd if=/dev/zero of="$node" bs=512 seek=1 count=1 oflag=direct,dsync conv=notrunc status=none
is_zero "$work/backing" 1024 512 "one sector was not written"
equal "$work/before" "$work/backing" 0 0 1024 "before one sector"
equal "$work/before" "$work/backing" 1536 1536 10240 "after one sector"
ublkctl remove odd

truncate -s $((4194304 + 1000)) "$work/backing"
add odd --type=loop --path="$work/backing"
same "$(blockdev --getsize64 "$node")" $((4194304 + 512)) "size on a backing of an odd size"
ublkctl remove odd
add odd --type=loop --path="$work/backing" --logical-block-size=4096
same "$(blockdev --getsize64 "$node")" 4194304 "size in blocks of 4096"
dd if="$node" of=/dev/null bs=4K iflag=direct status=none
ublkctl remove odd

refused ublkctl add big --type=loop --path="$work/backing" --size-bytes=5M
one_line
contains "$said" 4195304 "too large a window: size of the backing"
contains "$said" 5242880 "too large a window: size wanted"
refused ublkctl add big --type=loop --path="$work/backing" --offset-bytes=8M
one_line
contains "$said" "begins at 8388608" "a window behind the end"
refused ublkctl add big --type=loop --path="$work/backing" --offset-bytes=100
contains "$said" offset "an offset that is no multiple of 512"
: >"$work/empty"
refused ublkctl add big --type=loop --path="$work/empty"
one_line
contains "$said" "0 bytes" "an empty backing"
nothing_left "refused windows"
