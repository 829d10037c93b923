"""A session as a file: one that runs, with what was printed as comments, or a lesson that expects it to be printed."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

from ..errors import RecordingError
from ..session import syntax as notebook
from .lesson import Step, written

LESSON = ".md"  # what the name of a lesson ends with

_MARK = "# Recorded by bsrepl."  # what a file that may be written again begins with
_TITLE = "Recorded by bsrepl"  # of a lesson that may be
_MOST = 4_000  # characters of what a command printed that are kept


class Entry(NamedTuple):
    """A command and what came of it."""

    code: str
    output: str = ""
    failed: bool = False


class Recording:
    """What was done since the session began."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._is_being_written = False  # by the command that is running

    def add(self, entry: Entry) -> None:
        """Keeps a command that has ended, unless it was one that wrote the recording."""
        if not self._is_being_written:
            self._entries.append(Entry(entry.code, entry.output[:_MOST], entry.failed))
        self._is_being_written = False

    def write(self, path: Path) -> int:
        """Writes the session so far. Returns the number of commands.

        Raises RecordingError if the file is somebody else's: neither new nor a recording.
        """
        self._is_being_written = True
        mark = _TITLE if path.suffix == LESSON else _MARK
        if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith((mark, f"# {mark}")):
            raise RecordingError(f"{path} exists and is no recording; choose another name, or remove it")
        if path.suffix == LESSON:
            steps = [Step("", "", entry.code.strip("\n") + "\n", output=entry.output) for entry in self._entries]
            path.write_text(written(_TITLE, steps), encoding="utf-8")
            return len(steps)
        uses_last = any(_uses_last_value(entry.code) for entry in self._entries)
        parts = [_written(entry, uses_last) for entry in self._entries]
        path.write_text("\n".join([f"{_MARK} To run it: bsrepl < {path.name}\n", *parts]), encoding="utf-8")
        return len(parts)


def _written(entry: Entry, uses_last: bool) -> str:
    code = entry.code.rstrip() + "\n"
    if entry.failed:
        return "# this failed:\n" + _commented(code) + _commented(entry.output)
    return (_with_last_value(code) if uses_last else code) + _commented(entry.output)


def _commented(text: str) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in text.rstrip("\n").split("\n")) if text.strip() else ""


def _uses_last_value(code: str) -> bool:
    try:
        tree = notebook.parse(code)
    except (SyntaxError, ValueError):
        return False
    return any(isinstance(node, ast.Name) and node.id == "_" for node in ast.walk(tree))


def _with_last_value(code: str) -> str:
    """The code with its final expression bound to `_`, which a script does not do by itself."""
    try:
        last = ast.parse(code).body[-1]
    except (SyntaxError, ValueError, IndexError):
        return code
    if not isinstance(last, ast.Expr):
        return code
    lines = code.split("\n")
    line = lines[last.lineno - 1].encode()
    lines[last.lineno - 1] = (line[: last.col_offset] + b"_ = " + line[last.col_offset :]).decode()
    return "\n".join(lines)
