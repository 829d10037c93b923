"""`!command`: the system's shell, with `{expression}` and `$name` of the session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any

from ..errors import MagicError
from ..text.patterns import late_pattern
from ..text.styled import wrapped
from .syntax import expanded

_CD = late_pattern(r"\s*cd(\s+[^;&|]*)?")


class SystemShell:
    """Runs commands in the shell that SHELL names. `_exit_code` in the namespace is the status of the last one."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace

    def run(self, command: str) -> None:
        """Runs a command. Raises MagicError if there is none."""
        if _CD.fullmatch(command):
            message = "!cd changes the folder of a shell that ends at once; type %cd FOLDER"
            print(wrapped(message, shutil.get_terminal_size().columns), end="", file=sys.stderr)
        shell = os.environ.get("SHELL") or None
        self._namespace["_exit_code"] = subprocess.call(self._expanded(command), shell=True, executable=shell)

    def lines(self, command: str) -> list[str]:
        """The lines that a command prints. Raises MagicError if there is none."""
        done = subprocess.run(
            self._expanded(command),
            shell=True,
            executable=os.environ.get("SHELL") or None,
            stdout=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
            check=False,
        )
        self._namespace["_exit_code"] = done.returncode
        return done.stdout.splitlines()

    def _expanded(self, command: str) -> str:
        if not command:
            raise MagicError("! takes a command for the system's shell, for example !ls; files = !ls has its lines")
        return expanded(command, self._namespace, lambda expression: eval(expression, self._namespace))
