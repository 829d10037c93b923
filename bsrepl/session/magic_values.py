"""The values that magics give where one is assigned: `x = %pwd`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from typing import Any

from ..errors import MagicError

_ALONE = "type it on a line of its own"


def assigned(name: str, arguments: str, own_names: Mapping[str, Any]) -> Any:
    """The value of `%name arguments`. Raises MagicError if it gives none."""
    arguments = arguments.strip()
    if name == "pwd":
        return current_folder()
    if name == "env":
        return dict(os.environ) if not arguments else _variable(arguments)
    if name == "ls":
        listed = subprocess.run(f"ls {arguments}", shell=True, check=False, stdout=subprocess.PIPE, text=True)
        return listed.stdout.splitlines()
    if name == "who":
        return sorted(own_names)
    raise MagicError(f"%{name} gives no value to assign; {_ALONE}. %pwd, %env, %ls, %who, %time and !command give one")


def current_folder() -> str:
    """The path of the current folder. Raises MagicError if it was deleted."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise MagicError("the current folder was deleted; %cd FOLDER goes to another") from None


def _variable(name: str) -> str:
    if "=" in name:
        raise MagicError(f"%env {name} gives no value to assign; {_ALONE}")
    if name not in os.environ:
        raise MagicError(f"the environment variable {name} is not set")
    return os.environ[name]
