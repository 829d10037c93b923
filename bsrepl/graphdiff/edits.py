"""Nodes that are the same in two graphs and differ: in an attribute, a constant, the number of inputs, the domain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .attributes import attribute_text
from .match import Match
from .values import Constant, constant_change
from .view import Node


class Edit(NamedTuple):
    """A node that is the same and differs: its number in the old graph and in the new one, and what changed."""

    old: int
    new: int
    changes: tuple[str, ...]  # `kernel_shape [3, 3] -> [5, 5]`, `input 1 0.015 -> 0.0168`
    is_of_attributes: bool  # whether an attribute or the domain changed


def edits(match: Match) -> Iterator[Edit]:
    """The edited nodes, in the order of the old graph."""
    before, after = match.old, match.new
    for mine, old in enumerate(before.nodes):
        theirs = match.forward.get(mine)
        if theirs is None:
            continue
        new = after.nodes[theirs]
        if old.attributes == new.attributes and old.domain == new.domain and len(old.inputs) == len(new.inputs):
            if mine not in before.constant_readers and theirs not in after.constant_readers:
                continue
            if [*map(before.constants.get, old.inputs)] == [*map(after.constants.get, new.inputs)]:
                continue
        attributes = tuple(_attribute_changes(old, new))
        changes = (*attributes, *_input_changes(match, old, new))
        if changes:
            yield Edit(mine, theirs, changes, bool(attributes))


def _attribute_changes(old: Node, new: Node) -> Iterator[str]:
    if old.domain != new.domain:
        yield f"domain {old.domain or 'none'} -> {new.domain or 'none'}"
    if old.attributes == new.attributes:
        return
    before, after = dict(old.attributes), dict(new.attributes)
    for name in sorted({**before, **after}):
        if before.get(name) != after.get(name):
            yield f"{name} {_attribute(before.get(name))} -> {_attribute(after.get(name))}"


def _attribute(serialized: bytes | None) -> str:
    return "none" if serialized is None else attribute_text(serialized)


def _input_changes(match: Match, old: Node, new: Node) -> Iterator[str]:
    for port, (a, b) in enumerate(zip(old.inputs, new.inputs, strict=False)):
        was = match.old.constants.get(a) if a is not None else None
        now = match.new.constants.get(b) if b is not None else None
        if was == now:
            continue
        if was is not None and now is not None:
            before, after = Constant(was, match.old.stored[a]), Constant(now, match.new.stored[b])
            yield f"input {port} {constant_change(before, after)}"
        elif (a is None) is (b is None):
            yield f"input {port} is {'no longer a constant' if now is None else 'a constant now'}"
        else:
            yield f"input {port} is {'left out' if b is None else 'given'} now"
    if len(old.inputs) != len(new.inputs):
        yield f"inputs {len(old.inputs)} -> {len(new.inputs)}"
