"""What takes the place of something in a container does so completely, or not at all."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from bsrepl.reload.follow import placing
from bsrepl.reload.follow.edges import edges


class Interrupted(BaseException):
    """What stands in for a signal."""


class Clashing:
    """Keys of one hash, whose comparison raises from some moment on."""

    raises = False

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        if Clashing.raises:
            raise RuntimeError
        return self is other


@pytest.fixture
def clashing(monkeypatch: pytest.MonkeyPatch) -> type[Clashing]:
    monkeypatch.setattr(Clashing, "raises", False)
    return Clashing


@contextmanager
def interrupted_at(opcode: int) -> Iterator[None]:
    """Raises before an instruction of `placing`, counted from the first."""
    left = opcode

    def trace(frame: FrameType, event: str, arg: object) -> Callable[..., Any] | None:
        nonlocal left
        if frame.f_code.co_filename != placing.__file__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            left -= 1
            if left < 0:
                sys.settrace(None)
                raise Interrupted
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


OLD, NEW = ("old",), ("new",)


def put(holder: Any, old: Any, new: Any) -> None:
    for edge in edges(holder):
        if edge.value is old and edge.put is not None:
            edge.put(new)


def items(holder: Any) -> list[Any]:
    return list(holder.items()) if isinstance(holder, dict) else sorted(holder, key=str)


CONTAINERS = [
    lambda key: {1: "a", key: "b", (2,): "c"},
    lambda key: OrderedDict([((2,), "c"), (key, "b"), (1, "a")]),
    lambda key: {1, key, (2,)},
]


@pytest.mark.parametrize("container", CONTAINERS)
def test_an_interruption_anywhere_leaves_all_as_it_was_or_as_it_is_to_be(container: Callable[[Any], Any]) -> None:
    before, after = items(container(OLD)), items(container(NEW))
    with interrupted_at(1000):  # Python 3.12 traces instructions from the second time on
        put(container(OLD), OLD, NEW)
    seen = []
    for opcode in range(1000):
        holder = container(OLD)
        try:
            with interrupted_at(opcode):
                put(holder, OLD, NEW)
        except Interrupted:
            seen.append(items(holder))
        else:
            break
    assert before in seen
    assert [state for state in seen if state not in (before, after)] == []
    assert items(holder) == after


@pytest.mark.parametrize("kind", [dict, OrderedDict, set])
def test_a_comparison_that_raises_leaves_all_as_it_was(clashing: type[Clashing], kind: Any) -> None:
    old, new, other = clashing(), clashing(), clashing()
    holder = kind.fromkeys([other, old]) if kind is not set else {other, old}
    clashing.raises = True
    with pytest.raises(RuntimeError):
        put(holder, old, new)
    clashing.raises = False
    assert len(holder) == 2
    assert other in holder
    assert old in holder


def test_an_ordered_dictionary_keeps_its_order() -> None:
    holder = OrderedDict([(OLD, 1), ((1,), 2), ((2,), 3)])
    holder.move_to_end(OLD)
    put(holder, OLD, NEW)
    assert list(holder) == [(1,), (2,), NEW]
