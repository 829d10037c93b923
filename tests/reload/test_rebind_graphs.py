"""Random object graphs that hold replaced code: all that is reached is new, or named with a way that leads to it."""

from __future__ import annotations

import functools
import gc
import random
import weakref
from collections import OrderedDict, deque, namedtuple
from types import FrameType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

import pytest

from bsrepl.reload.follow import elsewhere
from bsrepl.reload.follow.edges import edges
from bsrepl.reload.follow.rebind import follow
from bsrepl.reload.follow.successors import Replaced, island_of

from ..seeds import seeds

CODE = """\
class Plain:
    def method(self): return VERSION
    @classmethod
    def made(cls): return cls
class Changed:
    def __init__(self, size=VERSION): self.size = size
class Slotted:
    __slots__ = ("x",)
def function(): return VERSION
def outer():
    def inner(): return VERSION
    return inner
KEPT = Plain()
"""
REMOVED = """\
class Removed:
    pass
def removed(): pass
"""

Couple = namedtuple("Couple", "left right")


class Box:
    pass


class Slot:
    __slots__ = ("held",)


class Graph:
    """A namespace of random objects, some of which hold what a module defines."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.old = module(CODE.replace("VERSION", "1") + REMOVED)
        self.new = module(CODE.replace("VERSION", "2"))
        self.made: list[Any] = []
        for _ in range(self.random.randrange(1, 40)):
            self.made.append(self.node())
        self.names = {f"name{n}": self.pick() for n in range(self.random.randrange(1, 6))}
        self.made.clear()

    def leaf(self) -> Any:
        old = self.old
        choices = [
            lambda: 1, lambda: old.Plain, lambda: old.Plain(), lambda: old.Changed, lambda: old.Changed(),
            lambda: old.Slotted, lambda: old.Slotted(), lambda: old.function, lambda: old.outer(), lambda: old.Removed,
            lambda: old.Removed(), lambda: old.removed, lambda: old.Plain.method, lambda: old.Plain().method,
            lambda: old.Plain.made, lambda: old.KEPT, lambda: old,
        ]  # fmt: skip
        return self.random.choice(choices)()

    def pick(self) -> Any:
        return self.random.choice(self.made) if self.made and self.random.random() < 0.6 else self.leaf()

    def node(self) -> Any:
        pick = self.pick
        kinds = [
            lambda: [pick(), pick()], lambda: (pick(), pick()), lambda: {"a": pick(), 2: pick()},
            lambda: deque([pick()]), lambda: self.with_attribute(Box()), lambda: self.with_attribute(Slot()),
            lambda: Couple(pick(), pick()), lambda: OrderedDict(x=pick()), lambda: SimpleNamespace(held=pick()),
            lambda: functools.partial(print, pick(), end=pick()), lambda: self.hashed(frozenset),
            lambda: self.hashed(set), lambda: self.hashed(dict.fromkeys), lambda: function_of(pick(), pick(), pick()),
            lambda: type("Made", (), {"held": pick()}), lambda: self.derived(), lambda: weakref.ref(self.old.Plain),
            lambda: iter([pick()]), lambda: self.running(),
        ]  # fmt: skip
        return self.random.choice(kinds)()

    def with_attribute(self, value: Any) -> Any:
        value.held = self.pick()
        return value

    def hashed(self, make: Any) -> Any:
        return make([self.random.choice([self.old.Plain, self.old.Changed, self.old.function, (self.old.Plain, 1), 5])])

    def derived(self) -> type:
        return type("Derived", (self.old.Plain,), {"held": self.pick()})

    def running(self) -> Any:
        def generate(local: Any) -> Any:
            yield local

        generator = generate(self.pick())
        next(generator)
        return generator

    def mix(self) -> None:
        """Ties cycles."""
        boxes = [value for value in reached(self.names, self.old) if type(value) in (list, Box)]
        for value in boxes[:3]:
            if type(value) is list:
                value.append(boxes[0])
            else:
                value.again = boxes[-1]


def module(code: str) -> ModuleType:
    made = ModuleType("replaced_in_a_test")
    exec(code, vars(made))
    return made


def function_of(default: Any, keyword: Any, closed: Any) -> Any:
    def function(value: Any = default, *, other: Any = keyword) -> Any:
        return closed

    return function


def reached(names: dict[str, Any], old: ModuleType) -> list[Any]:
    """All that a namespace leads to, by what the garbage collector knows. What is old is not entered."""
    seen: dict[int, Any] = {id(names): names}
    waiting: list[Any] = [names]
    while waiting:
        value = waiting.pop()
        if value is not names and is_old(value, old) and not is_instance(value, old):
            continue
        children = gc.get_referents(value)
        if isinstance(value, (FunctionType, FrameType)):
            outside = outside_of(value)
            children = [child for child in children if not any(child is names for names in outside)]
        elif isinstance(value, ModuleType) or (isinstance(value, type) and value.__module__ != __name__):
            children = []
        elif type(value) is weakref.ref:
            children = [value()]
        elif not isinstance(value, type):
            children = [child for child in children if child is not type(value)]
        for child in children:
            if id(child) not in seen:
                seen[id(child)] = child
                waiting.append(child)
    return list(seen.values())


def outside_of(value: FunctionType | FrameType) -> tuple[Any, Any]:
    """The names that code sees which are not its own; up to Python 3.10 a generator leads there through its frame."""
    if isinstance(value, FrameType):
        return value.f_globals, value.f_builtins
    return value.__globals__, getattr(value, "__builtins__", None)


def is_instance(value: Any, old: ModuleType) -> bool:
    return any(type(value) is cls for cls in (old.Plain, old.Changed, old.Slotted, old.Removed))


def is_old(value: Any, old: ModuleType) -> bool:
    if type(value) is FunctionType:
        return value.__globals__ is vars(old)
    classes = [thing for thing in vars(old).values() if isinstance(thing, type)]
    return value is old or any(value is cls for cls in classes) or is_instance(value, old)


def named(way: str, names: dict[str, Any], old: ModuleType) -> list[Any]:
    """What a way leads to; of a set, or what only C can look into, all that is in it."""
    value = eval(way, {}, names)
    return reached({"": value}, old) if type(value) in (set, frozenset, type(iter([]))) else [value]


@pytest.mark.parametrize("block", seeds(4))
def test_all_that_is_reached_is_new_or_named(block: int) -> None:
    for seed in range(block * 50, (block + 1) * 50):
        graph = Graph(seed)
        graph.mix()
        names, old = graph.names, graph.old
        plain = [value for value in reached(names, old) if type(value) is old.Plain and value is not old.KEPT]
        followed = follow([Replaced(old, graph.new)], lambda: {"": names}, lambda key: None)  # noqa: B023
        assert followed.error is None, seed
        told = {id(value) for stale in followed.stale for value in named(stale.holder, names, old)}
        for value in reached(names, old):
            if is_old(value, old):
                assert id(value) in told, (seed, value, followed.stale, [type(r) for r in gc.get_referrers(value)])
        assert all(type(value) is graph.new.Plain for value in plain), seed
        for stale in followed.stale:
            assert any(is_old(value, old) for value in named(stale.holder, names, old)), (seed, stale)


def test_what_goes_wrong_while_planning_changes_nothing_and_is_returned() -> None:
    old, new = module("class A: pass"), module("class A: pass")
    names = {"one": old.A, "two": [old.A()]}

    def fails() -> dict[str, dict[str, Any]]:
        raise RuntimeError("on purpose")

    followed = follow([Replaced(old, new)], fails, lambda key: None)
    assert str(followed.error) == "on purpose"
    assert names["one"] is old.A
    assert type(names["two"][0]) is old.A


@pytest.mark.parametrize("holder", [[1], {0: 1}, deque([1])], ids=["list", "dict", "deque"])
def test_what_a_thread_has_put_in_a_place_meanwhile_stays_there(holder: Any) -> None:
    edge = next(edges(holder))
    holder[0] = "the thread's"
    with pytest.raises(LookupError):
        edge.put("new")  # type: ignore[misc]
    assert holder[0] == "the thread's"


@pytest.mark.parametrize(("make", "looks"), [(lambda *items: [*items], 1), (lambda *items: (*items, 0), 2)])
def test_who_holds_what_is_looked_for_once_more_for_what_cannot_be_changed(
    monkeypatch: pytest.MonkeyPatch, make: Any, looks: int
) -> None:
    counted: list[int] = []
    look = elsewhere._referrers

    def counting(values: list[Any], own: list[Any]) -> list[Any]:
        counted.append(len(values))
        return look(values, own)

    monkeypatch.setattr(elsewhere, "_referrers", counting)
    old = module("class A: pass")
    held = [make(old.A)]
    inside = island_of([Replaced(old, None)]).inside
    found = elsewhere.Elsewhere([old.A], lambda holder: id(holder) in inside, ())
    assert len(counted) == looks
    assert any(edge.value in (old.A, held[0]) for edge in found.edges())
