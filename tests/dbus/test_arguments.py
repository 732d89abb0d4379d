# SPDX-License-Identifier: LGPL-2.1-or-later

"""What a caller can get wrong in a call, and which error, in which words, it gets for that. Nothing may be
left of such a call (the fixture looks).
"""

import os
import random
import socket

import pytest
from gi.repository import GLib

from harness import MIB, BusError, asv

NO_FDS = GLib.Variant("a{sh}", {})
RAM = {"type": "ram", "sizeBytes": MIB}


def refused(manager, *arguments, method="AddDevice", fds=()):
    with pytest.raises(BusError) as e:
        manager.call(method, *arguments, fds=fds)
    return e.value


def refused_spec(manager, spec):
    error = refused(manager, "a", asv(spec), NO_FDS, asv({}))
    assert error.name == "InvalidSpec"
    return error.text


@pytest.mark.parametrize("name", ["", ".a", "-a", "_a", "a b", "a/b", "../a", "a\n", "ä", "a" * 64, "a\u202e", "%s%n"])
def test_bad_name(manager, name):
    error = refused(manager, name, asv(RAM), NO_FDS, asv({}))
    assert error.name == "InvalidName" and "63" in error.text


@pytest.mark.parametrize("name", ["0", "a" * 63, "A.b-c_d"])
def test_good_name(manager, name):
    manager.add(name)
    assert list(manager.devices()) == [name]


def test_name_taken(manager):
    manager.add("a")
    error = refused(manager, "a", asv(RAM), NO_FDS, asv({}))
    assert error.name == "DeviceExists" and "'a'" in error.text and "remove it first" in error.text
    assert manager.state("a") == "live"


def test_unknown_key(manager):
    text = refused_spec(manager, dict(RAM, sizeByte=1))
    assert text.startswith("sizeByte: ") and "sizeBytes" in text


def test_all_errors_at_once(manager):
    lines = refused_spec(manager, {"type": "ram", "sizeBytes": 5, "queues": 0, "nonsense": 1}).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["sizeBytes", "queues", "nonsense"]


@pytest.mark.parametrize("missing", ["type", "sizeBytes"])
def test_missing_key(manager, missing):
    assert missing in refused_spec(manager, {k: v for k, v in RAM.items() if k != missing})


@pytest.mark.parametrize("key, value", [("queues", 1), ("x-a", 1), ("x-a", "\""), ("type", "ram")])
def test_key_given_twice(manager, key, value):
    pairs = [(k, v) for k, v in RAM.items() if k != key] + [(key, value), ("x-other", ','), (key, value)]
    assert refused_spec(manager, pairs).startswith(key + ": ")


WRONG = {
    "y": GLib.Variant("y", 1), "n": GLib.Variant("n", -1), "q": GLib.Variant("q", 1), "i": GLib.Variant("i", -1),
    "u": GLib.Variant("u", 1), "x": GLib.Variant("x", -1), "t": GLib.Variant("t", (1 << 64) - 1),
    "d": GLib.Variant("d", 1.0), "b": GLib.Variant("b", True), "s": GLib.Variant("s", "?"),
    "o": GLib.Variant("o", "/"), "g": GLib.Variant("g", "s"), "h": GLib.Variant("h", 0),
    "v": GLib.Variant("v", GLib.Variant("s", "ram")), "as": GLib.Variant("as", ["ram"]),
    "ay": GLib.Variant("ay", b"ram"), "a{sv}": GLib.Variant("a{sv}", {"a": GLib.Variant("s", "b")}),
    "(s)": GLib.Variant("(s)", ("ram",)), "av": GLib.Variant("av", []),
}
RIGHT = {"readOnly": ["b"], "description": ["s"], "queues": ["y", "q", "u"], "path": [], "sizeBytes": []}


@pytest.mark.parametrize("signature", sorted(WRONG))
@pytest.mark.parametrize("key", sorted(RIGHT))
def test_wrong_type(manager, key, signature):
    """Every D-Bus type for every kind of key: refused with the key's name, unless it is one of the right ones."""
    spec = dict(RAM, **{key: WRONG[signature]})
    if signature in RIGHT[key]:
        manager.add("a", **spec)
        return
    fds = [os.open("/dev/null", os.O_RDWR)] if signature == "h" else []
    try:
        error = refused(manager, "a", asv(spec), NO_FDS, asv({}), fds=fds)
    finally:
        for fd in fds:
            os.close(fd)
    assert error.name == "InvalidSpec" and error.text.startswith(key + ": ")


