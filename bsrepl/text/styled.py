"""Styled text: (style, text) pairs, wrapped between words; what every report is made of.

Colour never carries meaning alone, and all of it is ASCII but for what the user wrote.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from .columns import Importance, columns, cut, most_important
from .format import duration
from .patterns import late_pattern

#: (style, text) pairs; the styles are those of `terminal.STYLES`.
Text = list[tuple[str, str]]
#: The styles of what was added, changed and removed, by the signs that say so.
SIGN_STYLES = {"+": "added", "~": "changed", "-": "removed"}

_T = TypeVar("_T")

_TIGHT = "\xa0"  # a space where no line ends, until the lines are broken
_UNIT = late_pattern(r"(?<=\d) (?=(us|ms|s|kB|MB)\b)")


def tight(label: str, value: str) -> str:
    """`apply 2.1 ms`, which `wrapped` leaves on one line."""
    return f"{label}{_TIGHT}{value}"


class Styled:
    """A value that the shell prints as styled text instead of its `repr`."""

    def styled(self, width: int, shows_time: bool) -> Text:
        """The value for a terminal of so many columns; with or without how long things took."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        """The value in a notebook, which asks for it by this name."""
        from .html import WIDTH, html  # only now: few sessions are notebooks

        return html(self.styled(WIDTH, True))


class StyledSequence(Styled, Generic[_T]):
    """A sequence that prints as styled text."""

    def __init__(self, items: Sequence[_T]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[_T]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> _T:
        return self._items[index]


def wrapped(text: str, width: int, indent: str = "  ") -> str:
    """The lines of a text, each wrapped between words, but not between a number and its unit.

    A word that is longer than a line is left whole.
    """
    wrapped: list[str] = []
    for number, line in enumerate(_UNIT.sub(_TIGHT, text).splitlines() or [""]):
        begin = indent if number else ""
        wrapped += textwrap.wrap(
            line,
            max(width, 20),
            initial_indent=begin,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
            drop_whitespace=True,
        ) or [""]
    return "\n".join(wrapped).replace(_TIGHT, " ") + "\n"


def headed(style: str, head: str, text: str, width: int) -> Text:
    """A styled word and what it is about, wrapped between words and indented below the first line."""
    return [(style, head), ("", wrapped(f"{head} {text}", width)[len(head) :])]


def asides(messages: Sequence[str], width: int) -> Text:
    """What was done on the way."""
    return [("dim", wrapped("; ".join(messages), width))] if messages else []


def advice(hint: str, width: int) -> Text:
    """What to write instead of what failed."""
    return headed("warning", "hint", hint, width)


def abridged(text: str, cut_off: str) -> Text:
    """A value, and what was cut off it."""
    note = f"... {cut_off}; _ holds all of it\n"
    return [("", f"{text}\n"), *([("dim", note)] if cut_off else [])]


def fields(pairs: Sequence[tuple[str, str]], width: int, indent: int = 2) -> Text:
    """Named values, one a line, the names aligned; a long value goes on below, under its beginning.

    Where the names leave too little room, the values begin on lines of their own.
    """
    longest = max((len(name) for name, _ in pairs), default=0)
    column = indent + longest + 2
    is_narrow = column > width * 0.6
    begin, text = " " * indent, list[tuple[str, str]]()
    for name, value in pairs:
        if is_narrow:
            below = wrapped(f"{begin}    {value}", width, f"{begin}    ")
            text += [("bold", wrapped(f"{begin}{name}", width, f"{begin}  ")), ("", below)]
            continue
        lines = textwrap.wrap(value, max(width - column, 16), break_long_words=False, break_on_hyphens=False) or ["-"]
        text += [("bold", begin + name.ljust(longest)), ("", "  " + ("\n" + " " * column).join(lines) + "\n")]
    return text


def table(
    rows: Sequence[Sequence[str]],
    notes: Sequence[str],
    width: int,
    importance: Importance | None = None,
    *,
    styles: Sequence[str] = (),
    note_style: str = "dim",
) -> Text:
    """A heading and rows, what there was no room for, and notes; `importance` is as `columns` has it.

    `styles` are those of the rows after the heading.
    """
    heading, *lines = columns(rows, width, importance)
    text: Text = [("bold", "  ".join(heading).rstrip() + "\n")]
    for number, cells in enumerate(lines):
        text.append((styles[number] if styles else "", "  ".join(cells).rstrip() + "\n"))
    shown = most_important(rows, width, importance) if importance is not None else range(len(heading))
    missing = [name for position, name in enumerate(rows[0]) if position not in shown]
    text += [("dim", wrapped(f"no room for: {', '.join(missing)}", width))] if missing else []
    return text + [(note_style, wrapped(note, width)) for note in notes]


def progress(done: int, total: int, name: str, width: int) -> Text:
    """`12 of 65  tfm.qonnx.FoldConstants`, on a line of its own that the next one takes the place of."""
    return [] if done == total else [("dim", cut(f"{done} of {total}  {name}", width - 1))]


def timing(seconds: float) -> Text:
    return [("dim", f"{duration(seconds)}\n")]


def plain(text: Iterable[tuple[str, str]]) -> str:
    return "".join(part for _, part in text)
