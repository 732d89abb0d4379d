# SPDX-License-Identifier: LGPL-2.1-or-later

"""The manager's own end, that of its callers and that of the bus, each in the middle of something; and the
next manager, which finds what the one before has left.
"""

import os
import select
import signal
import subprocess

import pytest

from harness import DEADLINE, MIB, BusError, Client, Manager, asv, wait_until
from test_apply import arguments, document, files

AT_TERM = ["silent", "start-dev", "set-params", "add-dev"]


def test_caller_disconnects(managers):
    """A device whose caller has gone while it was attached is there all the same."""
    m = managers()
    m.mark()
    m.listen()
    client = Client(m.address)
    client.start_add = Manager.start_add.__get__(client)
    client.start_add("disk")
    client.connection.flush_sync(None)
    # Not before the manager has begun: it asks the bus who the caller is, and refuses one that has gone.
    wait_until(lambda: "disk" in m.devices())
    client.close()
    wait_until(lambda: any(s[1] == "InterfacesAdded" for s in m.signals))
    assert m.state("disk") == "live"
    m.remove("disk")
    m.assert_nothing_left()


def test_caller_of_a_failure_disconnects(managers):
    m = managers(fail="start-dev:5*2")
    with pytest.raises(BusError):
        m.add("disk")
    m.before = m.fds()
    client = Client(m.address)
    client.start_add = Manager.start_add.__get__(client)
    client.start_add("disk")
    client.connection.flush_sync(None)
    client.close()
    # The bus delivers what both have sent in order; its device is gone when this one can have the name.
    while True:
        try:
            m.add("disk")
            break
        except BusError as e:
            assert e.name == "DeviceExists" or "step start-device" in e.text
    m.remove("disk")
    m.assert_nothing_left()


@pytest.mark.parametrize("where", AT_TERM)
def test_stopped_during_attach(managers, where):
    """The caller hears of it, the worker is killed, and nothing is on record that was never a device."""
    m = managers(fail="" if where == "silent" else where + ":hang")
    answer = m.start_add("silent" if where == "silent" else "stubborn")
    # Asked after it was begun, and answered, so that it is in the middle of it; some questions bring it further.
    for _ in range(20):
        assert len(m.devices()) == 1
    workers = m.children()
    pidfds = [os.pidfd_open(pid) for pid in workers]
    assert len(workers) == (0 if where == "add-dev" else 1)
    m.process.terminate()
    assert m.wait() == 0
    m.assert_sane()
    wait_until(lambda: answer)
    assert isinstance(answer[0], BusError)
    assert "the manager is stopping" in answer[0].text or answer[0].full_name.endswith("NoReply")
    assert m.files() == []
    for fd in pidfds:
        assert has_ended(fd), "a worker without a device is left"
        os.close(fd)


def has_ended(pidfd):
    return bool(select.select([pidfd], [], [], DEADLINE)[0])


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_stopped_with_devices(managers, by):
    """Its devices are served on."""
    m = managers()
    m.add("a")
    m.add("b", type="null", sizeBytes=MIB)
    workers = m.children()
    m.process.send_signal(by)
    assert m.wait() == 0
    m.assert_sane()
    assert len(workers) == 2
    assert m.files() == ["devices/a.json", "devices/b.json", "udev/ublkb0", "udev/ublkb1"]
    # Its kernel is gone with it, so all that the next one can do is to forget them.
    (m.folder / "devices/broken.json").write_text("{")
    m.start_manager()
    assert m.devices() == {} and m.files() == ["devices/broken.json"]
    assert "a: its device is gone, forgetting it" in m.log()
    assert f"{m.folder}/devices/broken.json can't be read and is ignored" in m.log()
    m.kill_workers(workers)


def test_stopped_during_apply(managers):
    m = managers()
    answer = m.start("Apply", *arguments(files(a=document(), silent=document())))
    for _ in range(20):
        assert m.devices()
    m.process.terminate()
    assert m.wait() == 0
    m.assert_sane()
    wait_until(lambda: answer)
    assert isinstance(answer[0], BusError)


def test_stopped_during_removal(managers):
    m = managers()
    m.add("stubborn")
    pidfd = os.pidfd_open(m.children()[0])
    answer = m.start("RemoveDevice", "stubborn", asv({}))
    for _ in range(20):
        assert m.state("stubborn") == "removing"
    m.process.terminate()
    assert m.wait() == 0
    m.assert_sane()
    wait_until(lambda: answer)
    assert isinstance(answer[0], BusError)
    assert has_ended(pidfd)
    os.close(pidfd)


@pytest.mark.parametrize("attaching", [False, True])
def test_bus_goes_away(managers, attaching):
    """It has nothing to do without a bus: it says so by its exit code, and the service manager starts it anew."""
    m = managers()
    m.add("a")
    if attaching:
        m.start_add("silent")
        m.devices()
    workers = m.children()
    m.daemon.kill()
    code = m.wait()
    m.kill_workers(workers)
    assert code == 1
    m.assert_sane()
    assert "the connection to the bus is lost" in m.log()


def test_name_is_taken(managers):
    m = managers()
    second = subprocess.run([os.environ["FAKE_MANAGER"], "--address=" + m.address, f"--folder={m.top}/second"],
                            capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert second.returncode == 1
    assert "is another manager running?" in second.stderr and "Sanitizer" not in second.stderr
    m.add("a")


@pytest.mark.parametrize("options, code", [
    (["--help"], 0), (["--version"], 0), (["--colour"], 2), (["surplus"], 2), (["--address=nonsense"], 1),
    (["--address=unix:path=/nonexistent"], 1), (["--folder=/nonexistent/a/b"], 1)])
def test_command_line(tmp_path, options, code):
    run = subprocess.run([os.environ["FAKE_MANAGER"], f"--folder={tmp_path}/f", *options], capture_output=True,
                         text=True, timeout=DEADLINE, check=False,
                         env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent"))
    assert run.returncode == code, run.stderr
    assert bool(run.stderr) == (code != 0) and "Sanitizer" not in run.stderr and "runtime error" not in run.stderr
