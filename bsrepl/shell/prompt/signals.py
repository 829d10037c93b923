"""Signals around the prompt: who owns Ctrl-C when, and one that came between Enter and the command."""

from __future__ import annotations

import select
import signal
from asyncio import AbstractEventLoop, Handle
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.keys import Keys


@contextmanager
def ended_by(numbers: Iterable[signal.Signals], leave: Callable[[int, Any], None]) -> Iterator[None]:
    """While this lasts, each of these signals calls `leave`."""
    before = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def noticed(loop: AbstractEventLoop, end: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """While this lasts, a SIGINT calls `end` on the loop; gives a function that says whether one came already.

    Raises KeyboardInterrupt in the end if one came. asyncio's own handler would lose one that comes after the last time
    the loop looks for it.
    """
    came: list[Handle] = []

    def notice(number: int, frame: object) -> None:
        came.append(loop.call_soon_threadsafe(end))

    before = signal.signal(signal.SIGINT, notice)
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGINT, before)
        for call in came:
            call.cancel()  # the loop may not have run since: the next prompt is not to end by it
    if came:
        raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[None]:
    """While the prompt waits a SIGINT ends it; what runs in between is to be stopped by it like any command."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    wakeup = signal.set_wakeup_fd(-1)
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGINT, handler)


def was_interrupted(source: Input) -> bool:
    """Whether Ctrl-C was pressed after the Enter that ended a prompt. It takes with it what was typed before it.

    While the terminal is still raw, a Ctrl-C is a key like others: prompt_toolkit keeps it for the next prompt, or
    nobody has read it yet. What was typed ahead is for the next prompt then, not for an `input()` of the command.
    """
    keys = get_typeahead(source)
    while not source.closed and select.select([source.fileno()], [], [], 0)[0]:
        more = source.read_keys()
        if not more:
            break
        keys += more
    last = max((place for place, key in enumerate(keys) if key.key == Keys.ControlC), default=-1)
    store_typeahead(source, keys[last + 1 :])
    return last >= 0
