# SPDX-License-Identifier: LGPL-2.1-or-later

"""list, status, add, remove, features and errors, against a manager that notes what it is asked."""

import json
import os

import pytest


def test_list(manager):
    r = manager("list")
    assert (r.returncode, r.stderr) == (0, "")
    assert r.stdout == (
        "NAME   NODE        SIZE TYPE STATE\n"
        "disk9  /dev/ublkb0  64M loop live\n"
        "disk10 /dev/ublkb1   1G ram  live\n"
        "later  -           4608 null starting\n"
        "\n3 devices listed.\n")
    assert manager().stdout == r.stdout


def test_list_patterns(manager):
    r = manager("list", "--no-legend", "later", "disk1?")
    assert r.stdout == ("disk10 /dev/ublkb1   1G ram  live\n"
                        "later  -           4608 null starting\n")
    assert manager("list", "disk9").stdout.endswith("\n1 device listed.\n")
    r = manager("list", "nothing*")
    assert (r.returncode, r.stdout) == (0, "0 devices listed.\n")
    assert manager("list", "--no-legend", "nothing*").stdout == ""


def test_list_json(manager):
    r = manager("list", "-j")
    assert r.returncode == 0 and r.stdout.count("\n") == 1
    devices = json.loads(r.stdout)
    assert devices[0] == {"name": "disk9", "node": "/dev/ublkb0", "id": 0, "type": "loop",
                          "sizeBytes": 64 << 20, "state": "live",
                          "object": "/org/ublk/Manager1/device/disk9"}
    assert (devices[2]["node"], devices[2]["id"]) == (None, None)
    pretty = manager("list", "--json=pretty").stdout
    assert pretty.count("\n") > 10 and json.loads(pretty) == devices
    assert manager("list", "--json=off").stdout.startswith("NAME")
    (manager.folder / "empty").touch()
    assert manager("list", "--json=short").stdout == "[]\n"


def test_status(manager):
    r = manager("status", "disk9")
    assert (r.returncode, r.stderr) == (0, "")
    lines = r.stdout.splitlines()
    assert lines[0] == "disk9"
    for line in ("Node: /dev/ublkb0", "Size: 64M (67108864 bytes)", "Type: loop", "State: live",
                 "Read-only: yes", "Backing: /srv/disk.img", "Worker: PID 4711",
                 "Unit: ublk-worker@disk9.service",
                 "Origin: config:/etc/ublk/devices.d/disk9.json",
                 "Created: Tue 2023-11-14 22:13:20 UTC", "Features: USER_COPY",
                 "Spec: type=loop (file)", "sizeBytes=64M (file)", "queueDepth=64 (default)",
                 'x-note":{"a":[1,"two"]}}'):
        assert any(line in have for have in lines), line


def test_status_json(manager):
    r = manager("status", "disk9", "disk10", "--json=short")
    assert r.returncode == 0
    device, other = [json.loads(line) for line in r.stdout.splitlines()]
    assert other["name"] == "disk10"
    assert device == {
        "object": "/org/ublk/Manager1/device/disk9", "name": "disk9", "id": 0,
        "node": "/dev/ublkb0", "type": "loop", "sizeBytes": 64 << 20, "readOnly": True,
        "state": "live", "origin": "config:/etc/ublk/devices.d/disk9.json", "ownerUid": 0,
        "spec": {"type": "loop", "path": "/srv/disk.img", "sizeBytes": 67108864,
                 "x-note": {"a": [1, "two"]}},
        "features": ["USER_COPY"], "workerPid": 4711, "workerUnit": "ublk-worker@disk9.service", "creationUsec": 1700000000000000,
        "diskSeq": 12,
    }


def test_status_goes_on(manager):
    r = manager("status", "gone", "no/name", "disk9")
    assert r.returncode == 1
    assert r.stderr == ("ublkctl: gone: there is no device of this name\n"
                        "ublkctl: no/name: no device can have this name\n")
    assert "disk9\n" in r.stdout


def test_add_types(manager):
    r = manager("add", "scratch", "--type=ram", "--size-bytes", "64M", "--queues=2", "--read-only",
                "--description=für Tests", "--id=3")
    assert (r.returncode, r.stdout, r.stderr) == (0, "/dev/ublkb7\n", "")
    assert manager.calls() == [{
        "method": "AddDevice", "name": "scratch", "fds": {}, "options": {},
        "spec": {"type": ["s", "ram"], "sizeBytes": ["t", 64 << 20], "queues": ["t", 2],
                 "readOnly": ["b", True], "description": ["s", "für Tests"], "id": ["t", 3]},
    }]