@pytest.mark.parametrize("signature", ["d", "o", "v", "as", "a{sv}", "(s)"])
def test_wrong_type_of_extra(manager, signature):
    assert refused_spec(manager, dict(RAM, **{"x-a": WRONG[signature]})).startswith("x-a: ")


@pytest.mark.parametrize("method, arguments, type", [
    ("AddDevice", ["a", asv(RAM), NO_FDS], None),
    ("RemoveDevice", ["a"], "b"),
    ("Plan", [GLib.Variant("a(ss)", [])], "b"),
    ("Apply", [GLib.Variant("a(ss)", [])], "b"),
])
def test_options(manager, method, arguments, type):
    error = refused(manager, *arguments, asv({"colour": "red"}), method=method)
    assert error.name == "InvalidOption" and "'colour'" in error.text
    if type is None:
        return
    error = refused(manager, *arguments, asv([("force", True), ("force", True)]), method=method)
    assert error.name == "InvalidOption" and "'force'" in error.text and "twice" in error.text
    for wrong in ("s", "u", "as", "v"):
        error = refused(manager, *arguments, asv({"force": WRONG[wrong]}), method=method)
        assert error.name == "InvalidOption" and "type 'b'" in error.text


@pytest.mark.parametrize("method", ["RemoveDevice", "GetDevice"])
@pytest.mark.parametrize("name", ["absent", "", "../a", "\x1b[31m"])
def test_no_such_device(manager, method, name):
    arguments = [name, asv({})] if method == "RemoveDevice" else [name]
    error = refused(manager, *arguments, method=method)
    assert error.name == "NoSuchDevice" and f"'{name}'" in error.text


@pytest.mark.parametrize("method", ["AddDevice", "RemoveDevice", "GetDevice", "ListDevices", "Plan", "Apply"])
def test_wrong_signature(manager, method):
    error = refused(manager, GLib.Variant("d", 0.5), method=method)
    assert error.full_name == "org.freedesktop.DBus.Error.InvalidArgs"


def test_unknown_method(manager):
    assert refused(manager, method="Format").full_name == "org.freedesktop.DBus.Error.UnknownMethod"


# --- fds ---


def add_with(manager, fds, names=None, **spec):
    handles = GLib.Variant.new_array(GLib.VariantType("{sh}"), [
        GLib.Variant.new_dict_entry(GLib.Variant("s", n), GLib.Variant("h", i))
        for i, n in enumerate(names or ["backing"])])
    spec = spec or {"type": "loop", "path": "/tmp/of-the-caller"}
    return refused(manager, "a", asv(spec), handles, asv({}), fds=fds)


def read_only_file(tmp_path):
    (tmp_path / "f").write_bytes(b"\0" * MIB)
    return os.open(tmp_path / "f", os.O_RDONLY)


def opened(flags):
    def make(tmp_path):
        (tmp_path / "f").write_bytes(b"\0" * MIB)
        return os.open(tmp_path / "f", flags)
    return make


def pipe_end(which):
    def make(_):
        ends = os.pipe()
        os.close(ends[1 - which])
        return ends[which]
    return make


