"""A process that has imported the shell, and forks for each request: most of what a start costs is imports.

    python -m tests.nursery SOCKET RUNNERS

It reads requests from a socket, each a line of JSON, the first byte of which may carry a terminal or three streams:
`{"arguments": [...], "folder": "...", "environment": {...}}` begins a program there and is answered by its pid,
`{"ended": PID}` by the status of one that has ended, or by null, `{"end": PID}` by that when it has. The first argument
is the shell, or a Python file.
"""

from __future__ import annotations

import array
import atexit
import fcntl
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import termios
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import jedi
import onnx
from prompt_toolkit.input import vt100
from ptpython.lexer import PtpythonLexer

from bsrepl.shell import cli
from bsrepl.shell.prompt import config_file, history, keyboard, repl  # what `cli` imports when it converses

from . import runners

IMPORTED = (config_file, history, keyboard, repl, vt100, onnx)  # the last with the first model


#: The shell as it is installed.
SHELL = str(Path(sys.executable).with_name("bsrepl"))


class Nursery:
    """The other end: begins programs, and says how they ended."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        _, asked = runners.runners()
        ends = [theirs.fileno(), asked.fileno()]
        command = [sys.executable, "-m", __name__, *map(str, ends)]
        root = Path(__file__).parents[1]
        self._process = subprocess.Popen(command, cwd=root, stdin=subprocess.DEVNULL, pass_fds=ends)
        theirs.close()
        self._answers = self._socket.makefile("r")

    def begin(self, streams: list[int], arguments: list[str], folder: str, environment: dict[str, str]) -> int:
        """Begins a program on a terminal, or on three streams for input, output and errors. Returns its pid."""
        request = {"arguments": arguments, "folder": folder, "environment": environment}
        return int(self._asked(request, streams))

    def status(self, pid: int) -> int | None:
        """The status of a program as `os.waitpid` gives it; None if it has not ended."""
        status: int | None = self._asked({"ended": pid})
        return status

    def end(self, pid: int) -> int:
        """Waits for the end of a program that is about to end, while no other can begin. Returns its status."""
        return int(self._asked({"end": pid}))

    def _asked(self, request: dict[str, Any], streams: Sequence[int] = ()) -> Any:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))] if streams else []
        line = f"{json.dumps(request)}\n".encode()
        self._socket.sendmsg([line[:1]], rights)
        self._socket.sendall(line[1:])
        return json.loads(self._answers.readline())

    def close(self) -> None:
        """Ends it."""
        self._answers.close()
        self._socket.close()
        self._process.wait()


@cache
def nursery() -> Nursery:
    """The one of this process; it ends with it."""
    return Nursery()


def main(number: int, asked: int) -> int:
    """Serves until the other end is closed. Returns the status."""
    runners.use(socket.socket(fileno=asked))
    requests = socket.socket(fileno=number)
    _set_up()
    gc.collect()
    gc.freeze()  # looking for garbage in it would copy what forks share with this process
    while True:
        begin, streams, _, _ = socket.recv_fds(requests, 1, 3)
        if not begin:
            return 0
        line = begin
        while not line.endswith(b"\n"):
            line += requests.recv(65536)
        request = json.loads(line)
        if "ended" in request:
            pid, status = os.waitpid(request["ended"], os.WNOHANG)
            answer = status if pid else None
        elif "end" in request:
            _, answer = os.waitpid(request["end"], 0)
        elif (answer := os.fork()) == 0:
            requests.close()
            _work(streams, request)
        else:
            for stream in streams:
                os.close(stream)
        requests.sendall(f"{json.dumps(answer)}\n".encode())


def _set_up() -> None:
    """Does once what each shell does with its first prompt and the first key: lexers are compiled, stubs are read."""
    PtpythonLexer()
    with suppress(Exception):  # another one may be writing the cache that this one reads: then each shell does it
        jedi.Interpreter("import warnings; pri", [{}]).complete()


def _work(streams: list[int], request: dict[str, Any]) -> NoReturn:
    """Runs a program and ends as Python does, but frees nothing: that would copy all that is shared."""
    status: object = 1
    try:
        status = _run(streams, request)
    except SystemExit as leaving:
        status = leaving.code
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as Python does
    if not isinstance(status, int | None):
        print(status, file=sys.stderr)
        status = 1
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # it was closed
            stream.flush()
    os._exit((status or 0) & 0xFF)


def _run(streams: list[int], request: dict[str, Any]) -> int:
    """Does what `pty.fork`, `exec` and the start of Python do, and runs the program."""
    os.setsid()
    is_terminal = len(streams) == 1
    if is_terminal:
        fcntl.ioctl(streams[0], termios.TIOCSCTTY, 0)
    for number, stream in enumerate(streams * 3 if is_terminal else streams):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__ = (  # type: ignore[misc]
        os.fdopen(0, closefd=False),
        os.fdopen(1, "w", 1 if is_terminal else -1, closefd=False),
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
    if sys.argv[0] == SHELL:
        return cli.main()
    exec(compile(Path(sys.argv[0]).read_bytes(), sys.argv[0], "exec"), vars(sys.modules["__main__"]))
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
