#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A worker is a unit of its own, in a cgroup of its own, and has nothing to do with the life of the manager. Who isn't the
# worker of a device that waits for one is turned away at the manager's socket. A unit that can't start fails the attach at
# once, and what was left under its name before doesn't.

source "$(dirname "$0")/lib.sh"
with_units
# Other tests have workers that are children of the manager, of which systemd complains.
cursor=$(journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p')

unit_of() {
        property "$1" WorkerUnit
}

# busctl writes a backslash as two.
same "$(add 'a-b.c_d' --type=ram --size-bytes=4M; unit_of a_2db_2ec_5fd)" 'ublk-worker@a\\x2db.c_d.service' "unit of a-b.c_d"
defer "ublkctl remove --force a-b.c_d 2>/dev/null"
unit='ublk-worker@a\x2db.c_d.service'
systemctl -q is-active "$unit" || fail "$unit is not active"
worker=$(worker_of a_2db_2ec_5fd)
same "$(systemctl show -P MainPID "$unit")" "$worker" "main process of the unit"
cgroup=/sys/fs/cgroup$(systemctl show -P ControlGroup "$unit")
contains "$cgroup" "/system-ublk.slice/$unit" "cgroup"
same "$(<"$cgroup/cgroup.procs")" "$worker" "processes in the cgroup"
contains "$(ublkctl status a-b.c_d)" "Unit: $unit" "status"
(($(ps -o uid= -p "$worker") >= 1900000000)) || fail "the worker runs as $(ps -o uid= -p "$worker")"

# Neither the end nor the death of a manager reaches it.
systemctl restart ublkmgr
first=$(manager_pid)
kill -KILL "$first"
wait_gone "$first" 5
same "$(state_of a_2db_2ec_5fd)" live "state after a restart and a crash"
same "$(worker_of a_2db_2ec_5fd)" "$worker" "worker after a restart and a crash"
same "$(unit_of a_2db_2ec_5fd)" 'ublk-worker@a\\x2db.c_d.service' "unit after a restart and a crash"
if journalctl -q --no-pager --after-cursor="$cursor" -u ublkmgr | grep -i 'left-over\|unclean'; then
        fail "a process was left over in the manager's cgroup"
fi

# Its death is the end of the device, and of the unit.
node=$(readlink -f /dev/ublk/by-name/a-b.c_d)
kill -KILL "$worker"
wait_removed "$node" 10
same "$(state_of a_2db_2ec_5fd)" failed "state after the death"
same "$(property a_2db_2ec_5fd WorkerPID)$(unit_of a_2db_2ec_5fd)" 0 "worker after the death"
systemctl is-active -q "$unit" && fail "$unit is active without a worker"
same "$(systemctl list-units --all --plain --no-legend 'ublk-worker@*')" "" "units after the death"
ublkctl remove a-b.c_d

# The kernel notices a death within a second. A busy host may keep an emulated processor from it once, not three times.
fastest=1000000
for try in 1 2 3; do
        add quick --type=ram --size-bytes=4M
        worker=$(worker_of quick)
        since=$(now)
        kill -KILL "$worker"
        while [[ -e /sys/class/block/${node##*/} ]]; do :; done
        took=$(($(now) - since))
        echo "# the kernel has noticed a death after $took ms (try $try)"
        ((took >= fastest)) || fastest=$took
        wait_removed "$node" 10
        # Busy as long as it is cleaned up.
        until ublkctl remove quick 2>/dev/null; do :; done
        ((fastest > 1000)) || break
done
((fastest <= 1000)) || fail "the kernel has noticed no death within a second"
nothing_left "deaths"

# Strangers: root in a unit of its own while nobody is waited for, a unit that only looks like a worker's, and a user.
fds=("/proc/$(manager_pid)/fd"/*)
before=${#fds[@]}
cat >"$work/connect.py" <<'PYTHON'
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(20)
try:
    s.connect("/run/ublkmgr/worker.sock")
    print("answer:", s.recv(100))
except (PermissionError, ConnectionResetError) as e:
    print(type(e).__name__)
PYTHON
chmod 755 "$work" "$work/connect.py"
same "$(systemd-run -q --wait --pipe python3 "$work/connect.py")" "answer: b''" "root in another unit"
same "$(systemd-run -q --wait --pipe --unit=ublk-worker-x python3 "$work/connect.py")" "answer: b''" "a unit of a similar name"
same "$(python3 "$work/connect.py")" "answer: b''" "root in a session"
same "$(runuser -u alice -- python3 "$work/connect.py")" PermissionError "a user"
refused systemctl start ublk-worker@nobody
[[ $(journalctl -b -q --no-pager -t ublkmgr | grep -c 'not a worker that is waited for') -ge 3 ]] ||
        fail "what was refused is not in the log"
fds=("/proc/$(manager_pid)/fd"/*)
same ${#fds[@]} "$before" "descriptors of the manager after strangers"
nothing_left "strangers"

# A unit that can't be started, one whose program fails, and one that never connects.
systemctl -q mask --runtime ublk-worker@masked.service
defer 'systemctl -q unmask --runtime ublk-worker@masked.service'
since=$(now)
refused ublkctl add masked --type=ram --size-bytes=1M
one_line
contains "$said" "step start-worker" "masked"
contains "$said" "ublk-worker@masked.service is masked" "masked"
folder=/run/systemd/system/ublk-worker@broken.service.d
mkdir -p "$folder"
defer "rm -r '$folder'; systemctl daemon-reload"
printf '[Service]\nExecStart=\nExecStart=/bin/false\n' >"$folder/x.conf"
systemctl daemon-reload
refused ublkctl add broken --type=ram --size-bytes=1M
one_line
contains "$said" "result 'failed': see 'journalctl -u ublk-worker@broken.service'" "broken"
within "$since" 15000 "both have failed"
nothing_left "attaches that failed"
same "$(systemctl list-units --all --plain --no-legend 'ublk-worker@*')" "" "units after attaches that failed"

# What is left under the name of a new device is ended for it.
printf '[Service]\nType=exec\nExecStart=\nExecStart=sleep 1000\n' >"$folder/x.conf"
systemctl daemon-reload
systemctl start ublk-worker@broken.service
rm "$folder/x.conf"
systemctl daemon-reload
add broken --type=ram --size-bytes=1M
same "$(ps -o comm= -p "$(worker_of broken)")" ublk-worker "the worker of a device whose unit was running"

# To stop the unit is to kill the worker, in the time that the unit says. To stop a device is another thing.
since=$(now)
systemctl stop ublk-worker@broken.service
within "$since" 15000 "the unit has stopped"
wait_removed "$node" 10
same "$(state_of broken)" failed "state after its unit was stopped"
ublkctl remove broken
nothing_left "all"
