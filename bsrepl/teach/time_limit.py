"""A limit on the time that code of others takes: a loop without an end in a lesson or in work that is handed in."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..errors import TimeLimit

DEFAULT = 60.0  # seconds
_PATIENCE = 3  # times that the limit is raised before the process ends


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises TimeLimit in what runs longer than that, and again after as long; without limit if it is 0.

    Code that catches that as well ends the process.
    """
    if not seconds or threading.current_thread() is not threading.main_thread():  # where alone Python handles signals
        yield
        return
    raised = 0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal raised
        raised += 1
        message = f"it ran longer than {seconds:g} s; --limit S sets another limit, 0 none"
        if raised > _PATIENCE and sys.__stderr__ is not None:
            print(f"bsrepl: {message}; it cannot be stopped", file=sys.__stderr__, flush=True)
            os._exit(1)
        raise TimeLimit(message)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
