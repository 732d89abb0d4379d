#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How exposed the units are, by the measure of `systemd-analyze security`: no more than was reached.

Usage: check-units.py UNIT...

The score is ten times what systemd prints (22 is "2.2"); less is better. What keeps a unit from a lower one is in the comments of
the unit and in docs/decisions/0004-where-worker-units-stand.md. All of it is printed, so that a change shows what it cost.
"""

import pathlib
import subprocess
import sys

SCORE_MAX = {
    "ublkmgr.service": 20,
    "ublk-partitions@.service": 26,
    "ublk-worker@.service": 19,
}


def main():
    units = {pathlib.Path(p).name: p for p in sys.argv[1:]}
    if set(units) != set(SCORE_MAX):
        sys.exit(f"expected the units {sorted(SCORE_MAX)}, got {sorted(units)}")
    wrong = 0
    for name, path in units.items():
        run = subprocess.run(["systemd-analyze", "security", "--no-pager", "--offline=true",
                              f"--threshold={SCORE_MAX[name]}", path], capture_output=True, text=True)
        lines = [line.rstrip() for line in run.stdout.splitlines()]
        print("\n".join(line for line in lines if "Overall" in line or line.startswith("✗")), run.stderr)
        if run.returncode != 0:
            print(f"{name}: above {SCORE_MAX[name] / 10}")
            wrong += 1
    sys.exit(wrong)


main()
