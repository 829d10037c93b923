"""What was found out of installed packages, kept in a file, so that a start takes no more than reading it.

The file is data. Whatever does not fit, be it the form, the version of what wrote it, or the state of what it was made
from, counts as not there; nothing in it is executed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

_FORMAT = 1
_PACKAGE = os.path.dirname(os.path.dirname(__file__))
_STAGES = os.path.join(_PACKAGE, "frameworks", "qonnx", "stages.tsv")


class Index:
    """The index in a file; without a file, nothing is kept."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._entries: dict[str, Any] = _loaded(file)
        self._is_new = False

    def recall(self, name: str, state: list[int]) -> Any:
        """What was kept under a name in that state of things, as JSON has it; None if nothing was."""
        entry = self._entries.get(name)
        return entry.get("held") if isinstance(entry, dict) and entry.get("state") == state else None

    def keep(self, name: str, state: list[int], held: Any) -> None:
        """Puts a value that JSON can have under a name, for as long as the state is the same."""
        self._entries[name] = {"state": state, "held": held}
        self._is_new = True

    def save(self) -> None:
        """Writes the file if there is anything new. Where that cannot be done, the next start finds out again."""
        if not self._is_new or self._file is None:
            return
        import tempfile  # only now: most starts write nothing

        text = json.dumps({"format": _FORMAT, "writer": _writer(), "entries": self._entries})
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile("w", dir=self._file.parent, delete=False, encoding="utf-8") as written:
                written.write(text)
            os.replace(written.name, self._file)
        except OSError:
            return
        self._is_new = False


def is_data(held: Any) -> bool:
    """Whether a value can be kept."""
    try:
        json.dumps(held)
    except (TypeError, ValueError):
        return False
    return True


def state(paths: Iterable[str]) -> list[int]:
    """What would differ if one of these files or folders were another: their number, times, sizes and names."""
    number = newest = total = names = 0
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            continue
        number += 1
        newest = max(newest, status.st_mtime_ns)
        total += status.st_size
        names = crc32(f"{path}:{status.st_mtime_ns}:{status.st_size}".encode(errors="surrogateescape"), names)
    return [number, newest, total, names]


def python_files(folder: str) -> Iterator[str]:
    """The Python files in a folder and in those that can be packages in it, in one order whatever the file system."""
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in ordered:
        if entry.name.endswith(".py"):
            yield entry.path
        elif entry.name.isidentifier() and entry.name != "__pycache__" and entry.is_dir():
            yield from python_files(entry.path)


def _loaded(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    fits = isinstance(held, dict) and held.get("format") == _FORMAT and held.get("writer") == _writer()
    entries = held.get("entries") if fits else None
    return entries if isinstance(entries, dict) else {}


@cache
def _writer() -> list[int]:
    """The state of this package: what another version of it found out does not count."""
    return state([*python_files(_PACKAGE), _STAGES])
