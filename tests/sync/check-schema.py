#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds the JSON Schema to the parser.

    check-schema.py SCHEMA [SOURCE_DIR]

Every device file that the parser accepts (tests/unit/good-json, examples) must be valid, and every one
that it refuses (tests/unit/broken-json) must be invalid, except for what a schema has no words for.
Those exceptions are listed by name below; one that turns out to be caught after all is an error too,
so that the list stays true.
"""

import json
import os
import sys
from pathlib import Path

import jsonschema

# Broken files that a schema can't tell from good ones, by the reason.
EXCEPTIONS = {
    "syntax": {  # a matter of the bytes: JSON readers of other languages let these pass
        "lone-high-surrogate", "lone-low-surrogate", "too-deep", "too-large",
    },
    "duplicate-key": {  # readers keep one of the two and don't tell
        "duplicate", "duplicate-escaped", "duplicate-nested",
    },
    "out-of-range": {  # a size as a string has no bounds, a length counts characters instead of bytes
        "size-small", "size-over-2-63", "size-over-2-64", "max-io-large", "block-large",
        "description-long",
    },
    "invalid-value": {  # relations between two values
        "window-too-large", "physical-below-logical", "size-not-of-blocks", "offset-not-of-blocks",
        "buffers", "buffers-by-default",
    },
}


def refused_by(path, validator):
    """Why the file is refused before or by the schema; None when it isn't."""
    try:
        document = json.loads(path.read_bytes().decode("utf-8"))
    except ValueError as error:
        return f"no JSON: {error}"
    error = next(validator.iter_errors(document), None)
    return error.message if error else None


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    source = Path(sys.argv[2] if len(sys.argv) > 2 else os.environ.get("UBLK_SOURCE_DIR", "."))
    schema = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = []

    good = sorted(source.glob("tests/unit/good-json/*.json"))
    examples = sorted(source.glob("examples/devices.d/*.json"))
    broken = sorted(source.glob("tests/unit/broken-json/*.json"))
    for path in good + examples:
        reason = refused_by(path, validator)
        if reason:
            wrong.append(f"{path}: should be valid: {reason}")

    excepted = {name for names in EXCEPTIONS.values() for name in names}
    seen = set()
    for path in broken:
        name = path.stem.split("-", 1)[1]
        seen.add(name)
        reason = refused_by(path, validator)
        if not reason and name not in excepted:
            wrong.append(f"{path}: should be invalid; if a schema can't say why, add it to EXCEPTIONS")
        if reason and name in excepted:
            wrong.append(f"{path}: is refused, so it is no exception: {reason}")
    wrong += [f"EXCEPTIONS: there is no broken-json/*-{name}.json" for name in sorted(excepted - seen)]

    if not good or not broken:
        wrong.append(f"{source}: no device files there")
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{len(good)} good, {len(examples)} examples, {len(broken)} broken: {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
