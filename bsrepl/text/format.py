"""Numbers with what they count, times with their units, and the text of any object."""

from __future__ import annotations

import os
from collections.abc import Sequence


def counted(number: int, what: str) -> str:
    """`1 plugin file`, `12 plugin files`."""
    return f"{number} {what}{'s' * (number != 1)}"


def some(texts: Sequence[str], most: int) -> str:
    """`a, b, and 3 more`: the first of some texts, and how many are left out."""
    left = len(texts) - most
    return ", ".join([*texts[:most], *([f"and {left} more"] if left > 0 else [])])


def magnitude(number: float) -> str:
    """A count as people read it: `9,418`, `77.8 M`, `20.4 G`."""
    for unit, least in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if number >= least:
            return f"{number / least:.3g} {unit}"
    return f"{number:,.0f}"


def size(number: float) -> str:
    """Bytes with their unit: `24.2 kB`."""
    for unit in ("B", "kB", "MB"):
        if number < 999.5:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} GB"


def duration(seconds: float) -> str:
    """A time as people write it: `12 ns`, `873 us`, `12.3 ms`, `1.25 s`."""
    if 0 < seconds < 0.000_000_999_5:
        return f"{seconds * 1e9:.0f} ns"
    if seconds < 0.000_999_5:
        return f"{seconds * 1e6:.0f} us"
    if seconds < 0.999_95:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds:.2f} s"


def safe_repr(value: object) -> str:
    """`repr(value)`; if that raises, what it raises: `<Fold whose __repr__ raises ValueError: no>`."""
    try:
        return repr(value)
    except (Exception, SystemExit) as error:
        try:
            message = f": {error}"
        except Exception:  # its __str__ raises too
            message = ""
        return f"<{type(value).__qualname__} whose __repr__ raises {type(error).__name__}{message}>"


def error_line(error: BaseException) -> str:
    """An exception in one line, however many its message has: `ValueError: no`."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def type_name(value: object) -> str:
    """The name of a value's type, without asking the type's own metaclass."""
    return str(type.__dict__["__qualname__"].__get__(type(value)))


def one_line(text: str) -> str:
    """A text in which line ends and other control characters are written as escapes: it cannot pass for two lines."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def file_name(path: str) -> str:
    """The name of a file, in one line."""
    return one_line(os.path.basename(path))
