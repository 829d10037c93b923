"""Pictures of graphs and of differences as files of their own: SVG, and HTML that shows the details of each node."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import NamedTuple

from ..graphdiff import words
from ..graphdiff.difference import Difference
from ..graphdiff.view import View
from .details import Rows, details
from .labels import label
from .layout import layers
from .sketch import NODE, Box, Names, Sketch, of_difference, of_graph, of_sides
from .svg import Pane, pane

_TITLE = 30.0  # pixels above a pane
_BETWEEN = 30.0  # pixels between two panes
_BUTTONS = {"in": "+", "out": "\u2212", "fit": "fit"}
_CHANGES = {"last": "previous change", "next": "next change"}


class Side(NamedTuple):
    """One graph of a picture."""

    title: str
    sketch: Sketch
    levels: Sequence[int]
    same: Sequence[int]  # boxes of both sides that are the same have the same number


class Picture(NamedTuple):
    """One graph, or two beside each other, and what is said about them."""

    title: str
    headline: str
    words: str
    sides: Sequence[Side]


def of_model(graph: View, title: str) -> Picture:
    """The picture of a graph."""
    sketch = of_graph(graph)
    numbers = range(len(sketch.boxes))
    return Picture(title, f"{graph.node_count} nodes", "", [Side("", sketch, layers(sketch), numbers)])


def of_change(difference: Difference, title: str) -> Picture:
    """The picture of a difference: both graphs in common layers, so that what is the same stands at one height."""
    merged = of_difference(difference)
    levels, names = layers(merged), Names(difference)
    numbers = {_key(box): number for number, box in enumerate(merged.boxes)}
    before, after = of_sides(difference)
    sides = []
    for name, sketch in (("before", before), ("after", after)):
        same = [numbers.get(_in_merged(box, difference, names), -1) for box in sketch.boxes]
        own = layers(sketch)
        common = [levels[number] if number >= 0 else own[at] for at, number in enumerate(same)]
        sides.append(Side(name, sketch, common, same))
    return Picture(title, ", ".join(words.headline(difference).split("   ")), str(difference), sides)


def _key(box: Box) -> tuple[object, ...]:
    return (box.kind, id(box.graph), box.number) if box.kind == NODE else (box.kind, *(box.makes or box.reads)[:1])


def _in_merged(box: Box, difference: Difference, names: Names) -> tuple[object, ...]:
    """What a box of one side is in the merged sketch."""
    if box.graph is difference.new:
        return _key(box)
    if box.kind == NODE:
        there = difference.match.forward.get(box.number)
        return _key(box) if there is None else (NODE, id(difference.new), there)
    if box.makes:
        return box.kind, names.of(box.makes[0])
    place = difference.old.outputs[box.reads[0]][0]
    now = next((tensor for tensor, places in difference.new.outputs.items() if place in places), names.of(box.reads[0]))
    return box.kind, now


def svg(picture: Picture, generator: str) -> str:
    """The picture as an SVG document; the details are tooltips."""
    panes = [pane(side.sketch, side.levels) for side in picture.sides]
    height = max(one.height for one in panes) + 2 * _TITLE
    width = sum(one.width for one in panes) + _BETWEEN * (len(panes) - 1)
    parts = []
    x = 0.0
    for side, one in zip(picture.sides, panes, strict=True):
        name = f'<text class="title" x="20" y="20">{escape(side.title or picture.title)}</text>'
        parts.append(f'<g transform="translate({x:.0f},0)">{name}<g transform="translate(0,{_TITLE:.0f})">')
        parts.append(f"{one.elements}</g></g>")
        x += one.width + _BETWEEN
    made = f'<text class="note" x="20" y="{height - 10:.0f}">{escape(generator)}</text>'
    described = escape("\n".join(filter(None, (picture.title, picture.words or picture.headline, generator))))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">\n<desc>{described}</desc>\n<style>\n{_asset("picture.css")}</style>\n'
        f"{chr(10).join(parts)}\n{made}\n</svg>\n"
    )


def html(picture: Picture, generator: str) -> str:
    """The picture as an HTML page that needs nothing else: hovering over a node or clicking it shows its details."""
    panes: list[str] = []
    known: list[tuple[str, Rows]] = []
    for side in picture.sides:
        drawn = pane(side.sketch, side.levels, first=len(known), same=side.same, titles=False)
        panes.append(f"<section>{_heading(side)}{_document(drawn)}</section>")
        known += [(" ".join(filter(None, label(box)[:2])), details(box)) for box in side.sketch.boxes]
    is_change = len(picture.sides) > 1
    summary = f"<details><summary>what changed</summary><pre>{escape(picture.words)}</pre></details>"
    buttons = {**(_CHANGES if is_change else {}), **_BUTTONS}
    return Template(_asset("page.html")).substitute(
        generator=escape(generator, quote=True),
        title=escape(picture.title),
        headline=escape(picture.headline),
        style=_asset("page.css") + _asset("picture.css"),
        buttons="".join(f'<button value="{value}">{text}</button>' for value, text in buttons.items()),
        words=summary if is_change else "",
        panes="\n".join(panes),
        made=escape(generator),
        details=json.dumps(known, separators=(",", ":")).replace("<", "\\u003c"),
        script=_asset("page.js"),
    )


def _heading(side: Side) -> str:
    return f"<h2>{escape(side.title)}</h2>" if side.title else ""


def _document(drawn: Pane) -> str:
    size = f'width="{drawn.width:.0f}" height="{drawn.height:.0f}" viewBox="0 0 {drawn.width:.0f} {drawn.height:.0f}"'
    return f"<svg {size}>\n{drawn.elements}\n</svg>"


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
