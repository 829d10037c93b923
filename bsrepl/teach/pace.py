"""How fast a lesson is played, so that a class can follow."""

from __future__ import annotations

KEY = 0.04  # seconds that a key takes
LINE = 0.4  # seconds that a line of a file takes
_LEAST = 1.2  # seconds of a pause, at least
_WORD = 0.25  # seconds that a word takes to be read


def reading(text: str) -> float:
    """The seconds that a text takes to be read."""
    return max(_LEAST, _WORD * len(text.split()))


def skimming(text: str) -> float:
    """The seconds that an output takes to be skimmed, however long it is."""
    return max(_LEAST, min(_WORD * len(text.split()) / 2, 5 * _LEAST))
