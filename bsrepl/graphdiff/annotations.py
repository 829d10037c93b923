"""What is written about tensors, compared: shapes, element types, datatypes, layouts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..text.columns import cut
from .values import element_type
from .view import Tensor, Type, View

_NAMES = {"finn_datatype": "datatype", "tensor_layout": "layout"}  # what the keys of annotations are called here
_LONGEST = 60  # characters of a value

Tensors = Mapping["Tensor | None", Tensor]


class Annotation(NamedTuple):
    """What is written about a tensor that is in both graphs, and has changed."""

    what: str  # `datatype`, `shape`, `element type`, `layout`
    old: Tensor
    new: Tensor
    before: str  # empty if it was not written
    after: str


def annotation_changes(old: View, new: View, tensors: Tensors) -> Iterator[Annotation]:
    """The changes, but for those of the types of the graph's inputs and outputs, which belong to its interface."""
    outer = {tensor for ends in (old.inputs, old.outputs) for tensor in ends if tensor is not None and not tensor[0]}
    for mine, theirs in tensors.items():
        if mine is None or mine in outer or (mine in old.constants and theirs in new.constants):
            continue
        for what, before, after in type_changes(old, mine, new, theirs):
            yield Annotation(what, mine, theirs, before, after)
    backward = {theirs: mine for mine, theirs in tensors.items() if mine is not None}
    places = {(mine, key): None for mine, key in old.annotations if mine in tensors}
    places |= {(backward[theirs], key): None for theirs, key in new.annotations if theirs in backward}
    for mine, key in places:
        values = old.annotations.get((mine, key), ""), new.annotations.get((tensors[mine], key), "")
        if values[0] != values[1]:
            before, after = (cut(value, _LONGEST) for value in values)
            yield Annotation(_NAMES.get(key, key), mine, tensors[mine], before, after)


def type_changes(old: View, mine: Tensor, new: View, theirs: Tensor) -> Iterator[tuple[str, str, str]]:
    """`("shape", "[1,3]", "[N,3]")`, `("element type", "int32", "int64")`."""
    unknown: Type = (0, None)
    was, now = old.types.get(mine, unknown), new.types.get(theirs, unknown)
    if was == now:
        return
    if was[1] != now[1]:
        yield "shape", shape_text(was[1]), shape_text(now[1])
    if was[0] != now[0] and (was[1] is None) is (now[1] is None):  # an unknown shape comes with an unknown type
        before, after = (element_type(number) if number else "" for number in (was[0], now[0]))
        yield "element type", before, after


def shape_text(shape: tuple[int | str | None, ...] | None) -> str:
    """`[1,3,?]`; empty if it is unknown."""
    return "" if shape is None else f"[{','.join('?' if size is None else str(size) for size in shape)}]"
