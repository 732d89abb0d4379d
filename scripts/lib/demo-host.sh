# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The demonstration on this machine, without installing ublkmgr: a bus and a manager of our own, with all that they keep in
# one folder in /run. The only thing outside of it are two udev rules in /run/udev/rules.d, because only udev can make
# /dev/ublk/by-name. A manager that is installed here, its devices and its rules are left alone.
#
# Variables of scripts/demo: demo_folder (scripts/), demo_files (the images). Functions: say, die.
# shellcheck shell=bash disable=SC2154

demo_host_run='' demo_host_disk='' demo_host_pids=()

# demo_host_check: before anything is installed or built, whether it can work at all.
demo_host_check() {
        local name
        ((EUID == 0)) || die 1 '--host makes block devices on this machine: run it as root'
        [[ -S /run/udev/control ]] || die 1 'udev does not run here (in a container?); without --host this needs no udev'
        modprobe -q ublk_drv 2>/dev/null || true
        [[ -c /dev/ublk-control ]] ||
                die 1 "the kernel $(uname -r) has no ublk driver (ublk_drv, from Linux 6.12 on); without --host this needs none"
        for name in archive docs measure scratch by-hand; do
                [[ ! -e /dev/ublk/by-name/$name ]] || die 1 "this machine has a ublk device named '$name' already"
        done
}

# At the end, also when the script is interrupted: it may have ended anywhere.
demo_host_clean_up() {
        local pid name
        set +e
        if [[ -n $demo_host_disk ]]; then
                for name in docs archive scratch; do
                        mountpoint -q "$demo_host_disk/mnt/$name" && umount "$demo_host_disk/mnt/$name"
                done
        fi
        if ((${#demo_host_pids[@]} > 0)); then
                ublkctl list --json=short 2>/dev/null | grep -o '"name":"[^"]*"' | cut -d '"' -f 4 |
                        xargs -r ublkctl remove --force
                # The manager first, then its bus.
                for pid in "${demo_host_pids[@]}"; do
                        kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
                done
        fi
        if [[ -n $demo_host_run ]]; then
                rm -f -- /run/udev/rules.d/{59-ublk-demo-identity,61-ublk-demo}.rules
                rmdir --ignore-fail-on-non-empty /run/udev/rules.d
                udevadm control --reload
                rm -rf -- "$demo_host_run"
        fi
        [[ -z $demo_host_disk ]] || rm -rf --one-file-system -- "$demo_host_disk"
}

# demo_host_wait WHAT COMMAND...: up to ten seconds.
demo_host_wait() {
        local what=$1 i
        shift
        for ((i = 0; i < 100; i++)); do
                if "$@" >/dev/null 2>&1; then return 0; fi
                sleep 0.1
        done
        die 1 "$what did not start; its messages: $(tail -n 5 "$demo_host_run/log")"
}

demo_host_start_bus() {
        # Like the system's, but for root alone and without a policy for each name.
        cat >"$demo_host_run/bus.conf" <<CONF
<busconfig>
  <listen>unix:path=$demo_host_run/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <deny user="*"/>
    <allow user="root"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
CONF
        # A session of its own, here and below: a Ctrl-c is for the demonstration, and cleaning up needs both.
        setsid dbus-daemon --config-file="$demo_host_run/bus.conf" --nofork --nopidfile >>"$demo_host_run/log" 2>&1 &
        demo_host_pids=("$!")
        # Not only for ublkctl: busctl and the manager read it, too.
        export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$demo_host_run/bus
        demo_host_wait 'the private bus' busctl list
}

# demo_host_start_manager ROOT
demo_host_start_manager() {
        setsid "$1/usr/libexec/ublkmgr/ublkmgr" --folder="$demo_host_run/manager" \
                --worker="$1/usr/libexec/ublkmgr/ublk-worker" >>"$demo_host_run/log" 2>&1 &
        demo_host_pids=("$!" "${demo_host_pids[@]}")
        demo_host_wait 'the manager' ublkctl list
}

# Under names of their own, so that they stand beside those of an installed ublkmgr.
# demo_host_add_rules ROOT
demo_host_add_rules() {
        local rule
        say 'adding two rules to /run/udev/rules.d until the end of the demonstration'
        mkdir -p /run/udev/rules.d
        for rule in 59-ublk-identity:59-ublk-demo-identity 61-ublk:61-ublk-demo; do
                sed "s,/run/ublkmgr/udev,$demo_host_run/manager/udev," "$1/usr/lib/udev/rules.d/${rule%:*}.rules" \
                        >"/run/udev/rules.d/${rule#*:}.rules"
        done
        udevadm control --reload
}

# demo_host ROOT: what DESTDIR holds.
demo_host() {
        local root=$1 file
        export PATH=$root/usr/bin:$PATH
        demo_host_run=$(mktemp -d /run/ublk-demo.XXXXXX)
        demo_host_disk=$(mktemp -d "$demo_files/../demo-host.XXXXXX")
        demo_host_disk=$(realpath -- "$demo_host_disk")
        chmod 755 "$demo_host_run"

        mkdir "$demo_host_disk/devices.d"
        for file in "$root"/etc/ublk/devices.d/*.json; do
                sed "s,/srv/ublk/,$demo_host_disk/images/," "$file" >"$demo_host_disk/devices.d/${file##*/}"
        done
        demo_host_add_rules "$root"
        demo_host_start_bus
        demo_host_start_manager "$root"
        "$demo_folder/demo-guest.sh" "$demo_files" "$demo_host_disk/images" "$demo_host_disk/devices.d" "$demo_host_disk/mnt"
}
