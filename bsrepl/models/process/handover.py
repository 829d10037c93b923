"""Data that is handed to a task: parts in a file that exists in memory alone. The task maps it, and copies nothing."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

_ALIGNED = 64  # bytes; onnxruntime reads weights as they lie


def nameless() -> IO[bytes]:
    """A file that no folder lists and that ends with its last user; in memory, where the system has such files."""
    with suppress(AttributeError, OSError):  # the system has none, or allows none
        return os.fdopen(os.memfd_create("bsrepl"), "wb")
    return tempfile.TemporaryFile()


def add(file: IO[bytes], part: bytes) -> int:
    """Writes a part behind the others. Returns the bytes that it takes."""
    file.seek(_aligned(file.tell()))
    file.write(part)
    file.flush()
    return len(part)


def mapped(number: int, sizes: Sequence[int]) -> list[memoryview]:
    """The parts in the file with this descriptor, by their sizes."""
    if not any(sizes):  # nothing can be mapped
        return [memoryview(b"") for _ in sizes]
    view = memoryview(mmap.mmap(number, 0, prot=mmap.PROT_READ))
    parts, start = [], 0
    for size in sizes:
        start = _aligned(start)
        parts.append(view[start : start + size])
        start += size
    return parts


def _aligned(place: int) -> int:
    return -(-place // _ALIGNED) * _ALIGNED
