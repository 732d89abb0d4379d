# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What every script here needs: where the checkout is, how to talk to the user, and how to make a cached file.
#
# A cached file is made under a temporary name and renamed, so that a build which is interrupted, or which runs beside
# another one, never leaves half a file under the final name.
#
# shellcheck shell=bash

# The top of the checkout; UBLK_VM_CACHE lets several work trees share one cache.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034  # used by the files that source this one
vm_cache=${UBLK_VM_CACHE:-$top/build/vm}

# To stderr: stdout belongs to what runs in the machine.
say() { printf 'vm: %s\n' "$*" >&2; }

# die [EXIT-CODE] MESSAGE
die() {
        local code=125
        if [[ ${1:-} =~ ^[0-9]+$ ]]; then code=$1; shift; fi
        say "$*"
        exit "$code"
}

# hash_of [FILE...] <TEXT: a short name for the text on stdin and the contents of the files together.
hash_of() {
        { cat; if (($# > 0)); then cat -- "$@"; fi; } | sha256sum | cut -c 1-16
}

# with_lock FILE COMMAND...: in a subshell, so that nothing started later (a machine that runs for hours) inherits the lock.
with_lock() {
        local file=$1
        shift
        (
                exec 9>"$file"
                if ! flock -n 9; then
                        say "waiting for another build of the cache"
                        flock 9
                fi
                "$@" 9>&-
        )
}

# log_to FILE COMMAND...: quiet when all is well, the end of the log when not.
log_to() {
        local log=$1
        shift
        # In a subshell: a function that gives up (die) must not take its message with it into the log.
        if ! ("$@") >"$log" 2>&1; then
                tail -n 25 "$log" >&2
                say "failed: $1 (all of its output: $log)"
                return 1
        fi
}
