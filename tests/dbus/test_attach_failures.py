# SPDX-License-Identifier: LGPL-2.1-or-later

"""Every step of attaching is made to fail: by the hook in the runner, by the kernel, by the worker. Each time
nothing may be left (kernel device, worker, file, fd), the caller must hear which step it was, why, and what to
do where there is something to do, and the same name must attach when the cause is gone.
"""

import errno
import os

import pytest

from harness import MIB, BusError, steps

HASTE = 5  # a worker that is started on a busy machine must still be in time


def fails(m, name="disk", **spec):
    with pytest.raises(BusError) as e:
        m.add(name, **spec)
    assert e.value.text.startswith(f"{name} could not be attached (step ")
    assert e.value.text in m.log()
    m.assert_nothing_left()
    return e.value


def assert_recovers(m, name="disk"):
    m.add(name)
    assert m.state(name) == "live"
    m.remove(name)
    m.assert_nothing_left()


def test_steps_are_known():
    """The parametrization below has found the table."""
    assert len(steps("attach")) >= 9 and {"add-device", "start-device"} <= set(steps("attach"))


@pytest.mark.parametrize("type", ["ram", "loop", "null"])
@pytest.mark.parametrize("step", steps("attach"))
def test_step(managers, tmp_path, step, type):
    m = managers()
    m.mark()
    m.stop()
    image = tmp_path / "image"
    image.write_bytes(b"\0" * MIB)
    spec = {"type": type, "path": str(image)} if type == "loop" else {"type": type, "sizeBytes": MIB}
    fd = os.open(image, os.O_RDWR)

    m = managers(fail_step=f"attach:{step}*3")
    # The first attempt warms up what the libraries keep, so what there is after it is the measure.
    with pytest.raises(BusError) as e:
        m.add("disk", **spec)
    m.before = m.fds()
    error = fails(m, **spec)
    assert error.text == e.value.text
    assert error.name == "Failed"
    assert error.text == f"disk could not be attached (step {step}): {os.strerror(errno.EUCLEAN)}"
    with pytest.raises(BusError):
        m.add("disk", fds=[fd] if type == "loop" else [], **spec)
    os.close(fd)
    m.assert_nothing_left()
    m.add("disk", **spec)
    assert m.state("disk") == "live"
    m.remove("disk")


KERNEL = {
    "add-dev:28": ("add-device", "Failed", "the kernel refused to add the device: No space left on device"),
    "add-dev:1": ("add-device", "Failed", "refused to add the device: Operation not permitted"),
    "add-dev:17": ("add-device", "DeviceExists", "is taken: leave id out"),
    "add-dev:hang": ("add-device", "Timeout", "Connection timed out"),
    "set-params:22": ("set-parameters", "InvalidSpec", "the kernel refused the parameters of the device: Invalid"),
    "set-params:hang": ("set-parameters", "Timeout", "refused the parameters of the device: Connection timed out"),
    "start-dev:5": ("start-device", "Failed", "the kernel refused to start the device: Input/output error"),
    "start-dev:12": ("start-device", "Failed", "the kernel refused to start the device: Cannot allocate memory"),
    "start-dev:16": ("start-device", "DeviceBusy", "the kernel refused to start the device: Device or resource busy"),
    "start-dev:hang": ("start-device", "Timeout", "the kernel refused to start the device: Connection timed out"),
}


@pytest.mark.parametrize("failure", sorted(KERNEL))
def test_kernel(managers, failure):
    step, name, words = KERNEL[failure]
    m = managers(fail=failure + "*2")
    with pytest.raises(BusError):
        m.add("disk")
    m.before = m.fds()
    error = fails(m)
    assert (error.name, f"(step {step})" in error.text) == (name, True)
    assert words in error.text
    assert_recovers(m)


@pytest.mark.parametrize("deleting", ["hang*1", "5*1"])
def test_kernel_does_not_even_delete(managers, deleting):
    """The failure that is reported is the first one. What could not be undone stays as a failed device: forgotten,
    nobody could ever remove it."""
    m = managers(fail=f"start-dev:5*1,del-dev:{deleting}")
    with pytest.raises(BusError) as e:
        m.add("disk")
    assert "step start-device" in e.value.text and "Input/output error" in e.value.text
    assert m.state("disk") == "failed" and m.children() == []
    assert m.kernel_devices() == 1
    m.remove("disk")
    assert m.devices() == {} and m.files() == []
    assert m.kernel_devices() == 0
    m.add("disk")
    assert m.state("disk") == "live"


WORKERS = {
    "exit-early": ("configure-worker", "WorkerFailed", "the worker exited with code 7"),
    "silent": ("configure-worker", "Timeout", "it took too long"),
    "fail": ("configure-worker", "Failed",
             "the worker failed in step open-target: No space left on device: made up by a test"),
    "garbage": ("configure-worker", "Failed", "the worker sent something that is not allowed"),
    "wrong-size": ("configure-worker", "Failed", "described another device: its size is not the one of the spec"),
}


@pytest.mark.parametrize("behaviour", sorted(WORKERS))
def test_worker(managers, behaviour):
    step, name, words = WORKERS[behaviour]
    m = managers(haste=HASTE if behaviour == "silent" else 0)
    m.mark()
    for _ in range(2):
        error = fails(m, behaviour)
        assert (error.name, f"(step {step})" in error.text) == (name, True)
        assert words in error.text
    assert_recovers(m)


def test_worker_ends_during_start(managers):
    """The kernel waits for its worker in START_DEV, and it is gone: the manager notices before the deadline."""
    m = managers(fail="start-dev:hang*2")
    with pytest.raises(BusError):
        m.add("exit-after-ready")
    m.before = m.fds()
    error = fails(m, "exit-after-ready")
    assert error.name == "WorkerFailed"
    assert error.text == ("exit-after-ready could not be attached (step start-device): "
                          "the worker exited with code 9")
    assert_recovers(m)


def test_stubborn_worker_is_killed_in_undo(managers):
    m = managers(fail="start-dev:5*2")
    with pytest.raises(BusError):
        m.add("stubborn")
    m.before = m.fds()
    fails(m, "stubborn")


@pytest.mark.parametrize("worker", ["/nonexistent/worker", "/dev/null", "/etc/passwd"])
def test_no_worker(managers, worker):
    m = managers(worker=worker)
    with pytest.raises(BusError):
        m.add("disk")
    m.before = m.fds()
    error = fails(m)
    assert "(step start-worker)" in error.text and f"the worker {worker} can't be started" in error.text


@pytest.mark.parametrize("folder", ["udev", "devices"])
def test_nowhere_to_write(managers, folder):
    m = managers()
    m.mark()
    (m.folder / folder).rmdir()
    error = fails(m)
    assert "(step publish)" in error.text and f"{m.folder}/{folder}: No such file" in error.text
    (m.folder / folder).mkdir()
    assert_recovers(m)
