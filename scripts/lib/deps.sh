# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Installs what a script needs and is not there. Nothing happens, and no network is used, when everything is there: that is
# the normal case, and it must cost nothing.
#
# shellcheck shell=bash

# shellcheck source=scripts/lib/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=scripts/lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

# The packages of the groups that are not installed, one a line.
deps_missing() {
        local group list
        local -a wanted=()
        for group; do
                declare -p "packages_$group" >/dev/null 2>&1 || die "no package group named '$group'"
                local -n list="packages_$group"
                wanted+=("${list[@]}")
                unset -n list
        done
        # dpkg-query fails for names that it has never heard of; those are missing, too.
        comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
                <({ dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${wanted[@]}" 2>/dev/null || true; } |
                        awk '$1 == "ii" { print $2 }' | sort -u)
}

# deps_install GROUP...
deps_install() {
        local missing
        local -a list
        missing=$(deps_missing "$@")
        [[ -n $missing ]] || return 0
        mapfile -t list <<<"$missing"

        if ((EUID != 0)); then
                die "packages are missing and only root can install them; run:" \
                        "sudo apt-get install --no-install-recommends ${list[*]}"
        fi
        say "installing ${list[*]}"
        # The lock time-out: another apt may be at work, and that is no error.
        local -a apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600)
        local log
        log=$(mktemp)
        log_to "$log" "${apt[@]}" update || die "apt-get update failed: is there a network?"
        log_to "$log" "${apt[@]}" install -y --no-install-recommends "${list[@]}" ||
                die "apt-get could not install: ${list[*]}"
        rm -f -- "$log"
}
