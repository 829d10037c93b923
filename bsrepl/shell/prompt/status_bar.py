"""The status bar below the prompt."""

from __future__ import annotations

from collections.abc import Sequence

from ...registry.plugin import KINDS, NAMESPACES
from ...registry.snapshot import Snapshot
from ...reload.failure import Failure
from ...text.columns import cut
from ...text.format import counted, duration
from ...text.styled import Text


def status_bar(
    snapshot: Snapshot,
    *,
    watched: int,
    failing: Sequence[Failure],
    last_reload: float | None,
    mode: str,
    lesson: str,
    width: int,
) -> Text:
    """One line: the editing mode, the step of a lesson and how to leave it, what fails, the counts, the files and the
    last reload, as there is room for it."""
    parts: Text = [("status", f" {mode} ")] if mode else []
    if lesson:
        shown = f" {lesson}  tour.next() tour.back() tour.quit() "
        parts.append(("status", shown if len(shown) <= width else f" {lesson} tour.next() .back() .quit()"))
    if failing:
        parts.append(("status.failing", f" {len(failing)} failing: {failing[0].place} "))
    parts.append(("status", " " + " ".join(f"{NAMESPACES[kind]} {snapshot.count(kind)}" for kind in KINDS) + " "))
    if watched:
        parts.append(("status", f" {counted(watched, 'file')} watched "))
    if last_reload is not None:
        parts.append(("status", f" reload {duration(last_reload)} "))
    while len(parts) > 1 and sum(len(text) for _, text in parts) > width:
        parts.pop()
    return [(style, cut(text, width)) for style, text in parts]
