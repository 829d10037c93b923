"""No garbage is looked for while a diff is made: it creates many values and no garbage.

The collector would take a third of the time; and a tenth once it is enabled again, to go through all that is new.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

_EVERY = 100  # diffs until the old values are gone through as well, as Python does after 10 times 10 young collections
_YOUNG, _OLD = 1, 2  # generations
_FEW = 2_000  # frozen objects, of which Python 3.12 has some hundred from the start: what is immortal
_diffs = count(1)


class _Frozen:
    """What others took out of the collector's sight. Counting it goes through all of it: a yes is asked again later."""

    def __init__(self) -> None:
        self._known_until = 0  # which diff

    def is_any(self, diff: int) -> bool:
        if diff >= self._known_until and gc.get_freeze_count() > _FEW:
            self._known_until = diff + _EVERY
        return diff < self._known_until


_frozen = _Frozen()


@contextmanager
def without_collecting() -> Iterator[None]:
    """While this lasts, no garbage is collected. What is created meanwhile counts as old at the end.

    Garbage among the young values, which would become old with them, is collected first.
    """
    if not gc.isenabled():
        yield
        return
    diff = next(_diffs)
    gc.collect(_OLD if diff % _EVERY == 0 else _YOUNG)
    gc.disable()
    try:
        yield
    finally:
        if not _frozen.is_any(diff):  # it stays frozen
            gc.freeze()
            gc.unfreeze()  # into the oldest generation, without a look at it
        gc.enable()
