# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs the real ublkctl (environment: UBLKCTL) and, where a test wants one, a private bus with a manager
that is none (fakemanager.py). The system's bus is never touched.
"""

import json
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"""


class Program:
    """Runs ublkctl; its result has returncode, stdout and stderr as text."""

    def __init__(self, path, address=None):
        self.path = path
        self.address = address

    def __call__(self, *arguments, cwd=None, env=None, text=True):
        command = [self.path]
        if self.address:
            command.append("--address=" + self.address)
        environment = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC",
                           DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent/bus")
        environment.pop("NO_COLOR", None)
        environment.update(env or {})
        return subprocess.run(command + [str(a) for a in arguments], cwd=cwd, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=text,
                              timeout=60, check=False)


@pytest.fixture(scope="session")
def binary():
    path = os.environ.get("UBLKCTL")
    assert path, "UBLKCTL must name the ublkctl to test"
    return os.path.abspath(path)


@pytest.fixture
def ublkctl(binary):
    return Program(binary)


@pytest.fixture(scope="session")
def bus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bus")
    config = folder / "bus.conf"
    config.write_text(BUS_CONFIG.format(path=folder / "socket"))
    daemon = subprocess.Popen(["dbus-daemon", "--config-file", config, "--nofork", "--nopidfile",
                               "--print-address"], stdout=subprocess.PIPE, text=True)
    yield daemon.stdout.readline().strip()
    daemon.terminate()
    daemon.wait(timeout=10)
    daemon.stdout.close()


class Manager:
    """The fake manager: run ublkctl against it by calling it."""

    def __init__(self, run, folder):
        self.run = run
        self.folder = folder

    def __call__(self, *arguments, **options):
        return self.run(*arguments, **options)

    def calls(self):
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def answer(self, *actions):
        """What Plan and Apply return."""
        plan = {"actions": list(actions), "changed": 0, "failed": 0, "blocked": 0}
        text = json.dumps(plan, separators=(",", ":"))
        (self.folder / "plan").write_text(text)
        return text


@pytest.fixture
def manager(binary, bus, tmp_path):
    folder = tmp_path / "manager"
    folder.mkdir()
    fake = subprocess.Popen([sys.executable, str(HERE / "fakemanager.py"), bus, str(folder)],
                            stdout=subprocess.PIPE, text=True)
    assert fake.stdout.readline() == "ready\n"
    yield Manager(Program(binary, bus), folder)
    fake.terminate()
    fake.wait(timeout=10)
    fake.stdout.close()


@pytest.fixture
def lonely(binary, bus):
    """ublkctl on a bus without a manager. The bus is the same for all, so no `manager` in such a test."""
    return Program(binary, bus)
