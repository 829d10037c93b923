"""The windows of a GUI live on while the prompt waits: `PyOS_InputHook`, which Tk, Qt and others set for that.

Such a hook handles events until there is something to read on standard input. For as long as it runs, standard input
is what the event loop of the prompt waits with, so that it ends at the first key.
"""

from __future__ import annotations

import asyncio
import os
import signal
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from .signals import interruptible

_SLICE = 0.02  # seconds that a hook runs if no key is pressed
_PAUSE = 0.005  # seconds between two slices, for all else that the event loop does
_DISABLED = b"\0"  # instead of a key: none sends the signal


async def windows_live_on(selector: int, keyboard: int) -> None:
    """Handles the events of a GUI for as long as the prompt waits, if one is loaded; otherwise returns at once.

    `selector` is the descriptor that the event loop waits with, `keyboard` the one that keys come from. Ctrl-C stops
    the code of a window, as it stops a command.
    """
    await asyncio.sleep(_PAUSE)  # the prompt comes first
    if _hook() is None:
        return
    with _woken(asyncio.get_running_loop()):
        while (hook := _hook()) is not None:
            try:
                with _standard_input(selector), _signalling(keyboard), interruptible():
                    hook()
            except KeyboardInterrupt:
                signal.raise_signal(signal.SIGINT)  # whoever owns it now decides
            await asyncio.sleep(_PAUSE)


def _hook() -> Callable[[], int] | None:
    """What CPython calls while it waits for a line; None if no GUI has set it."""
    import ctypes  # only once the prompt is drawn

    address = ctypes.c_void_p.in_dll(ctypes.pythonapi, "PyOS_InputHook").value
    return ctypes.CFUNCTYPE(ctypes.c_int)(address) if address else None


@contextmanager
def _woken(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """While this lasts, an event loop is woken now and then: a hook does not know when its next timer is due."""
    ended = threading.Event()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop is closed
            while not ended.wait(_SLICE):
                loop.call_soon_threadsafe(int)

    threading.Thread(target=wake, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


@contextmanager
def _standard_input(descriptor: int) -> Iterator[None]:
    """While this lasts, standard input is another descriptor."""
    original = os.dup(0)
    try:
        os.dup2(descriptor, 0)
        yield
    finally:
        os.dup2(original, 0)
        os.close(original)


@contextmanager
def _signalling(keyboard: int) -> Iterator[None]:
    """While this lasts, Ctrl-C is a signal though the terminal is raw, where it would be a key."""
    try:
        raw = termios.tcgetattr(keyboard)
    except termios.error:  # no terminal
        yield
        return
    signalling = [*raw[:6], list(raw[6])]
    signalling[3] |= termios.ISIG
    for other in (termios.VQUIT, termios.VSUSP):
        signalling[6][other] = _DISABLED
    try:
        termios.tcsetattr(keyboard, termios.TCSANOW, signalling)
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSANOW, raw)
