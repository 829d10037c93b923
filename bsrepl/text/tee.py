"""A stream that keeps the beginning of what is written to another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO


class Tee:
    """Writes to a stream, and keeps the first `limit` characters. Closing it closes nothing."""

    def __init__(self, stream: TextIO, limit: int) -> None:
        self._stream = stream
        self._room = limit
        self._parts: list[str] = []

    def write(self, text: str) -> int:
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
def teed(stream: TextIO, limit: int) -> Iterator[Tee]:
    """While this lasts, `sys.stdout` is a tee of the stream."""
    tee = Tee(stream, limit)
    with redirect_stdout(tee):
        yield tee
