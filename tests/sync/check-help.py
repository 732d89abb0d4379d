#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The manual page and --help name the same verbs and options.

Usage: check-help.py UBLKCTL man/ublkctl.1

The page is read as mdoc: verbs stand in `.It Cm`, options in `.It Fl`. Both directions count, so that
neither something new goes undocumented nor something old stays in the page.
"""

import re
import subprocess
import sys


def from_help(program):
    """Verbs and options of the program's help, and of that of each of its verbs."""
    def run(*arguments):
        return subprocess.run([program, *arguments], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    text = run("--help")
    section = re.search(r"^Verbs:\n((?:  .*\n)+)", text, re.M).group(1)
    verbs = set(re.findall(r"^  (\w[\w-]*)", section, re.M))
    options = set()
    for page in [text] + [run(verb, "--help") for verb in verbs]:
        for line in re.findall(r"^  (-.*)", page, re.M):
            terms = re.split(r"\s{2,}", line)[0]
            options |= set(re.findall(r"(?:^| )(--?[A-Za-z][\w-]*)", terms))
    return verbs, options


def from_page(path):
    verbs, options = set(), set()
    with open(path, encoding="utf-8") as page:
        for line in page:
            line = line.replace("\\-", "-").rstrip()
            verb = re.match(r"\.It Cm (\S+)", line)
            if verb:
                verbs.add(verb.group(1))
            elif line.startswith(".It Fl "):
                words = re.match(r"\.It Fl (\S+)(?: , (\S+))?", line)
                options |= {"-" + word for word in words.groups() if word}
    return verbs, options


def main(program, path):
    wrong = 0
    for what, here, there in zip(("verb", "option"), from_help(program), from_page(path)):
        assert here and there, f"no {what}s found"
        for name in sorted(here - there):
            print(f"{path}: {what} {name} of --help is missing", file=sys.stderr)
            wrong += 1
        for name in sorted(there - here):
            print(f"{path}: {what} {name} doesn't exist", file=sys.stderr)
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: check-help.py UBLKCTL man/ublkctl.1")
    sys.exit(main(sys.argv[1], sys.argv[2]))
