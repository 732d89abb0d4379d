# SPDX-License-Identifier: LGPL-2.1-or-later

"""The manager and the program that makes partitions: when it is run and with what, and that the manager outlives whatever
becomes of it. Which partitions come out is a matter for a real kernel (tests/vm/test-partitions.sh).
"""

import json
import os
import select
import signal

import pytest

from harness import DEADLINE, DEVICE, MIB, BusError, wait_until
from test_apply import arguments

FILE = "/etc/ublk/devices.d/a.json"


@pytest.fixture
def helper(tmp_path):
    """Makes programs that note how they were called and then do what the test says."""
    tmp_path.chmod(0o755)
    calls = tmp_path / "calls"
    calls.touch()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    hears = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    class Helper:
        path = tmp_path / "ublk-partitions"

        def does(self, what):
            self.path.write_text(f'#!/bin/sh\necho "$*" >>{calls}\n{what}\n')
            self.path.chmod(0o755)
            return self

        def hangs(self):
            return self.does(f"echo $$ >{fifo}\nexec sleep 1000")

        def hanging(self):
            """Waits until one hangs; a pidfd of it."""
            assert select.select([hears], [], [], DEADLINE)[0], "none was started"
            return os.pidfd_open(int(os.read(hears, 100)))

        def calls(self):
            return calls.read_text().splitlines()

    yield Helper().does("exit 0")
    os.close(hears)


def assert_ends(pidfd):
    assert select.select([pidfd], [], [], DEADLINE)[0], "it was not killed"
    os.close(pidfd)


def document(**spec):
    return {FILE: json.dumps({"type": "ram", "sizeBytes": MIB, **spec})}


def apply(manager, **spec):
    return json.loads(manager.apply(document(**spec)))["actions"][0]


def wanted(manager):
    return json.loads(manager.get("Spec", manager.devices()["a"][1], DEVICE)).get("partitions", False)


def test_only_where_it_is_asked_for(managers, helper):
    m = managers(partitions=helper.path)
    m.add("no", type="ram", sizeBytes=MIB)
    m.add("neither", type="ram", sizeBytes=MIB, partitions=False)
    assert helper.calls() == []
    m.add("yes", type="ram", sizeBytes=MIB, partitions=True)
    assert helper.calls() == ["ublkb2:0"]
    for name in ("no", "neither", "yes"):
        m.remove(name)
    assert len(helper.calls()) == 1


@pytest.mark.parametrize("program", ["exit 1", "kill -9 $$", None])
def test_attach_goes_on_without(managers, helper, program):
    """A table that nobody can read, or a program that isn't there, keeps no disk from serving."""
    m = managers(partitions=helper.does(program).path if program else "/nonexistent")
    m.add("a", type="ram", sizeBytes=MIB, partitions=True)
    assert m.state("a") == "live"
    assert "a: it has no partitions" in m.log()
    m.remove("a")
    assert m.children() == []


def test_attach_goes_on_after_a_while(managers, helper):
    m = managers(partitions=helper.hangs().path, haste=100)
    answer = m.start_add("a", type="ram", sizeBytes=MIB, partitions=True)
    hanging = helper.hanging()
    wait_until(lambda: answer)
    assert not isinstance(answer[0], BusError)
    assert m.state("a") == "live"
    assert "make-partitions took too long" in m.log()
    assert_ends(hanging)
    m.remove("a")


def test_live_both_ways(managers, helper):
    m = managers(partitions=helper.path)
    assert apply(m)["action"] == "create"
    path = m.devices()["a"][1]
    worker = m.get("WorkerPID", path, DEVICE)
    action = apply(m, partitions=True)
    assert (action["action"], action["result"], action["disruptive"]) == ("update", "done", False)
    assert action["fields"] == [{"key": "partitions", "old": False, "new": True, "change": "live"}]
    assert wanted(m) and helper.calls() == ["ublkb0:0"]
    assert apply(m, partitions=True)["action"] == "none"
    assert apply(m, partitions=True, description="other")["action"] == "update"
    assert helper.calls() == ["ublkb0:0"]
    assert apply(m)["result"] == "done"
    assert not wanted(m) and helper.calls() == ["ublkb0:0", "ublkb0:0:remove"]
    assert m.get("WorkerPID", path, DEVICE) == worker


def test_failed_change_is_tried_again(managers, helper):
    m = managers(partitions=helper.path)
    apply(m)
    helper.does("exit 1")
    action = apply(m, partitions=True)
    assert action["result"] == "failed"
    assert "step change-partitions" in action["error"] and "exited with code 1" in action["error"]
    assert "journal" in action["error"]
    assert m.state("a") == "live" and not wanted(m)
    helper.does("exit 0")
    assert apply(m, partitions=True)["result"] == "done"
    assert wanted(m)


def test_worker_ends_meanwhile(managers, helper):
    """The device has failed, the change with it, and the program that was working on it is gone."""
    m = managers(partitions=helper.hangs().path)
    apply(m)
    worker = m.get("WorkerPID", m.devices()["a"][1], DEVICE)
    m.listen()
    answer = m.start("Apply", *arguments(document(partitions=True)))
    hanging = helper.hanging()
    with pytest.raises(BusError) as e:
        m.remove("a")
    assert e.value.name == "DeviceBusy"
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: answer)
    action = json.loads(answer[0][0])["actions"][0]
    assert action["result"] == "failed" and "worker ended" in action["error"]
    assert_ends(hanging)
    m.wait_for_state("a", "failed")
    assert not wanted(m)


def test_manager_stops_meanwhile(managers, helper):
    m = managers(partitions=helper.hangs().path)
    m.start_add("a", type="ram", sizeBytes=MIB, partitions=True)
    hanging = helper.hanging()
    m.stop()
    assert_ends(hanging)
