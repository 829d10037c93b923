"""A session as a file: one that runs, with what was printed as comments; a lesson, a test, an asciicast."""

from __future__ import annotations

import ast
import os
import stat
import zlib
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from ..errors import RecordingError
from ..session import syntax as notebook
from ..text.styled import Text
from ..text.whole_file import write_whole
from .cast import cast
from .lesson import Step, written

LESSON = ".md"  # what the name of a lesson ends with

_CAST = ".cast"  # what that of an asciicast ends with
_TEST = "test_"  # what that of a test begins with
_MARK = "Recorded by bsrepl, checksum"  # begins the last line of a recording
_TITLE = "Recorded by bsrepl"  # of a lesson
_MOST = 4_000  # characters of what a command printed that are kept


class Entry(NamedTuple):
    """A command and what came of it."""

    code: str
    output: str = ""
    failed: bool = False
    screen: Sequence[tuple[str, str]] = ()  # what appeared from then on, changes of files and errors included
    seconds: float = 0.0  # that it took


class Recording:
    """What was done since the session began."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._files: list[dict[str, str]] = [{}]  # that were saved before each command and after the last, by name
        self._contents: dict[str, str] = {}  # of all files, as they were saved last
        self._screen: Text = []
        self._is_being_written = False  # by the command that is running

    def begin(self) -> Text:
        """What appears on the screen from now on, until a command begins again; of much, the beginning."""
        self._screen = []
        return self._screen

    def hear(self, text: Text) -> None:
        """Keeps what appears on the screen."""
        room = _MOST - sum(len(part) for _, part in self._screen)
        for style, part in text:
            if room > 0:
                self._screen.append((style, part[:room]))
                room -= len(part)

    def add(self, entry: Entry) -> None:
        """Keeps a command that has ended, unless it was one that wrote the recording."""
        if not self._is_being_written:
            is_long = len(entry.output) > _MOST
            kept = entry._replace(output=f"{entry.output[:_MOST]}\n...\n") if is_long else entry  # as a lesson cuts
            self._entries.append(kept)
            self._files.append({})
        self._is_being_written = False

    def save(self, path: str, source: bytes) -> None:
        """Keeps a plugin file that was executed, unless that is how it was before."""
        name = _name(Path(path))
        content = source.decode("utf-8", errors="replace")
        if self._contents.get(name) != content:
            self._contents[name] = self._files[-1][name] = content

    def write(self, path: Path, size: tuple[int, int], test: Callable[[Sequence[str]], str]) -> int:
        """Writes the session so far. Returns the number of commands.

        `size` are the columns and lines of the terminal; `test` gives the test of some commands.

        Raises RecordingError if there is something else of that name, or a recording that was edited since.
        """
        self._is_being_written = True
        if path.suffix == LESSON:
            _replace(path, written(_TITLE, self._steps()), f"\n<!-- {_MARK} %s -->\n")
            return len(self._entries)
        if path.suffix == _CAST:
            _replace(path, cast(self._entries, *size), f'{_MARK} %s"]\n')
            return len(self._entries)
        if path.name.startswith(_TEST) and path.suffix == ".py":
            commands = [entry.code for entry in self._entries if not entry.failed]
            _replace(path, test(commands), f"\n# {_MARK} %s\n")
            return len(commands)
        uses_last = any(_uses_last_value(entry.code) for entry in self._entries)
        parts = [_written(entry, uses_last) for entry in self._entries]
        _replace(path, "\n".join([f"# To run it: bsrepl < {path.name}\n", *parts]), f"\n# {_MARK} %s\n")
        return len(parts)

    def _steps(self) -> list[Step]:
        """The commands and the files that were saved in between, in their order."""
        steps: list[Step] = []
        for files, entry in zip_longest(self._files, self._entries):
            steps += [Step("", "", content, name) for name, content in files.items()]
            steps += [Step("", "", entry.code.strip("\n") + "\n", output=entry.output)] if entry else []
        return steps


def _name(path: Path) -> str:
    """The path of a file from the folder that it is imported from: a module of a package lies in folders of it."""
    folder = path.parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return path.relative_to(folder).as_posix()


def _replace(path: Path, text: str, mark: str) -> None:
    """Writes a text with a mark below it that has its checksum, unless that would overwrite somebody else's work.

    What is there is only replaced if it is a regular file, not a link to one, with a mark that fits.
    """
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode):
            raise RecordingError(f"{path} is not a regular file; choose another name")
        body, _, checksum = path.read_bytes().rpartition(mark.partition("%s")[0].encode())
        if not checksum.startswith(_checksum(body)):
            raise RecordingError(f"{path} exists and is not an unedited recording; choose another name")
    except FileNotFoundError:
        pass
    except RecordingError:
        raise
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror}") from error
    body = text.encode(errors="backslashreplace")  # lone surrogates: Python and JSON read that as the same
    try:
        write_whole(path, body + mark.replace("%s", _checksum(body).decode()).encode(), follows_links=False)
    except OSError as error:
        raise RecordingError(f"{path} cannot be written: {error.strerror}") from error


def _checksum(body: bytes) -> bytes:
    return b"%08x" % zlib.crc32(body)


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