def fifo(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    return os.open(tmp_path / "fifo", os.O_RDWR)


KINDS = {
    "socket": (lambda _: socket.socket(socket.AF_UNIX).detach(), "InvalidSpec", "regular file or a block device"),
    "directory": (lambda p: os.open(p, os.O_RDONLY), "Failed", "must be open for reading and writing"),
    "read-only": (opened(os.O_RDONLY), "Failed", "must be open for reading and writing"),
    "write-only": (opened(os.O_WRONLY), "Failed", "must be open for reading and writing"),
    "append": (opened(os.O_RDWR | os.O_APPEND), "InvalidSpec", "O_APPEND"),
    "o-path": (opened(os.O_PATH), "InvalidSpec", "O_PATH"),
    "pipe-read": (pipe_end(0), "Failed", "must be open for reading and writing"),
    "pipe-write": (pipe_end(1), "Failed", "must be open for reading and writing"),
    "fifo": (fifo, "InvalidSpec", "regular file or a block device"),
    "char-device": (lambda _: os.open("/dev/null", os.O_RDWR), "InvalidSpec", "regular file or a block device"),
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_wrong_fd(manager, tmp_path, kind):
    make, name, words = KINDS[kind]
    fd = make(tmp_path)
    try:
        error = add_with(manager, [fd])
    finally:
        os.close(fd)
    assert error.name == name
    assert error.text.startswith("a could not be attached (step open-backing): /tmp/of-the-caller: ")
    assert words in error.text


def test_directory_for_reading(manager, tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    error = add_with(manager, [fd], type="loop", path="/tmp/d", readOnly=True)
    os.close(fd)
    assert "regular file or a block device" in error.text


@pytest.mark.parametrize("type", ["ram", "null"])
def test_backing_for_one_that_takes_none(manager, tmp_path, type):
    fd = read_only_file(tmp_path)
    error = add_with(manager, [fd], type=type, sizeBytes=MIB)
    os.close(fd)
    assert error.name == "InvalidOption" and f"type {type} takes no backing" in error.text


@pytest.mark.parametrize("names", [["other"], ["backing", "backing"], ["backing", "log"], [""]])
def test_wrong_fd_names(manager, tmp_path, names):
    fd = read_only_file(tmp_path)
    error = add_with(manager, [fd] * len(names), names)
    os.close(fd)
    assert error.name == "InvalidOption" and "'backing'" in error.text


PATHS = {
    "absent": ("/nonexistent/disk.img", "can't be opened: No such file"),
    "folder": ("/tmp", "can't be opened: Is a directory"),
    "device": ("/dev/null", "regular file or a block device"),
}


@pytest.mark.parametrize("case", sorted(PATHS))
def test_wrong_path(manager, case):
    path, words = PATHS[case]
    error = refused(manager, "a", asv({"type": "loop", "path": path}), NO_FDS, asv({}))
    assert "step open-backing" in error.text and path in error.text and words in error.text


def test_fifo_does_not_block(manager, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    error = refused(manager, "a", asv({"type": "loop", "path": str(tmp_path / "fifo"), "readOnly": True}), NO_FDS,
                    asv({}))
    assert "regular file or a block device" in error.text


def test_taken_id(manager):
    manager.add("a", id=3, **RAM)
    error = refused(manager, "b", asv(dict(RAM, id=3)), NO_FDS, asv({}))
    assert error.name == "DeviceExists"
    assert error.text == "b could not be attached (step add-device): id 3 is taken: leave id out to get a free one"


# --- many ---


def random_value(dice):
    kind = dice.choice("bsxtyvd")
    if kind == "s":
        return "".join(chr(dice.choice([*range(1, 128), 0xe4, 0x202e, 0x1f642])) for _ in range(dice.randrange(300)))
    if kind == "v":
        return GLib.Variant("av", [GLib.Variant("s", "x")] * dice.randrange(20))
    return {"b": lambda: bool(dice.randrange(2)), "x": lambda: -dice.randrange(1 << 63),
            "t": lambda: GLib.Variant("t", dice.randrange(1 << 64)), "y": lambda: GLib.Variant("y", 255),
            "d": lambda: GLib.Variant("d", dice.random())}[kind]()


def resident(manager):
    with open(f"/proc/{manager.process.pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_random_specs(managers):
    """300 specs that are wrong in at least one way: each is refused, and memory and fds come back."""
    m = managers(environment={"ASAN_OPTIONS": "quarantine_size_mb=1:malloc_context_size=4"})
    m.mark()
    dice = random.Random(20261121)
    keys = ["type", "sizeBytes", "path", "offsetBytes", "readOnly", "direct", "logicalBlockSize", "physicalBlockSize",
            "queues", "queueDepth", "maxIoBytes", "id", "description", "x-a", "x-b"]
    names = set()
    for turn in range(300):
        if turn == 100:
            before = resident(m)
        spec = [(dice.choice(keys), random_value(dice)) for _ in range(dice.randrange(12))]
        spec.insert(dice.randrange(len(spec) + 1), (f"wrong{turn}", random_value(dice)))
        error = refused(m, f"d{turn}", asv(spec), NO_FDS, asv({}))
        names.add(error.name)
        assert f"wrong{turn}: " in error.text
    assert names == {"InvalidSpec"}
    assert resident(m) - before < 8 * MIB
    m.assert_nothing_left()


def test_large_calls(manager):
    spec = [(f"x-{i}", "y" * 1000) for i in range(200)]
    error = refused(manager, "a", asv(spec), NO_FDS, asv({}))
    assert error.name == "InvalidSpec" and "type" in error.text
    error = refused(manager, "n" * 100000, asv(RAM), NO_FDS, asv({}))
    assert error.name == "InvalidName"
