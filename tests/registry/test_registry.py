"""Snapshots: claims, finding, and the changes between two."""

from __future__ import annotations

import sys
import threading

import pytest

from bsrepl.registry.changes import changes_between
from bsrepl.registry.plugin import Key, Origin, Plugin
from bsrepl.registry.snapshot import Snapshot
from bsrepl.registry.store import Registry


def plugin(name: str, *, kind: str = "transform", framework: str = "brainsmith", file: str = "/a.py", **metadata):
    return Plugin(Key(kind, framework, name), type(name, (), {}), Origin(file, 3), metadata)


FOLD = plugin("FoldBias", stage="cleanup")
SPLIT = plugin("SplitIdentity", stage="topology_opt", tags=["slow", "safe"])
QONNX_FOLD = plugin("FoldBias", framework="qonnx", stage="cleanup")
ZOO = plugin("FoldBias", framework="zoo")
MATMUL = plugin("FastMatMul", kind="kernel", backends=["hls", "rtl"])
SNAPSHOT = Snapshot().replacing((), [FOLD, SPLIT, QONNX_FOLD, ZOO, MATMUL])


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        ({"stage": "cleanup"}, [FOLD, QONNX_FOLD]),
        ({"stage": "cleanup", "framework": "qonnx"}, [QONNX_FOLD]),
        ({"stage": "c*"}, [FOLD, QONNX_FOLD]),
        ({"stage": None}, [ZOO]),
        ({"name": "*Identity*"}, [SPLIT]),
        ({"name": "*identity*"}, []),
        ({"text": "IDENTITY"}, [SPLIT]),
        ({"text": "topology"}, [SPLIT]),
        ({"tags": "safe"}, [SPLIT]),
        ({"tags": ["safe"]}, []),
        ({"stage": "nowhere"}, []),
        ({"unknown": 1}, []),
        ({"stage": []}, []),
        ({}, [FOLD, QONNX_FOLD, ZOO, SPLIT]),
    ],
)
def test_find(criteria: dict[str, object], found: list[Plugin]) -> None:
    assert SNAPSHOT.find("transform", **criteria) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "framework", "found"),
    [
        ("FoldBias", None, FOLD),
        ("qonnx:FoldBias", None, QONNX_FOLD),
        ("FoldBias", "zoo", ZOO),
        ("brainsmith:FoldBias", None, FOLD),
        ("Nothing", None, None),
        ("nowhere:FoldBias", None, None),
    ],
)
def test_get(name: str, framework: str | None, found: Plugin | None) -> None:
    assert SNAPSHOT.get("transform", name, framework) is found


def test_a_short_name_means_brainsmith_then_finn_then_qonnx_then_the_rest_by_name() -> None:
    order = ["brainsmith", "finn", "qonnx", "abc", "zoo"]
    plugins = {framework: plugin("X", framework=framework) for framework in order}
    snapshot = Snapshot().replacing((), plugins.values())
    for framework in order:
        assert snapshot.get("transform", "X") is plugins[framework]
        snapshot = snapshot.replacing([plugins[framework]], ())


def test_the_latest_claim_is_seen_and_the_one_before_it_comes_back() -> None:
    builtin, from_file, pasted = (plugin("X", file=file) for file in ("/builtin.py", "/x.py", "<command 3>"))
    snapshot = Snapshot().replacing((), [builtin]).replacing((), [from_file]).replacing((), [pasted])
    assert snapshot.get("transform", "X") is pasted
    assert snapshot.count("transform") == 1
    without = snapshot.replacing([pasted], ())  # type: ignore[list-item]
    assert without.get("transform", "X") is from_file
    assert without.replacing([from_file], ()).get("transform", "X") is builtin  # type: ignore[list-item]


def test_one_source_has_one_claim() -> None:
    first, second = plugin("X", file="<command 1>"), plugin("X", file="<command 2>")
    assert Snapshot().replacing((), [first]).replacing((), [second]).claims(first.key) == (second,)


def test_counts_and_values() -> None:
    assert SNAPSHOT.count("transform") == 4
    assert SNAPSHOT.count("transform", "qonnx") == 1
    assert SNAPSHOT.count("step") == 0
    assert SNAPSHOT.values("transform", "stage") == {"cleanup": 2, "topology_opt": 1}
    assert SNAPSHOT.frameworks("transform") == ("brainsmith", "qonnx", "zoo")


