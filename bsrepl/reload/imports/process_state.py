"""What a plugin file must not change for the whole process: it is put back after each execution, and that is said."""

from __future__ import annotations

import builtins
import os
import signal
import sys
import threading
from _signal import getsignal  # type: ignore[import-not-found] # signal's makes an enum of it: that takes 2 us each
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.abc import Loader
from itertools import islice
from operator import is_
from typing import Any

from ...text import tracebacks
from .standard_streams import StandardStreams

#: The signals that the shell depends on. SIGPIPE would end it with a process that executes models; a child that ends
#: unnoticed while SIGCHLD is ignored has no status.
_SIGNALS = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP, signal.SIGWINCH),
    *(signal.SIGPIPE, signal.SIGCHLD),
)
_TIMERS = {signal.ITIMER_REAL: "SIGALRM", signal.ITIMER_VIRTUAL: "SIGVTALRM", signal.ITIMER_PROF: "SIGPROF"}
_PutBack = Callable[[], Iterator[str]]
_HOOKS = ("excepthook", "displayhook", "breakpointhook", "unraisablehook", "stdin", "stdout", "stderr")


@contextmanager
def kept() -> Iterator[list[str]]:
    """Puts back signal handlers, timers, hooks, standard streams, what is built in, finders, the current folder and
    `sys.path` at the end. What was added to what is built in, or to the finders, stays, and a finder of others may go.

    The list that it yields names at the end what was put back. A child that was forked meanwhile ends there.
    """
    restored: list[str] = []
    process = os.getpid()
    noted = [note() for note in (_streams, _timers, _built_in, _finders, _handlers, _hooks, _path, _folder)]
    try:
        yield restored
    except BaseException as error:
        end_if_forked(process, error)
        raise
    finally:
        end_if_forked(process, None)
        for put_back in noted:
            restored += put_back()


def end_if_forked(process: int, error: BaseException | None) -> None:
    """Ends this process if it is a child of that one: two shells would share a terminal. Its status is that of a Python
    that ended with `error`."""
    if os.getpid() == process:
        return
    code = error.code if isinstance(error, SystemExit) else error
    status = code if isinstance(code, int) else int(code is not None)
    with suppress(Exception):
        if error is not None and code is error:
            sys.stderr.write(tracebacks.formatted(error))
        sys.stdout.flush()
    os._exit(status & 0xFF)


# Each of these notes something as it is, and returns what puts it back and names what was changed.


def _streams() -> _PutBack:
    streams = StandardStreams()

    def put_back() -> Iterator[str]:
        with streams:
            yield from streams.restored()

    return put_back


def _timers() -> _PutBack:
    idle = [timer for timer in _TIMERS if not signal.getitimer(timer)[0]]

    def put_back() -> Iterator[str]:
        for timer in idle:
            if signal.getitimer(timer)[0]:  # nobody would handle it
                signal.setitimer(timer, 0)
                yield f"the timer of {_TIMERS[timer]}"

    return put_back


def _built_in() -> _PutBack:
    """What is built in, `__import__` left out, which is watched while files are executed."""
    before = dict(vars(builtins))

    def put_back() -> Iterator[str]:
        now = vars(builtins)
        if [*islice(now, len(before))] == [*before] and all(map(is_, now.values(), before.values())):
            return  # as it is nearly always: two hundred names need no look at each
        for name, value in before.items():
            if name not in ("__import__", "_") and now.get(name, before) is not value:
                now[name] = value
                yield f"builtins.{name}"

    return put_back


def _finders() -> _PutBack:
    finders, before = sys.meta_path, list(sys.meta_path)
    needed = [finder for finder in before if isinstance(finder, (type, Loader))]

    def put_back() -> Iterator[str]:
        if sys.meta_path is not finders or not _has_all(finders, needed):
            added = [finder for finder in sys.meta_path if not _has_all(before, [finder])]
            sys.meta_path = finders
            finders[:] = [*before, *added]
            yield "sys.meta_path"

    return put_back


def _has_all(finders: list[Any], wanted: list[Any]) -> bool:
    return {*map(id, wanted)} <= {*map(id, finders)}


def _handlers() -> _PutBack:
    """The handlers that can be put back: Python sets them in the main thread only, and knows only its own."""
    is_main = threading.current_thread() is threading.main_thread()
    handlers = {number: getsignal(number) for number in _SIGNALS} if is_main else {}

    def put_back() -> Iterator[str]:
        for number, handler in handlers.items():
            if handler is not None and getsignal(number) is not handler:
                signal.signal(number, handler)
                yield f"the handler of {number.name}"

    return put_back


def _hooks() -> _PutBack:
    hooks: dict[str, Any] = {name: getattr(sys, name, None) for name in _HOOKS}

    def put_back() -> Iterator[str]:
        for name, hook in hooks.items():
            if getattr(sys, name, None) is not hook:
                setattr(sys, name, hook)
                yield f"sys.{name}"

    return put_back


def _path() -> _PutBack:
    path, entries = sys.path, list(sys.path)

    def put_back() -> Iterator[str]:
        if sys.path is not path or path != entries:
            sys.path = path
            path[:] = entries
            yield "sys.path"

    return put_back


def _folder() -> _PutBack:
    folder = _current_folder()

    def put_back() -> Iterator[str]:
        if folder is not None and _current_folder() != folder:
            os.chdir(folder)
            yield "the current folder"

    return put_back


def _current_folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return None
