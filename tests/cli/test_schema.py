# SPDX-License-Identifier: LGPL-2.1-or-later

"""The schema, as it is printed. What it accepts is a matter of lib/spec's tests."""

import json


def test_schema(ublkctl):
    r = ublkctl("schema")
    assert (r.returncode, r.stderr) == (0, "")
    schema = json.loads(r.stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    assert "sizeBytes" in schema["properties"]
    assert r.stdout.count("\n") > 10 and r.stdout.endswith("}\n")


def test_every_field_is_an_option(ublkctl):
    options = ublkctl("add", "--help").stdout
    for key in json.loads(ublkctl("schema").stdout)["properties"]:
        if key != "$schema":
            option = "".join("-" + c.lower() if c.isupper() else c for c in key)
            assert f"  --{option}" in options


def test_short(ublkctl):
    for option in ("-j", "--json=short", "--json"):
        r = ublkctl("schema", option)
        assert r.stdout.count("\n") == 1
        assert json.loads(r.stdout) == json.loads(ublkctl("schema").stdout)
