"""The inputs and the outputs of two graphs, and what stands at the head of their models, compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..text.columns import cut
from .annotations import type_changes
from .match import Match
from .values import Constant, constant_change
from .view import Tensor, View
from .wiring import is_from_elsewhere

_LONGEST = 60  # characters of a value


def in_order_of(old: View, new: View) -> View:
    """The new graph; if its inputs or outputs are those of the old one in another order, counted as they are there."""
    mine, theirs = outer_inputs(old), outer_inputs(new)
    if mine != theirs and set(mine.values()) == set(theirs.values()):
        places = {tensor: place for place, tensor in mine.items()}
        new = replace(new, inputs={**new.inputs, **{tensor: places[tensor] for tensor in theirs.values()}})
    mine, theirs = outer_outputs(old), outer_outputs(new)
    if mine != theirs and set(mine.values()) == set(theirs.values()) and len(set(mine.values())) == len(mine):
        order = {tensor: [place] for place, tensor in mine.items()}
        new = replace(new, outputs={**new.outputs, **{tensor: order[tensor] for tensor in theirs.values()}})
    return new


def outer_inputs(graph: View) -> dict[str, Tensor]:
    """The inputs of the graph itself, by their places, in order."""
    return {place: tensor for tensor, place in graph.inputs.items() if tensor is not None and not tensor[0]}


def outer_outputs(graph: View) -> dict[str, Tensor]:
    """The outputs of the graph itself, by their places, in order."""
    outer = [(tensor, places) for tensor, places in graph.outputs.items() if tensor is not None and not tensor[0]]
    return {place: tensor for tensor, places in outer for place in places}


def interface(match: Match) -> Iterator[str]:
    """What changed, a line each: `input 0 x renamed y`, `output y float -> int64`, `opset onnx 11 -> 13`."""
    old, new = match.old, match.new
    yield from _ends("input", old, outer_inputs(old), new, outer_inputs(new))
    outputs, others = outer_outputs(old), outer_outputs(new)
    yield from _ends("output", old, outputs, new, others)
    for place, tensor in outputs.items():
        if place in others:
            yield from _source_change(match, tensor, others[place])
    for name in {**old.header, **new.header}:
        before, after = (cut(graph.header.get(name, "none"), _LONGEST) for graph in (old, new))
        if old.header.get(name) != new.header.get(name):
            yield f"{name} {before} -> {after}"


def _ends(what: str, old: View, mine: Mapping[str, Tensor], new: View, theirs: Mapping[str, Tensor]) -> Iterator[str]:
    if len(mine) != len(theirs):
        yield f"{what}s {len(mine)} -> {len(theirs)}"
    if list(mine) != list(theirs) and set(mine) == set(theirs):
        yield f"{what}s reordered: {', '.join(tensor[1] for tensor in theirs.values())}"
    for place, tensor in mine.items():
        if place in theirs:
            other = theirs[place]
            if tensor[1] != other[1]:
                yield f"{what} {tensor[1]} renamed {other[1]}"
            for name, before, after in type_changes(old, tensor, new, other):
                yield f"{what} {other[1]}: {name} {before or 'unknown'} -> {after or 'unknown'}"


def _source_change(match: Match, tensor: Tensor, other: Tensor) -> Iterator[str]:
    """What an output comes from now; of one that is a constant, how its values changed."""
    was, now = match.old.constants.get(tensor), match.new.constants.get(other)
    if was is not None and now is not None:
        if was != now:
            before, after = Constant(was, match.old.stored[tensor]), Constant(now, match.new.stored[other])
            yield f"output {other[1]}: {constant_change(before, after)}"
    elif was or now or is_from_elsewhere(match, tensor, other):
        yield f"output {other[1]} comes from another node"
