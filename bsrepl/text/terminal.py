"""The terminal: whether it takes colour, how wide it is, and styled text as what it understands.

Sixteen colours only, and of those the ones that can be read on a dark and on a light background.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from typing import TextIO

from .patterns import late_pattern
from .prose import broken
from .styled import Text
from .tracebacks import narrowed

_PROMPT = 3  # lines that the prompt and what stands around it take

#: SGR parameters (ECMA-48) of each style.
STYLES = {
    "": "",
    "bold": "1",
    "dim": "90",
    "time": "90",
    "path": "36",
    "added": "32",
    "changed": "35",
    "removed": "31",
    "warning": "35",
    "error": "1;31",
}

#: What takes the place of rules and bars where the encoding does not have them.
_STAND_INS = {
    ord("\u2500"): "-",
    ord("\u2502"): "|",
    **dict.fromkeys(map(ord, "\u251c\u2524"), "+"),
    **dict.fromkeys(map(ord, "\u256d\u256e\u252c"), "."),
    **dict.fromkeys(map(ord, "\u2570\u256f\u2534"), "'"),
    ord("\u253c"): "|",
    ord("\u2588"): "#",
    ord("\u22ee"): ":",
    ord("\u25cb"): "o",
    ord("\u25ce"): "@",
    ord("\u25cf"): "*",
}


def wants_color(option: str, stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether to colour what goes to a stream: `--color`, over NO_COLOR, over FORCE_COLOR, over what the stream is.

    https://no-color.org, https://force-color.org
    """
    if option != "auto":
        return option == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environ.get("TERM", "") != "dumb"


class Terminal:
    """Writes styled text to a stream."""

    def __init__(self, stream: TextIO, color: bool) -> None:
        self.stream: TextIO = stream
        self.color = color
        self.hear: Callable[[Text], None] = lambda text: None  # is told all that is written, but for lines written over

    @property
    def width(self) -> int:
        """In columns: COLUMNS, or that of the terminal, or 80."""
        return shutil.get_terminal_size().columns

    def write(self, text: Iterable[tuple[str, str]]) -> None:
        """Writes (style, text) pairs. Control characters in them are shown, never obeyed."""
        shown = list(text)
        if shown:  # mostly there is nothing to be told
            self.hear(shown)
            self._write(self.painted(shown))

    @contextmanager
    def overheard(self) -> Iterator[Text]:
        """Yields what is written while this lasts, as `hear` is told it."""
        heard: Text = []
        hear = self.hear

        def hear_both(text: Text) -> None:
            heard.extend(text)
            hear(text)

        self.hear = hear_both
        try:
            yield heard
        finally:
            self.hear = hear

    def painted(self, text: Iterable[tuple[str, str]]) -> str:
        """The text that `write` writes."""
        return "".join(self._painted(style, harmless(part)) for style, part in text)

    def write_drawing(self, text: Iterable[tuple[str, str]], page: Callable[[], str]) -> None:
        """Writes a drawing; `page` gives the HTML of it, for what shows that."""
        self.write(text)

    def write_over(self, text: Iterable[tuple[str, str]]) -> None:
        """Writes what the next call takes the place of, so that a line tells how far something is; an empty text leaves
        the line empty. Nothing is written to what is no terminal."""
        if self.stream.isatty():
            self.stream.write("\r\x1b[K")  # ECMA-48: erase the line
            self._write(self.painted(text))

    @property
    def height(self) -> int:
        """In lines: LINES, or that of the terminal, or 24."""
        return shutil.get_terminal_size().lines

    @property
    def height_above_prompt(self) -> int:
        """In lines: what is left for an output of which all is to be seen, with the next prompt below it."""
        return self.height - _PROMPT

    @contextmanager
    def held(self) -> Iterator[Terminal]:
        """While this lasts, what is written here waits; the terminal that is given writes to the stream at once."""
        stream, waiting = self.stream, StringIO()
        self.stream = waiting
        try:
            yield Terminal(stream, self.color)
        finally:
            self.stream = stream
            self._write(waiting.getvalue())

    def _write(self, written: str) -> None:
        if not written:
            return
        encoding = self.stream.encoding or "utf-8"
        try:
            written.encode(encoding)
        except UnicodeEncodeError:
            written = written.translate(_STAND_INS).encode(encoding, "backslashreplace").decode(encoding)
        self.stream.write(written)
        self.stream.flush()

    def _painted(self, style: str, part: str) -> str:
        code = STYLES[style]
        if not self.color or not code or not part.strip():
            return part
        body = part.rstrip("\n")
        return f"\x1b[{code}m{body}\x1b[0m{part[len(body) :]}"

    def write_source(self, source: str) -> None:
        """Writes Python source, highlighted; no line of it is broken inside a word."""
        if self.stream.isatty():
            source = "".join(f"{part}\n" for line in source.splitlines() for part in broken(line, self.width))
        self._write_highlighted(source, "python")

    def write_traceback(self, trace: str) -> None:
        """Writes a traceback, highlighted; no line of it is broken inside a word."""
        self._write_highlighted(narrowed(trace, self.width) if self.stream.isatty() else trace, "pytb")

    def _write_highlighted(self, text: str, lexer: str) -> None:
        shown = harmless(text)
        self.hear([("", shown)])
        self._write(_highlighted(shown, lexer) if self.color else shown)


# C0 but for newline and tab, DEL and C1 (ECMA-48), and the characters that change the direction of text (Unicode UAX 9)
_CONTROL = late_pattern("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """A text in which control characters are written as escapes: they are shown, never obeyed."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _highlighted(source: str, lexer: str) -> str:
    from pygments import highlight  # only now, to be quick at the prompt
    from pygments.formatters.terminal import TerminalFormatter
    from pygments.lexers.python import PythonLexer, PythonTracebackLexer

    chosen = {"python": PythonLexer, "pytb": PythonTracebackLexer}[lexer](stripnl=False, ensurenl=False)
    return str(highlight(source, chosen, TerminalFormatter()))
