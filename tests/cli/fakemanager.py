# SPDX-License-Identifier: LGPL-2.1-or-later

"""A manager without devices, for tests of the command line.

What ublkctl sends is the subject, so each call is written down with its D-Bus types as one line of JSON
in DIR/calls; what it gets back is chosen by the device's name (ERRORS) or put into DIR/plan by the test. DIR/workers holds
the process numbers of the worker, for one question after the other; the last one stays.
"""

import fcntl
import json
import os
import sys

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = "org.ublk.Manager1"
ROOT = "/org/ublk/Manager1"
DEVICE = "org.ublk.Manager1.Device"

# Device name: what every call about it fails with.
ERRORS = {
    "denied": ("org.freedesktop.DBus.Error.AccessDenied", "you are nobody"),
    "nokernel": ("org.ublk.Manager1.Error.UnsupportedByKernel", "there is no /dev/ublk-control"),
    "modprobe": ("org.ublk.Manager1.Error.UnsupportedByKernel", "no ublk: modprobe ublk_drv"),
    "busy": ("org.ublk.Manager1.Error.Busy", "mounted on /srv\nand\x1b[31m elsewhere\n"),
    "gone": ("org.ublk.Manager1.Error.NoSuchDevice", "there is no device of this name"),
    "masked": ("org.freedesktop.systemd1.UnitMasked", "Unit ublkmgr.service is masked."),
    "spawn": ("org.freedesktop.DBus.Error.Spawn.ChildExited", "exit 1"),
    "silent": ("org.freedesktop.DBus.Error.NoReply", "no reply"),
}

SPEC = {"type": "loop", "path": "/srv/disk.img", "sizeBytes": 67108864, "x-note": {"a": [1, "two"]}}

# name, type, id, size, state; out of order on purpose
DEVICES = [
    ("disk10", "ram", 1, 1 << 30, "live"),
    ("disk9", "loop", 0, 64 << 20, "live"),
    ("later", "null", 0xFFFFFFFF, 4608, "starting"),
]


class Failure(dbus.DBusException):
    def __init__(self, name):
        self._dbus_error_name, message = ERRORS[name]
        super().__init__(message)


def typed(value):
    """A D-Bus value as [type, value]; what is no variant's business is shown by its class."""
    if isinstance(value, dbus.types.UnixFd):
        fd = value.take()
        try:
            st = os.fstat(fd)
            flags = fcntl.fcntl(fd, fcntl.F_GETFL)
        finally:
            os.close(fd)
        return ["h", {"inode": st.st_ino, "access": flags & os.O_ACCMODE,
                      "nonblocking": bool(flags & os.O_NONBLOCK)}]
    for kind, letter in ((dbus.Boolean, "b"), (dbus.UInt64, "t"), (dbus.UInt32, "u"),
                         (dbus.Int32, "i"), (dbus.Int64, "x"), (dbus.String, "s")):
        if isinstance(value, kind):
            return [letter, bool(value) if letter == "b" else
                    str(value) if letter == "s" else int(value)]
    raise TypeError(type(value))


class Manager(dbus.service.Object):
    def __init__(self, bus, folder):
        super().__init__(bus, ROOT)
        self.folder = folder

    def note(self, method, **what):
        with open(os.path.join(self.folder, "calls"), "a", encoding="utf-8") as f:
            f.write(json.dumps({"method": method, **what}) + "\n")

    def note_named(self, method, name, **what):
        self.note(method, name=str(name), **what)
        if str(name) in ERRORS:
            raise Failure(str(name))

    @dbus.service.method(NAME, in_signature="sa{sv}a{sh}a{sv}", out_signature="os")
    def AddDevice(self, name, spec, fds, options):
        self.note_named("AddDevice", name, spec={str(k): typed(v) for k, v in spec.items()},
                        fds={str(k): typed(v)[1] for k, v in fds.items()},
                        options={str(k): typed(v) for k, v in options.items()})
        return ROOT + "/device/" + str(name), "/dev/ublkb7"

    @dbus.service.method(NAME, in_signature="sa{sv}")
    def RemoveDevice(self, name, options):
        self.note_named("RemoveDevice", name,
                        options={str(k): typed(v) for k, v in options.items()})

    @dbus.service.method(NAME, in_signature="s", out_signature="o")
    def GetDevice(self, name):
        self.note_named("GetDevice", name)
        return ROOT + "/device/" + str(name)

    @dbus.service.method(NAME, out_signature="a(sosuts)")
    def ListDevices(self):
        self.note("ListDevices")
        if os.path.exists(os.path.join(self.folder, "empty")):
            return []
        return [(n, ROOT + "/device/" + n, t, i, s, state) for n, t, i, s, state in DEVICES]

    def plan(self, method, documents, options):
        self.note(method, documents=[[str(p), str(t)] for p, t in documents],
                  options={str(k): typed(v) for k, v in options.items()})
        with open(os.path.join(self.folder, "plan"), encoding="utf-8") as f:
            return f.read()

    @dbus.service.method(NAME, in_signature="a(ss)a{sv}", out_signature="s")
    def Plan(self, documents, options):
        return self.plan("Plan", documents, options)

    @dbus.service.method(NAME, in_signature="a(ss)a{sv}", out_signature="s")
    def Apply(self, documents, options):
        return self.plan("Apply", documents, options)

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return {"Version": "0.1-fake", "Targets": dbus.Array(["null", "ram"], signature="s"),
                "KernelFeatures": dbus.Array(["USER_COPY", "UPDATE_SIZE"], signature="s")}


class Device(dbus.service.Object):
    def __init__(self, bus, name, folder):
        super().__init__(bus, ROOT + "/device/" + name)
        self.name = name
        self.workers = os.path.join(folder, "workers")

    def worker(self):
        try:
            with open(self.workers, encoding="utf-8") as f:
                first, *rest = f.read().split()
        except FileNotFoundError:
            return 4711
        if rest:
            with open(self.workers, "w", encoding="utf-8") as f:
                f.write(" ".join(rest))
        return int(first)

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        assert interface == DEVICE
        return {
            "Name": self.name, "Id": dbus.UInt32(0), "DevNode": "/dev/ublkb0", "Type": "loop",
            "SizeBytes": dbus.UInt64(64 << 20), "ReadOnly": True, "State": "live",
            "Origin": "config:/etc/ublk/devices.d/disk9.json", "OwnerUID": dbus.UInt32(0),
            "Spec": json.dumps(SPEC, separators=(",", ":")),
            "Features": dbus.Array(["USER_COPY"], signature="s"),
            "WorkerPID": dbus.UInt32(self.worker()), "WorkerUnit": "ublk-worker@disk9.service",
            "CreationUSec": dbus.UInt64(1700000000000000),
            "DiskSeq": dbus.UInt64(12),
            "FromTheFuture": dbus.Struct((dbus.UInt32(1), "x")),
        }


def main(address, folder):
    DBusGMainLoop(set_as_default=True)
    bus = dbus.bus.BusConnection(address)
    keep = [dbus.service.BusName(NAME, bus), Manager(bus, folder), Device(bus, "disk9", folder),
            Device(bus, "disk10", folder)]
    print("ready", flush=True)
    GLib.MainLoop().run()
    return keep


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
