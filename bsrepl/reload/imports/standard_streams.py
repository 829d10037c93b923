"""The standard streams of the process: a shell that can neither read nor write has ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import TextIOWrapper
from typing import Any, NamedTuple

_NAMES = ("standard input", "standard output", "standard error")


class _Stream(NamedTuple):
    number: int
    spare: int  # refers to the same open file
    device: int
    inode: int
    text: Any  # Python's own stream
    encoding: str
    errors: str | None


class StandardStreams:
    """The standard streams as they are now. Each is held a second time, until the end of a `with`."""

    def __init__(self) -> None:
        self._streams = list(_opened())

    def restored(self) -> list[str]:
        """The streams that were closed, detached or redirected meanwhile, which are open again as they were."""
        return [_NAMES[stream.number] for stream in self._streams if _is_restored(stream)]

    def __enter__(self) -> StandardStreams:
        return self

    def __exit__(self, *raised: object) -> None:
        for stream in self._streams:
            os.close(stream.spare)
        self._streams.clear()


def _opened() -> Iterator[_Stream]:
    for number, text in enumerate((sys.__stdin__, sys.__stdout__, sys.__stderr__)):
        try:
            status, spare = os.fstat(number), os.dup(number)
        except OSError:  # it is closed, as a daemon may have it, or too many files are open
            continue
        if isinstance(text, TextIOWrapper) and _is_open(text):
            yield _Stream(number, spare, status.st_dev, status.st_ino, text, text.encoding, text.errors)
        else:
            yield _Stream(number, spare, status.st_dev, status.st_ino, None, "", None)


def _is_restored(stream: _Stream) -> bool:
    """Whether a stream had to be opened again, which was done."""
    is_open = stream.text is None or _is_open(stream.text)
    try:
        status = os.fstat(stream.number)
    except OSError:
        pass
    else:
        if is_open and status.st_ino == stream.inode and status.st_dev == stream.device:
            return False
    if stream.text is not None and is_open:
        with suppress(OSError):
            stream.text.flush()  # to where it was redirected
    os.dup2(stream.spare, stream.number)
    if not is_open:  # everybody who holds the object has the use of it again
        mode = "wb" if stream.number else "rb"
        file = open(stream.number, mode, closefd=False)  # noqa: SIM115  # for as long as the process lives
        TextIOWrapper.__init__(stream.text, file, stream.encoding, stream.errors, line_buffering=stream.number > 0)
    return True


def _is_open(text: TextIOWrapper) -> bool:
    try:
        return not text.closed
    except ValueError:  # it is detached
        return False
