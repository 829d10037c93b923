"""Graphs and differences of graphs as lanes of styled text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from typing import Any

from ..graphdiff.difference import Difference
from ..graphdiff.viewing import view
from ..text import onnx_values
from ..text.columns import cut, tail
from ..text.format import counted
from ..text.styled import SIGN_STYLES, Text, wrapped
from .folding import Fold, without_others, without_runs
from .labels import Label, label
from .lanes import LANE, Line, lines
from .order import order
from .part import neighbours, part
from .sketch import NODE, Box, Sketch, of_difference, of_graph

_LABEL = 26  # columns that are left for what a box is
_MOST_NAMES = 6  # of boxes that a line cannot connect
_MOST_OPS = 4
_SHORTEST = 16  # characters of a name that are shown however narrow it is
_FOLDED = "\u22ee"
_HINT = "show(m, around=NAME) and show(m, op=TYPE) draw a part, show(m, lines=0) draws all"


def model_drawing(model: Any, width: int, height: int | None, *, around: str = "", hops: int = 2, op: str = "") -> Text:
    """A model in a few lines, and below them its graph; or the part of the graph that was asked for alone.

    Raises NodeNotFound if there is no such part.
    """
    sketch = of_graph(view(getattr(model, "model", model)))
    if around or op:
        return drawing(sketch, width, height, part(sketch, around, hops, op), _HINT)
    summary = "".join(wrapped(line, width, "       ") for line in onnx_values.described(model) or ())
    room = None if height is None else max(height - summary.count("\n") - 1, 1)
    return [("", f"{summary}\n"), *drawing(sketch, width, room, hint=_HINT)]


def difference_drawing(difference: Difference, width: int, height: int | None) -> Text:
    """What changed of a graph and what is next to it, the removed beside the inserted; all else is folded."""
    sketch = of_difference(difference)
    changed = [number for number, box in enumerate(sketch.boxes) if box.sign != " "]
    hint = "show(_, lines=0) draws all"
    return drawing(sketch, width, height, neighbours(sketch, changed, 1), hint) if changed else []


def drawing(
    sketch: Sketch, width: int, height: int | None = None, visible: Container[int] | None = None, hint: str = ""
) -> Text:
    """The sketch, a line for each box, in so many columns and lines; `height` None is as many as it takes.

    Of `visible` boxes, what is between them is folded. Without it, long runs of plain nodes are folded where not all
    fit. What does not fit then is left out, and counted; `hint` says how to see it.
    """
    page = _Page(sketch, width)
    drawn = list(lines(sketch, order(sketch), max((width - _LABEL) // 2, 1)))
    entries: Sequence[Line | Fold] = drawn if visible is None else without_others(drawn, visible)
    if visible is None and height is not None and len(drawn) > height:
        entries = without_runs(drawn)
    shown = len(entries) if height is None or len(entries) <= height else max(height - 1, 1)
    text = [piece for entry in entries[:shown] for piece in page.entry(entry)]
    left_out = sum(len(page.nodes(entry)) for entry in entries[shown:])
    if shown < len(entries):
        text.append(("dim", wrapped(f"{counted(left_out, 'more node')}{hint and f'; {hint}'}", width)))
    return text


class _Page:
    """The lines of a sketch as text of a width."""

    def __init__(self, sketch: Sketch, width: int) -> None:
        self._sketch = sketch
        self._width = width
        self._names = {tensor: box.name for box in sketch.boxes for tensor in box.makes}
        self._margin = "  " if any(box.sign != " " for box in sketch.boxes) else ""

    def nodes(self, entry: Line | Fold) -> list[Box]:
        steps = (line.step for line in (entry.lines if isinstance(entry, Fold) else (entry,)))
        boxes = [self._sketch.boxes[step] for step in steps if isinstance(step, int)]
        return [box for box in boxes if box.kind == NODE]

    def entry(self, entry: Line | Fold) -> Text:
        if isinstance(entry, Fold):
            return self._fold(entry)
        if isinstance(entry.step, str):
            return self._scope(entry, entry.step)
        return self._box(entry, self._sketch.boxes[entry.step])

    def _fold(self, fold: Fold) -> Text:
        """`12 nodes: Conv 4, Relu 4, Add 2, 2 more`"""
        boxes = self.nodes(fold)
        if not boxes:
            return []
        lanes = fold.lines[-1].after.replace(LANE, _FOLDED) or _FOLDED
        head = f"{self._margin}{lanes}  {counted(len(boxes), 'node')}"
        ops = Counter(box.graph.nodes[box.number].op_type for box in boxes).most_common()
        texts = (f"{head}: {_some(ops, most)}" for most in range(_MOST_OPS, 0, -1))
        text = next((text for text in texts if len(text) <= self._width), cut(head, self._width))
        return [("dim", f"{text}\n")]

    def _scope(self, line: Line, scope: str) -> Text:
        lanes = f"{line.lanes}  " if line.lanes else ""
        head = f"{self._margin}{lanes}{self._indent(scope)[2:]}{self._sketch.scopes[scope].label}:"
        return [("dim", cut(head, self._width) + "\n")]

    def _indent(self, scope: str) -> str:
        """Two spaces for each sub-graph that a box is in."""
        depth = 0
        while (inner := self._sketch.scopes.get(scope)) is not None:
            depth += 1
            scope = self._sketch.boxes[inner.owner].scope if inner.owner is not None else ""
        return "  " * depth

    def _box(self, line: Line, box: Box) -> Text:
        style = SIGN_STYLES.get(box.sign, "")
        lanes = f"{line.lanes}  {self._indent(box.scope)}"
        margin: Text = [(style, f"{box.sign} ")] if self._margin else []
        parts = label(box)
        room = self._width - len(self._margin) - len(lanes)
        op_type = cut(parts.op_type, room)
        rest = self._rest(parts, box, line, room - len(op_type))
        return [*margin, ("dim", lanes), (style or "bold", op_type), (style, f"{rest}\n")]

    def _rest(self, parts: Label, box: Box, line: Line, room: int) -> str:
        """What follows the op type, as much as there is room for: the details give way first, then what is made."""
        apart = [tensor for tensor in line.unconnected if tensor not in box.graph.constants]
        unconnected = [self._names.get(tensor, tensor[1]) for tensor in apart]
        more = ", ..." if len(unconnected) > _MOST_NAMES else ""
        sources = f"<- {', '.join(unconnected[:_MOST_NAMES])}{more}" if unconnected else ""
        result = f"-> {parts.result}" if parts.result and box.kind == NODE else parts.result
        first, details = [tail(parts.name, max(room // 2, _SHORTEST)), box.note, sources], parts.details.split()
        rest = _joined([*first, " ".join(details), result])
        while details and len(rest) > room:
            details.pop()
            rest = _joined([*first, " ".join([*details, "..."]), result])
        return rest if len(rest) <= room else cut(_joined(first), room)


def _some(counts: Sequence[tuple[str, int]], most: int) -> str:
    """`Conv 4, Relu, 2 more`"""
    some = [f"{name} {count}" if count > 1 else name for name, count in counts[:most]]
    more = sum(count for _, count in counts[most:])
    return ", ".join([*some, *([f"{more} more"] if more else [])])


def _joined(parts: Iterable[str]) -> str:
    return "".join([f"  {part}" for part in parts if part])
