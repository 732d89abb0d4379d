#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Workers that run somebody else's code, on a real kernel: they send nonsense, hang up, say that they are ready and aren't,
# or are stopped, in each phase of an attach. Each attach fails within its deadline, and an unrelated device serves, and
# others come and go, all the while.
#
# The malicious worker (tests/attack) is mounted over the real one, which it runs for every name that isn't an attack.

source "$(dirname "$0")/lib.sh"
announce 'I/O error|Buffer I/O|blocked for more than|lost .*page write'

libexec=/usr/libexec/ublkmgr
[[ -x $libexec/tests/malicious-worker ]] || fail "the malicious worker is not installed: this is no build for tests"
cp "$libexec/ublk-worker" "$libexec/tests/ublk-worker"
defer "rm -f $libexec/tests/ublk-worker"
mount --bind "$libexec/tests/malicious-worker" "$libexec/ublk-worker"
defer "umount -l $libexec/ublk-worker"

add other --type=ram --size-bytes=8M
other=$node
random_bytes 7 1048576 >"$work/data"
dd if="$work/data" of="$other" bs=1M oflag=direct status=none

# The manager answers, and others serve, quickly.
others_go_on() {
        local since
        since=$(now)
        dd if="$other" of="$work/read" bs=64K count=16 iflag=direct status=none
        cmp "$work/data" "$work/read" || fail "$1: another device has other contents"
        within "$since" 5000 "$1: reading another device"
        same "$(state_of other)" live "$1: state of another device"
}

# attach NAME LIMIT-SECONDS: in the background of it another device is added, read and removed.
attack() {
        local name=$1 limit=$2 since pid
        since=$(now)
        ublkctl add "$name" --type=ram --size-bytes=4M >"$work/said" 2>&1 &
        pid=$!
        others_go_on "$name"
        add "third" --type=null --size-bytes=4M
        ublkctl remove third
        if wait "$pid"; then
                fail "$name: attached"
        fi
        within "$since" $((limit * 1000)) "$name: the attach has failed"
        contains "$(cat "$work/said")" "could not be attached" "$name"
        others_go_on "$name"
        [[ ! -e /dev/ublkc1 ]] || fail "$name: its kernel device is left"
}

# configure-worker has thirty seconds, start-device has seven and its undo fifteen; an emulated processor takes its part.
for name in first-random-3 hello-structured-5 config-fds-memfd.4 config-size-9223372036854775808 hello-half-7 config-flood; do
        attack $name 15
done
for name in config-close hello-shut-2; do
        attack $name 25
done
for name in first-stop hello-stop config-stop; do
        attack $name 60
done
# READY without a single tag fetched: the kernel waits in START_DEV.
for name in ready-random-3 ready-stop; do
        attack $name 45
done

ublkctl remove other
nothing_left "all attacks"
