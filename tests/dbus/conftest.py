# SPDX-License-Identifier: LGPL-2.1-or-later

"""Fixtures: `manager`, one that several tests share, and `managers`, which makes as many as a test wants.
Environment: FAKE_MANAGER, FAKE_WORKER, MALICIOUS_WORKER, UBLK_SOURCE_DIR.
"""

import pytest

pytest.register_assert_rewrite("harness")

from harness import Manager  # noqa: E402


@pytest.fixture(scope="session")
def shared():
    m = Manager()
    m.mark()
    yield m
    m.stop()


@pytest.fixture
def manager(shared):
    """Shared: the test must leave nothing behind, and that is checked."""
    shared.settle()
    shared.signals.clear()
    yield shared
    for name in shared.devices():
        shared.remove(name)
    shared.assert_nothing_left()


@pytest.fixture
def managers():
    """Makes managers of the test's own: managers(fail="start-dev:5"). All are stopped, and looked at, at the
    end of the test, unless the test has done it."""
    made = []

    def make(**options):
        made.append(Manager(**options))
        return made[-1]

    yield make
    problems = []
    for m in made:
        if m.process.poll() is None:
            try:
                m.stop()
            except AssertionError as e:
                problems.append(e)
        else:
            m.clean_up()
    if problems:
        raise problems[0]
