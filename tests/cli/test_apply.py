# SPDX-License-Identifier: LGPL-2.1-or-later

"""apply: which documents are sent and how a plan is shown. What the plan says is the manager's matter."""

import json
import os

import pytest

GOOD = '{"type": "ram", "sizeBytes": "64M"}'


def action(name, verb, **more):
    return {"name": name, "action": verb, "origin": f"/d/{name}.json", "disruptive": False,
            "fields": [], **more}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "devices.d"
    path.mkdir()
    (path / "b.json").write_text(GOOD)
    (path / "a.json").write_text("{ broken")
    (path / ".c.json").write_text(GOOD)
    (path / "d.json~").write_text(GOOD)
    return path


def test_documents(manager, folder):
    manager.answer()
    r = manager("apply", folder)
    assert (r.returncode, r.stdout, r.stderr) == (0, "0 devices.\n", "")
    assert manager.calls() == [{
        "method": "Apply",
        "documents": [[f"{folder}/a.json", "{ broken"], [f"{folder}/b.json", GOOD]],
        "options": {"prune": ["b", False], "force": ["b", False], "folder": ["s", str(folder)]},
    }]


def test_options(manager, folder):
    manager.answer()
    assert manager("apply", "--dry-run", "--prune", "-f", ".", cwd=folder).returncode == 0
    call = manager.calls()[0]
    assert call["method"] == "Plan"
    assert [d[0] for d in call["documents"]] == [f"{folder}/a.json", f"{folder}/b.json"]
    assert call["options"] == {"prune": ["b", True], "force": ["b", True],
                               "folder": ["s", str(folder)]}


def test_one_path_however_reached(manager, folder, tmp_path):
    manager.answer()
    (tmp_path / "link").symlink_to("devices.d")
    for paths in (["link/"], ["devices.d/../link"], ["devices.d", "link/b.json"]):
        assert manager("apply", *paths, cwd=tmp_path).returncode == 0
    first, second, third = manager.calls()
    assert first["documents"] == second["documents"] == third["documents"]
    assert first["options"]["folder"] == second["options"]["folder"] == ["s", str(folder)]
    assert "folder" not in third["options"]


def test_single_file(manager, folder):
    manager.answer()
    assert manager("apply", "b.json", cwd=folder).returncode == 0
    assert manager.calls()[0]["documents"] == [[f"{folder}/b.json", GOOD]]
    assert "folder" not in manager.calls()[0]["options"]


def test_files_that_can_not_be_sent_are_not_gone(manager, folder):
    (folder / "e.json").write_text(GOOD + " " * 65536)
    (folder / "f.json").symlink_to("nowhere")
    (folder / "g.json").write_bytes(b'{"type": "\xff"}')
    (folder / "h.json").write_bytes(b'{"type": \x00}')
    manager.answer(*(dict(action(n, "blocked", reason="the file has errors",
                                 errors=[f"{folder}/{n}.json:1:1: empty"]),
                          origin=f"{folder}/{n}.json") for n in "efgh"))
    r = manager("apply", "--prune", folder)
    assert r.returncode == 1
    documents = dict(manager.calls()[0]["documents"])
    for name in "efgh":
        assert documents[f"{folder}/{name}.json"] == ""
    assert documents[f"{folder}/b.json"] == GOOD
    lines = r.stderr.splitlines()
    assert lines[:2] == [f"{folder}/e.json: the file is too large; the most is 64K",
                         f"{folder}/f.json: No such file or directory"]
    assert [line for line in lines if "g.json:1:" in line] and "empty" not in r.stderr
    assert [line for line in lines if "h.json:1:" in line]
    assert r.stdout.endswith("4 devices: 4 blocked.\n")


def test_names_that_can_not_be_sent(manager, folder):
    manager.answer()
    with open(os.fsencode(folder) + b"/\xff.json", "w") as f:
        f.write(GOOD)
    r = manager("apply", folder)
    assert r.returncode == 1 and "not UTF-8" in r.stderr
    assert len(manager.calls()[0]["documents"]) == 2


def test_nothing_to_send(manager, tmp_path):
    r = manager("apply", "none.json", cwd=tmp_path)
    assert (r.returncode, r.stdout) == (1, "")
    assert r.stderr == f"{tmp_path}/none.json: No such file or directory\n"
    r = manager("apply", "none/none.json", cwd=tmp_path)
    assert (r.returncode, r.stderr) == (1, "none/none.json: No such file or directory\n")
    assert manager.calls() == []


