#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a reviewer should not have to say: SPDX lines, opening paragraphs, file lengths, formatting."""

import pathlib
import re
import shutil
import subprocess
import sys

LINES_MAX = 600
SPDX = "SPDX-License-Identifier: LGPL-2.1-or-later"
CODE = {".c", ".h"}
SCRIPTS = {".py", ".sh", ".rules", ".in", ".conf", ".service", ".build", ".1", ".8", ".5"}
NO_SPDX = re.compile(r"^(tests/(unit/(broken|good)-json|fuzz/corpus)/|dbus/.*\.xml$)")


def tracked(root):
    if (root / ".git").exists():
        out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, check=True,
                             capture_output=True, text=True).stdout
        return [root / name for name in out.splitlines() if (root / name).is_file()]
    return [p for p in root.rglob("*") if p.is_file() and "build" not in p.relative_to(root).parts]


def is_script(path, text):
    return path.suffix in SCRIPTS or path.name == "meson.build" or text.startswith("#!")


def check(name, path):
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return
    lines = text.splitlines()
    if path.suffix in CODE or is_script(path, text):
        if not NO_SPDX.match(name) and not any(SPDX in line for line in lines[:4]):
            yield f"{name}: no line '{SPDX}' at its beginning"
        if len(lines) > LINES_MAX:
            yield f"{name}: {len(lines)} lines are more than {LINES_MAX}"
    if path.suffix in CODE and "/*" not in "\n".join(lines[1:6]):
        yield f"{name}: no opening paragraph that says what it is for"
    for number, line in enumerate(lines, 1):
        if path.suffix in CODE and "\t" in line:
            yield f"{name}:{number}: a tab"


def main():
    root = pathlib.Path(sys.argv[1])
    files = [(p.relative_to(root).as_posix(), p) for p in tracked(root)]
    found = [problem for name, path in files for problem in check(name, path)]
    code = [name for name, path in files if path.suffix in CODE]
    if len(code) < 50:
        sys.exit(f"only {len(code)} source files found: this check looks in the wrong place")
    if not shutil.which("clang-format"):
        sys.exit("clang-format is missing")
    run = subprocess.run(["clang-format", "--dry-run", "--Werror", *code], cwd=root, capture_output=True, text=True)
    found += [line for line in run.stderr.splitlines() if "error:" in line]
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()
