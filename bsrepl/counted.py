"""Numbers with what they count."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """`1 plugin file`, `12 plugin files`."""
    return f"{number} {what}{'s' * (number != 1)}"
