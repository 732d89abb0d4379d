# SPDX-License-Identifier: LGPL-2.1-or-later

"""Plan and Apply: what is planned, that the same is carried out, and that a second time there is nothing to do."""

import json

import pytest
from gi.repository import GLib

from harness import DEVICE, MIB, BusError, asv, wait_until

FOLDER = "/etc/ublk/devices.d"


def document(**spec):
    return json.dumps(spec or {"type": "ram", "sizeBytes": MIB})


def files(**documents):
    return {f"{FOLDER}/{name.replace('_', '-')}.json": text for name, text in documents.items()}


def arguments(documents, **options):
    return GLib.Variant("a(ss)", list(documents.items())), asv(options)


def run(manager, documents, method="Apply", **options):
    plan = json.loads(manager.apply(documents, method, **options))
    return plan, {a["name"]: a for a in plan["actions"]}


def verbs(actions):
    return {name: a["action"] for name, a in actions.items()}


def test_life(manager):
    wanted = files(a=document(), b=document(type="null", sizeBytes="1G"))
    plan, actions = run(manager, wanted, "Plan")
    assert (plan["changed"], plan["failed"], plan["blocked"]) == (2, 0, 0)
    assert verbs(actions) == {"a": "create", "b": "create"}
    assert "result" not in actions["a"] and manager.devices() == {}

    plan, actions = run(manager, wanted)
    assert (plan["changed"], plan["failed"], plan["blocked"]) == (2, 0, 0)
    assert [a["result"] for a in actions.values()] == ["done", "done"]
    assert sorted(manager.devices()) == ["a", "b"]
    assert manager.get("Origin", manager.devices()["a"][1], DEVICE) == f"config:{FOLDER}/a.json"

    before = manager.devices(), manager.children()
    plan, actions = run(manager, wanted)
    assert plan["changed"] == 0 and verbs(actions) == {"a": "none", "b": "none"}
    assert (manager.devices(), manager.children()) == before

    wanted[f"{FOLDER}/a.json"] = document(type="ram", sizeBytes=2 * MIB)
    del wanted[f"{FOLDER}/b.json"]
    plan, actions = run(manager, wanted, "Plan", prune=True, folder=FOLDER)
    assert verbs(actions) == {"a": "recreate", "b": "remove"}
    assert actions["a"]["fields"] == [{"key": "sizeBytes", "old": MIB, "new": 2 * MIB, "change": "recreate"}]
    assert actions["a"]["disruptive"] and actions["b"]["disruptive"]
    planned = plan
    plan, actions = run(manager, wanted, prune=True, folder=FOLDER)
    assert [a["result"] for a in plan["actions"]] == ["done", "done"]
    for a in plan["actions"]:
        del a["result"]
    assert plan == planned
    assert list(manager.devices()) == ["a"] and manager.devices()["a"][4] == 2 * MIB
    assert run(manager, wanted, prune=True, folder=FOLDER)[0]["changed"] == 0
    assert run(manager, {}, prune=True, folder=FOLDER)[0]["changed"] == 1
    assert run(manager, {}, prune=True, folder=FOLDER)[0]["actions"] == []


def test_without_prune_nothing_is_removed(manager):
    run(manager, files(a=document()))
    assert run(manager, {})[0]["actions"] == []
    assert list(manager.devices()) == ["a"]


def test_prune_spares_others(manager):
    """What came over the bus or from another folder isn't this folder's to remove."""
    manager.add("api")
    run(manager, {"/run/ublk/devices.d/other.json": document()})
    assert run(manager, {}, prune=True, folder=FOLDER)[0]["actions"] == []
    assert sorted(manager.devices()) == ["api", "other"]


def test_foreign_origin_is_blocked(manager):
    manager.add("a")
    plan, actions = run(manager, files(a=document(type="null", sizeBytes=MIB)))
    assert plan["blocked"] == 1 and actions["a"]["action"] == "blocked"
    assert "exists already, from api" in actions["a"]["reason"]
    assert manager.devices()["a"][2] == "ram"


def test_description_is_updated_live(manager):
    run(manager, files(a=document(type="ram", sizeBytes=MIB, description="old")))
    path = manager.devices()["a"][1]
    manager.listen()
    worker = manager.get("WorkerPID", path, DEVICE)
    plan, actions = run(manager, files(a=document(type="ram", sizeBytes=MIB, description="new")))
    assert actions["a"]["action"] == "update" and actions["a"]["result"] == "done" and not actions["a"]["disruptive"]
    assert actions["a"]["fields"] == [{"key": "description", "old": "old", "new": "new", "change": "live"}]
    assert manager.get("WorkerPID", path, DEVICE) == worker
    assert json.loads(manager.get("Spec", path, DEVICE))["description"] == "new"
    manager.settle()
    assert [s[2] for s in manager.signals] == [(DEVICE, {}, ["Spec"])]
    assert run(manager, files(a=document(type="ram", sizeBytes=MIB, description="new")))[0]["changed"] == 0


