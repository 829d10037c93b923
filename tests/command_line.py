"""The shell without a terminal, run to its end."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from pathlib import Path

from .nursery import SHELL, nursery

_PATIENCE = 60  # seconds that a run may take


def bsrepl(*arguments: object, cwd: Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the shell as it is installed."""
    command = [SHELL, *map(str, arguments)]
    environ = {**os.environ, **environment}
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, cwd=cwd, timeout=_PATIENCE, env=environ, check=False
    )


def forked(*arguments: object, cwd: Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the shell, forked from a process that has imported it, which takes a tenth of the time."""
    return forked_program(SHELL, *arguments, cwd=cwd, stdin=stdin, **environment)


def forked_program(
    program: object, *arguments: object, cwd: Path, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs the shell or a Python file, forked from that process."""
    (given, giver), *pipes = (os.pipe() for _ in range(3))
    os.write(giver, stdin.encode())
    os.close(giver)
    streams = [given, *(end for _, end in pipes)]
    pid = nursery().begin(streams, [str(program), *map(str, arguments)], str(cwd), {**os.environ, **environment})
    for stream in streams:
        os.close(stream)
    printed = _read([start for start, _ in pipes])
    status = nursery().end(pid)  # it has closed its streams
    out, err = (text.decode() for text in printed)
    return subprocess.CompletedProcess(list(map(str, arguments)), os.waitstatus_to_exitcode(status), out, err)


def _read(pipes: list[int]) -> list[bytes]:
    """What comes through pipes until they are closed at the other end."""
    deadline = time.monotonic() + _PATIENCE
    texts = dict.fromkeys(pipes, b"")
    with selectors.DefaultSelector() as open_pipes:
        for pipe in pipes:
            open_pipes.register(pipe, selectors.EVENT_READ)
        while open_pipes.get_map():
            ready = open_pipes.select(deadline - time.monotonic())
            assert ready, f"it did not end; what came: {texts}"
            for key, _ in ready:
                if text := os.read(key.fd, 65536):
                    texts[key.fd] += text
                else:
                    open_pipes.unregister(key.fd)
                    os.close(key.fd)
    return list(texts.values())
