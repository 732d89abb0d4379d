# SPDX-License-Identifier: LGPL-2.1-or-later

"""verify: places of errors, exit status, folders. The rules themselves are tested in tests/unit."""

import json
import os
import pathlib
import re

import pytest

UNIT = pathlib.Path(__file__).parent.parent / "unit"
GOOD = '{"type": "ram", "sizeBytes": "64M"}\n'


def write(folder, **files):
    for name, text in files.items():
        (folder / (name + ".json")).write_text(text)


def test_good(ublkctl, tmp_path):
    write(tmp_path, a=GOOD, b=GOOD)
    r = ublkctl("verify", "b.json", "./a.json", cwd=tmp_path)
    assert (r.returncode, r.stdout, r.stderr) == (0, "b.json: ok\n./a.json: ok\n", "")
    r = ublkctl("verify", "--quiet", "a.json", cwd=tmp_path)
    assert (r.returncode, r.stdout, r.stderr) == (0, "", "")


def test_all_errors_of_all_files(ublkctl, tmp_path):
    write(tmp_path, a='{\n  "type": "ram",\n  "sizeBytes": "x",\n  "queues": 0\n}\n', b=GOOD,
          c='{"type": "ram", "sizeBytes": "64M", "colour": 1}\n')
    r = ublkctl("verify", "a.json", "b.json", "c.json", cwd=tmp_path)
    assert (r.returncode, r.stdout) == (1, "b.json: ok\n")
    lines = r.stderr.splitlines()
    assert len(lines) == 3
    assert re.match(r'a\.json:3:\d+: sizeBytes: "x" is not a size', lines[0])
    assert re.match(r"a\.json:4:\d+: queues: 0 is too small", lines[1])
    assert re.match(r"c\.json:1:\d+: colour: unknown key", lines[2])


def test_json(ublkctl, tmp_path):
    write(tmp_path, a='{"type": "ram", "sizeBytes": "x"}', b=GOOD)
    r = ublkctl("verify", "a.json", "b.json", "--json=short", cwd=tmp_path)
    assert r.returncode == 1 and r.stdout.count("\n") == 1
    a, b = json.loads(r.stdout)
    assert b == {"file": "b.json", "errors": []}
    assert a["file"] == "a.json" and len(a["errors"]) == 1
    error = a["errors"][0]
    assert (error["line"], error["key"], error["code"]) == (1, "sizeBytes", "invalid-value")


@pytest.mark.parametrize("name", ["disk.txt", ".json", "-a.json", "a b.json", "x" * 64 + ".json"])
def test_names(ublkctl, tmp_path, name):
    (tmp_path / name).write_text(GOOD)
    r = ublkctl("verify", tmp_path / name)
    assert (r.returncode, r.stdout) == (1, "")
    assert r.stderr.startswith(f"{tmp_path}/{name}: the file's name is not the name of a device")
    assert r.stderr.count("\n") == 1


def test_files_that_can_not_be_read(ublkctl, tmp_path):
    write(tmp_path, large=GOOD + " " * 65536)
    (tmp_path / "dangling.json").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo.json")
    r = ublkctl("verify", "large.json", "dangling.json", "fifo.json", "none.json", cwd=tmp_path)
    assert (r.returncode, r.stdout) == (1, "")
    assert r.stderr.splitlines() == [
        "large.json: the file is too large; the most is 64K",
        "dangling.json: No such file or directory",
        "fifo.json: not a regular file",
        "none.json: No such file or directory",
    ]


def test_folder(ublkctl, tmp_path):
    write(tmp_path, b=GOOD, a=GOOD, B=GOOD)
    for name in (".hidden.json", "a.json~", "a.json.bak", "#a.json#", ".a.json.swp", "README"):
        (tmp_path / name).write_text("nonsense")
    r = ublkctl("verify", tmp_path)
    assert (r.returncode, r.stderr) == (0, "")
    assert r.stdout == "".join(f"{tmp_path}/{n}.json: ok\n" for n in "Bab")
    assert ublkctl("verify", f"{tmp_path}/").stdout == r.stdout


def test_hostile_text(ublkctl, tmp_path):
    (tmp_path / "a.json").write_bytes(b'{"type": "\x1b[31mram\xff", "a\\u001b]0;x": 1}')
    r = ublkctl("verify", tmp_path / "a.json", text=False)
    assert r.returncode == 1
    assert b"\x1b" not in r.stderr and b"\xff" not in r.stderr


def corpus(name):
    return sorted((UNIT / name).glob("*.json"))


def test_corpora_are_there():
    assert corpus("broken-json") and corpus("good-json")


@pytest.mark.parametrize("path", corpus("broken-json"), ids=lambda p: p.name)
def test_broken(ublkctl, path):
    r = ublkctl("verify", path, text=False)
    assert (r.returncode, r.stdout) == (1, b"")
    for line in r.stderr.decode().splitlines():
        assert line.startswith(str(path) + ":")


@pytest.mark.parametrize("path", corpus("good-json"), ids=lambda p: p.name)
def test_not_broken(ublkctl, path):
    r = ublkctl("verify", path)
    assert (r.returncode, r.stdout, r.stderr) == (0, f"{path}: ok\n", "")
