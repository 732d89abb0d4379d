#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which libraries each program links, exactly.

A library that creeps into the worker is attack surface in the process that reads what strangers wrote, so the
list is part of the design. Sanitizer runtimes are there in builds for tests only.
"""

import pathlib
import re
import subprocess
import sys

COMMON = {"libc.so.6"}
EXPECTED = {
    "ublkmgr": COMMON | {"libsystemd.so.0", "liburing.so.2", "libcjson.so.1"},
    "ublk-worker": COMMON | {"liburing.so.2"},
    "ublk-partitions": COMMON | {"libblkid.so.1"},
    "ublkctl": COMMON | {"libsystemd.so.0", "libcjson.so.1"},
}
RUNTIME = re.compile(r"^(lib[alut]san\.so|libubsan\.so|libclang_rt|libm\.so|libgcc_s\.so|librt\.so|libdl\.so"
                     r"|libpthread\.so|libresolv\.so|ld-linux)")


def needed(program):
    out = subprocess.run(["readelf", "-d", program], check=True, capture_output=True, text=True).stdout
    names = re.findall(r"\(NEEDED\).*\[(.+)\]", out)
    if not names:
        sys.exit(f"{program}: no libraries at all, readelf said:\n{out}")
    sanitized = any(RUNTIME.match(n) and "san" in n for n in names)
    return {n for n in names if not (RUNTIME.match(n) and (sanitized or n.startswith("ld-linux")))}


def main():
    wrong = False
    programs = {pathlib.Path(p).name: p for p in sys.argv[1:]}
    if set(programs) != set(EXPECTED):
        sys.exit(f"expected the programs {sorted(EXPECTED)}, got {sorted(programs)}")
    for name, program in programs.items():
        names = needed(program)
        for library in sorted(names ^ EXPECTED[name]):
            wrong = True
            what = "must not be linked" if library in names else "is expected and not linked"
            print(f"{name}: {library} {what}")
    sys.exit(wrong)


main()
