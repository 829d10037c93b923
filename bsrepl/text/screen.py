"""A view that stays on the screen and follows what happens, until a key is pressed."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"  # xterm: the other screen, without a cursor
_HOME, _CLEAR = "\x1b[H", "\x1b[J"  # ECMA-48


def until_key(stream: TextIO, draw: Callable[[], None], is_due: Callable[[], bool], interval: float) -> None:
    """Draws on a stream, and again whenever it is due or the window has another size, looking every `interval` seconds.

    A key ends it, and Ctrl-C too. Without a terminal it draws once.
    """
    if not (sys.stdin.isatty() and stream.isatty()):
        draw()
        return
    keyboard = sys.stdin.fileno()
    with _screen(stream, keyboard):
        size = None
        try:
            while True:
                now = os.get_terminal_size()
                if is_due() or now != size:
                    size = now
                    stream.write(_HOME + _CLEAR)
                    draw()
                if select.select([keyboard], [], [], interval)[0]:
                    os.read(keyboard, 1024)
                    return
        except KeyboardInterrupt:
            return


@contextmanager
def _screen(stream: TextIO, keyboard: int) -> Iterator[None]:
    before = termios.tcgetattr(keyboard)
    stream.write(_ENTER)
    try:
        tty.setcbreak(keyboard)
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        stream.write(_LEAVE)
        stream.flush()
