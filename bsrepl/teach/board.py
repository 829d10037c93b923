"""The board: the plugin file that is being edited, the registry, what was registered last, and what was measured."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..registry.changes import Change, changes_between
from ..registry.snapshot import Snapshot
from ..registry.store import Registry
from ..reload.failure import Failure
from ..reload.reloader import Reloader
from ..text.format import file_name

if TYPE_CHECKING:
    from .bench import Discovery


class BoardView(NamedTuple):
    """What the board shows at one moment."""

    file: str  # the name of the plugin file that was saved last; empty if none is watched
    source: str
    line: int  # of it that is to be seen: where something was registered, or failed
    before: Snapshot  # the registry when the board was looked at before
    after: Snapshot
    latest: Change | None  # what was registered last
    at: int  # when, in ns since the epoch
    failures: Sequence[Failure]
    files: int  # that are watched
    discovery: Discovery | None


class Board:
    """Follows what is registered. `now` is the wall clock in ns."""

    def __init__(self, registry: Registry, reloader: Reloader, now: Callable[[], int]) -> None:
        self._registry = registry
        self._reloader = reloader
        self._now = now
        self._looked_at = registry.snapshot
        self._latest: tuple[Change, int] | None = None
        self._saved = ""  # the path of the plugin file that was executed last
        self.discovery: Discovery | None = None  # what `bench` measured last

    def note(self, before: Snapshot, after: Snapshot, executed: Sequence[str] = ()) -> None:
        """Notes a change of the registry, and the files whose execution brought it about."""
        present = set(self._reloader.plugin_files) if executed else ()
        plugin_files = [path for path in executed if path in present]
        if plugin_files:
            self._saved = plugin_files[-1]
        registered = (
            [change for change in changes_between(before, after) if change.sign != "-"] if before is not after else []
        )
        if registered:
            self._latest = registered[-1], self._now()

    def view(self) -> BoardView:
        """What there is to see now; the next view counts from here on."""
        failures = list(self._reloader.failures.values())
        path = failures[0].path if failures else self._saved or self._newest()
        latest, at = self._latest or (None, 0)
        line = 1
        if failures:
            line = failures[0].line or 1
        elif latest is not None and latest.plugin.origin.file == path:
            line = latest.plugin.origin.line
        source = self._reloader.source(path).decode(errors="replace")
        view = BoardView(
            file_name(path), source, line, self._looked_at, self._registry.snapshot, latest, at,
            failures, self._reloader.watched, self.discovery,
        )  # fmt: skip
        self._looked_at = self._registry.snapshot
        return view

    def _newest(self) -> str:
        """The plugin file that was modified last."""
        return max(self._reloader.plugin_files, key=_modified, default="")


def _modified(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
