# SPDX-License-Identifier: LGPL-2.1-or-later

"""Adding, looking at and removing devices where nothing goes wrong: methods, properties, signals."""

import json
import os
import time

import pytest
from gi.repository import GLib

from harness import DEVICE, MIB, NAME, OBJECT_MANAGER, PATH, BusError, wait_until

PATH_A = "/org/ublk/Manager1/device/a"


def test_manager_properties(manager):
    properties = manager.get_all(PATH, NAME)
    assert sorted(properties) == ["KernelFeatures", "Targets", "Version"]
    assert properties["Version"].count(".") == 2
    assert properties["Targets"] == ["null", "ram", "loop"]
    assert {"user-copy", "cmd-ioctl-encode", "user-recovery"} <= set(properties["KernelFeatures"])


def test_no_features(managers):
    m = managers(fail="get-features:95")
    assert m.get("KernelFeatures") == []
    assert "doesn't tell the features" in m.log()


def test_life(manager):
    assert manager.call("ListDevices") == []
    before = time.time()
    assert manager.add("a", type="ram", sizeBytes="2M", readOnly=True, id=7, queues=1) == (PATH_A, "/dev/ublkb7")
    assert manager.call("ListDevices") == [("a", PATH_A, "ram", 7, 2 * MIB, "live")]
    assert manager.call("GetDevice", "a") == PATH_A
    assert manager.files() and manager.kernel_devices() == 1
    properties = manager.get_all(PATH_A)
    created = properties.pop("CreationUSec") / 1e6
    assert before - 1 <= created <= time.time() + 1
    assert properties.pop("WorkerPID") in manager.children()
    assert "cmd-ioctl-encode" in properties.pop("Features")
    assert json.loads(properties.pop("Spec")) == {"type": "ram", "sizeBytes": 2 * MIB, "readOnly": True, "id": 7,
                                                  "queues": 1}
    assert properties == {"Name": "a", "Id": 7, "DevNode": "/dev/ublkb7", "Type": "ram", "SizeBytes": 2 * MIB,
                          "ReadOnly": True, "State": "live", "Origin": "api", "OwnerUID": 0, "DiskSeq": 0,
                          "WorkerUnit": ""}
    assert manager.remove("a") is None
    assert manager.call("ListDevices") == []
    for call in (lambda: manager.call("GetDevice", "a"), lambda: manager.remove("a")):
        with pytest.raises(BusError) as e:
            call()
        assert e.value.name == "NoSuchDevice" and "'a'" in e.value.text
    with pytest.raises(BusError) as e:
        manager.get("Name", path=PATH_A, interface=DEVICE)
    assert e.value.full_name == "org.freedesktop.DBus.Error.UnknownObject"


@pytest.mark.parametrize("property", ["Version", "Targets", "KernelFeatures"])
def test_properties_are_read_only(manager, property):
    with pytest.raises(BusError) as e:
        manager.call("Set", NAME, property, GLib.Variant("v", GLib.Variant("s", "x")),
                     interface="org.freedesktop.DBus.Properties")
    assert e.value.full_name == "org.freedesktop.DBus.Error.PropertyReadOnly"


def test_managed_objects(manager):
    def objects():
        return manager.call("GetManagedObjects", interface=OBJECT_MANAGER)

    assert objects() == {}
    manager.add("a")
    manager.add("b", type="null", sizeBytes=MIB)
    found = objects()
    assert sorted(found) == [PATH_A, PATH_A[:-1] + "b"]
    assert found[PATH_A][DEVICE]["Name"] == "a"
    assert found[PATH_A][DEVICE] == manager.get_all(PATH_A)
    manager.remove("a")
    assert list(objects()) == [PATH_A[:-1] + "b"]


def test_signals(manager):
    """Both signals are out before the call is answered; a device that failed to attach makes none."""
    manager.listen()
    manager.add("a")
    manager.settle()
    added = [s for s in manager.signals if s[1] == "InterfacesAdded"]
    assert len(added) == 1 and added[0][0] == PATH and added[0][2][0] == PATH_A
    properties = added[0][2][1][DEVICE]
    assert (properties["Name"], properties["State"], properties["DevNode"]) == ("a", "live", "/dev/ublkb0")
    # Of what is said to be invalidated only, sd-bus sends no value.
    assert properties == {k: v for k, v in manager.get_all(PATH_A).items() if k != "Spec"}

    manager.signals.clear()
    manager.remove("a")
    manager.settle()
    removed = [s for s in manager.signals if s[1] == "InterfacesRemoved"]
    assert len(removed) == 1 and removed[0][2][0] == PATH_A and DEVICE in removed[0][2][1]
    states = [s[2][1]["State"] for s in manager.signals if s[1] == "PropertiesChanged" and "State" in s[2][1]]
    assert states == ["removing"]

    manager.signals.clear()
    with pytest.raises(BusError):
        manager.add("fail")
    manager.settle()
    assert manager.signals == []


