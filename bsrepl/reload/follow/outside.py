"""What is held in no namespace: by code that runs in other threads, and for signals."""

from __future__ import annotations

import functools
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import chain, count
from types import FrameType, MethodType
from typing import Any

from .edges import Edge, Outside

_DEEPEST = 4  # containers inside containers in which something old is looked for
_SHELL = ("bsrepl", "ptpython", "prompt_toolkit")
_Test = Callable[[Any], bool]


def handlers(is_old: _Test) -> dict[str, Outside]:
    """The functions that Python is to call for a signal, as far as they lead to something old."""
    edges = [
        Edge(f"({number})", handler, functools.partial(signal.signal, number))
        for number in signal.valid_signals()
        if _leads(handler := signal.getsignal(number), is_old)
    ]
    return {"signal.getsignal": Outside(edges, "set it again with signal.signal()")} if edges else {}


class Threads:
    """The functions that run in other threads, the shell's own left out.

    `is_users` tells of a frame whether all that it holds counts; of others only the variables that are old, or plain
    containers of something old. `runs_old` tells of a frame, and `is_old` of a value, that it is old.
    """

    def __init__(self, is_users: Callable[[FrameType], bool], runs_old: Callable[[FrameType], bool], is_old: _Test):
        self.variables: dict[str, Outside] = {}  # by what to call the function
        self.old: list[str] = []  # the functions that are old themselves
        for frame, thread in _frames():
            way = f"{thread}: {frame.f_code.co_name}()"
            if runs_old(frame):
                self.old.append(way)
            elif (held := frame.f_locals) is not frame.f_globals:  # those are reached as a namespace
                kept = [item for item in dict(held).items() if is_users(frame) or _leads(item[1], is_old)]
                if kept:
                    edges = [Edge(f".{name}", value, None) for name, value in kept]
                    self.variables[_unused(way, self.variables)] = Outside(edges, "the variable keeps it")


def _frames() -> Iterator[tuple[FrameType, str]]:
    """The frames of all other threads, each with the name of its thread."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, innermost in list(sys._current_frames().items()):
        frames: list[FrameType] = []
        frame: FrameType | None = innermost
        while frame is not None:
            frames.append(frame)
            frame = frame.f_back
        if ident != threading.get_ident() and not any(map(_is_shells, frames)):
            yield from ((frame, f"thread {names.get(ident, ident)}") for frame in frames)


def _is_shells(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in _SHELL


def _leads(value: Any, is_old: _Test, depth: int = _DEEPEST) -> bool:
    """Whether a value is old, or a plain container or a method that leads to something old."""
    kind = type(value)
    parts: tuple[Any, ...] = ()
    if kind is MethodType:
        parts = (value.__func__, value.__self__)
    elif kind is dict:
        parts = (*value, *value.values())
    elif kind is tuple or kind is list or kind is set or kind is frozenset:
        parts = tuple(value)
    return is_old(value) or (depth > 0 and any(_leads(part, is_old, depth - 1) for part in parts))


def _unused(way: str, taken: dict[str, Outside]) -> str:
    """What to call a function, when it runs in a thread more than once."""
    return next(name for name in chain([way], (f"{way} {n}" for n in count(2))) if name not in taken)
