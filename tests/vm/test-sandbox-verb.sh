#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# `ublkctl sandbox` says of a real worker that everything which is promised holds, for each type of device and for several
# queues, that is threads; of a device without a worker, and to a user who isn't root, it says that plainly.

source "$(dirname "$0")/lib.sh"
with_units

random_file "$work/image" 8
add plain --type=ram --size-bytes=8M
add threads --type=null --size-bytes=8M --queues=2
add file --type=loop --path="$work/image"

# In a build with sanitizers these make mlockall() do nothing, and then that must be seen.
expected='[]' code_expected=0
if grep -q libasan "/proc/$(worker_of plain)/maps"; then
        expected='["lockedBytes"]' code_expected=1
fi
for name in plain threads file; do
        code=0
        ublkctl sandbox "$name" >"$work/out" || code=$?
        ublkctl sandbox --json=short "$name" >"$work/json" || true
        same "$(jq -c '[.facts | to_entries[] | select(.value.verdict | . != "holds" and . != "none") | .key]' "$work/json")" \
                "$expected" "$name: what does not hold ($(cat "$work/out"))"
        same "$code" "$code_expected" "$name: exit status"
        same "$(jq -c '[.name, .workerPid]' "$work/json")" "[\"$name\",$(worker_of "$name")]" "$name: whose it is"
        same "$(jq -r '.fds | map(.verdict) | unique | join(" ")' "$work/json")" "holds" "$name: open files"
done
cat "$work/out"
{ ublkctl sandbox --json=short threads || true; } >"$work/json"
(($(jq -r .facts.threads.is "$work/json") >= 2)) || fail "no thread a queue"

# No two with the same user.
{ ublkctl sandbox --json=short plain threads file || true; } | jq -r .facts.uid.is >"$work/users"
same "$(sort -u "$work/users" | wc -l)" 3 "users of three workers"

refused su alice -s /bin/sh -c "ublkctl sandbox plain"
one_line
contains "$said" "root" "what alice is told"

kill -KILL "$(worker_of threads)"
wait_removed "$(readlink -f /dev/ublk/by-name/threads)" 10
refused ublkctl sandbox threads
same "$said" "ublkctl: threads: it has no worker (its state is failed)" "without a worker"
refused ublkctl sandbox nothing
one_line
ublkctl remove threads
