"""A part of a graph: what is near a node, the nodes of an op type."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from ..errors import NodeNotFound
from .labels import label
from .sketch import NODE, Sketch

_MOST = 3  # names that are told


def part(sketch: Sketch, around: str, hops: int, op: str) -> set[int]:
    """The boxes within so many hops of the node, input, output or tensor of a name, those of an op type, or both.

    The end of a name is enough if it is that of one box alone. Raises NodeNotFound if there are none.
    """
    boxes = sketch.boxes
    chosen = neighbours(sketch, _named(sketch, around), hops) if around else set(range(len(boxes)))
    if op:
        op_types = {number: label(boxes[number]).op_type for number in range(len(boxes)) if boxes[number].kind == NODE}
        chosen &= {number for number, op_type in op_types.items() if op_type == op}
        if not chosen:
            where = f" within {hops} hops of {around}" if around else ""
            raise NodeNotFound(f"no node of the op type {op!r}{where}; {_nearest(op, op_types.values())}")
    return chosen


def neighbours(sketch: Sketch, start: Iterable[int], hops: int) -> set[int]:
    """The boxes within so many hops of some, those among them."""
    producers, readers, boxes = sketch.producers(), sketch.readers(), sketch.boxes
    near = set(start)
    edge = set(near)
    for _ in range(hops):
        above = {producers[tensor] for number in edge for tensor in boxes[number].reads if tensor in producers}
        below = {reader for number in edge for tensor in boxes[number].makes for reader in readers.get(tensor, ())}
        edge = (above | below) - near
        near |= edge
    return near


def _named(sketch: Sketch, name: str) -> list[int]:
    names = [(box.name, *(tensor[1] for tensor in box.makes)) for box in sketch.boxes]
    exact = [number for number, of_box in enumerate(names) if name in of_box]
    ends = [number for number, of_box in enumerate(names) if any(known.endswith(name) for known in of_box)]
    if not exact and len(ends) != 1:
        if any(box.kind == NODE and label(box).op_type == name for box in sketch.boxes):
            raise NodeNotFound(f'{name} is an op type; op="{name}" draws the nodes of that type')
        known = [known for of_box in names for known in of_box]
        raise NodeNotFound(f"no node or tensor {name!r}; {_nearest(name, known)}")
    return exact or ends


def _nearest(wanted: str, names: Iterable[str]) -> str:
    known = list(dict.fromkeys(filter(None, names)))
    near = [name for name in known if wanted.lower() in name.lower()] or get_close_matches(wanted, known, _MOST)
    return f"{'nearest' if near else 'there are'}: {', '.join((near or known)[:_MOST])}"
