#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Zeroes with NOUNMAP keep their place on the backing (`blkdiscard -z`), so that writing there later can't fail for want of
# room; zeroes without it (`fallocate -p`) give the place back. `du` of the backing tells the two apart, and in ram the size of
# the memfd does.

source "$(dirname "$0")/lib.sh"

random_file "$work/backing" 16
full=$(used_kib "$work/backing")

add file --type=loop --path="$work/backing"
blkdiscard -z "$node"
is_zero "$node" 0 $((16 << 20)) "not zeroed"
(( $(used_kib "$work/backing") >= full )) || fail "NOUNMAP has freed blocks: $full KiB before, $(used_kib "$work/backing") after"
fallocate -p -o 0 -l 16M "$node"
(( $(used_kib "$work/backing") <= 64 )) || fail "without NOUNMAP nothing was freed: $(used_kib "$work/backing") KiB"
# And from nothing: zeroes that have to have a place get one.
blkdiscard -z -o 4M -l 8M "$node"
(( $(used_kib "$work/backing") >= 8 * 1024 )) || fail "NOUNMAP on a hole has allocated nothing"

add ram --type=ram --size-bytes=16M
memfd=$(find "/proc/$(worker_of ram)/fd" -lname '*memfd:ublk-ram*')
blkdiscard -z -o 4M -l 8M "$node"
same "$(($(stat -L -c %b "$memfd") / 2))" $((8 * 1024)) "memory after zeroes with NOUNMAP"
fallocate -p -o 0 -l 16M "$node"
same "$(($(stat -L -c %b "$memfd") / 2))" 0 "memory after zeroes without"
