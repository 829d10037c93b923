"""Shells in pseudo-terminals: started, typed into, and timed."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import tempfile
import termios
import time

CURSOR_POSITION_REQUEST = b"\x1b[6n"

PYTHON = ["-q"]
PTPYTHON = ["-m", "ptpython"]
IPYTHON = ["-m", "IPython", "--no-banner"]
OWN = ["-m", "bsrepl", "-q"]


class Started:
    """A shell in a pseudo-terminal of 100 columns and 30 rows, with an empty home, but for what is cached."""

    _cache = tempfile.TemporaryDirectory()

    def __init__(self, arguments: list[str]) -> None:
        self._home = tempfile.TemporaryDirectory()
        self._seen = b""
        self._answered = 0
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            home = self._home.name
            os.environ.update(
                TERM="xterm-256color", HOME=home, XDG_CONFIG_HOME=home, XDG_STATE_HOME=home, IPYTHONDIR=home,
                XDG_CACHE_HOME=self._cache.name,
            )  # fmt: skip
            os.execv(sys.executable, [sys.executable, *arguments])
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *raised: object) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._fd)
        self._home.cleanup()

    def await_prompt(self) -> None:
        while b">>>" not in self._seen and b"In [" not in self._seen:
            if not self._read(60):
                raise TimeoutError("no prompt")

    def type(self, text: bytes, until: bytes) -> float:
        """Types, and waits until something is written in answer. Returns the seconds between."""
        before = len(self._seen)
        start = time.perf_counter()
        os.write(self._fd, text)
        while until not in self._seen[before:]:
            if not self._read(30):
                raise TimeoutError(f"no {until!r} after {text!r}")
        return time.perf_counter() - start

    def settle(self) -> None:
        """Waits until nothing is written for a twentieth of a second."""
        while self._read(0.05):
            pass

    def _read(self, seconds: float) -> bool:
        if not select.select([self._fd], [], [], seconds)[0]:
            return False
        self._seen += os.read(self._fd, 65536)
        while self._seen.count(CURSOR_POSITION_REQUEST) > self._answered:  # a terminal answers where its cursor is
            os.write(self._fd, b"\x1b[1;1R")
            self._answered += 1
        return True


def until_echo(arguments: list[str]) -> float:
    """Seconds from starting a shell until a key that is typed at its first prompt is echoed."""
    start = time.perf_counter()
    with Started(arguments) as shell:
        shell.await_prompt()
        shell.type(b"q", until=b"q")
        return time.perf_counter() - start
