"""What a session begins with."""

from __future__ import annotations

from ..registry.plugin import KINDS, NAMESPACES
from ..registry.report import PLURALS
from ..registry.snapshot import Snapshot
from ..text.format import counted
from ..text.styled import Text, headed, wrapped


def banner(snapshot: Snapshot, version: str, watched: int, width: int) -> Text:
    """What a session begins with."""
    numbers = ", ".join(f"{snapshot.count(kind)} {PLURALS[kind]}" for kind in KINDS if snapshot.count(kind))
    files = f"; {counted(watched, 'plugin file')} watched" if watched else ""
    names = f"{', '.join(NAMESPACES.values())} are ready to use; help() lists everything."
    return [*headed("bold", f"bsrepl {version}", f" {numbers}{files}", width), ("dim", wrapped(names, width, ""))]
