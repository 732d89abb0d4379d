#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# `ublkctl sandbox` says of a real worker that everything which is promised holds, for each type of device and for several
# queues, that is threads; of a device without a worker, and to a user who isn't root, it says that plainly.

source "$(dirname "$0")/lib.sh"

random_file "$work/image" 8
add plain --type=ram --size-bytes=8M
add threads --type=null --size-bytes=8M --queues=2
add file --type=loop --path="$work/image"

for name in plain threads file; do
        code=0
        ublkctl sandbox "$name" >"$work/out" || code=$?
        ublkctl sandbox --json=short "$name" >"$work/json" || true
        ((code == 0)) || fail "$name: not everything holds: $(cat "$work/out")"
        same "$(jq -c '[.name, .workerPid, .holds]' "$work/json")" "[\"$name\",$(worker_of "$name"),true]" "$name"
        same "$(jq -r '[.facts[], .fds[]] | map(.verdict) | unique | join(" ")' "$work/json")" "holds none" "$name: verdicts"
        contains "$(cat "$work/out")" " 0 do not, 0 unknown." "$name: last line"
done
cat "$work/out"
(($(jq -r .facts.threads.is <(ublkctl sandbox --json=short threads)) >= 2)) || fail "no thread a queue"

ublkctl sandbox -q plain threads file || fail "-q: $?"

refused su alice -s /bin/sh -c "ublkctl sandbox plain"
one_line
contains "$said" "root" "what alice is told"

kill -KILL "$(worker_of threads)"
wait_removed "$(readlink -f /dev/ublk/by-name/threads)" 10
refused ublkctl sandbox threads
same "$said" "ublkctl: threads: it has no worker (its state is failed)" "without a worker"
refused ublkctl sandbox nothing
one_line
