# SPDX-License-Identifier: LGPL-2.1-or-later

"""Until polkit is asked, only root may call: sd-bus refuses everybody else, before a handler has seen the call."""

import os
import subprocess
import sys

import pytest

from harness import DEADLINE, NAME, PATH

NOBODY = "65534"
CALLER = """
import sys, gi
gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib
address, member, path, interface, arguments = sys.argv[1:]
bus = Gio.DBusConnection.new_for_address_sync(address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT |
                                              Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
try:
    print(bus.call_sync("org.ublk.Manager1", path, interface, member, GLib.Variant.parse(None, arguments, None, None),
                        None, Gio.DBusCallFlags.NO_AUTO_START, 30000, None))
except GLib.Error as e:
    print(Gio.DBusError.get_remote_error(e), e.message)
"""
METHODS = {
    "AddDevice": "('a', {'type': <'ram'>, 'sizeBytes': <'1M'>}, @a{sh} {}, @a{sv} {})",
    "RemoveDevice": "('a', @a{sv} {})",
    "GetDevice": "('a',)",
    "ListDevices": "()",
    "Plan": "(@a(ss) [], @a{sv} {})",
    "Apply": "(@a(ss) [], @a{sv} {})",
}


def call_as_nobody(manager, member, arguments, path=PATH, interface=NAME):
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    run = subprocess.run(["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", sys.executable, "-c",
                          CALLER, manager.address, member, path, interface, arguments],
                         capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_all_methods_are_here(manager):
    text = manager.call("Introspect", interface="org.freedesktop.DBus.Introspectable")
    own = text[text.index(f'<interface name="{NAME}"'):]
    own = own[:own.index("</interface>")]
    assert own.count("<method ") == len(METHODS) and all(f'"{m}"' in own for m in METHODS)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_denied(manager, method):
    manager.add("a")
    said = call_as_nobody(manager, method, METHODS[method])
    assert said.startswith("org.freedesktop.DBus.Error.AccessDenied")
    assert list(manager.devices()) == ["a"]


def test_reading_is_allowed(manager):
    """Properties hold no secrets."""
    said = call_as_nobody(manager, "Get", f"('{NAME}', 'Version')", interface="org.freedesktop.DBus.Properties")
    assert said.startswith("(<'")
