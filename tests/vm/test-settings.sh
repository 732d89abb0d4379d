#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# ublkmgr.conf on a machine that has no user namespaces to give, as many a distribution and container: without it no device is
# attached, and the error names what is missing; with it the device is, `ublkctl sandbox` doesn't call that whole, and the
# manager warns at each start. A file that anybody can write lets nothing go missing, and keeps nothing from working
# that doesn't need it.

source "$(dirname "$0")/lib.sh"

# Workers are children here, so that it is their own doing that fails and not the unit's.
conf=/etc/ublk/ublkmgr.conf
mv $conf /run/ublk-test.conf
defer "mv /run/ublk-test.conf $conf; systemctl restart ublkmgr"

# configure TEXT [MODE]
configure() {
        since=$(date +%s)
        printf '%s\n' "$1" >$conf
        chmod "${2:-644}" $conf
        systemctl restart ublkmgr
}

# logged TEXT: since the last `configure`.
logged() {
        journalctl --sync
        contains "$(journalctl --quiet --no-pager -o cat -u ublkmgr --since "@$since")" "$1" "journal"
}

same "$(/usr/libexec/ublkmgr/ublkmgr --check-config)" "there is no ublkmgr.conf: the defaults hold" "check without a file"

namespaces=$(</proc/sys/user/max_user_namespaces)
defer "echo $namespaces >/proc/sys/user/max_user_namespaces"
echo 0 >/proc/sys/user/max_user_namespaces
configure '{"spawner": "exec"}'
refused ublkctl add disk --type=ram --size-bytes=1M
one_line
contains "$said" "\"namespaces\" in ublkmgr.conf" "what to do"

configure '{"spawner": "exec", "allowMissing": ["namespaces", "pidNamespace"]}'
logged "not to be had: namespaces, pidNamespace"
same "$(/usr/libexec/ublkmgr/ublkmgr --check-config)" "$conf: ok" "check of a good file"
add disk --type=ram --size-bytes=1M
{ ublkctl sandbox --json=short disk || true; } >"$work/json"
same "$(jq -c '[.holds, .facts.userNamespace.verdict, .facts.capabilities.verdict]' "$work/json")" '[false,"broken","holds"]' \
        "what is seen of it"
ublkctl remove disk

configure '{"spawner": "exec", "allowMissing": ["namespaces", "pidNamespace"]}' 666
logged "can be written by others than root (mode 0666)"
logged "the defaults hold"
refused ublkctl add disk --type=ram --size-bytes=1M
refused /usr/libexec/ublkmgr/ublkmgr --check-config
one_line

echo "$namespaces" >/proc/sys/user/max_user_namespaces
configure '{"spawner": "exec", "allowMissing": ["namespace"]}'
logged "$conf:1:38: allowMissing: \"namespace\" is not known here; did you mean \"namespaces\"?"
add whole --type=ram --size-bytes=1M