def test_broken_files(manager):
    """Each error has its place; a broken file keeps its device and doesn't keep others from working."""
    run(manager, files(kept=document()))
    broken = '{\n "type": "ram",\n "sizeBytes": "1M",\n "queuez": 1,\n "readOnly": 5\n}\n'
    plan, actions = run(manager, {**files(kept="{", good=document(), syntax="{\n\"type\": \"ram\"\n,,}", wrong=broken),
                                  f"{FOLDER}/.json": document()}, prune=True, folder=FOLDER)
    assert (plan["changed"], plan["failed"], plan["blocked"]) == (1, 0, 4)
    assert verbs(actions) == {"kept": "blocked", "good": "create", "syntax": "blocked", "wrong": "blocked",
                              ".json": "blocked"}
    errors = actions["wrong"]["errors"]
    assert [e.split(" ")[0] for e in errors] == [f"{FOLDER}/wrong.json:4:2:", f"{FOLDER}/wrong.json:5:14:"]
    assert "queues" in errors[0]
    assert actions["syntax"]["errors"][0].startswith(f"{FOLDER}/syntax.json:3:2: ")
    assert "NAME.json" in actions[".json"]["reason"]
    assert sorted(manager.devices()) == ["good", "kept"]


def test_same_name_twice(manager):
    plan, actions = run(manager, {"/a/x.json": document(), "/b/x.json": document()})
    assert plan["blocked"] == 2 and manager.devices() == {}


def test_one_fails_and_the_others_go_on(manager):
    plan, actions = run(manager, files(a=document(), fail=document(), z=document()))
    assert (plan["changed"], plan["failed"], plan["blocked"]) == (2, 1, 0)
    assert {n: a["result"] for n, a in actions.items()} == {"a": "done", "fail": "failed", "z": "done"}
    assert actions["fail"]["error"].startswith("fail could not be attached (step configure-worker): ")
    assert sorted(manager.devices()) == ["a", "z"]
    # The next one converges as far as it can.
    plan, actions = run(manager, files(a=document(), fail=document(), z=document()))
    assert verbs(actions) == {"a": "none", "fail": "create", "z": "none"} and plan["failed"] == 1


def test_failed_device_is_made_again(manager):
    wanted = files(a=document())
    run(manager, wanted)
    manager.listen()
    manager.kill_workers(manager.children())
    manager.wait_for_state("a", "failed")
    for _ in range(100):  # each question lets the clean-up go on
        plan, actions = run(manager, wanted)
        assert actions["a"]["action"] == "recreate" and "serves no I/O" in actions["a"]["reason"]
        if plan["failed"] == 0:
            break
    assert plan["changed"] == 1 and manager.state("a") == "live"
    assert manager.get("WorkerPID", manager.devices()["a"][1], DEVICE) in manager.children()


def test_removal_fails(managers):
    m = managers(fail="del-dev:5*1")
    run(m, files(a=document(), b=document()))
    plan, actions = run(m, {}, prune=True, folder=FOLDER)
    assert (plan["changed"], plan["failed"]) == (1, 1)
    assert "could not be removed (step delete-device)" in actions["a"]["error"]
    assert list(m.devices()) == ["a"]
    assert run(m, {}, prune=True, folder=FOLDER)[0]["changed"] == 1
    m.before = m.fds()
    m.assert_nothing_left()


def test_recreate_keeps_out_of_the_way(managers):
    """The name is taken by another client between the two halves of a recreate: its device stays."""
    m = managers(haste=5)
    run(m, files(stubborn=document()))
    apply = m.start("Apply", *arguments(files(stubborn=document(type="null", sizeBytes=MIB))))
    # While the old one is being removed all that is answered is "exists"; at some time it is gone.
    tries = []
    while True:
        tries.append(m.start_add("stubborn"))
        wait_until(lambda: tries[-1] or apply)
        if apply or not isinstance(tries[-1][0], BusError):
            break
    wait_until(lambda: apply and tries[-1])
    actions = json.loads(apply[0][0])["actions"]
    if isinstance(tries[-1][0], BusError):
        assert actions[0]["result"] == "done" and m.devices()["stubborn"][2] == "null"
    else:
        assert actions[0]["result"] == "failed" and m.devices()["stubborn"][2] == "ram"
    m.remove("stubborn")


def test_two_at_once(managers):
    m = managers(haste=5)
    first = m.start("Apply", *arguments(files(silent=document(), z=document())))
    with pytest.raises(BusError) as e:
        run(m, files(b=document()))
    assert e.value.name == "DeviceBusy" and "Another Apply" in e.value.text
    # Planning is always possible, and so is what has nothing to do with it.
    assert verbs(run(m, files(b=document()), "Plan")[1]) == {"b": "create"}
    m.add("b")
    wait_until(lambda: first)
    assert [a["result"] for a in json.loads(first[0][0])["actions"]] == ["failed", "done"]
    assert run(m, files(c=document()))[0]["changed"] == 1


@pytest.mark.parametrize("options, words", [
    ({"prune": True}, "'folder'"), ({"prune": True, "folder": "etc"}, "'folder'"), ({"folder": True}, "type 's'")])
@pytest.mark.parametrize("method", ["Plan", "Apply"])
def test_wrong_options(manager, method, options, words):
    with pytest.raises(BusError) as e:
        run(manager, {}, method, **options)
    assert e.value.name == "InvalidOption" and words in e.value.text


@pytest.mark.parametrize("method", ["Plan", "Apply"])
def test_wrong_documents(manager, method):
    with pytest.raises(BusError) as e:
        run(manager, {"relative.json": document()}, method)
    assert e.value.full_name == "org.freedesktop.DBus.Error.InvalidArgs" and "'relative.json'" in e.value.text
    with pytest.raises(BusError) as e:
        run(manager, {f"/x/d{i}.json": "" for i in range(4097)}, method)
    assert e.value.full_name == "org.freedesktop.DBus.Error.LimitsExceeded"


def test_large_document(manager):
    plan, actions = run(manager, files(a=document(**{"x-a": "y" * 70000, "type": "ram"})))
    assert actions["a"]["action"] == "blocked" and "65536 at most" in actions["a"]["errors"][0]