def test_an_index_entry_goes_with_its_last_plugin() -> None:
    emptied = SNAPSHOT.replacing([SPLIT], ())
    assert "topology_opt" not in emptied.values("transform", "stage")
    assert emptied.fields("transform") == ["framework", "stage"]


def test_a_snapshot_never_changes() -> None:
    before = dict(SNAPSHOT._claims)
    SNAPSHOT.replacing([FOLD], [plugin("New")])
    assert dict(SNAPSHOT._claims) == before


def test_the_work_for_one_change_does_not_grow_with_the_registry() -> None:
    """Counted in calls of the hash function of the keys, which every step into a map takes."""

    def work(size: int) -> int:
        snapshot = Snapshot().replacing((), [plugin(f"P{n}", stage=f"s{n // 10}") for n in range(size)])
        one = plugin("P7", stage="other")
        CountedKey.hashed = 0
        changed = snapshot.replacing((), [Plugin(CountedKey(*one.key), one.target, one.origin, one.metadata)])
        list(changed.changed_since(snapshot))
        return CountedKey.hashed

    assert work(8_000) <= 3 * work(20)


class CountedKey(Key):
    hashed = 0

    def __hash__(self) -> int:
        CountedKey.hashed += 1
        return super().__hash__()


def test_registering_replaces_the_snapshot_and_tells_the_followers_the_keys() -> None:
    registry = Registry()
    told: list[list[Key]] = []
    registry.followers.append(told.append)
    registry.register(FOLD)
    assert told == [[FOLD.key]]
    assert registry.snapshot.seen(FOLD.key) is FOLD


class Before:
    limit = 1

    def apply(self, model):
        return model, False

    def removed(self):
        pass


class After:
    limit = 2
    """Not the docstring."""

    def apply(self, model):
        return model, True

    def added(self):
        pass


class Moved:
    limit = 1

    # a comment, and other line numbers

    def apply(self, model):
        return model, False

    def removed(self):
        pass


def defined(target: type, file: str = "/a.py", **metadata: object) -> Plugin:
    return Plugin(Key("transform", "brainsmith", "Fold"), target, Origin(file, 1), metadata)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (defined(Before), defined(Moved), []),
        (
            defined(Before),
            defined(After),
            ["~ limit changed", "apply() changed", "added() added", "removed() removed"],
        ),
        (defined(Before, stage="a"), defined(Before, stage="b"), ["~ stage a -> b"]),
        (defined(Before), defined(Before, tags=["x"]), ["~ tags None -> [x]"]),
        (defined(Before, "/a.py"), defined(Before, "/b.py"), ["~ moved from a.py:1"]),
        (defined(Before, "/a.py"), defined(Before, "<command 3>"), ["~ takes the place of a.py:1"]),
        (None, defined(Before), ["+ "]),
        (defined(Before), None, ["- "]),
    ],
)
def test_changes_say_what_differs(before: Plugin | None, after: Plugin | None, said: list[str]) -> None:
    old = Snapshot().replacing((), [before] if before else ())
    new = old.replacing([before] if before else (), [after] if after else ())
    told = [f"{change.sign} {', '.join(change.details)}" for change in changes_between(old, new)]
    assert told == ([", ".join(said)] if said else [])


def test_changes_come_by_kind_then_sign_then_name() -> None:
    old = Snapshot().replacing((), [FOLD])
    new = old.replacing([FOLD], [plugin("B"), plugin("A"), MATMUL])
    assert [f"{change.sign} {change.plugin.key}" for change in changes_between(old, new)] == [
        "+ tfm.A",
        "+ tfm.B",
        "- tfm.FoldBias",
        "+ kernels.FastMatMul",
    ]


def test_comparing_runs_nothing_of_the_users() -> None:
    class Hostile:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError

        def __repr__(self) -> str:
            raise RuntimeError

        __hash__ = None  # type: ignore[assignment]

    holder = [type("X", (), {"attribute": Hostile()}) for _ in range(2)]
    first, second = (defined(cls) for cls in holder)
    assert changes_between(Snapshot().replacing((), [first]), Snapshot().replacing((), [second])) == []


def test_threads_that_register_at_once_lose_nothing() -> None:
    registry = Registry()
    plugins = [[plugin(f"{thread}_{number}") for number in range(100)] for thread in range(3)]
    threads = [threading.Thread(target=lambda own: list(map(registry.register, own)), args=[own]) for own in plugins]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert registry.snapshot.count("transform") == 300
