"""Exceptions as the user sees them: those of commands, from the user's code on, and those of bsrepl itself."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

from ..errors import BsreplError
from ..registry.store import Registry
from ..reload.hints import hint
from ..session.turn import StoppedAt
from ..text import tracebacks
from ..text import values as display
from ..text.format import file_name, safe_repr, type_name
from ..text.styled import advice, asides, headed
from ..text.terminal import Terminal
from .slips import slip


class ErrorOutput:
    """Writes exceptions to a terminal, and keeps the whole traceback of the last one for `errors()`.

    `keep` records an internal error, for `bsrepl --report`.
    """

    def __init__(self, terminal: Terminal, registry: Registry, keep: Callable[[BaseException], None]) -> None:
        self._terminal = terminal
        self._registry = registry
        self._keep = keep
        self.last = ""  # the whole traceback of the last error of a command
        self.last_internal = ""  # the same of bsrepl's own

    def write(self, error: BaseException, stopped_at: StoppedAt | None = None) -> None:
        """Writes an exception of a command, with what to type instead if that is known."""
        terminal = self._terminal
        if _is_left_debugger(error):
            terminal.write([("dim", "left the debugger\n")])
            return
        if isinstance(error, KeyboardInterrupt):
            place = tracebacks.place(error)
            terminal.write([("warning", f"interrupted{' in ' if place else ''}{place}\n")])
            self.advise(error)
            return
        if isinstance(error, SystemExit):
            terminal.write(headed("warning", "SystemExit", _about_exit(error), terminal.width))
            return
        self.last = _formatted(error, whole=True)
        if stopped_at is None and isinstance(error, BsreplError) and _is_told_by_message(error):
            terminal.write(headed("error", f"{type(error).__name__}:", str(error), terminal.width))
            return
        if stopped_at is None and (message := slip(error)) is not None:
            terminal.write(headed("error", f"{type(error).__name__}:", message, terminal.width))
            return
        _remember(error)
        trace, cut_off = display.within_limits(_formatted(error))
        terminal.write_traceback(trace if trace.endswith("\n") else f"{trace}\n")
        if cut_off:
            terminal.write(asides([f"... {cut_off}; errors() shows them"], terminal.width))
        self.advise(error)
        if stopped_at is not None:
            line, lines = stopped_at
            terminal.write(asides([f"stopped at line {line} of {lines}; the lines before it have run"], terminal.width))

    def advise(self, error: BaseException) -> None:
        """Writes what to type instead, if that is known."""
        try:
            suggestion = hint(error, self._registry.snapshot)
        except Exception:  # its attributes are not what they should be
            return
        if suggestion is not None:
            self._terminal.write(advice(suggestion, self._terminal.width))

    def write_internal(self, error: BaseException) -> None:
        """Writes that something went wrong in bsrepl itself. The session goes on."""
        self.last_internal = _formatted(error, whole=True)
        frames = traceback.extract_tb(error.__traceback__)
        place = f" ({file_name(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
        summary = last_line(error).strip()
        message = f"{summary}{place}; the session goes on, errors() shows the traceback"
        self._terminal.write(headed("error", "internal error in bsrepl:", message, self._terminal.width))
        self._keep(error)


def _is_told_by_message(error: BsreplError) -> bool:
    return error.says_it_all and tracebacks.is_raised_by_call(error)


def last_line(error: BaseException) -> str:
    """The message of an exception, without where it came from."""
    try:
        return tracebacks.last_line(error)
    except Exception:  # Python itself cannot format it
        return f"{type_name(error)}\n"


def _formatted(error: BaseException, *, whole: bool = False) -> str:
    """The traceback of an exception; of one that Python itself cannot format, as much as can be."""
    try:
        return tracebacks.formatted(error, whole=whole)
    except Exception:
        frames = "".join(traceback.format_tb(error.__traceback__)[-1:])
        return f"{frames}{type_name(error)}: {safe_repr(BaseException.__str__(error))}\n"


def _is_left_debugger(error: BaseException) -> bool:
    """Whether somebody quit pdb: it raises BdbQuit, and from Python 3.14 on SystemExit."""
    quit_error = getattr(sys.modules.get("bdb"), "BdbQuit", None)
    if quit_error is not None and isinstance(error, quit_error):
        return True
    if not isinstance(error, SystemExit):
        return False
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_globals.get("__name__") == "pdb"


def _about_exit(error: SystemExit) -> str:
    place = tracebacks.place(error)
    code = "" if error.code is None else f" with {error.code!r}"
    return f"was raised{code}{f' in {place}' if place else ''}; the session goes on, type exit to leave it"


def _remember(error: BaseException) -> None:
    """Sets what `pdb.pm()` and other debuggers look for, as Python's own prompt does."""
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    sys.last_exc = error  # type: ignore[attr-defined,unused-ignore]  # Python 3.12
