"""Why something that is listed cannot be imported: the piece that is missing, in words."""

from __future__ import annotations

import importlib
import os
import traceback
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ..text.format import file_name

_OS = (os.__file__, "<frozen os>")
_NOT_ASKING = (*_OS, importlib.__file__, str(Path(__file__).with_name("plugin.py")))


def reason(error: BaseException) -> str:
    """What an import failed for, and where: the package or the environment variable that is missing, or the error."""
    stack = traceback.extract_tb(error.__traceback__)
    asked = [frame for frame in stack if not frame.filename.startswith("<frozen") and frame.filename not in _NOT_ASKING]
    place = f" ({file_name(asked[-1].filename)}:{asked[-1].lineno})" if asked else ""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"{missing(error.name)}{place}"
    if isinstance(error, KeyError) and stack and stack[-1].filename in _OS:
        return f"the environment variable {error.args[0]} is not set{place}"
    return f"{type(error).__name__}: {error}{place}"


def missing(*modules: str) -> str:
    """That packages, or a module of one, are not there: `scipy, torch are not installed`."""
    if len(modules) == 1 and "." in modules[0]:
        return f"there is no module {modules[0]}"
    return f"{', '.join(modules)} {'is' if len(modules) == 1 else 'are'} not installed"


def installed_packages() -> Callable[[str], bool]:
    """A function that tells whether a package is installed, and looks for each only once."""

    @cache
    def is_installed(package: str) -> bool:
        try:
            return find_spec(package) is not None
        except (ImportError, ValueError):
            return False

    return is_installed
