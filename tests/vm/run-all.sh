#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs in the virtual machine: the tests of this folder one after the other, or those that are named (files-survive-ext4),
# each with a time limit. Around each it checks what none of them may leave behind: devices, workers, files, file
# descriptors of the manager, reports of the sanitizers and of the kernel. Of what a test says, lines that begin with "# " are
# shown even if it passes. The last line is "N passed, M failed".
#
#     scripts/vm run --kernel=new --install=DESTDIR --payload=tests/vm tests/vm/run-all.sh [-x] [NAME...]

set -uo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

limit=300
state=/run/ublk-test
kernel_trouble='Oops|BUG|WARNING|hung task|blocked for more than|KFENCE|UBSAN|I/O error|critical .* error|EXT4-fs (error|warning)'
kernel_trouble+='|XFS .*(rror|hut|orrupt)|lost async page write|segfault|general protection|traps: '
sanitizer_trouble='AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error|SUMMARY: '

# shellcheck source=lib.sh
leftovers() (
        source ./lib.sh
        trap - EXIT ERR
        set +e
        leftovers
)

manager_fds() {
        local fds=("/proc/$(pgrep -o -x ublkmgr)/fd"/*)
        echo ${#fds[@]}
}

# Everything that a test may have left, one line each. The journal is followed by a process of its own, so that what is
# written late counts for the next test or for the end, but counts.
look_around() {
        local found=
        # Any client starts the manager if a test has stopped it.
        found=$(busctl call org.ublk.Manager1 /org/ublk/Manager1 org.ublk.Manager1 ListDevices 2>&1)
        [[ $found == 'a(sosuts) 0' ]] || echo "devices: $found"
        leftovers
        found=$(grep ' /var/tmp/ublk-test' /proc/self/mountinfo) && echo "mounts: $found"
        found=$(ls /dev/mapper)
        [[ $found == control ]] || echo "dm devices: $found"
        found=$(manager_fds)
        [[ ${fds_before:-$found} == "$found" ]] ||
                echo "the manager has $found file descriptors, not $fds_before: $(ls -l "/proc/$(pgrep -o -x ublkmgr)/fd")"
        dmesg --read-clear >"$state.dmesg"
        found=$(grep -E "$kernel_trouble" "$state.dmesg" | grep -v -E -f "$state.announced") && echo "kernel: $found"
        found=$(tail -n "+$((journal_seen + 1))" "$state.journal" | grep -E -A 20 "$sanitizer_trouble") &&
                echo "sanitizers: $found"
        return 0
}

# After a failed test: so that the next one starts with a clean machine.
tidy() {
        local name
        exec 2>/dev/null
        systemctl unset-environment UBLKMGR_FAIL_STEP
        findmnt -rn -o TARGET | grep ^/var/tmp/ublk-test | sort -r | xargs -r umount -l
        timeout 60 ublkctl list --json=short | jq -r '.[].name' | xargs -r timeout 60 ublkctl remove --force
        dmsetup remove_all
        pkill -KILL -x ublk-worker
        modprobe -q ublk_drv
        if [[ -n $(compgen -G '/sys/class/ublk-char/*') ]]; then
                systemctl stop ublkmgr
                modprobe -r ublk_drv
                modprobe ublk_drv
                rm -f /run/ublkmgr/udev/*
        fi
        systemctl restart ublkmgr
        rm -rf /var/tmp/ublk-test
}

# -x: what each command of a test takes, to find what is slow.
shell=(bash)
if [[ ${1:-} == -x ]]; then
        shift
        shell=(bash -x)
fi
if (($# == 0)); then
        set -- test-*.sh
fi

uname -r
modprobe -a dm-mod dm-flakey
modprobe null_blk nr_devices=0
python3 -c "import random, sys; sys.stdout.buffer.write(random.Random(1).randbytes(25 << 20))" >"$state.pool"
# As children of the manager, workers and ublk-partitions have no more rights than its unit leaves them, and these are few. Looking
# for leaks needs ptrace, which the units forbid.
mkdir -p /etc/ublk /run/systemd/system/{ublkmgr,ublk-worker@,ublk-partitions@}.service.d
echo '{ "spawner": "exec" }' >/etc/ublk/ublkmgr.conf
printf '[Service]\nCapabilityBoundingSet=~\nRestrictNamespaces=no\nSystemCallFilter=\nProtectKernelTunables=no\n' \
        >/run/systemd/system/ublkmgr.service.d/90-exec.conf
for unit in ublkmgr ublk-worker@ ublk-partitions@; do
        printf '[Service]\nSystemCallFilter=ptrace\n' >/run/systemd/system/$unit.service.d/50-sanitizers.conf
done
systemctl daemon-reload
systemctl restart ublkmgr
journalctl --quiet --no-pager -o cat -f -n all -t ublkmgr -t ublk-worker -t ublk-partitions >"$state.journal" &
journal=$!
journal_seen=0
echo '^$' >"$state.announced"
dmesg --clear
trouble=$(look_around)
if [[ -n $trouble ]]; then
        printf 'The machine is not clean before the first test:\n%s\n' "$trouble"
fi
fds_before=$(manager_fds)

passed=0 failed=0 begin=$SECONDS
for name in "$@"; do
        name=${name##*/}
        name=${name#test-}
        name=${name%.sh}
        start=${EPOCHREALTIME/./}
        echo '^$' >"$state.announced"
        journal_seen=$(wc -l <"$state.journal")
        code=0
        timeout -k 10 "$limit" "${shell[@]}" "./test-$name.sh" >"$state.out" 2>&1 </dev/null || code=$?
        took=$(((${EPOCHREALTIME/./} - start) / 100000))
        trouble=$(look_around)
        took="$((took / 10)).$((took % 10)) s"
        [[ ${#shell[@]} == 1 ]] || cat "$state.out"
        if ((code == 0)) && [[ -z $trouble ]]; then
                echo "ok $name ($took)"
                sed -n 's/^# /    /p' "$state.out"
                passed=$((passed + 1))
                continue
        fi
        echo "not ok $name ($took)"
        failed=$((failed + 1))
        {
                ((code != 124)) || echo "no end after $limit s"
                uniq "$state.out" | tail -n 250
                printf '%s\n' "$trouble"
                echo "--- journal of the manager"
                tail -n "+$((journal_seen + 1))" "$state.journal" | tail -n 15
                echo "--- kernel"
                tail -n 8 "$state.dmesg"
        } | sed 's/^/    /'
        (tidy)
        look_around >/dev/null
done
# Leaks of the manager are reported when it ends; this looks at all that was ever written.
systemctl stop ublkmgr
journalctl --sync
kill "$journal"
if journalctl --quiet --no-pager -o cat -t ublkmgr -t ublk-worker -t ublk-partitions | grep -E -A 20 "$sanitizer_trouble"; then
        echo "not ok sanitizers at the end of the manager"
        failed=$((failed + 1))
fi
echo "all in $((SECONDS - begin)) s"
echo "$passed passed, $failed failed"
((failed == 0))
