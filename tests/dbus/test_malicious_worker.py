# SPDX-License-Identifier: LGPL-2.1-or-later

"""A worker that runs somebody else's code, against a whole manager: what it does and when is the name of its device
(tests/attack/malicious-worker.c). Whatever it is, its device fails within its time and nothing of it is left, the
manager lives and answers, and another device doesn't notice.
"""

import os
import signal
import time

import pytest

from harness import MIB, BusError, Manager

HASTE = 10  # the five seconds of a worker that has hung up become half a second
WITHIN = 20  # seconds, on a busy machine
KINDS = ["own", "pipe", "socket", "listening", "memfd", "epoll", "io-uring", "pidfd", "null", "folder", "path", "eventfd",
         "signalfd", "timerfd", "device"]
PHASES = ["first", "hello", "config", "ready", "live"]


def rss(m):
    with open(f"/proc/{m.process.pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def has_other(m):
    """The device that was there before is live, and others can be made and removed."""
    m.add("third")
    assert m.state("other") == "live" and m.state("third") == "live"
    m.remove("third")


def attack(m, name, cleaned=True):
    """Lets one worker attack. Returns what the caller of the attach, or the log for a live device, was told."""
    begin = time.monotonic()
    said = ""
    try:
        m.listen()
        m.signals.clear()
        m.add(name)
        if name.startswith("live-"):
            path = "/org/ublk/Manager1/device/" + name.replace("-", "_2d").replace(".", "_2e")
            os.kill(m.get("WorkerPID", path=path, interface="org.ublk.Manager1.Device"), signal.SIGUSR1)
        # The manager says so by itself: nobody asks it to look.
        m.wait_for(lambda: m.devices()[name][5] == "failed")
        said = m.log()[-2000:]
    except BusError as e:
        said = e.text
    # What is being cleaned up can't be removed in the same moment.
    while cleaned and name in m.devices():
        try:
            m.remove(name)
        except BusError as e:
            assert e.name in ("DeviceBusy", "NoSuchDevice"), e
        assert time.monotonic() - begin < WITHIN
    assert time.monotonic() - begin < WITHIN, name
    assert m.process.poll() is None, m.log()
    return said


@pytest.fixture(scope="module")
def attacked():
    """One manager for all of it, so that what an attack leaves is seen in the next test; a device that has nothing to do
    with it lives all the time."""
    class Attacked(Manager):
        def wait_for(self, done):
            end = time.monotonic() + WITHIN
            while not done():
                assert time.monotonic() < end, self.log()[-3000:]

    m = Attacked(worker=os.environ["MALICIOUS_WORKER"], haste=HASTE)
    m.mark()
    m.add("other")
    attack(m, "first-random-0")
    m.before = m.fds()
    m.memory = rss(m)
    yield m
    has_other(m)
    m.remove("other")
    assert m.devices() == {} and m.kernel_devices() == 0 and m.files() == [] and m.children() == []
    m.stop()


def assert_nothing_left(m):
    assert set(m.devices()) == {"other"}
    assert m.kernel_devices() == 1
    assert len(m.children()) == 1
    assert m.files() == ["devices/other.json", "udev/ublkb0"]
    assert m.fds() == m.before
    # What the sanitizer keeps of freed memory is part of it.
    assert rss(m) < m.memory + 128 * MIB


@pytest.mark.parametrize("how", ["random", "structured"])
@pytest.mark.parametrize("phase", PHASES)
def test_messages(attacked, phase, how):
    """Some are right by chance; then the device is just attached, or says that it failed."""
    for seed in range(20):
        said = attack(attacked, f"{phase}-{how}-{seed * 7919 + 1}")
        assert "the worker" in said, said
    assert_nothing_left(attacked)
    has_other(attacked)


@pytest.mark.parametrize("kind", KINDS)
def test_fds(attacked, kind):
    for phase in ["first", "config", "live"]:
        for n in (1, 4, 5, 253):
            if kind != "device" or phase != "first":
                said = attack(attacked, f"{phase}-fds-{kind}.{n}")
                assert "the worker sent something that is not allowed" in said
    assert_nothing_left(attacked)
    has_other(attacked)


WRONG = {
    "half-7": "sent something that is not allowed",
    "half-15": "sent something that is not allowed",
    "empty": "has hung up and doesn't end",
    "shut-1": "has hung up and doesn't end",
    "shut-2": "has hung up and doesn't end",
    "close": "has hung up and doesn't end",
    "flood": "sent something that is not allowed",
    "text": "sent something that is not allowed",
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("how", sorted(WRONG))
def test_wrong(attacked, phase, how):
    lines = attacked.log().count("\n")
    said = attack(attacked, f"{phase}-{how}")
    # The second HELLO of a flood is a message at the wrong time, which the device says in its own words.
    words = {("first", "flood"): "can't be configured", ("hello", "flood"): "can't be configured",
             ("config", "flood"): "can't be configured"}.get((phase, how), WRONG[how])
    # A manager that can't send CONFIG says that.
    assert words in said or "can't be configured: Broken pipe" in said, said
    assert "forged" not in attacked.log() and "\x1b" not in attacked.log()
    # A flood of messages is no flood of lines.
    assert sum("the worker" in line for line in attacked.log().splitlines()[lines:]) <= 2
    assert_nothing_left(attacked)


@pytest.mark.parametrize("size", [0, 511, 512, MIB - 512, MIB + 512, 2**63 - 512, 2**63, 2**64 - 1])
def test_sizes(attacked, size):
    said = attack(attacked, f"config-size-{size}")
    assert "not allowed" in said or "its size is not the one of the spec" in said
    assert_nothing_left(attacked)


@pytest.mark.parametrize("phase", PHASES[:3])
def test_stopped(attacked, phase):
    """Stopped by a signal it neither speaks nor ends: its time is over, and it is killed."""
    said = attack(attacked, f"{phase}-stop")
    assert "step configure-worker): it took too long" in said
    assert_nothing_left(attacked)
    has_other(attacked)


@pytest.mark.parametrize("phase", PHASES[3:])
def test_stopped_later(attacked, phase):
    """A worker that is stopped while it should serve isn't noticed by anybody but its users. Removing doesn't need it."""
    name = f"{phase}-stop"
    attacked.add(name)
    if phase == "live":
        path = "/org/ublk/Manager1/device/live_2dstop"
        os.kill(attacked.get("WorkerPID", path=path, interface="org.ublk.Manager1.Device"), signal.SIGUSR1)
    has_other(attacked)
    begin = time.monotonic()
    attacked.remove(name, force=True)
    assert time.monotonic() - begin < WITHIN
    assert_nothing_left(attacked)


def test_lingering_socket(attacked):
    """The last close of such a socket takes a minute, so it must not be the manager's."""
    for phase in ["first", "config", "live"]:
        begin = time.monotonic()
        attack(attacked, f"{phase}-fds-linger.1")
        has_other(attacked)
        assert time.monotonic() - begin < WITHIN
    assert_nothing_left(attacked)
