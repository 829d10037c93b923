"""When Ctrl-C may interrupt: while a plugin file is executed, not between two halves of a change."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def deferred() -> Iterator[None]:
    """Holds SIGINT back until the end, and raises it there if it came meanwhile."""
    with _masked(signal.SIG_BLOCK):
        yield


@contextmanager
def allowed() -> Iterator[None]:
    """Lets SIGINT through, inside `deferred`."""
    with _masked(signal.SIG_UNBLOCK):
        yield


@contextmanager
def _masked(how: int) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # Python handles signals in the main thread alone
        return
    before = signal.pthread_sigmask(how, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def claimed() -> list[str]:
    """Gives SIGINT back to Python if a command took it away; says so."""
    if threading.current_thread() is not threading.main_thread():
        return []
    if signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, signal.SIG_DFL):
        return []
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return ["the handler of SIGINT is put back: Ctrl-C has to stop commands"]
