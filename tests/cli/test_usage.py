# SPDX-License-Identifier: LGPL-2.1-or-later

"""Help, version, wrong command lines, and what is said when there is no manager."""

import os
import re

import pytest

VERBS = ["list", "status", "sandbox", "add", "remove", "apply", "verify", "schema", "features"]


def one_line(text):
    assert text.startswith("ublkctl: ") and text.count("\n") == 1 and text.endswith("\n")
    return text


def test_help(ublkctl):
    r = ublkctl("--help")
    assert (r.returncode, r.stderr) == (0, "")
    assert [line for line in r.stdout.splitlines() if len(line) > 80] == []
    for verb in VERBS:
        assert re.search(rf"^  {verb}\b", r.stdout, re.M)
    assert ublkctl("-h").stdout == r.stdout
    assert ublkctl("-qh").stdout == r.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_verbs(ublkctl, verb):
    r = ublkctl(verb, "--help")
    assert (r.returncode, r.stderr) == (0, "")
    assert r.stdout.startswith(f"Usage: ublkctl {verb} ")
    assert [line for line in r.stdout.splitlines() if len(line) > 80] == []
    assert ("--force" in r.stdout) == (verb in ("remove", "apply"))
    assert ("--prune" in r.stdout) == (verb == "apply")
    assert ("--size-bytes=SIZE" in r.stdout) == (verb == "add")
    assert ublkctl("--help", verb).stdout == r.stdout


def test_version(ublkctl):
    r = ublkctl("--version")
    assert (r.returncode, r.stderr) == (0, "")
    assert re.fullmatch(r"ublkctl \d\S*\n", r.stdout)


@pytest.mark.parametrize("arguments, words", [
    (["lits"], ["'lits'", "'list'"]),
    (["rem", "x"], ["'rem'", "'remove'"]),
    (["frobnicate"], ["'frobnicate'"]),
    (["\x1b[31mx"], ["\\u001b"]),
    ([""], ["unknown verb"]),
    (["list", "--no-legnd"], ["'--no-legnd'", "'--no-legend'"]),
    (["--pruen"], ["'--pruen'", "'--prune'"]),
    (["add", "x", "--sizeBytes=1"], ["'--sizeBytes'", "'--size-bytes'"]),
    (["add", "x", "--size", "1"], ["'--size'", "'--size-bytes'"]),
    (["add", "x", "--pru"], ["'--pru'"]),
    (["list", "--zzzzzzzz"], ["'--zzzzzzzz'"]),
    (["-x"], ["'-x'"]),
    (["-qx"], ["'-qx'"]),
    (["list", "--prune"], ["'list'", "'--prune'"]),
    (["list", "--size-bytes=1"], ["'list'", "'--size-bytes'"]),
    (["status"], ["'status'", "NAME"]),
    (["remove"], ["'remove'", "NAME"]),
    (["add"], ["'add'", "NAME"]),
    (["add", "a", "b", "--type=ram"], ["'add'", "'b'"]),
    (["schema", "x"], ["'schema'", "'x'"]),
    (["--json=yaml"], ["--json=yaml", "pretty, short or off"]),
    (["--address"], ["'--address'"]),
    (["add", "x", "--type"], ["'--type'"]),
    (["list", "--quiet=yes"], ["'--quiet'"]),
    (["add", "a/b", "--type=ram"], ["'a/b'"]),
    (["apply", "--prune", "/dev/null"], ["--prune"]),
])
def test_wrong_command_lines(ublkctl, arguments, words):
    r = ublkctl(*arguments)
    assert (r.returncode, r.stdout) == (2, "")
    assert one_line(r.stderr).endswith("Try 'ublkctl --help'.\n")
    for word in words:
        assert word in r.stderr


def test_wrong_folders_for_prune(ublkctl, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    r = ublkctl("apply", "--prune", tmp_path / "a", tmp_path / "b")
    assert r.returncode == 2 and "exactly one folder" in one_line(r.stderr)


@pytest.mark.parametrize("arguments, lines", [
    (["--type=ram"], ["sizeBytes: missing"]),
    (["--size-bytes=1M"], ["type: missing"]),
    (["--type=floppy"], ['type: "floppy" is no type']),
    (["--type=ram", "--size-bytes=lots", "--queues=0", "--read-only=perhaps"],
     ['sizeBytes: "lots" is not a size', "queues: 0 is too small", 'readOnly: "perhaps"']),
    (["--type=ram", "--size-bytes=1M", "--queues=-1"], ["queues: -1 is too small"]),
    (["--type=ram", "--size-bytes=1M", "--queues=99999999999999999999999"],
     ["queues: 99999999999999999999999 is too large"]),
    (["--type=ram", "--size-bytes=1M", "--queues=4x"], ['queues: "4x" is not a whole number']),
    (["--type=ram", "--size-bytes=1M", "--path=/x/y"], ["path: a device of type"]),
    (["--type=ram", "--type=null", "--size-bytes=1M"], ["type: given twice"]),
    (["--type=loop", "--path=../nonexistent/x"], ["path: ../nonexistent/x: No such file"]),
    (["--type=loop", "--path="], ["path: "]),
])
def test_wrong_specs(ublkctl, arguments, lines):
    r = ublkctl("add", "x", *arguments)
    assert (r.returncode, r.stdout) == (2, "")
    assert len(r.stderr.splitlines()) == len(lines)
    for line, expected in zip(r.stderr.splitlines(), lines):
        assert line.startswith("ublkctl: " + expected)


def test_backings_that_are_none(ublkctl, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path, message in (("nothing", "No such file"), ("fifo", "neither a regular file nor"),
                          (".", "neither a regular file nor")):
        r = ublkctl("add", "x", "--type=loop", "--path=" + path, cwd=tmp_path)
        assert (r.returncode, r.stdout) == (1, "")
        assert message in one_line(r.stderr) and str(tmp_path) in r.stderr


CALLS = [[], ["list"], ["status", "x"], ["add", "x", "--type=ram", "--size-bytes=1M"],
         ["remove", "x"], ["features"]]


@pytest.mark.parametrize("arguments", CALLS)
@pytest.mark.parametrize("address", [None, "unix:path=/nonexistent"])
def test_no_bus(ublkctl, arguments, address):
    ublkctl.address = address
    r = ublkctl(*arguments)
    assert (r.returncode, r.stdout) == (1, "")
    assert "manager is not running" in one_line(r.stderr)
    assert "systemctl start ublkmgr" in r.stderr


@pytest.mark.parametrize("arguments", CALLS)
def test_no_manager(lonely, arguments):
    r = lonely(*arguments)
    assert (r.returncode, r.stdout) == (1, "")
    assert one_line(r.stderr) == (
        "ublkctl: the manager is not running: start it with 'systemctl start ublkmgr', "
        "and see 'systemctl status ublkmgr'\n")


def test_apply_without_manager(lonely, tmp_path):
    (tmp_path / "a.json").write_text("{}")
    r = lonely("apply", tmp_path)
    assert (r.returncode, r.stdout) == (1, "")
    assert "manager is not running" in one_line(r.stderr)


def test_result_that_can_not_be_written(ublkctl, binary):
    import subprocess
    with open("/dev/full", "w") as full:
        r = subprocess.run([binary, "schema"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert r.returncode == 1 and "No space left" in one_line(r.stderr)
