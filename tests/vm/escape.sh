#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The body of test-escape-*.sh: what a worker that has been taken over can do, which must be nothing. The attempts are in
# tests/sandbox. A line for each says how it failed; they are seen if the test fails and with run-all.sh -x.
#
# shellcheck shell=bash disable=SC2154

programs=/usr/libexec/ublkmgr/tests
# Disks lose their workers in the middle of I/O.
announce 'I/O error, dev ublkb'
defer 'rm -rf /run/ublk-escape'
# Hundreds of processes are killed by a filter, and the kernel would write a line about each to a slow console.
logged=$(sysctl -n kernel.seccomp.actions_logged)
defer "sysctl -q -w kernel.seccomp.actions_logged='$logged'"
sysctl -q -w kernel.seccomp.actions_logged=errno

# escape MODE TARGET: see tests/sandbox/escape-run.c.
escape() {
        "$programs/escape-run" "$programs/escape-worker" "$@" >"$work/out" 2>&1 ||
                fail "$*: $(grep -E -m 20 '^WRONG|^The attempts' "$work/out"; tail -n 1 "$work/out")"
        cat "$work/out"
}

# All layers; all but the filters of system calls; the same two before the worker knows what it serves; what the kernel's copy of the filter says.
escape_target() {
        escape try "$1"
        escape nofilter "$1"
        escape setup "$1"
        escape setupnofilter "$1"
        escape calls "$1"
}
