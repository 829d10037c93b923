"""Listings and changes of the registry as styled text."""

from __future__ import annotations

from collections.abc import Sequence

from ..text.columns import columns, cut, most_important
from ..text.format import duration, file_name
from ..text.styled import SIGN_STYLES, Text, wrapped
from .changes import Change
from .listing import Listing, summary
from .plugin import KINDS
from .snapshot import Snapshot

PLURALS = {"transform": "transforms", "kernel": "kernels", "backend": "backends", "step": "steps"}
_SHORTEST_PLACE = 10  # characters of a place that are worth showing
_MOST_CHANGES = 40  # lines; `changes()` has them all


def registry_changes(
    changes: Sequence[Change], before: Snapshot, after: Snapshot, width: int, seconds: float | None = None
) -> Text:
    """A line for each change, and one with the counts."""
    shown = changes[:_MOST_CHANGES]
    text = change_lines(shown, width)
    if len(changes) > len(shown):
        text.append(("dim", f"  and {len(changes) - len(shown)} more; changes() lists them all\n"))
    return text + counts(before, after, width, "" if seconds is None else f"reload {duration(seconds)}")


def change_lines(changes: Sequence[Change], width: int) -> Text:
    """`+ tfm.CustomOptimizer  stage=optimization  plugin_example.py:3`, aligned; details below if narrow."""
    text: Text = []
    rows = [(change, str(change.plugin.key), _details(change), _place(change)) for change in changes]
    widest = max((len(name) for _, name, _, _ in rows), default=0)
    details_widest = max((len(details) for _, _, details, _ in rows), default=0)
    aligned = 2 + widest + 2 + details_widest + 2 + max((len(place) for *_, place in rows), default=0) <= width
    for change, name, details, place in rows:
        style = SIGN_STYLES[change.sign]
        one_line = 2 + len(name) + 2 + (len(details) + 2 if details else 0) + len(place) <= width
        if aligned:
            middle = f"{details.ljust(details_widest)}  " if details_widest else ""
            text += [(style, f"{change.sign} {name.ljust(widest)}"), ("", f"  {middle}")]
            text += [("path", place), ("", "\n")]
        elif one_line or not details:
            text += [(style, f"{change.sign} {name}"), ("", f"  {details}  " if details else "  ")]
            text += [("path", place), ("", "\n")]
        else:
            text += [
                (style, f"{change.sign} {name}"),
                ("", "  "),
                ("path", place),
                ("", f"\n    {details}\n"),
            ]
    return text


def _details(change: Change) -> str:
    if change.sign == "+":
        return summary(change.plugin)
    return ", ".join(change.details)


def _place(change: Change) -> str:
    origin = change.plugin.origin
    return file_name(origin.file) if change.sign == "-" else str(origin)


def counts(before: Snapshot, after: Snapshot, width: int, timing: str = "") -> Text:
    """`transforms 64 -> 65   kernels 14   backends 0   steps 6          reload 3.1 ms`"""
    parts = [_count(kind, before.count(kind), after.count(kind)) for kind in KINDS]
    line = "  " + "   ".join(parts)
    if len(line) > width:  # only what changed, or on lines of their own
        parts = [part for part in parts if "->" in part] or parts
        line = (
            "\n".join(f"  {part}" for part in parts)
            if sum(map(len, parts)) + 3 * len(parts) > width
            else ("  " + "   ".join(parts))
        )
    if not timing:
        return [("dim", f"{line}\n")]
    last = len(line.rpartition("\n")[2])
    gap = max(min(width, 100) - last - len(timing), 3)
    joint = "\n  " if last + 3 + len(timing) > width else " " * gap
    return [("dim", f"{line}{joint}{timing}\n")]


def _count(kind: str, before: int, after: int) -> str:
    numbers = str(after) if before == after else f"{before} -> {after}"
    return f"{PLURALS[kind]} {numbers}"


def listing(plugins: Listing, width: int) -> Text:
    """The plugins that were found, as a table."""
    text: Text = [] if plugins else [("warning", wrapped(plugins.otherwise, width))]
    rows = plugins.rows()
    note: Text = [("warning", wrapped(plugins.note, width))] if plugins.note else []
    if max((len(name) for name, *_ in rows), default=0) + 2 + max((len(row[2]) for row in rows), default=0) > width:
        return _narrow_listing([(name, place) for name, _, place in rows], width) + note
    if not rows:
        return text + note
    importance = plugins.importance(rows, width)
    shown = most_important(rows, width, importance)
    for cells in columns(rows, width, importance):
        styled = zip([("bold", "", "path")[position] for position in shown], cells, strict=True)
        text += [part for style, cell in styled for part in ((style, cell), ("", "  "))]
        text[-1] = ("", "\n")
    return text + note


def _narrow_listing(rows: Sequence[tuple[str, str]], width: int) -> Text:
    """What to type is whole in any case; where it is, is cut to what is left of the line."""
    text: Text = []
    for name, place in rows:
        room = width - len(name) - 2
        text += [("bold", name), ("path", f"  {cut(place, room)}" if room >= _SHORTEST_PLACE else ""), ("", "\n")]
    return text
