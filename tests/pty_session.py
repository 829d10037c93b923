"""A real shell in a real pseudo-terminal, driven as a person would."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from pathlib import Path

from .nursery import SHELL, nursery

_ESCAPES = re.compile(r"\x1b\[[0-9;? ]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[=>]|\r")
_CURSOR_POSITION_REQUEST = b"\x1b[6n"
_PATIENCE = 20  # seconds until something that should appear counts as missing


class PtySession:
    def __init__(
        self,
        *arguments: object,
        cwd: Path,
        columns: int = 100,
        rows: int = 30,
        command: str = SHELL,
        is_fresh: bool = False,
        **environment: str,
    ) -> None:
        """Begins a command, the shell or a Python file: forked from a process that has imported it, or a fresh one."""
        self._raw = b""
        self._seen = 0  # characters of the text that earlier expectations have used up
        self._answered = 0
        own = {"XDG_STATE_HOME": str(cwd / ".state"), "XDG_CONFIG_HOME": str(cwd / ".config"), "PYTHONSTARTUP": ""}
        environ = {**os.environ, "TERM": "xterm-256color", **own, **environment}
        environ.pop("COLUMNS", None)
        self._is_forked = not is_fresh
        if self._is_forked:
            self._fd, terminal = pty.openpty()
            self.pid = nursery().begin([terminal], [command, *map(str, arguments)], str(cwd), environ)
            os.close(terminal)
        else:
            self.pid, self._fd = pty.fork()
            if self.pid == 0:
                os.chdir(cwd)
                os.execve(command, [command, *map(str, arguments)], environ)
        self.resize(columns, rows)

    @property
    def raw(self) -> bytes:
        """What came, with its escape sequences."""
        return self._raw

    @property
    def text(self) -> str:
        return _ESCAPES.sub("", self._raw.decode(errors="replace"))

    def expect(self, *wanted: str) -> str:
        """Waits until each text has appeared, in this order, after what was expected before. Returns what came."""
        deadline = time.monotonic() + _PATIENCE
        start = self._seen
        for text in wanted:
            while (found := self.text.find(text, self._seen)) < 0:
                if not self._read(deadline - time.monotonic()):
                    raise AssertionError(f"{text!r} did not appear; what came:\n{self.text[start:]}")
            self._seen = found + len(text)
        return self.text[start : self._seen]

    def wait_for(self, path: Path) -> None:
        """Waits until a file exists."""
        deadline = time.monotonic() + _PATIENCE
        while not path.exists():
            assert time.monotonic() < deadline, f"{path} did not appear; what came:\n{self.text}"
            self._read(0.02)

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def feed(self, text: str) -> None:
        """Types more than a terminal holds, reading what comes meanwhile."""
        rest = text.encode()
        while rest:
            self._read(0)
            _, ready, _ = select.select([], [self._fd], [], 0.01)
            if ready:
                rest = rest[os.write(self._fd, rest[:1024]) :]

    def enter(self, command: str) -> None:
        self.type(command + "\r")

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Closes the terminal."""
        os.close(self._fd)
        self._fd = -1

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def status(self) -> int:
        """Waits for the end. Returns the exit status, or 128 + the number of the signal that ended it."""
        deadline = time.monotonic() + _PATIENCE
        while self._fd >= 0 and self._read(deadline - time.monotonic()):
            pass
        while (status := self._ended()) is None:
            assert time.monotonic() < deadline, f"the shell did not end; what came:\n{self.text}"
            select.select([], [], [], 0.01)
        self.pid = 0
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code

    def _ended(self) -> int | None:
        if self._is_forked:
            return nursery().status(self.pid)
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return status if pid else None

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self._fd], [], [], max(timeout, 0))
        if not ready:
            return False
        try:
            got = os.read(self._fd, 65536)
        except OSError:  # the other end is closed
            return False
        self._raw += got
        while self._raw.count(_CURSOR_POSITION_REQUEST) > self._answered:
            self._answered += 1
            row, column = self.cursor()
            os.write(self._fd, b"\x1b[%d;%dR" % (row, column))
        return bool(got)

    def cursor(self) -> tuple[int, int]:
        """Where the terminal says its cursor is, from 1 on: row and column, as if a whole screen was always left."""
        return 1, 1

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            while self._ended() is None:
                select.select([], [], [], 0.001)
        if self._fd >= 0:
            os.close(self._fd)
