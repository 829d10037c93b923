"""A laid out sketch as SVG: boxes in layers, and a line for each tensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from ..graphdiff.view import Tensor
from ..text.columns import cut, tail
from ..text.styled import SIGN_STYLES
from .details import details
from .labels import Label, label, tensor_text
from .layout import Layout, layers, layout
from .sketch import INPUT, NODE, OUTPUT, Box, Sketch

_HEIGHT, _ROW, _MARGIN = 40.0, 80.0, 20.0  # pixels: of a box, from one layer to the next, around the picture
_NARROWEST, _WIDEST = 88.0, 240.0  # pixels of a box
_BOLD, _SMALL = 8.2, 6.7  # pixels of a character
_ARROW = 4.0
_STRAIGHT = 12.0  # pixels to the side up to which a line does not bend
_MINUS = "\u2212"


class Pane(NamedTuple):
    """The elements of one graph, and their size in pixels."""

    elements: str
    width: float
    height: float


def pane(
    sketch: Sketch,
    levels: Sequence[int] | None = None,
    *,
    first: int = 0,
    same: Sequence[int] = (),
    titles: bool = True,
) -> Pane:
    """The picture of a sketch, its boxes in the given layers.

    Boxes are numbered from `first` on, and those with one number in `same` are marked as the same. With `titles`, each
    has its details as a tooltip.
    """
    levels = layers(sketch) if levels is None else levels
    labels = [label(box) for box in sketch.boxes]
    widths = [_width(box, parts) for box, parts in zip(sketch.boxes, labels, strict=True)]
    places = layout(sketch, levels, widths)
    picture = _Picture(sketch, places, widths)
    elements = [element for tensor in sketch.producers() for element in picture.edge(tensor)]
    for number, parts in enumerate(labels):
        data = f' data-box="{first + number}" data-same="{same[number] if same else first + number}"'
        elements.append(picture.box(number, parts, data, titles))
    height = (max(levels, default=0) + 1) * _ROW - (_ROW - _HEIGHT) + 2 * _MARGIN
    return Pane("\n".join(elements), max(places.width + _MARGIN, picture.right) + _MARGIN, height)


def _width(box: Box, parts: Label) -> float:
    first = len(parts.op_type) * _BOLD + (len(parts.name) + 2) * _SMALL
    second = len(parts.details if box.kind == NODE else parts.result) * _SMALL
    return min(max(first, second, _NARROWEST - 20) + 20, _WIDEST)


class _Picture:
    def __init__(self, sketch: Sketch, places: Layout, widths: Sequence[float]) -> None:
        self._sketch = sketch
        self._places = places
        self._widths = widths
        self._producers = sketch.producers()
        self._readers = sketch.readers()
        self.right = 0.0  # where the shape beside a line ends that goes furthest to the right

    def _top(self, level: int) -> float:
        return _MARGIN + level * _ROW

    def _x(self, number: int) -> float:
        return _MARGIN + self._places.x[number]

    def edge(self, tensor: Tensor) -> Iterator[str]:
        """The line of a tensor, from what makes it to all that read it, and its shape."""
        producer, readers = self._producers[tensor], self._readers.get(tensor, [])
        if not readers:
            return
        box = self._sketch.boxes[producer]
        x = self._x(producer) + self._port(producer, box.makes.index(tensor), len(box.makes))
        y = self._top(self._places.layers[producer]) + _HEIGHT
        start = last = x, y
        trunk = ""
        ends = {}  # layer -> the end of the line in it
        for level, place in self._places.points.get(tensor, {}).items():
            top = _MARGIN + place, self._top(level)
            trunk += f"{_curve(last, top)}V{top[1] + _HEIGHT:.0f}"
            ends[level] = last = top[0], top[1] + _HEIGHT
        branches = ""
        for reader in readers:
            level, read = self._places.layers[reader], self._sketch.boxes[reader].reads
            end = self._x(reader) + self._port(reader, read.index(tensor), len(read)), self._top(level)
            begin = ends.get(level - 1, start)
            branches += f"M{begin[0]:.0f} {begin[1]:.0f}{_curve(begin, end)}{_arrow(*end)}"
        line = f"M{x:.0f} {y:.0f}{trunk}" if trunk else ""
        yield f'<path class="edge" d="{line}{branches}"/>'
        text = tensor_text(box.graph, (tensor[0].removeprefix("-"), tensor[1]))
        if text and box.kind == NODE and tensor == box.makes[-1]:  # others would lie beneath it
            shown = cut(text, 30)
            self.right = max(self.right, x + 5 + len(shown) * _SMALL)
            yield f'<text class="size" x="{x + 5:.0f}" y="{y + 13:.0f}">{escape(shown)}</text>'

    def _port(self, number: int, port: int, ports: int) -> float:
        """How far from the middle of a box a line begins or ends."""
        return (port - (ports - 1) / 2) * min(16.0, (self._widths[number] - 16) / max(ports, 1))

    def box(self, number: int, parts: Label, data: str, titles: bool) -> str:
        box, width = self._sketch.boxes[number], self._widths[number]
        x, y = self._x(number) - width / 2, self._top(self._places.layers[number])
        classes = " ".join(filter(None, ("box", _kind(box, parts), SIGN_STYLES.get(box.sign))))
        room = int((width - 20) / _SMALL)
        name = tail(parts.name, max(room - int(len(parts.op_type) * _BOLD / _SMALL) - 2, 0))
        second = cut(parts.result if box.kind in (INPUT, OUTPUT) else parts.details, room)
        op_type = cut(parts.op_type, int((width - 20) / _BOLD))
        round_corners = _HEIGHT / 2 if box.kind != NODE else 6
        tooltip = f"<title>{escape(title(box, parts))}</title>" if titles else ""
        bar = (
            f'<rect class="bar" width="4" height="{_HEIGHT - 12:.0f}" x="4" y="6" rx="2"/>' if box.kind == NODE else ""
        )
        below = f'<text class="more" x="14" y="31">{escape(second)}</text>' if second else ""
        return (
            f'<g class="{classes}"{data} transform="translate({x:.0f},{y:.0f})">{tooltip}'
            f'<rect width="{width:.0f}" height="{_HEIGHT:.0f}" rx="{round_corners:.0f}"/>{bar}'
            f'<text x="14" y="{16 if second else 24}"><tspan class="op">{escape(op_type)}</tspan>'
            f'<tspan class="more" dx="6">{escape(name)}</tspan></text>'
            f"{below}{_badge(box)}</g>"
        )


def title(box: Box, parts: Label) -> str:
    """The details of a box, a line each."""
    lines = [f"{parts.op_type}  {parts.name}", *(f"{name}: {text}" for name, text in details(box))]
    return "\n".join(lines)


def _kind(box: Box, parts: Label) -> str:
    if box.kind != NODE:
        return "end"
    if "Quant" in parts.op_type or "Threshold" in parts.op_type:
        return "quantiser"
    return "weights" if "W[" in parts.details else ""


def _badge(box: Box) -> str:
    if box.sign == " ":
        return ""
    return f'<g class="badge"><circle r="9"/><text y="4.5">{box.sign.replace("-", _MINUS)}</text></g>'


def _curve(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x, y), (to_x, to_y) = start, end
    if abs(x - to_x) < _STRAIGHT:
        return f"L{to_x:.0f} {to_y:.0f}"
    middle = (y + to_y) / 2
    return f"C{x:.0f} {middle:.0f} {to_x:.0f} {middle:.0f} {to_x:.0f} {to_y:.0f}"


def _arrow(x: float, y: float) -> str:
    return f"M{x - _ARROW:.0f} {y - _ARROW - 1:.0f}L{x:.0f} {y:.0f}L{x + _ARROW:.0f} {y - _ARROW - 1:.0f}"
