"""Tracebacks as users want them: from their own code on, with what happens inside libraries folded."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from itertools import dropwhile, filterfalse, groupby
from os.path import basename
from types import TracebackType
from typing import Any

from .prose import broken

_HERE = os.path.dirname(os.path.dirname(__file__)) + os.sep
_STANDARD = os.path.dirname(os.__file__) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_MOST = 40  # frames of the user's that are shown; an endless recursion has a thousand


def askable(error: BaseException) -> BaseException:
    """An exception, or one to be told in its place if it raises when it is asked for its class or its traceback."""
    try:
        for name in ("__class__", "__traceback__", "__cause__", "__context__", "__suppress_context__"):
            getattr(error, name)
    except Exception as raised:
        name = type.__dict__["__name__"].__get__(type(error))
        message = f"{name} raises {type(raised).__name__} when it is asked for its traceback"
        return RuntimeError(message).with_traceback(BaseException.__dict__["__traceback__"].__get__(error))
    return error


def formatted(error: BaseException, *, whole: bool = False) -> str:
    """The traceback of an exception with its causes, groups and notes, from the user's code on.

    Frames of bsrepl are left out, those inside libraries are folded to a line, but for the last one of all, and an
    error of ours that `says_it_all` is told without its cause, unless the `whole` is asked for.
    """
    summary = traceback.TracebackException.from_exception(error, compact=True)
    if not whole and getattr(error, "says_it_all", False):
        summary.__cause__ = summary.__context__ = None
    for part in _parts(summary):
        if whole:
            part.stack = traceback.StackSummary(dropwhile(_is_ours, part.stack))
        else:
            part.stack = _Folded(_from_users(list(filterfalse(_is_ours, part.stack))))
    return "".join(summary.format())


def _from_users(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """Frames without those of libraries that come before all of the user's, as an event loop's below an `await`."""
    return list(dropwhile(lambda frame: is_library(frame.filename), frames)) or frames


def from_users_code(trace: Any) -> TracebackType | None:
    """A traceback from the user's code on; None if it does not come through any."""
    while isinstance(trace, TracebackType):
        if not is_library(trace.tb_frame.f_code.co_filename):
            return trace
        trace = trace.tb_next
    return None


def narrowed(trace: str, width: int) -> str:
    """A traceback for a terminal: its lines are broken between words; the marks below one that was are left out."""
    lines: list[str] = []
    was_broken = False
    for line in trace.splitlines():
        if was_broken and not line.strip(" ^~"):
            continue
        was_broken = len(line) > width
        lines += broken(line, width)
    return "\n".join(lines) + "\n"


def _is_ours(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith(_HERE)


def last_line(error: BaseException) -> str:
    """What an exception says, without where it came from: `ZeroDivisionError: division by zero`."""
    return "".join(traceback.TracebackException.from_exception(error, compact=True).format_exception_only())


def place(error: BaseException) -> str:
    """Where in the user's code an exception came from: `apply, passes.py:8`; empty if nowhere in it."""
    innermost = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if not is_library(code.co_filename):
            where = "" if code.co_name == "<module>" else f"{code.co_name}, "
            innermost = f"{where}{basename(code.co_filename)}:{line}"
    return innermost


def is_raised_by_call(error: BaseException) -> bool:
    """Whether a statement at the top level of a command called what raised it, and no other code of the user's did."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    users = [code for code in codes if not is_library(code.co_filename)]
    return [code.co_name for code in users] == ["<module>"] and users[0].co_filename.startswith("<")


def line_in(error: BaseException, file: str) -> int | None:
    """The line of a file at which an exception came through it, where it was entered first."""
    return next(
        (line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file), None
    )


def is_library(file: str) -> bool:
    """Whether code is not the user's: Python's own library, an installed package, or this one."""
    return file.startswith(("<frozen ", _STANDARD, _HERE)) or any(folder in file for folder in _INSTALLED)


def level_outside() -> int:
    """The `stacklevel` of a warning for whoever called this package, through however many functions of it."""
    frame, level = sys._getframe(1), 1
    while frame.f_code.co_filename.startswith(_HERE) and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    return level


class _Folded(traceback.StackSummary):
    """A stack that shows the user's frames and the last one."""

    def format(self, **options: Any) -> list[str]:
        lines: list[str] = []
        hint = "; errors() shows them"
        for is_hidden, group in groupby(enumerate(self), lambda item: self._is_hidden(*item)):
            frames = [frame for _, frame in group]
            if is_hidden and len(frames) > 1:
                lines.append(f"  ... {len(frames)} frames in {_listed(frames)}{hint}\n")
                hint = ""
            elif len(frames) > _MOST:
                lines += _shown(frames[: _MOST // 2], options)
                lines.append(f"  ... {len(frames) - _MOST} more frames{hint}\n")
                lines += _shown(frames[-_MOST // 2 :], options)
                hint = ""
            else:
                lines += _shown(frames, options)
        return lines

    def _is_hidden(self, number: int, frame: traceback.FrameSummary) -> bool:
        return is_library(frame.filename) and number < len(self) - 1


def _shown(frames: Sequence[traceback.FrameSummary], options: dict[str, Any]) -> list[str]:
    return traceback.StackSummary(frames).format(**options)


def _listed(frames: Sequence[traceback.FrameSummary]) -> str:
    names = list(dict.fromkeys(_library(frame.filename) for frame in frames))
    return ", ".join(names[:4]) + (" and others" if len(names) > 4 else "")


def _library(file: str) -> str:
    """The name of the package that a file of a library belongs to."""
    for folder in (*_INSTALLED, _STANDARD, os.path.dirname(_HERE.rstrip(os.sep)) + os.sep):
        if folder in file:
            return file.rpartition(folder)[2].partition(os.sep)[0].removesuffix(".py")
    return file.strip("<>").removeprefix("frozen ")


def _parts(summary: traceback.TracebackException) -> list[traceback.TracebackException]:
    """An exception and those that it came of or consists of."""
    parts: list[traceback.TracebackException] = []
    rest: list[traceback.TracebackException | None] = [summary]
    while rest:
        part = rest.pop()
        if part is not None and part not in parts:
            parts.append(part)
            rest += [part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ())]
    return parts
