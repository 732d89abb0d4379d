#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/sandbox.md has the number of system calls that each class of workers may make; test-calls knows it.

    check-calls.py TEST_CALLS SANDBOX_MD
"""

import re
import subprocess
import sys


def main():
    program, page = sys.argv[1:]
    output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    real = re.findall(r"^# a (file|memory|network) worker may make (\d+) system calls", output, re.MULTILINE)
    with open(page, encoding="utf-8") as file:
        rows = re.findall(r"^\| \**(file|memory|network) worker[^|]*\| \**(\d+)\**:", file.read(), re.MULTILINE)
    if len(real) != 3 or dict(real) != dict(rows):
        sys.exit(f"{page}: {dict(rows)} is written, {dict(real)} is true")


main()
