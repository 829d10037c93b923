"""Markdown as styled text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from .patterns import late_pattern
from .prose import filled
from .styled import Text, fields, wrapped

_FENCE = late_pattern(r"(?P<mark>`{3,}|~{3,})(?P<info>.*)")
_COMMENT = late_pattern(r"<!--.*?-->\n?", re.DOTALL)
_PICTURE = late_pattern(r"!\[[^\]]*\]\([^)]*\)\n?")
_COLUMN = late_pattern(r" *\S.*?\S {2,}(?=\S)")
_LINK = late_pattern(r"\[([^\]]+)\]\([^)]*\)")


def rendered(source: str, width: int) -> Text:
    """A page without its pictures and comments, and without fences of checks; code is indented, tables are lists."""
    text: Text = []
    plain = _LINK.sub(r"\1", _PICTURE.sub("", _COMMENT.sub("", source)))
    shown = (item for item in _kinds(plain.split("\n")) if item[0] != "hidden")
    for kind, lines in groupby(shown, lambda item: item[0]):
        block = [line for _, line in lines]
        if kind == "heading":
            text += [("bold", wrapped(line.lstrip("#").strip(), width)) for line in block]
        elif kind == "code":
            text += [("path", _code(line, width)) for line in block]
        elif kind == "table":
            text += _table(block, width)
        elif kind == "prose":
            text.append(("", filled("\n".join(block) + "\n", width)))
    while text and not text[-1][1].strip():
        text.pop()
    return text


def _kinds(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What each line belongs to; fences themselves, and what they say, are left out."""
    mark, is_hidden = "", False
    for line in lines:
        fence = _FENCE.fullmatch(line)
        if mark:
            if line.strip() == mark:
                mark = ""
            else:
                yield ("hidden" if is_hidden else "code"), line
        elif fence is not None:
            mark, is_hidden = fence["mark"], fence["info"].strip() == "check"
        elif line.startswith("#"):
            yield "heading", line
        elif line.startswith("|"):
            yield "table", line
        else:
            yield "prose", line


def _code(line: str, width: int) -> str:
    """A line of code; one that is too long goes on below, a comment or a second column under its beginning."""
    column = _COLUMN.match(line)
    indent = column.end() if column is not None and column.end() < width / 2 else len(line) - len(line.lstrip()) + 4
    return wrapped(f"    {line}", width, " " * (4 + indent))


def _table(lines: Sequence[str], width: int) -> Text:
    """A row for each line but the head: the first cell, which is bold, and the others beside or below it."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return fields([(first.replace("`", ""), "  ".join(filter(None, others))) for first, *others in rows[2:]], width)
