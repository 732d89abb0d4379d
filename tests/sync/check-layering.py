#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may include whom.

The table of ARCHITECTURE.md, checked against every #include of the project. A folder includes itself and what
its row names; headers of libraries are allowed only where the row names them. A violation is visible in the
line, because all includes are written from the top.
"""

import pathlib
import re
import sys

# folder: (folders of the project, prefixes of library headers)
RULES = {
    "lib/base": (set(), set()),
    "lib/spec": ({"lib/base"}, {"cjson/"}),
    "lib/wire": ({"lib/base"}, set()),
    "lib/ublk": ({"lib/base"}, {"liburing.h", "systemd/sd-event.h"}),
    "worker": ({"lib/base", "lib/wire", "lib/ublk", "worker/targets", "worker/sandbox"}, {"liburing.h"}),
    "worker/sandbox": ({"lib/base"}, set()),
    "worker/targets": ({"lib/base"}, {"liburing.h"}),
    "partitions": ({"lib/base", "worker/sandbox"}, {"blkid/"}),
    "ublkmgr": ({"lib/base", "lib/spec", "lib/wire", "lib/ublk"}, {"systemd/", "liburing.h"}),
    "ublkctl": ({"lib/base", "lib/spec"}, {"systemd/"}),
}

# Finer than folders: what only these files may include, and what these may not.
ONLY = {
    "blkid/blkid.h": {"partitions/probe.c"},
    "cjson/cJSON.h": {"lib/spec/json.c", "lib/spec/plan-read.c", "lib/spec/record.c"},
    "lib/ublk/ctrl-fake.h": {"lib/ublk/ctrl-fake.c"},
}
NEVER = {
    "lib/ublk/queue.c": {"systemd/sd-event.h"},
    "lib/ublk/queue.h": {"systemd/sd-event.h"},
    "lib/ublk/abi.h": {"systemd/sd-event.h"},
    "lib/ublk/sqe.h": {"systemd/sd-event.h"},
}
# The worker sees the queue's side of lib/ublk, the manager the control side; a target sees its contract only.
WORKER_UBLK = {"lib/ublk/queue.h", "lib/ublk/abi.h"}
MANAGER_UBLK_NOT = {"lib/ublk/queue.h"}
LIBRARIES = ("cjson/", "systemd/", "liburing", "cmocka", "seccomp", "blkid")

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def violations(path, name, folder):
    own, libraries = RULES[folder]
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, target = match.groups()
        where = f"{name}:{number}: "
        if kind == '"' and "/" not in target:
            yield where + f'"{target}" is not written from the top'
        elif kind == '"':
            to = str(pathlib.PurePosixPath(target).parent)
            if to != folder and to not in own:
                yield where + f"{folder} must not include {to}"
            if folder.startswith("worker") and to == "lib/ublk" and target not in WORKER_UBLK:
                yield where + "the worker may see the queue's side of lib/ublk only"
            if folder == "ublkmgr" and target in MANAGER_UBLK_NOT:
                yield where + "the manager never touches device data"
        elif target.startswith(LIBRARIES) and not any(target.startswith(l) for l in libraries):
            yield where + f"{folder} must not use <{target}>"
        if target in ONLY and name not in ONLY[target]:
            yield where + f"only {', '.join(sorted(ONLY[target]))} may include {target}"
        if target in NEVER.get(name, ()):
            yield where + f"must not include {target}: the worker links this"


def main():
    root = pathlib.Path(sys.argv[1])
    found = []
    seen = 0
    for top in ("lib", "worker", "ublkmgr", "ublkctl", "partitions", "generator"):
        for path in sorted((root / top).rglob("*.[ch]")):
            name = path.relative_to(root).as_posix()
            folder = str(pathlib.PurePosixPath(name).parent)
            if folder not in RULES:
                found.append(f"{name}: the folder {folder} has no row in the layering table")
                continue
            seen += 1
            found += violations(path, name, folder)
    print("\n".join(found))
    if seen < 40:
        sys.exit(f"only {seen} files found: this check looks in the wrong place")
    sys.exit(1 if found else 0)


main()
