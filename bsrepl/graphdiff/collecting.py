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
_diffs = count(1)


@contextmanager
def without_collecting() -> Iterator[None]:
    """While this lasts, no garbage is collected. What is created meanwhile counts as old at the end.

    Garbage among the young values, which would become old with them, is collected first.
    """
    if not gc.isenabled():
        yield
        return
    gc.collect(_OLD if next(_diffs) % _EVERY == 0 else _YOUNG)
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # what others froze stays frozen
            gc.freeze()
            gc.unfreeze()  # into the oldest generation, without a look at it
        gc.enable()
