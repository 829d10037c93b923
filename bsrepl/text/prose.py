"""Docstrings and other prose for a width: paragraphs are filled, lists and indented lines stay what they are."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby

from .patterns import late_pattern

_ITEM = late_pattern(r"([-*+]|\d+[.)]) +")


def filled(text: str, width: int, indent: str = "") -> str:
    """A text whose lines were broken for another width, broken for this one, between words alone."""
    lines: list[str] = []
    for block in _blocks(text):
        item = _ITEM.match(block)
        lines += textwrap.wrap(
            block,
            max(width, 20),
            initial_indent=indent,
            subsequent_indent=indent + " " * (len(item[0]) if item else len(block) - len(block.lstrip())),
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines) + "\n"


def broken(line: str, width: int) -> list[str]:
    """A line of code for a width: broken between words, what does not fit indented by two more."""
    if len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line.lstrip(), max(width, 20), initial_indent=indent, subsequent_indent=f"{indent}  ",
        break_long_words=False, break_on_hyphens=False,
    ) or [""]  # fmt: skip


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs as one line, items of lists and indented lines one by one, an empty line for any between them."""
    for kind, lines in groupby(text.splitlines(), _kind):
        if kind == "prose":
            yield from _items(list(lines))
        elif kind == "empty":
            yield ""
        else:
            yield from lines


def _kind(line: str) -> str:
    if not line.strip():
        return "empty"
    return "kept" if line.startswith("    ") else "prose"


def _items(lines: list[str]) -> Iterator[str]:
    block: list[str] = []
    for line in lines:
        if _ITEM.match(line) and block:
            yield " ".join(block)
            block = []
        block.append(line.strip())
    yield " ".join(block)
