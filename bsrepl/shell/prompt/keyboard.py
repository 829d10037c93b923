"""The terminal's keys, whatever a command does to `sys.stdin`."""

from __future__ import annotations

import os
import sys

from prompt_toolkit.input import Input, create_input


class Keyboard:
    """Standard input of the process, kept open: a command that closes `sys.stdin` must not end the session."""

    def __init__(self) -> None:
        self._descriptor = os.dup(sys.stdin.fileno())
        self._stream = os.fdopen(self._descriptor, encoding="utf-8", errors="replace")

    def input(self) -> Input:
        """What the prompt reads keys from."""
        return create_input(self._stream)

    def close(self) -> None:
        """Lets go of it; standard input itself stays open."""
        self._stream.close()

    def restore(self) -> None:
        """Opens `sys.stdin` again if a command has closed it."""
        if sys.stdin is None or sys.stdin.closed:
            os.dup2(self._descriptor, 0)
            sys.stdin = os.fdopen(0, encoding="utf-8", errors="replace", closefd=False)


def read_plainly() -> str:
    """A command of one line, without a prompt that could fail. Raises EOFError when there is none."""
    try:
        return input(">>> ")
    except (OSError, ValueError) as error:
        raise EOFError from error
