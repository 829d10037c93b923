"""The board as styled text, for a terminal of any size: what does not fit is cut, and that is said."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..registry.listing import summary
from ..registry.plugin import KINDS
from ..registry.report import PLURALS
from ..registry.snapshot import Snapshot
from ..text.columns import cut
from ..text.format import counted, duration
from ..text.highlight import python_lines
from ..text.styled import Text, wrapped
from .board import BoardView

if TYPE_CHECKING:
    from .bench import Discovery

_FEWEST = 3  # lines of the file
_LABEL, _SHORTEST = 26, 5  # columns for the label of a bar, and of the longest bar at least
_RULE, _BAR = "\u2500", "\u2588"  # terminal.py has stand-ins for them


def board(view: BoardView, width: int, height: int) -> Text:
    """The file, the registry, what was registered last, the measurement, in at most `height` lines."""
    width = min(width, 100)
    registry = _registry(view, width)
    measured = _measured(view.discovery, width)
    room = height - len(registry) - len(measured) - 3  # the headings
    if room < _FEWEST and view.discovery is not None:
        measured = measured[:1]
        room = height - len(registry) - len(measured) - 3
    code = _code(view, width, max(room, _FEWEST))
    title = f"{view.file}" if view.file else "no plugin file is watched"
    parts = [
        _heading(title, width), *code,
        _heading("registry", width), *registry,
        _heading("discovery", width), *measured,
    ]  # fmt: skip
    return [pair for line in parts for pair in [*line, ("", "\n")]]


def _heading(title: str, width: int) -> Text:
    text = cut(title, width - 6)
    return [("dim", f"{_RULE * 2} "), ("bold", text), ("dim", f" {_RULE * (width - len(text) - 4)}")]


def _code(view: BoardView, width: int, room: int) -> list[Text]:
    if not view.file:
        return [[("dim", "start with: bsrepl plugin_example.py")]]
    source = python_lines(view.source.rstrip("\n"))
    marked = view.failures[0] if view.failures else None
    if len(source) > room:
        room -= 1  # for the note on the others
    first = max(min(view.line - 2, len(source) - room), 0)
    rows: list[Text] = []
    for number, line in enumerate(source[first : first + room], first + 1):
        is_wrong = marked is not None and number == marked.line
        mark = [("error", f"{number:4} ! ")] if is_wrong else [("dim", f"{number:4}   ")]
        rows.append([*mark, *_within(line, width - 7)])
    left = len(source) - len(rows)
    if left > 0:
        rows.append([("dim", f"       {first} lines above, {left - first} below")])
    return rows


def _within(line: Text, width: int) -> Text:
    """The beginning of a line, with `...` where it was cut."""
    parts: Text = []
    for style, text in line:
        if len(text) > width:
            return [*parts, (style, cut(text, width))]
        parts.append((style, text))
        width -= len(text)
    return parts


def _registry(view: BoardView, width: int) -> list[Text]:
    rows = _counts(view.before, view.after, width)
    for failed in view.failures[:1]:
        rows.append([("error", cut(f"failed {failed.place}  {failed.error.splitlines()[0]}", width))])
        if len(view.failures) > 1:
            rows.append([("error", f"and {len(view.failures) - 1} more; see errors()")])
    if view.latest is None:
        said = f"{counted(view.files, 'plugin file')} watched; nothing registered since the start"
        return rows + [[("dim", line)] for line in wrapped(said, width, "").splitlines()]
    plugin = view.latest.plugin
    clock = time.strftime("%H:%M:%S", time.localtime(view.at / 1e9))
    verb = "registered" if view.latest.sign == "+" else "changed"
    rows.append([("added", cut(f"{plugin.key} {verb} at {clock}", width))])
    details = summary(plugin)
    rows.append([("", cut(f"  {plugin.kind}  {details or 'no metadata'}", width))])
    rows.append([("path", cut(f"  module {plugin.module}  {plugin.origin}", width))])
    return rows


def _counts(before: Snapshot, after: Snapshot, width: int) -> list[Text]:
    """`transforms 24 -> 25 NEW   kernels 12   backends 8   steps 15`, on one line or on two."""
    parts: list[Text] = []
    for kind in KINDS:
        was, now = before.count(kind), after.count(kind)
        if was == now:
            parts.append([("", f"{PLURALS[kind]} {now}")])
        else:
            new = " NEW" if now > was else ""
            parts.append([("added" if now > was else "removed", f"{PLURALS[kind]} {was} -> {now}{new}")])
    rows: list[Text] = [[]]
    taken = 0
    for part in parts:
        size = len(part[0][1]) + 3
        if rows[-1] and taken + size - 3 > width:
            rows.append([])
            taken = 0
        rows[-1] += [*part, ("", "   ")]
        taken += size
    return rows


def _measured(discovery: Discovery | None, width: int) -> list[Text]:
    if discovery is None:
        return [[("dim", "not measured yet: bench()")]]
    return bars(discovery, width)


def bars(discovery: Discovery, width: int) -> list[Text]:
    """A bar for each way, as long as it takes, and what it takes to read an attribute."""
    names = min(max(len(way.name) for way in discovery.ways), width - _LABEL - _SHORTEST)
    longest = max(way.seconds for way in discovery.ways)
    room = width - names - _LABEL
    rows: list[Text] = []
    for way in discovery.ways:
        bar = _BAR * max(round(room * way.seconds / longest), 1)
        faster = discovery.ways[0].seconds / way.seconds
        ratio = f"  {faster:.1f}x faster" if way is discovery.ways[-1] else ""
        label = f" {duration(way.seconds)}{ratio}"
        rows.append(
            [
                ("", f"{cut(way.name, names).ljust(names)}  "),
                ("added" if ratio else "", bar),
                ("bold" if ratio else "", label),
            ]
        )
    read = ", ".join(f"{name} {duration(seconds)}" for name, seconds in discovery.access.items())
    return [*rows, [("", cut(f"reading it: {read}", width))]]


def discovery_table(discovery: Discovery, width: int) -> Text:
    """The bars, what each is rows of, and how it was measured."""
    rows = [_heading(f"knowing the {discovery.ways[0].found} transformations of QONNX", width), *bars(discovery, width)]
    for way in discovery.ways:
        parts = ", ".join(f"{part} {duration(seconds)}" for part, seconds in way.parts.items())
        rows.append([("dim", wrapped(f"{way.name}: {parts}", width).rstrip("\n"))])
    return [pair for line in rows for pair in [*line, ("", "\n")]] + _how(discovery, width)


def _how(discovery: Discovery, width: int) -> Text:
    listed = [way.name for way in discovery.ways if not way.found]
    none = f" {' and '.join(listed)}: QONNX publishes none, so only the look-up is measured." if listed else ""
    method = (
        f"Measured now: each way {counted(discovery.runs, 'time')} in fresh processes, in turn; the median counts. "
        f"Importing bsrepl is in its time.{none}"
    )
    return [("dim", wrapped(method, width, ""))]
