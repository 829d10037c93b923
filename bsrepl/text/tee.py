"""A stream that keeps the beginning of what is written to another one."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class Cursor:
    """Where several streams of one terminal have come to."""

    is_at_line_start = True

    def written(self, text: str) -> None:
        if text:
            self.is_at_line_start = text.endswith("\n")


class Tee:
    """Writes to a stream, and keeps the first `limit` characters. Closing it closes nothing."""

    def __init__(self, stream: TextIO, cursor: Cursor, limit: int) -> None:
        self._stream = stream
        self._cursor = cursor
        self._room = limit
        self._parts: list[str] = []

    def write(self, text: str) -> int:
        self._cursor.written(text)
        if self._room > 0:
            self._parts.append(text[: self._room])
            self._room -= len(text)
        return self._stream.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def close(self) -> None:
        """Leaves the stream open: a command that closes `sys.stdout` must not silence the session."""
        self._stream.flush()

    @property
    def text(self) -> str:
        """What was kept."""
        return "".join(self._parts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def teed(limit: int) -> Iterator[tuple[Tee, Cursor]]:
    """While this lasts, `sys.stdout` and `sys.stderr` are tees. Yields the first, and where both have come to."""
    cursor = Cursor()
    before = sys.stdout, sys.stderr
    tee = Tee(sys.stdout, cursor, limit)
    sys.stdout, sys.stderr = tee, Tee(sys.stderr, cursor, 0)
    try:
        yield tee, cursor
    finally:
        sys.stdout, sys.stderr = before
