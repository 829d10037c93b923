"""When Ctrl-C may interrupt: while a plugin file is executed, not between two halves of a change."""

from __future__ import annotations

import signal
import threading
from _signal import getsignal, pthread_sigmask  # type: ignore[import-not-found] # signal's make enums: 2 us each
from contextlib import AbstractContextManager


def deferred() -> AbstractContextManager[None]:
    """Holds SIGINT back until the end, and raises it there if it came meanwhile."""
    return _Masked(signal.SIG_BLOCK)


def allowed() -> AbstractContextManager[None]:
    """Lets SIGINT through, inside `deferred`."""
    return _Masked(signal.SIG_UNBLOCK)


class _Masked(AbstractContextManager[None]):
    """A class, as each command goes through one: a generator takes three times as long."""

    def __init__(self, how: int) -> None:
        self._how = how
        self._before: set[int] | None = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():  # Python handles signals there alone
            self._before = pthread_sigmask(self._how, {signal.SIGINT})

    def __exit__(self, *raised: object) -> None:
        if self._before is not None:
            pthread_sigmask(signal.SIG_SETMASK, self._before)


def claimed() -> list[str]:
    """Gives SIGINT back to Python if a command took it away; says so."""
    if threading.current_thread() is not threading.main_thread():
        return []
    if getsignal(signal.SIGINT) not in (signal.SIG_IGN, signal.SIG_DFL):
        return []
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return ["the handler of SIGINT is put back: Ctrl-C has to stop commands"]
