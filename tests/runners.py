"""A process that has imported what executes models, and forks for each executor: most of what a start costs is imports.

    python -m tests.runners SOCKET

Each byte that comes through the socket brings two ends of sockets: the first is served, the second is closed then.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NoReturn

from bsrepl.models.process.executor import Executor
from bsrepl.models.process.runner import prepare_for_tasks, serve


class Running:
    """What was launched, as far as an executor asks for it."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def poll(self) -> int | None:
        """The status if it has ended, else None."""
        try:
            self._end.recv(1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        return 0

    def wait(self) -> int:
        """Waits for the end. Returns the status."""
        with self._end:
            self._end.recv(1)
        return 0


@cache
def runners() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The one of this process, and the socket through which it is asked; it ends when nobody has that any more."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", __name__, str(theirs.fileno())]
    nothing = subprocess.DEVNULL
    with theirs:
        process = subprocess.Popen(
            command, cwd=Path(__file__).parents[1], stdin=nothing, stdout=nothing, stderr=nothing,
            pass_fds=[theirs.fileno()],
        )  # fmt: skip
    return process, ours


def use(requests: socket.socket) -> None:
    """Makes all executors of this process ask there for theirs."""

    def launch(control: socket.socket) -> Running:
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(requests, [b"r"], [control.fileno(), theirs.fileno()])
        return Running(ours)

    Executor.launch = staticmethod(launch)


def close() -> None:
    """Ends it, after all that have its socket."""
    process, requests = runners()
    requests.close()
    process.wait()


def main(number: int) -> None:
    """Forks until the other end is closed everywhere, and ends what is left."""
    requests = socket.socket(fileno=number)
    prepare_for_tasks()
    running: set[int] = set()
    while True:
        asked, ends, _, _ = socket.recv_fds(requests, 1, 2)
        running -= {process for process in running if os.waitpid(process, os.WNOHANG)[0]}
        if not asked:
            break
        if (process := os.fork()) == 0:
            requests.close()
            _work(*ends)
        running.add(process)
        for end in ends:
            os.close(end)
    for process in running:  # those of executors that were not closed
        os.kill(process, signal.SIGTERM)
        os.waitpid(process, 0)


def _work(control: int, end: int) -> NoReturn:
    """Serves one, whose end closes the other, in a session of its own as what is launched outside of tests."""
    os.setsid()
    os.chdir("/")
    try:
        serve(control)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
