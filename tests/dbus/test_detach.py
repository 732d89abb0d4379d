# SPDX-License-Identifier: LGPL-2.1-or-later

"""Removing, where the kernel or the worker doesn't play along: a device whose removal failed is still there,
says so, and can be removed by trying again.
"""

import pytest

from harness import MIB, BusError, asv, steps, wait_until

HASTE = 5


@pytest.mark.parametrize("step", steps("detach"))
def test_step(managers, step):
    m = managers(fail_step=f"detach:{step}*2")
    m.add("disk")
    # What runs before the disk is stopped fails with the disk untouched.
    early = steps("detach").index(step) <= steps("detach").index("stop-device")
    for _ in range(2):
        with pytest.raises(BusError) as e:
            m.remove("disk")
        assert e.value.text.startswith(f"disk could not be removed (step {step}): ")
        assert m.state("disk") == ("live" if early else "failed")
        assert m.kernel_devices() == (0 if step in ("await-udev", "unpublish") else 1)
    m.remove("disk")
    m.before = m.fds()
    m.assert_nothing_left()
    m.add("disk")
    assert m.state("disk") == "live"


def test_steps_are_known():
    assert {"stop-device", "delete-device", "unpublish"} <= set(steps("detach"))


@pytest.mark.parametrize("failure, error", [("stop-dev:5*1", "Failed"), ("stop-dev:hang*1", "Timeout")])
def test_kernel_does_not_stop(managers, failure, error):
    """Without force, nothing that isn't written yet is thrown away: the device stays and can be removed later."""
    m = managers(fail=failure, environment={"UBLK_FAKE_HASTE": "300"})
    m.add("disk")
    with pytest.raises(BusError) as e:
        m.remove("disk")
    assert e.value.name == error and "(step stop-device)" in e.value.text
    if error == "Timeout":
        assert "wait and try again, or force it and lose that" in e.value.text
    assert m.state("disk") == "live" and len(m.children()) == 1
    m.remove("disk")
    m.before = m.fds()
    m.assert_nothing_left()


def test_forced_stop_kills_the_worker(managers):
    m = managers(fail="stop-dev:hang*1")
    m.add("disk")
    m.remove("disk", force=True)
    assert "killing it: that is lost" in m.log()
    m.before = m.fds()
    m.assert_nothing_left()


def test_device_is_gone_already(managers):
    """Somebody else stopped it in between."""
    m = managers(fail="stop-dev:19*1", haste=HASTE)
    m.add("disk")
    m.remove("disk")
    m.before = m.fds()
    m.assert_nothing_left()


def test_kernel_refuses_to_delete(managers):
    m = managers(fail="del-dev:16*2")
    m.add("disk")
    for _ in range(2):
        with pytest.raises(BusError) as e:
            m.remove("disk")
        assert e.value.name == "DeviceBusy"
        assert e.value.text == ("disk could not be removed (step delete-device): the kernel did not delete "
                                "device 0: Device or resource busy")
        assert m.state("disk") == "failed"
    m.remove("disk")
    m.before = m.fds()
    m.assert_nothing_left()


def test_delete_hangs(managers):
    """The command ran out of time and the device is still listed: it may not have begun, so nothing is forgotten."""
    m = managers(fail="del-dev:hang*1")
    m.add("disk")
    with pytest.raises(BusError) as e:
        m.remove("disk")
    assert e.value.name == "Timeout" and m.state("disk") == "failed"
    m.remove("disk")
    m.before = m.fds()
    m.assert_nothing_left()


def test_stubborn_worker(managers):
    m = managers(haste=HASTE)
    m.mark()
    m.add("stubborn")
    assert len(m.children()) == 1
    m.remove("stubborn")
    assert "the worker doesn't end by itself, killing it" in m.log()
    m.assert_nothing_left()


@pytest.mark.parametrize("options", [{}, {"force": True}])
def test_failed_device(managers, options):
    m = managers(fail="del-dev:5*1")
    m.add("disk")
    m.listen()
    m.kill_workers(m.children())
    m.wait_for_state("disk", "failed")
    while True:  # each question lets the manager's clean-up go on
        try:
            m.remove("disk", **options)
            break
        except BusError as e:
            assert e.name == "DeviceBusy"
    m.before = m.fds()
    m.assert_nothing_left()


def test_remove_while_attaching(managers):
    m = managers(haste=HASTE)
    m.mark()
    answer = m.start_add("silent")
    with pytest.raises(BusError) as e:
        m.remove("silent", force=True)
    assert e.value.name == "DeviceBusy" and "'silent' is attaching" in e.value.text
    with pytest.raises(BusError) as e:
        m.add("silent")
    assert e.value.name == "DeviceExists"
    wait_until(lambda: answer)
    assert answer[0].name == "Timeout"
    m.assert_nothing_left()


def test_two_removals(managers):
    """The second one hears that the first is under way."""
    m = managers(haste=HASTE)
    m.mark()
    m.add("stubborn")
    answer = m.start("RemoveDevice", "stubborn", asv({}))
    with pytest.raises(BusError) as e:
        m.remove("stubborn")
    assert e.value.name == "DeviceBusy" and "'stubborn' is removing" in e.value.text
    wait_until(lambda: answer)
    assert answer == [()]
    m.assert_nothing_left()


def test_32_devices_twice(manager):
    for _ in range(2):
        for i in range(32):
            manager.add(f"d{i}", type=("ram", "null")[i % 2], sizeBytes=MIB)
        assert len(manager.devices()) == manager.kernel_devices() == len(manager.children()) == 32
        assert sorted(d[3] for d in manager.devices().values()) == list(range(32))
        for i in range(32):
            manager.remove(f"d{i}", force=bool(i % 2))
        manager.assert_nothing_left()
