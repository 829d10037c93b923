"""Styled text as HTML, for a page that may be light or dark: every colour can be read on both."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from .format import counted
from .terminal import harmless

WIDTH = 100  # columns of text in a page
_LONGEST = 30  # lines that are shown without being asked for

_COLORS = {
    "dim": "color:#7a7f87",
    "time": "color:#7a7f87",
    "path": "color:#0e8394",
    "added": "color:#218739",
    "changed": "color:#b05cb0",
    "removed": "color:#dc4444",
    "warning": "color:#b05cb0",
    "error": "color:#dc4444;font-weight:bold",
    "bold": "font-weight:bold",
}
_FRAME = "margin:0;padding:0;background:none;color:inherit;white-space:pre;overflow-x:auto;line-height:1.35"


def html(text: Iterable[tuple[str, str]]) -> str:
    """The lines of a styled text; all but the first one folded where there are many."""
    lines = "".join(_painted(style, harmless(part)) for style, part in text).rstrip("\n")
    first, _, rest = lines.partition("\n")
    if rest.count("\n") < _LONGEST:
        return f'<pre style="{_FRAME}">{lines}</pre>'
    more = f'<span style="{_COLORS["dim"]}">  {counted(rest.count(chr(10)) + 1, "more line")}</span>'
    summary = f'<summary><code style="background:none;color:inherit">{first}{more}</code></summary>'
    return f'<details>{summary}<pre style="{_FRAME}">{rest}</pre></details>'


def _painted(style: str, part: str) -> str:
    """A part of a text, each of its lines in an element of its own, so that the text can be cut between lines."""
    css = _COLORS.get(style)
    if css is None:
        return escape(part)
    return "\n".join(f'<span style="{css}">{escape(line)}</span>' if line else "" for line in part.split("\n"))
