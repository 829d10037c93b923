"""The text that a value is shown as: containers over several lines, models in a few, and never more than can be read.

What is cut short is counted; how long the rest is never matters for the time it takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pprint import PrettyPrinter
from textwrap import wrap
from typing import Any

from . import onnx_values
from .format import safe_repr

_MOST_ITEMS = 1_000  # of all containers in a value
_MOST_LINES = 300
_MOST_CHARACTERS = 30_000


def shown(value: Any, width: int) -> tuple[str, str]:
    """The text of a value for a terminal of `width` columns, and what was cut off it, such as `99,700 more lines`."""
    if (lines := onnx_values.described(value)) is not None:
        indent = " " * 7
        wrapped = (wrap(line, max(width, 20), subsequent_indent=indent, break_long_words=False) for line in lines)
        return "\n".join(line for lines in wrapped for line in lines), ""
    if type(value) in (str, bytes):
        more = len(value) - _MOST_CHARACTERS
        unit = "characters" if type(value) is str else "bytes"
        return repr(value[:_MOST_CHARACTERS]), f"{more:,} more {unit}" if more > 0 else ""
    if onnx_values.is_repeated(value) and (rows := onnx_values.listed(value[:_MOST_LINES], max(width, 20))) is not None:
        more = len(value) - len(rows)
        return "\n".join(rows), f"{more:,} more lines" if more else ""
    budget = _Budget(_MOST_ITEMS)
    try:
        printed = _Printer(width=max(width, 20), sort_dicts=False, compact=True).pformat(budget.clipped(value, ()))
    except RecursionError:
        return f"<{type(value).__qualname__} that is nested too deeply to be shown>", ""
    text, cut = within_limits(printed)
    return text, f"{budget.left_out:,} more items" if budget.left_out else cut


def within_limits(text: str) -> tuple[str, str]:
    """The beginning of a text, and how much of it is missing."""
    lines = text.split("\n", _MOST_LINES)
    if len(lines) > _MOST_LINES:
        more = lines.pop().count("\n") + 1
        kept = "\n".join(lines)[:_MOST_CHARACTERS]
        return kept, f"{more:,} more lines"
    if len(text) > _MOST_CHARACTERS:
        return text[:_MOST_CHARACTERS], f"{len(text) - _MOST_CHARACTERS:,} more characters"
    return text, ""


class _Budget:
    """How many items of containers may still be shown."""

    def __init__(self, items: int) -> None:
        self._items = items
        self.left_out = 0

    def clipped(self, value: Any, around: tuple[int, ...]) -> Any:
        """The value, or, if there are too many items in it, a copy with the first ones alone.

        `around` are the ids of the containers that it is in, one of which it may be.
        """
        if not _is_container(value) or id(value) in around:
            return value
        if len(value) <= self._items and not any(map(_is_container, _items(value))):
            self._items -= len(value)
            return list(value) if onnx_values.is_repeated(value) else value
        kept = min(len(value), self._items)
        self._items -= kept
        self.left_out += len(value) - kept
        around = (*around, id(value))
        if type(value) is dict:
            return {key: self.clipped(item, around) for key, item in islice(value.items(), kept)}
        first = (self.clipped(item, around) for item in islice(value, kept))
        return list(first) if onnx_values.is_repeated(value) else type(value)(first)


_CONTAINERS = (list, tuple, set, frozenset, dict)


def _items(value: Any) -> Iterator[Any]:
    return iter(value.values() if type(value) is dict else value)


def _is_container(value: Any) -> bool:
    return type(value) in _CONTAINERS or onnx_values.is_repeated(value)


class _Printer(PrettyPrinter):
    """Knows ONNX's messages, and survives what a `__repr__` may do."""

    def format(self, value: Any, context: dict[int, int], maxlevels: int, level: int) -> tuple[str, bool, bool]:
        if (line := onnx_values.one_line(value)) is not None:
            return line, False, False
        if type(value).__repr__ in _NESTING:
            return super().format(value, context, maxlevels, level)
        return safe_repr(value), False, False


_NESTING: set[Any] = {list.__repr__, tuple.__repr__, dict.__repr__}
