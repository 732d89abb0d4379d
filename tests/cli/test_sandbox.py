# SPDX-License-Identifier: LGPL-2.1-or-later

"""sandbox, with an ordinary process in place of a worker: it is confined to nothing, and that must be said."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a worker")

# Says when it runs, with a second thread and a folder open; ends with its stdin.
ORDINARY = """
import os, sys, threading
os.open("/", os.O_RDONLY)
threading.Thread(target=sys.stdin.read).start()
print(os.getpid(), flush=True)
"""


@pytest.fixture
def worker(manager):
    """The number of an ordinary process that the manager calls the worker of its devices."""
    process = subprocess.Popen([sys.executable, "-c", ORDINARY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid = int(process.stdout.readline())
    say_workers(manager, pid)
    yield pid
    process.communicate(timeout=60)


def say_workers(manager, *pids):
    (manager.folder / "workers").write_text(" ".join(map(str, pids)))


def page_facts():
    """The keys that the manual says are there."""
    page = pathlib.Path(__file__).parents[2] / "man/ublkctl.1"
    text = re.search(r"^The facts are\n(.*?)\n\.It", page.read_text(), re.M | re.S)[1]
    return re.findall(r"^\.Ql (\w+)", text, re.M)


@root_only
def test_table(manager, worker):
    r = manager("sandbox", "disk9")
    assert (r.returncode, r.stderr) == (1, "")
    lines = r.stdout.splitlines()
    assert lines[0] == "disk9"
    assert re.fullmatch(r"WHAT +VERDICT +PROMISED +IS", lines[1])
    assert re.search(rf"^process +- +- +{worker}$", r.stdout, re.M)
    assert re.search(r"^threads +- +- +2$", r.stdout, re.M)
    assert re.search(r"^user +does NOT hold its own +0$", r.stdout, re.M)
    assert re.search(r"^root folder +does NOT hold empty +\d+ entries$", r.stdout, re.M)
    assert re.search(r"^dumpable +unknown +no ", r.stdout, re.M)
    assert re.search(r"^  fd 0 +- +- +pipe: pipe:\[\d+\]$", r.stdout, re.M)
    assert re.search(r"^  fd \d+ +does NOT hold - +folder: /$", r.stdout, re.M)
    assert re.fullmatch(r"\d+ promises hold, \d+ do not, \d+ unknown\.", lines[-1])
    assert all(line == line.rstrip() for line in lines)
    bare = manager("sandbox", "--no-legend", "disk9")
    assert bare.returncode == 1
    assert bare.stdout.splitlines() == [lines[0], *lines[2:-1]]


@root_only
def test_json(manager, worker):
    r = manager("sandbox", "disk9", "disk10", "--json=short")
    assert (r.returncode, r.stderr) == (1, "")
    sandbox, other = [json.loads(line) for line in r.stdout.splitlines()]
    assert (sandbox["name"], other["name"]) == ("disk9", "disk10")
    assert (sandbox["workerPid"], sandbox["holds"]) == (worker, False)
    facts = sandbox["facts"]
    assert list(facts) == page_facts()
    assert facts["uid"] == {"verdict": "broken", "promised": "its own", "is": "0"}
    assert facts["pid"] == {"verdict": "none", "promised": None, "is": str(worker)}
    # In a container the namespaces of process 1 may be hidden.
    assert facts["userNamespace"]["verdict"] in ("broken", "unknown")
    assert facts["fds"]["verdict"] == "broken"
    assert {"fd": 0, "verdict": "holds", "type": "pipe"}.items() <= sandbox["fds"][0].items()
    folders = [fd for fd in sandbox["fds"] if fd["type"] == "folder"]
    assert [(fd["verdict"], fd["is"]) for fd in folders] == [("broken", "/")]
    pretty = manager("sandbox", "disk9", "--json=pretty")
    assert pretty.stdout.count("\n") > 50 and json.loads(pretty.stdout)["facts"].keys() == facts.keys()
    assert manager("sandbox", "disk9", "-j").stdout.count("\n") == 1


@root_only
def test_quiet(manager, worker):
    r = manager("sandbox", "-q", "disk9")
    assert (r.returncode, r.stdout, r.stderr) == (1, "", "")


@root_only
def test_what_holds(manager, worker):
    """A process that has given up what setpriv can give up."""
    command = ["setpriv", "--reuid=4242", "--regid=4242", "--clear-groups", "--no-new-privs", "--bounding-set=-all",
               "--inh-caps=-all", "prlimit", "--core=0:0", sys.executable, "-c", ORDINARY]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/")
    say_workers(manager, int(process.stdout.readline()))
    r = manager("sandbox", "disk9", "--json=short")
    process.communicate(timeout=60)
    facts = json.loads(r.stdout)["facts"]
    assert r.returncode == 1
    assert facts["uid"] == {"verdict": "holds", "promised": "its own", "is": "4242"}
    for fact in ("gid", "groups", "capabilities", "noNewPrivs", "coreLimit"):
        assert facts[fact]["verdict"] == "holds", fact
    assert (facts["dumpable"]["verdict"], facts["dumpable"]["is"]) == ("broken", "yes")


def test_needs_root(manager, worker, binary):
    command = [binary, "--address=" + manager.run.address, "sandbox", "disk9"]
    if os.geteuid() == 0:
        # Another user (one that the bus can find), who nevertheless gets into the folder of the tests.
        command = ["setpriv", "--reuid=65534", "--inh-caps=+dac_override", "--ambient-caps=+dac_override", *command]
    r = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (r.returncode, r.stdout) == (1, "")
    assert r.stderr == f"ublkctl: disk9: reading worker {worker} needs root: sudo ublkctl sandbox disk9\n"


@root_only
def test_ended(manager, worker):
    """A number that is not, or no longer, that of the worker."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    say_workers(manager, gone.pid)
    r = manager("sandbox", "disk9")
    assert (r.returncode, r.stdout) == (1, "")
    assert r.stderr == f"ublkctl: disk9: its worker {gone.pid} has ended meanwhile; try again\n"
    say_workers(manager, worker, os.getpid())
    r = manager("sandbox", "disk9")
    assert (r.returncode, r.stdout) == (1, "")
    assert r.stderr == f"ublkctl: disk9: its worker {worker} has ended meanwhile; try again\n"


@root_only
def test_ended_and_not_waited_for(manager, worker):
    ended = subprocess.Popen(["true"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    say_workers(manager, ended.pid)
    r = manager("sandbox", "disk9")
    ended.wait()
    assert (r.returncode, r.stdout) == (1, "")
    assert "has ended meanwhile" in r.stderr


def test_no_worker(manager):
    say_workers(manager, 0)
    r = manager("sandbox", "gone", "disk9", "a b")
    assert (r.returncode, r.stdout) == (1, "")
    assert r.stderr == ("ublkctl: gone: there is no device of this name\n"
                        "ublkctl: disk9: it has no worker (its state is live)\n"
                        "ublkctl: a b: no device can have this name\n")
