"""Nodes that are the same in two graphs and differ: in an attribute, a constant, the number of inputs, the domain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .match import Match
from .view import Content, Node, attribute_value

_MOST = 8  # values of a list that are written out


class Edit(NamedTuple):
    """A node that is the same and differs: its number in the old graph and in the new one, and what changed."""

    old: int
    new: int
    changes: tuple[str, ...]  # `kernel_shape [3, 3] -> [5, 5]`, `input 1 has other values`


def edits(match: Match) -> Iterator[Edit]:
    """The edited nodes, in the order of the old graph."""
    before, after = match.old.constants, match.new.constants
    for mine, theirs in sorted(match.forward.items()):
        old, new = match.old.nodes[mine], match.new.nodes[theirs]
        was, now = [before.get(tensor) for tensor in old.inputs], [after.get(tensor) for tensor in new.inputs]
        if was == now and old.attributes == new.attributes and old.domain == new.domain:
            continue
        changes = [*_attribute_changes(old, new), *_input_changes(match, old, new)]
        if changes:
            yield Edit(mine, theirs, tuple(changes))


def _attribute_changes(old: Node, new: Node) -> Iterator[str]:
    if old.domain != new.domain:
        yield f"domain {old.domain or 'none'} -> {new.domain or 'none'}"
    if old.attributes == new.attributes:
        return
    before, after = dict(old.attributes), dict(new.attributes)
    for name in sorted({**before, **after}):
        if before.get(name) != after.get(name):
            yield f"{name} {_value(before.get(name))} -> {_value(after.get(name))}"


def _value(serialized: bytes | None) -> str:
    if serialized is None:
        return "none"
    value = attribute_value(serialized)
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (int, str)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(str, value[:_MOST]))}{', ...' if len(value) > _MOST else ''}]"
    return "other values"


def _input_changes(match: Match, old: Node, new: Node) -> Iterator[str]:
    for port, (a, b) in enumerate(zip(old.inputs, new.inputs, strict=False)):
        was = match.old.constants.get(a) if a is not None else None
        now = match.new.constants.get(b) if b is not None else None
        if was == now:
            continue
        if was is None or now is None:
            if (a is None) is (b is None):
                yield f"input {port} is {'no longer a constant' if now is None else 'a constant now'}"
            else:
                yield f"input {port} is {'left out' if b is None else 'given'} now"
        elif was.shape != now.shape:
            yield f"input {port} {_shape(was)} -> {_shape(now)}"
        else:
            yield f"input {port} {_shape(now)} has other values"
    if len(old.inputs) != len(new.inputs):
        yield f"inputs {len(old.inputs)} -> {len(new.inputs)}"


def _shape(content: Content) -> str:
    return f"[{','.join(map(str, content.shape))}]"