def test_attaching_device_is_no_object_yet(managers):
    """Objects come with InterfacesAdded, never before; yet the name is taken and the device can be looked at."""
    m = managers(haste=5)
    answer = m.start_add("silent")
    assert m.state("silent") == "attaching"
    assert m.call("GetManagedObjects", interface=OBJECT_MANAGER) == {}
    path = m.call("GetDevice", "silent")
    properties = m.get_all(path)
    assert (properties["State"], properties["DevNode"]) == ("attaching", "")
    wait_until(lambda: answer)


def test_worker_dies(manager):
    """The device fails, says so, and is removed as any other."""
    manager.listen()
    manager.add("a")
    pid = manager.get("WorkerPID", PATH_A, DEVICE)
    manager.kill_workers([pid])
    manager.wait_for_state("a", "failed")
    changed = next(s for s in manager.signals if s[1] == "PropertiesChanged")
    assert changed[0] == PATH_A and changed[2][0] == DEVICE
    assert changed[2][1] == {"State": "failed", "DevNode": "", "WorkerPID": 0, "WorkerUnit": ""}
    assert manager.state("a") == "failed"
    with pytest.raises(BusError) as e:
        manager.add("a")
    assert e.value.name == "DeviceExists"
    while True:  # it may still be cleaning up after the worker
        try:
            manager.remove("a")
            break
        except BusError as e:
            assert e.name == "DeviceBusy"
    assert "killed by signal 9" in manager.log()


def test_failed_device_leaves_its_successor_alone(manager):
    """The kernel's id of a failed device is free again: removing it must not touch who has that id now."""
    manager.add("a")
    manager.listen()
    manager.kill_workers(manager.children())
    manager.wait_for_state("a", "failed")
    wait_until_cleaned(manager)
    assert manager.add("b")[1] == "/dev/ublkb0"
    files = manager.files()
    assert "udev/ublkb0" in files
    manager.remove("a")
    assert (manager.folder / "udev/ublkb0").read_text().startswith("UBLK_NAME=b\n")
    assert manager.state("b") == "live" and manager.kernel_devices() == 1


def wait_until_cleaned(manager):
    """Its own deferred event follows each command, so that each question lets it go on by some steps."""
    for _ in range(100):
        if manager.kernel_devices() == 0 and "udev/ublkb0" not in manager.files():
            return
    raise AssertionError("the failed device isn't cleaned up")


def test_spec_round_trip(manager):
    """What was asked for comes back, x- keys of every type included, defaults don't."""
    spec = {"type": "null", "sizeBytes": "1G", "logicalBlockSize": 4096, "physicalBlockSize": 4096, "queueDepth": 16,
            "description": "für \"alle\" \\ 🙂", "x-string": "a\n\"b\"\x01", "x-bool": False, "x-number": -5,
            "x-big": GLib.Variant("t", (1 << 64) - 1), "x-byte": GLib.Variant("y", 200)}
    path, _ = manager.add("a", **spec)
    found = json.loads(manager.get("Spec", path, DEVICE))
    wanted = dict(spec, sizeBytes=1 << 30)
    wanted.update({"x-big": (1 << 64) - 1, "x-byte": 200})
    assert found == wanted
    # And what comes back is accepted as it is.
    again = {k: v for k, v in found.items() if k != "x-big"}
    manager.add("b", **again)
    assert json.loads(manager.get("Spec", path[:-1] + "b", DEVICE)) == again


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("passed", [False, True])
def test_loop(manager, tmp_path, read_only, passed):
    image = tmp_path / "image"
    image.write_bytes(b"\0" * MIB)
    fds = [os.open(image, os.O_RDONLY if read_only else os.O_RDWR)] if passed else []
    try:
        path, _ = manager.add("disk", fds=fds, type="loop", path=str(image), readOnly=read_only)
    finally:
        for fd in fds:
            os.close(fd)
    assert manager.get("SizeBytes", path, DEVICE) == MIB
    # Nobody but the worker keeps the backing, and the device node, open.
    assert not [f for f in manager.fds() if str(image) in f]


def test_two_readers_or_one_writer(manager, tmp_path):
    image = tmp_path / "image"
    image.write_bytes(b"\0" * MIB)
    spec = {"type": "loop", "path": str(image)}
    manager.add("r1", readOnly=True, **spec)
    manager.add("r2", readOnly=True, **spec)
    with pytest.raises(BusError) as e:
        manager.add("w", **spec)
    assert e.value.name == "DeviceBusy"
    assert "step open-backing" in e.value.text and "in use by device r1" in e.value.text
    manager.remove("r1")
    manager.remove("r2")
    manager.add("w", **spec)
    with pytest.raises(BusError) as e:
        manager.add("r1", readOnly=True, **spec)
    assert "in use by device w" in e.value.text
