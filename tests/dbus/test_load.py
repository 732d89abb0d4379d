# SPDX-License-Identifier: LGPL-2.1-or-later

"""Many callers at once."""

import pytest

from harness import BusError, Client, Manager, asv, wait_until


def test_200_at_once(manager):
    """100 names, each asked for twice and over two connections: one of the two gets it, and all can be
    removed at once again."""
    other = Client(manager.address)
    other.start_add = Manager.start_add.__get__(other)
    answers = {f"d{i}": (manager.start_add(f"d{i}"), other.start_add(f"d{i}")) for i in range(100)}
    wait_until(lambda: all(a and b for a, b in answers.values()))
    for name, pair in answers.items():
        won = [a[0] for a in pair if not isinstance(a[0], BusError)]
        lost = [a[0].name for a in pair if isinstance(a[0], BusError)]
        assert len(won) == 1 and lost == ["DeviceExists"], name
    assert len(manager.devices()) == manager.kernel_devices() == len(manager.children()) == 100
    removed = [manager.start("RemoveDevice", name, asv({})) for name in answers]
    wait_until(lambda: all(removed))
    assert removed == [[()]] * 100
    other.close()
    manager.assert_nothing_left()


@pytest.mark.parametrize("step", ["add-dev", "set-params", "start-dev"])
def test_all_fail_at_once(managers, step):
    m = managers(fail=f"{step}:28*21")
    with pytest.raises(BusError):
        m.add("warm-up")
    m.before = m.fds()
    answers = [m.start_add(f"d{i}") for i in range(20)]
    wait_until(lambda: all(answers))
    assert all("No space left on device" in a[0].text for a in answers)
    m.assert_nothing_left()
