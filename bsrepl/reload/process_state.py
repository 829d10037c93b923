"""What a plugin file must not change for the whole process: it is put back after each execution, and that is said."""

from __future__ import annotations

import os
import signal
import sys
import threading
from _signal import getsignal  # type: ignore[import-not-found] # signal's makes an enum of it: that takes 2 us each
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: The signals that the shell depends on.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP, signal.SIGWINCH)
_HOOKS = ("excepthook", "displayhook", "breakpointhook", "unraisablehook", "stdin", "stdout", "stderr")


@contextmanager
def kept() -> Iterator[list[str]]:
    """Puts back signal handlers, hooks, standard streams, the current folder and `sys.path` at the end.

    The list that it yields names at the end what was put back.
    """
    restored: list[str] = []
    handlers = _handlers()
    hooks: dict[str, Any] = {name: getattr(sys, name, None) for name in _HOOKS}
    path, entries = sys.path, list(sys.path)
    folder = _current_folder()
    try:
        yield restored
    finally:
        for number, handler in handlers.items():
            if getsignal(number) is not handler:
                signal.signal(number, handler)
                restored.append(f"the handler of {number.name}")
        for name, hook in hooks.items():
            if getattr(sys, name, None) is not hook:
                setattr(sys, name, hook)
                restored.append(f"sys.{name}")
        if sys.path is not path or path != entries:
            sys.path = path
            path[:] = entries
            restored.append("sys.path")
        if folder is not None and _current_folder() != folder:
            os.chdir(folder)
            restored.append("the current folder")


def _handlers() -> dict[signal.Signals, Any]:
    """The handlers that can be put back: Python sets them in the main thread only, and knows only its own."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    handlers = {number: getsignal(number) for number in _SIGNALS}
    return {number: handler for number, handler in handlers.items() if handler is not None}


def _current_folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return None
