"""The words and numbers behind the name of a magic."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

from ..errors import MagicError
from ..text.patterns import late_pattern

_COUNT = late_pattern(r"-(?P<name>[nr])\s*(?P<count>\d{1,9})(\s+|$)")
_OPTION = late_pattern(r"-[a-z](\s*\d+)?(\s|$)")  # which IPython may have, and a statement rarely begins with


def counts_of(arguments: str) -> tuple[dict[str, int], str]:
    """The options `-n 10` and `-r 3`, and what stands behind them."""
    counts: dict[str, int] = {}
    while (option := _COUNT.match(arguments)) is not None:
        counts[option["name"]] = int(option["count"])
        arguments = arguments[option.end() :]
    if _OPTION.match(arguments):
        raise MagicError(f"%timeit takes -n LOOPS, -r RUNS and a statement, not {arguments!r}")
    return counts, arguments


def words(arguments: str) -> list[str]:
    """The words of a line, at least one, as a shell splits it. Raises MagicError if a quotation is not closed."""
    try:
        return shlex.split(arguments) or [""]
    except ValueError:
        raise MagicError(f"a quotation is not closed: {arguments}") from None


def numbers_in(text: str) -> Sequence[int]:
    """`3` is 3, `3-5` is 3, 4 and 5; what is neither is 0, which no command has."""
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        return range(1)
    return range(int(first), int(last or first) + 1)


def least_seconds(setting: str) -> float:
    """`10` or `10ms` as seconds; any other setting than these, `on` and `off` raises MagicError."""
    try:
        least = float(setting.removesuffix("ms") or 0) / 1e3 if setting not in ("on", "off") else 0.0
    except ValueError:
        least = math.nan
    if not 0 <= least < math.inf:
        raise MagicError(f"%timing takes on, off, or the least number of milliseconds, not {setting!r}")
    return least
