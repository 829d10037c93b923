"""The process of a program that the shell is opened in: lent to the shell, and given back as it was."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from ..reload.imports.process_state import kept

_STREAMS = ("stdin", "stdout", "stderr")


@contextmanager
def lent() -> Iterator[None]:
    """Puts back handlers of signals, hooks, standard streams, `sys.path`, the current folder and the filters of
    warnings at the end. An event loop that runs pauses meanwhile, and Ctrl-C stops what the shell runs. Where the
    program has streams of its own, as builds that write a log do, those of the terminal take their place.
    """
    wakeup = signal.set_wakeup_fd(-1)
    try:
        with kept(), warnings.catch_warnings(), _paused_loop():
            for name in _STREAMS:
                setattr(sys, name, _terminal(name) or getattr(sys, name))
            signal.signal(signal.SIGINT, signal.default_int_handler)
            yield
    finally:
        signal.set_wakeup_fd(wakeup)


@contextmanager
def _paused_loop() -> Iterator[None]:
    """While this lasts, this thread runs no event loop, so that another one can run in it."""
    loop = asyncio._get_running_loop()
    if loop is None:
        yield
        return
    # From Python 3.12 on a task has to leave before another one can enter; from 3.14 on whatever its loop.
    swap = getattr(asyncio.tasks, "_swap_current_task", None)
    task = None if swap is None else swap(loop, None)
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)
        if swap is not None:
            swap(loop, task)


def why_no_prompt() -> str:
    """Why there cannot be a prompt in this process and thread; empty if there can."""
    if not (_terminal("stdin") and _terminal("stdout")):
        return "standard input and output are no terminal"
    if threading.current_thread() is not threading.main_thread():
        return "this is not the main thread"
    return ""


def _terminal(name: str) -> TextIO | None:
    """A standard stream of the program, or the one that it began with: the first of them that is a terminal."""
    streams: tuple[Any, ...] = (getattr(sys, name), getattr(sys, f"__{name}__"))
    return next((stream for stream in streams if _is_terminal(stream)), None)


def _is_terminal(stream: Any) -> bool:
    """Whether a stream is an open terminal; what programs put in the place of one may have `write` alone."""
    return not getattr(stream, "closed", True) and hasattr(stream, "isatty") and stream.isatty()
