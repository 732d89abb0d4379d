# SPDX-License-Identifier: LGPL-2.1-or-later

"""dbus/org.ublk.Manager1.xml is what the binary says of itself, to the letter (UBLK_UPDATE=1 writes it)."""

import os
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import quoteattr

from harness import DEVICE, NAME, SOURCE

XML = SOURCE / "dbus" / "org.ublk.Manager1.xml"
HEADER = """<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
"https://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
"""


def printed(element, depth=0):
    start = " " * depth + "<" + element.tag + "".join(f" {k}={quoteattr(v)}" for k, v in element.items())
    children = list(element)
    if not children:
        return start + "/>\n"
    inside = "".join(printed(child, depth + 1) for child in children)
    return f"{start}>\n{inside}{' ' * depth}</{element.tag}>\n"


def own_interfaces(manager, path):
    root = ElementTree.fromstring(
        manager.call("Introspect", path=path, interface="org.freedesktop.DBus.Introspectable"))
    return [i for i in root.iterfind("interface") if i.get("name").startswith("org.ublk.")]


def test_introspection(manager):
    path, _ = manager.add("some")
    found = own_interfaces(manager, "/org/ublk/Manager1") + own_interfaces(manager, path)
    assert [i.get("name") for i in found] == [NAME, DEVICE]
    node = ElementTree.Element("node")
    node.extend(found)
    text = HEADER + printed(node)
    if os.environ.get("UBLK_UPDATE"):
        XML.write_text(text)
    assert XML.read_text() == text


def test_children(manager):
    path, _ = manager.add("a-b.c_d")
    assert path == "/org/ublk/Manager1/device/a_2db_2ec_5fd"
    root = ElementTree.fromstring(manager.call("Introspect", path="/org/ublk/Manager1/device",
                                               interface="org.freedesktop.DBus.Introspectable"))
    assert [n.get("name") for n in root.iterfind("node")] == ["a_2db_2ec_5fd"]
