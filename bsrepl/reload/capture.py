"""Keeps what a plugin file prints while it is executed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any, TextIO


@contextmanager
def captured() -> Iterator[StringIO]:
    """While this lasts, standard output and error go into what it yields.

    A stream that was kept hold of meanwhile writes to the real one afterwards.
    """
    output = StringIO()
    stdout, stderr = _Tap(sys.stdout, output), _Tap(sys.stderr, output)
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr):
            yield output
    finally:
        stdout.write, stderr.write = stdout.stream.write, stderr.stream.write


class _Tap:
    """A stream like another, except that it writes elsewhere."""

    def __init__(self, stream: TextIO, output: StringIO) -> None:
        self.stream = stream
        self.write: Callable[[str], int] = output.write

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
