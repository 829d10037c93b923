"""A process that has imported the shell, and forks one for each terminal it is given: most of what a start costs is
imports.

    python -m tests.nursery SOCKET

It reads requests from a socket, each a line of JSON, the first byte of which may carry a terminal:
`{"arguments": [...], "folder": "...", "environment": {...}}` begins a shell there and is answered by its pid,
`{"wait": PID}` by the status of one that has ended, or by null.
"""

from __future__ import annotations

import array
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import termios
from pathlib import Path
from types import ModuleType
from typing import Any

from bsrepl.shell import cli
from bsrepl.shell.prompt import config_file, history, keyboard, repl  # what `cli` imports when it converses

IMPORTED = (config_file, history, keyboard, repl)


class Nursery:
    """The other end: begins shells, and says how they ended."""

    def __init__(self, shell: str) -> None:
        self._shell = shell
        self._socket, theirs = socket.socketpair()
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        root = Path(__file__).parents[1]
        self._process = subprocess.Popen(command, cwd=root, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        theirs.close()
        self._answers = self._socket.makefile("r")

    def begin(self, terminal: int, arguments: list[str], folder: str, environment: dict[str, str]) -> int:
        """Begins a shell on a terminal. Returns its pid."""
        request = {"arguments": [self._shell, *arguments], "folder": folder, "environment": environment}
        return int(self._asked(request, terminal))

    def status(self, pid: int) -> int | None:
        """The status of a shell as `os.waitpid` gives it; None if it has not ended."""
        status: int | None = self._asked({"wait": pid})
        return status

    def _asked(self, request: dict[str, Any], terminal: int | None = None) -> Any:
        rights = [] if terminal is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [terminal]))]
        line = f"{json.dumps(request)}\n".encode()
        self._socket.sendmsg([line[:1]], rights)
        self._socket.sendall(line[1:])
        return json.loads(self._answers.readline())

    def close(self) -> None:
        """Ends it."""
        self._answers.close()
        self._socket.close()
        self._process.wait()


def main(number: int) -> int:
    """Serves until the other end is closed. Returns the status; in a shell, that of the shell."""
    requests = socket.socket(fileno=number)
    while True:
        begin, terminals, _, _ = socket.recv_fds(requests, 1, 1)
        if not begin:
            return 0
        line = begin
        while not line.endswith(b"\n"):
            line += requests.recv(65536)
        request = json.loads(line)
        if "wait" in request:
            pid, status = os.waitpid(request["wait"], os.WNOHANG)
            answer = status if pid else None
        elif (answer := os.fork()) == 0:
            requests.close()
            return _shell(terminals[0], request)
        else:
            os.close(terminals[0])
        requests.sendall(f"{json.dumps(answer)}\n".encode())


def _shell(terminal: int, request: dict[str, Any]) -> int:
    """Does what `pty.fork`, `exec` and the start of Python do, and runs the shell."""
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for stream in (0, 1, 2):
        os.dup2(terminal, stream)
    os.close(terminal)
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__ = (  # type: ignore[misc]
        os.fdopen(0, closefd=False),
        os.fdopen(1, "w", 1, closefd=False),
        os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False),
    )
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["arguments"]
    sys.path[0] = os.path.dirname(sys.argv[0])
    sys.modules["__main__"] = ModuleType("__main__")
    sys.modules["__main__"].__file__ = sys.argv[0]
    return cli.main()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