CHANGE = {"key": "sizeBytes", "old": 1 << 20, "new": 2 << 20, "change": "recreate"}
ACTIONS = [
    dict(action("old", "remove", reason="its file is gone", result="done")),
    dict(action("disk", "recreate", fields=[
        CHANGE, {"key": "id", "old": 3, "new": None, "change": "recreate"},
        {"key": "path", "old": "/a", "new": "/b\x1b", "change": "recreate"},
        {"key": "fromTheFuture", "old": 1, "new": 2, "change": "live"}],
        reason="sizeBytes can't change", result="done")),
    dict(action("ram0", "create", result="done")),
    dict(action("ram1", "none")),
    dict(action("ram2", "update", reason="keys that begin with x-", result="done")),
    dict(action("w", "worker", fields=[{"key": "direct", "old": True, "new": False,
                                        "change": "worker"}], result="done")),
]


def test_plan(manager, folder):
    manager.answer(*ACTIONS)
    r = manager("apply", folder)
    assert (r.returncode, r.stderr) == (0, "")
    assert r.stdout == (
        "removed old: its file is gone\n"
        'recreated disk (sizeBytes: 1M → 2M, id: 3 → unset, path: "/a" → "/b\\u001b")\n'
        "created ram0\n"
        "unchanged ram1\n"
        "updated ram2: keys that begin with x-\n"
        "restarted w (direct: true → false)\n"
        "6 devices: 1 created, 1 updated, 1 restarted, 1 recreated, 1 removed, 1 unchanged.\n")
    assert manager("apply", "--no-legend", folder).stdout == "".join(
        r.stdout.splitlines(keepends=True)[:-1])
    assert manager("apply", "--quiet", folder).stdout == ""


def test_dry_run(manager, folder):
    manager.answer(*ACTIONS)
    r = manager("apply", "--dry-run", folder)
    assert (r.returncode, r.stderr) == (0, "")
    lines = r.stdout.splitlines()
    assert lines[0] == "would remove old: its file is gone"
    assert lines[1].startswith("would recreate disk (sizeBytes: 1M → 2M")
    assert lines[2:4] == ["would create ram0", "unchanged ram1"]
    assert lines[6] == ("6 devices: 1 would be created, 1 would be updated, 1 would be restarted, "
                        "1 would be recreated, 1 would be removed, 1 unchanged.")


@pytest.mark.parametrize("bad, line, errors", [
    (action("x", "blocked", reason="in use by /srv"), "blocked x: in use by /srv", ""),
    (action("x", "create", result="failed", error="no memory"), "failed x: no memory", ""),
    (action("x", "recreate", fields=[CHANGE], result="failed", error="no\nmemory"),
     "failed x (sizeBytes: 1M → 2M): no\\u000amemory", ""),
    (action("x", "create", result="pending"), "failed x: it was not done", ""),
    (action("x", "blocked", reason="the file has errors",
            errors=["/d/x.json:1:3: queues: bad", "/d/x.json:2:1: \x1b"]),
     "blocked x: the file has errors", "/d/x.json:1:3: queues: bad\n/d/x.json:2:1: \\u001b\n"),
])
def test_what_went_wrong(manager, folder, bad, line, errors):
    manager.answer(action("ok", "create", result="done"), bad)
    r = manager("apply", folder)
    assert r.returncode == 1
    assert r.stdout.splitlines()[:2] == ["created ok", line]
    assert r.stderr == errors
    word = line.split()[0]
    assert r.stdout.endswith(f"2 devices: 1 created, 1 {word}.\n")
    r = manager("apply", "-q", folder)
    assert (r.returncode, r.stdout, r.stderr) == (1, "", line + "\n" + errors)


def test_json(manager, folder):
    text = manager.answer(*ACTIONS)
    r = manager("apply", folder, "--json=short")
    assert (r.returncode, r.stdout, r.stderr) == (0, text + "\n", "")
    pretty = manager("apply", folder, "--json=pretty")
    assert json.loads(pretty.stdout) == json.loads(text) and pretty.stdout.count("\n") > 20
    manager.answer(action("x", "blocked", reason="no"))
    assert manager("apply", folder, "-j").returncode == 1


@pytest.mark.parametrize("text", ["", "[]", '{"actions":[{"name":"x"}]}', "{",
                                  '{"actions":[{"name":1,"action":"none","origin":"/"}]}',
                                  '{"actions":[{"name":"x","action":"explode","origin":"/"}]}',
                                  '{"actions":[{"name":"x","action":"none","origin":"/",'
                                  '"fields":[{"key":"id","old":[],"new":1}]}]}'])
def test_nonsense(manager, folder, text):
    (manager.folder / "plan").write_text(text)
    r = manager("apply", folder)
    assert (r.returncode, r.stdout) == (1, "")
    assert "not understood" in r.stderr and r.stderr.count("\n") == 1
