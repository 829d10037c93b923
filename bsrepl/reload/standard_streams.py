"""The standard streams of the process: a shell that can neither read nor write has ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import Any, NamedTuple


class _Stream(NamedTuple):
    name: str
    number: int
    spare: int  # refers to the same open file
    text: Any  # Python's own stream
    encoding: str
    errors: str | None


@contextmanager
def standard_streams_kept() -> Iterator[list[str]]:
    """Opens the standard streams again at the end that were closed, detached or redirected meanwhile.

    The list that it yields names them at the end.
    """
    restored: list[str] = []
    streams = list(_opened())
    try:
        yield restored
    finally:
        for stream in streams:
            if _is_restored(stream):
                restored.append(stream.name)
            os.close(stream.spare)


def _opened() -> Iterator[_Stream]:
    texts = {"input": sys.__stdin__, "output": sys.__stdout__, "error": sys.__stderr__}
    for number, (name, text) in enumerate(texts.items()):
        is_usable = isinstance(text, TextIOWrapper) and _is_open(text)
        encoding, errors = (text.encoding, text.errors) if text is not None and is_usable else ("", None)
        with suppress(OSError):  # it is closed, as a daemon may have it, or too many files are open
            yield _Stream(f"standard {name}", number, os.dup(number), text if is_usable else None, encoding, errors)


def _is_restored(stream: _Stream) -> bool:
    """Whether a stream had to be opened again, which was done."""
    is_open = stream.text is None or _is_open(stream.text)
    with suppress(OSError):
        if os.path.sameopenfile(stream.number, stream.spare) and is_open:
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
