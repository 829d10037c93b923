"""Keeps what a plugin file prints while it is executed, unless it waits for somebody to answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any, TextIO


@contextmanager
def captured() -> Iterator[StringIO]:
    """While this lasts, standard output and error go into what it yields.

    Once the file reads standard input, as `input()` and debuggers do, what it printed is shown, and all that follows at
    once: a prompt must be seen. A stream that was kept hold of meanwhile writes to the real one afterwards.
    """
    output = StringIO()
    stdout, stderr = _Tap(sys.stdout, output), _Tap(sys.stderr, output)

    def release() -> None:
        if stdout.is_held:
            stdout.stream.write(output.getvalue())
            stdout.stream.flush()
            output.seek(0)
            output.truncate()
            stdout.release()
            stderr.release()

    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = _Keyboard(sys.stdin, release), stdout, stderr
    try:
        yield output
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        stdout.release()
        stderr.release()


class _Tap:
    """A stream like another, except that it writes elsewhere until it is released."""

    def __init__(self, stream: TextIO, output: StringIO) -> None:
        self.stream = stream
        self.is_held = True
        self.write: Callable[[str], int] = output.write

    def release(self) -> None:
        self.is_held = False
        self.write = self.stream.write

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def close(self) -> None:
        """Leaves the stream open: a file that closes `sys.stdout` must not silence the session."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Keyboard:
    """Standard input, which tells before it is read."""

    def __init__(self, stream: TextIO, before_reading: Callable[[], None]) -> None:
        self._stream = stream
        self._before_reading = before_reading

    def close(self) -> None:
        """Leaves the stream open, as for output."""

    def __getattr__(self, name: str) -> Any:
        if name in ("read", "readline", "readlines", "fileno", "buffer"):
            self._before_reading()
        return getattr(self._stream, name)

    def __iter__(self) -> Iterator[str]:
        self._before_reading()
        return iter(self._stream)
