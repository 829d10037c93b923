"""The commands of this session and of earlier ones, in a file that only its user can read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

_MOST = 500_000  # bytes that are read


def open_history(path: Path, tell: Callable[[str], None]) -> History:
    """The history in a file, which is made if need be, or one in memory if it cannot be, and that is told."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        tell(f"the history stays in memory: {path}: {error.strerror}")
        return InMemoryHistory()
    return _CommandFile(path, tell)


class _CommandFile(FileHistory):
    """A file that may become unwritable: that is told once, and the session goes on.

    It is read before the first key, so that Up always finds the last command; and of a long one only the end is read.
    """

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        super().__init__(str(path))
        self._tell: Callable[[str], None] | None = tell

    def load_history_strings(self) -> Iterable[str]:
        """The commands, the last one first, in prompt_toolkit's format: a line of each begins with `+`."""
        with open(self.filename, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _MOST, 0))
            text = file.read().decode(errors="replace")
        if size > _MOST:  # from the first whole command on
            text = text.partition("\n\n#")[2]
        commands: list[list[str]] = []
        for is_command, lines in groupby(text.split("\n"), lambda line: line.startswith("+")):
            if is_command:
                commands.append([line[1:] for line in lines])
        return ["\n".join(command) for command in reversed(commands)]

    def store_string(self, string: str) -> None:
        try:
            super().store_string(string)
        except OSError as error:
            if self._tell is not None:
                self._tell(f"this command and the next ones stay in memory: {self.filename!r}: {error.strerror}")
            self._tell = None
