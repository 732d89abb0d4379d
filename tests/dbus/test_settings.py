# SPDX-License-Identifier: LGPL-2.1-or-later

"""ublkmgr.conf: good settings reach the workers and are warned of, bad ones are told and count for nothing."""

import os
import subprocess

import pytest

from harness import DEADLINE, BusError

BAD = '{\n  "allowMissing": ["ownUser", "everything"],\n  "spawnr": "exec"\n}\n'


def tolerated(m):
    """What a worker is told, which says it when it fails."""
    with pytest.raises(BusError) as error:
        m.add("fail")
    return int(error.value.text.rpartition("tolerated: ")[2].split()[0].rstrip(".,;)"), 16)


def test_none(managers):
    m = managers()
    assert tolerated(m) == 0
    assert "allowMissing" not in m.log()


def test_good(managers):
    m = managers(settings='{"spawner": "exec", "allowMissing": ["memoryLock", "systemCallFilter"]}')
    assert f"{m.top}/ublkmgr.conf: allowMissing: " in m.log()
    assert "not to be had: memoryLock, systemCallFilter\n" in m.log()
    assert tolerated(m) == 0x82
    m.add("disk")
    m.remove("disk")


def test_bad(managers):
    m = managers(settings=BAD)
    path = f"{m.top}/ublkmgr.conf"
    assert f'{path}:2:31: allowMissing: "everything" is not known here' in m.log()
    assert f'{path}:3:3: spawnr: unknown key; did you mean "spawner"?' in m.log()
    assert f"{path} is wrong, so that nothing in it counts" in m.log()
    assert tolerated(m) == 0
    m.add("disk")
    m.remove("disk")


def test_not_roots(managers):
    m = managers(settings='{"allowMissing": ["ownUser"]}')
    assert tolerated(m) == 8
    m.process.terminate()
    assert m.wait() == 0
    (m.top / "ublkmgr.conf").chmod(0o666)
    m.start_manager()
    assert "can be written by others than root (mode 0666)" in m.log()
    m.add("disk")
    m.remove("disk")


@pytest.mark.parametrize("text, code, words", [
    ("{}", 0, ["ublkmgr.conf: ok"]),
    ("", 0, ["ublkmgr.conf: ok"]),
    (BAD, 1, ["ublkmgr.conf:2:31: allowMissing", "ublkmgr.conf:3:3: spawnr"]),
    (None, 1, ["ublkmgr.conf: can't be opened: No such file or directory"]),
])
def test_check(tmp_path, text, code, words):
    path = tmp_path / "ublkmgr.conf"
    if text is not None:
        path.write_text(text)
    run = subprocess.run([os.environ["FAKE_MANAGER"], f"--config={path}", "--check-config"], capture_output=True, text=True,
                         timeout=DEADLINE, check=False)
    assert run.returncode == code
    said, silent = (run.stderr, run.stdout) if code else (run.stdout, run.stderr)
    assert silent == "" and said.count("\n") == len(words)
    for word in words:
        assert word in said