@pytest.mark.parametrize("text, value", [("yes", True), ("true", True), ("1", True),
                                         ("no", False), ("false", False), ("0", False)])
def test_add_bool(manager, text, value):
    manager("add", "x", "--type=ram", "--size-bytes=4K", "--read-only=" + text)
    assert manager.calls()[0]["spec"]["readOnly"] == ["b", value]


def test_add_json(manager):
    r = manager("add", "scratch", "--type=ram", "--size-bytes=4K", "--json")
    assert r.stdout.count("\n") == 1
    assert json.loads(r.stdout) == {"name": "scratch", "node": "/dev/ublkb7",
                                    "object": "/org/ublk/Manager1/device/scratch"}
    assert manager("add", "x", "--type=ram", "--size-bytes=4K", "-q").stdout == ""


@pytest.mark.parametrize("path", ["disk.img", "./disk.img", "sub/../disk.img", "link/../disk.img",
                                  ".//sub/.././disk.img", "{}/disk.img"])
def test_add_backing(manager, tmp_path, path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to("sub")
    (tmp_path / "disk.img").write_bytes(bytes(4096))
    r = manager("add", "disk", "--type=loop", "--path=" + path.format(tmp_path), cwd=tmp_path)
    assert (r.returncode, r.stderr) == (0, "")
    call = manager.calls()[0]
    assert call["spec"] == {"type": ["s", "loop"], "path": ["s", str(tmp_path / "disk.img")]}
    assert call["fds"] == {"backing": {"inode": os.stat(tmp_path / "disk.img").st_ino,
                                       "access": os.O_RDWR, "nonblocking": False}}


def test_add_backing_read_only(manager, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "disk.img").write_bytes(bytes(4096))
    (tmp_path / "by-id").symlink_to("real/disk.img")
    r = manager("add", "disk", "--type=loop", "--path", tmp_path / "by-id", "--read-only")
    assert (r.returncode, r.stderr) == (0, "")
    call = manager.calls()[0]
    assert call["spec"]["path"] == ["s", str(tmp_path / "by-id")], "a link is the user's choice"
    assert call["fds"]["backing"]["access"] == os.O_RDONLY


def test_remove(manager):
    r = manager("remove", "disk9", "busy", "a b", "--", "disk10")
    assert (r.returncode, r.stdout) == (1, "")
    assert r.stderr == ("ublkctl: busy: mounted on /srv and\\u001b[31m elsewhere\n"
                        "ublkctl: a b: no device can have this name\n")
    assert [c["name"] for c in manager.calls()] == ["disk9", "busy", "disk10"]
    assert all(c["options"] == {} for c in manager.calls())


@pytest.mark.parametrize("option", ["-f", "--force", "-qf"])
def test_remove_force(manager, option):
    assert manager("remove", option, "disk9").returncode == 0
    assert manager.calls()[0]["options"] == {"force": ["b", True]}


def test_features(manager):
    r = manager("features")
    assert (r.returncode, r.stderr) == (0, "")
    assert [line.strip() for line in r.stdout.splitlines()] == [
        "Version: 0.1-fake", "Targets: null ram", "Kernel: USER_COPY UPDATE_SIZE"]
    assert json.loads(manager("features", "-j").stdout) == {
        "version": "0.1-fake", "targets": ["null", "ram"],
        "kernelFeatures": ["USER_COPY", "UPDATE_SIZE"]}


@pytest.mark.parametrize("name, words", [
    ("denied", ["denied: permission denied", "as root", "you are nobody"]),
    ("nokernel", ["no /dev/ublk-control", "modprobe ublk_drv"]),
    ("modprobe", ["no ublk: modprobe ublk_drv\n"]),
    ("masked", ["manager is not running", "systemctl status ublkmgr"]),
    ("spawn", ["manager is not running", "systemctl status ublkmgr"]),
    ("silent", ["silent: the manager doesn't answer", "systemctl status ublkmgr"]),
])
def test_errors(manager, name, words):
    for arguments in (["remove", name], ["status", name],
                      ["add", name, "--type=ram", "--size-bytes=4K"]):
        r = manager(*arguments)
        assert (r.returncode, r.stdout) == (1, "")
        assert r.stderr.count("\n") == 1 and r.stderr.startswith("ublkctl: ")
        for word in words:
            assert word in r.stderr
