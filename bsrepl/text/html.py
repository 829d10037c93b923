"""Styled text as HTML, for a page that may be light or dark: every colour can be read on both."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from .format import counted
from .terminal import harmless

WIDTH = 100  # columns of text in a page
_LONGEST = 30  # lines that are shown without being asked for
_SMALLEST = 0.65  # of its own width that a picture is shrunk to; what is wider than a page is scrolled

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
# A picture asks the browser whether it is to be dark; a notebook may have another theme than the browser.
_THEMES = (
    '[data-jp-theme-light="true"] img.bsrepl,.vscode-light img.bsrepl{color-scheme:light}'
    '[data-jp-theme-light="false"] img.bsrepl,.vscode-dark img.bsrepl{color-scheme:dark}'
)
_FONT = "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px);line-height:1.35"
_FRAME = f"margin:0;padding:0;background:none;color:inherit;white-space:pre;overflow-x:auto;{_FONT}"


def html(text: Iterable[tuple[str, str]], longest: int = _LONGEST) -> str:
    """The lines of a styled text; of more than `longest` lines, those from the middle of that on are folded."""
    lines = "".join(_painted(style, harmless(part)) for style, part in text).rstrip("\n").split("\n")
    if len(lines) <= longest:
        return _pre(lines)
    shown, folded = lines[: (longest + 1) // 2], lines[(longest + 1) // 2 :]
    summary = f'<summary style="{_COLORS["dim"]};{_FONT}">{counted(len(folded), "more line")}</summary>'
    return f"{_pre(shown)}<details>{summary}{_pre(folded)}</details>"


def image(svg: str) -> str:
    """A picture, which is cut off from the styles of the page; as wide as that, if it can then still be read."""
    data = b64encode(svg.encode()).decode()
    width = re.search(r'width="(\d+)"', svg)
    legible = f"max(100%,{int(width[1]) * _SMALLEST:.0f}px)" if width is not None else "none"
    style = f"display:block;max-width:{legible}"
    img = f'<img class="bsrepl" style="{style}" alt="" src="data:image/svg+xml;base64,{data}"/>'
    return f'<style>{_THEMES}</style><div style="overflow-x:auto">{img}</div>'


def _pre(lines: Sequence[str]) -> str:
    return f'<pre style="{_FRAME}">{chr(10).join(lines)}</pre>'


def _painted(style: str, part: str) -> str:
    """A part of a text, each of its lines in an element of its own: the text is cut between lines."""
    css = _COLORS.get(style)
    if css is None:
        return escape(part)
    return "\n".join(f'<span style="{css}">{escape(line)}</span>' if line else "" for line in part.split("\n"))
