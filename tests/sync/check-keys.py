#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The manual page of device files has the keys of the schema, and says of each what the schema says.

Usage: check-keys.py UBLKCTL man/ublk-device.5

The page is read as mdoc: in the section KEYS each `.It Ql KEY` is followed by the description as it stands in the field
table, a line `Default: …` where there is a default, and prose on type and bounds. The prose is only looked at for the word
Required and for how the key may change. Both directions count, as for ublkctl(1) in check-help.py.
"""

import json
import re
import subprocess
import sys

ESCAPES = {"\\(mu": "×", "\\-": "-", "\\&": "", "\\(dq": '"'}


def from_schema(program):
    """Key to (description, default); without a default, None."""
    text = subprocess.run([program, "schema"], check=True, text=True, stdout=subprocess.PIPE).stdout
    schema = json.loads(text)
    keys = {}
    for key, value in schema["properties"].items():
        if key.startswith("$"):
            continue
        doc, _, default = value["description"].partition(". Default: ")
        keys[key] = (doc, default.removesuffix(".") or None)
    required = {key for key in schema["required"]}
    for rule in schema["allOf"]:
        required |= set(rule["then"]["required"])
    return keys, required


def plain(line):
    for escape, character in ESCAPES.items():
        line = line.replace(escape, character)
    return line


def from_page(path):
    """Key to the lines below it."""
    with open(path, encoding="utf-8") as page:
        text = page.read()
    section = re.search(r"^\.Sh KEYS\n(.*?)^\.El$", text, re.M | re.S).group(1)
    keys = {}
    for item in re.split(r"^\.It Ql ", section, flags=re.M)[1:]:
        key, *lines = plain(item).splitlines()
        assert key not in keys, f"{path}: {key} stands there twice"
        keys[key] = lines
    return keys


def complaints(key, doc, default, required, lines):
    if lines[0] != doc + ".":
        yield f"{key}: is described as '{lines[0]}', not as '{doc}.'"
    defaults = [line.removeprefix("Default: ").removesuffix(".") for line in lines if line.startswith("Default: ")]
    if defaults != ([default] if default else []):
        yield f"{key}: has the default {defaults or 'none'}, not '{default}'"
    if required != any(re.search(r"\b[Rr]equired\b", line) for line in lines):
        yield f"{key}: is {'' if required else 'not '}required for some type"
    if not any(re.search(r"Change: (live|worker|recreate)\.$", line) for line in lines):
        yield f"{key}: does not say 'Change: live.', 'worker.' or 'recreate.'"


def main(program, path):
    schema, required = from_schema(program)
    page = from_page(path)
    assert schema and page, "no keys found"
    found = [f"{key}: is missing" for key in schema.keys() - page.keys()]
    found += [f"{key}: does not exist" for key in page.keys() - schema.keys()]
    for key, (doc, default) in schema.items():
        if key in page:
            found += complaints(key, doc, default, key in required, page[key])
    if not found and list(schema) != list(page):
        found.append("the keys stand in another order than in the schema")
    for line in sorted(found):
        print(f"{path}: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: check-keys.py UBLKCTL man/ublk-device.5")
    sys.exit(main(sys.argv[1], sys.argv[2]))
