"""Passes over many models: a row for each, whatever happens to it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

from ..errors import BsreplError, UnwritableFile
from ..text.columns import cut
from ..text.format import counted, duration, error_line, size
from ..text.styled import StyledSequence, Text
from ..text.whole_file import write_whole
from .sweep_task import CRASHED, UNREADABLE, Row, Task
from .trust import TRUSTING

_AHEAD = 2 * (os.cpu_count() or 1) + 62  # tasks that are handed over at a time: each may hold a model
_HEADING = ("model", "status", "what changed", "memory", "time")
_LONGEST = 40  # characters of what changed, in the table
_MOST = 20  # failures that have a line


class Sweep(StyledSequence[Row]):
    """The rows, in the order of the models. True if none failed. Prints as a table."""

    def __init__(self, rows: Sequence[Row], left: int = 0) -> None:
        super().__init__(rows)
        self.left = left  # models that were not tried, because of a Ctrl-C

    def __bool__(self) -> bool:
        return not (self.failed or self.left)

    @property
    def failed(self) -> list[Row]:
        """The rows of models that are DIFFERENT or BROKEN now, could not be opened, crashed, or ran out of time."""
        return [row for row in self if row.is_failed]

    def to_dict(self) -> dict[str, Any]:
        """`{"rows": [...], "failed": NUMBER, "left": NUMBER}` as plain JSON values."""
        return {"rows": [row.to_dict() for row in self], "failed": len(self.failed), "left": self.left}

    def to_json(self, path: Any) -> None:
        """Writes the rows into a file, whole or not at all. Raises UnwritableFile."""
        try:
            write_whole(Path(os.path.expanduser(path)), f"{json.dumps(self.to_dict(), indent=2)}\n".encode())
        except OSError as error:
            raise UnwritableFile(f"{path} cannot be written: {error.strerror}") from error

    def table(self, is_measured: bool = True) -> list[tuple[str, ...]]:
        """A heading and a row for each model: its status, what changed, if anything did; memory and time if asked."""
        rows = [_HEADING, *map(_cells, self)]
        has_changes = any(row.applied is not None and row.applied.changes for row in self)
        return [(*row[:2], *(row[2:3] if has_changes else ()), *(row[3:] if is_measured else ())) for row in rows]

    def conclusion(self) -> list[str]:
        """The lines below the table: how many of each status, and why those failed that did."""
        counts = Counter(row.status for row in self)
        parts = [f"{count} {status}" for status, count in counts.items()]
        lines = [f"{counted(len(self), 'model')}: {', '.join(parts)}" if parts else "no model was tried"]
        lines += [f"{row.name} {row.status}: {_reason(row)}" for row in self.failed[:_MOST]]
        more = len(self.failed) - _MOST
        lines += [f"{more} more failed; the rows have .why"] if more > 0 else []
        return lines + ([f"interrupted; {self.left} not tried"] if self.left else [])

    def styled(self, width: int, shows_time: bool) -> Text:
        from .report import sweep_table

        return sweep_table(self, width, shows_time)

    def __repr__(self) -> str:
        return "\n".join(["  ".join(filter(None, cells)) for cells in self.table()] + self.conclusion())


def sweep(tasks: Sequence[Task], submit: Callable[[Task], Future[Row]], progress: Callable[[int, str], None]) -> Sweep:
    """Hands each task to a pool by `submit`. A KeyboardInterrupt ends it; the rows so far are returned.

    `progress` is called with the number of models done so far and the name of the last one.
    """
    rows: dict[int, Row] = {}
    running: dict[Future[Row], int] = {}
    waiting = list(enumerate(tasks))[::-1]
    try:
        while waiting or running:
            while waiting and len(running) < _AHEAD:
                number, task = waiting.pop()
                running[_submitted(task, submit)] = number
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                number = running.pop(future)
                rows[number] = _row(tasks[number].name, future)
                progress(len(rows), tasks[number].name)
    except KeyboardInterrupt:
        pass
    finally:
        for future in running:
            future.cancel()
    return Sweep([rows[number] for number in sorted(rows)], len(tasks) - len(rows))


def _submitted(task: Task, submit: Callable[[Task], Future[Row]]) -> Future[Row]:
    """The future of a task; that of its failure if the pool is broken or the model cannot be opened."""
    try:
        return submit(task)
    except Exception as error:
        failed: Future[Row] = Future()
        failed.set_exception(error)
        return failed


def _row(name: str, future: Future[Row]) -> Row:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, BsreplError):
        return Row(name, UNREADABLE, str(error).removesuffix(TRUSTING))
    return Row(name, CRASHED, error_line(error))


def _cells(row: Row) -> tuple[str, ...]:
    changes = cut(row.applied.changes, _LONGEST) if row.applied is not None else ""
    status = row.verdict.short if row.verdict is not None else row.status
    return row.name, status, changes, size(row.memory) if row.memory else "", duration(row.seconds)


def _reason(row: Row) -> str:
    return row.why.removeprefix(row.status).lstrip(" :")
