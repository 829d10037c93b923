"""A notebook as a terminal: what is written becomes outputs of the cell, as HTML with plain text beside it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any
from uuid import uuid4

from IPython.display import display

from ..text.highlight import python_lines
from ..text.html import WIDTH, html
from ..text.styled import Text, plain
from ..text.terminal import Terminal

_HEIGHT = 60  # lines of a view that would fill a screen


class Output:
    """One output of a cell, of several pieces of text, which can be replaced later, whatever cell runs then."""

    def __init__(self) -> None:
        self.pieces: list[Text] = []
        self._id = uuid4().hex
        self._is_shown = False

    def show(self) -> None:
        """Displays it, or again what it is now. One that never had text is none."""
        text = list(chain.from_iterable(self.pieces))
        if plain(text).strip() or self._is_shown:
            bundle = {"text/plain": plain(text).rstrip("\n"), "text/html": html(text) if text else ""}
            display(bundle, raw=True, display_id=self._id, update=self._is_shown)
            self._is_shown = True

    def replace(self, piece: Text, by: Text) -> None:
        """Shows another text in the place of one of its pieces."""
        self.pieces[self.pieces.index(piece)] = by
        self.show()


class Notebook(Terminal):
    """Writes styled text into the output of the cell that runs."""

    def __init__(self) -> None:
        super().__init__(sys.stdout, color=False)
        self._gathering: Output | None = None
        self._line = Output()  # that is written over

    @property
    def width(self) -> int:
        return WIDTH

    @property
    def height(self) -> int:
        return _HEIGHT

    def write(self, text: Iterable[tuple[str, str]]) -> None:
        shown = list(text)
        self.hear(shown)
        with self.gathered() as output:
            output.pieces.append(shown)

    @contextmanager
    def gathered(self) -> Iterator[Output]:
        """While this lasts, what is written is gathered in one output, which is shown at the end."""
        if self._gathering is not None:
            yield self._gathering
            return
        self._gathering = output = Output()
        try:
            yield output
        finally:
            self._gathering = None
            output.show()

    def write_drawing(self, text: Iterable[tuple[str, str]], page: Callable[[], str]) -> None:
        shown = list(text)
        self.hear(shown)
        display({"text/plain": plain(shown).rstrip("\n"), "text/html": page()}, raw=True)

    def write_over(self, text: Iterable[tuple[str, str]]) -> None:
        line = list(text)
        self._line.pieces[:] = [line]
        self._line.show()
        if not line:
            self._line = Output()

    def write_source(self, source: str) -> None:
        self.write(pair for line in python_lines(source) for pair in (*line, ("", "\n")))

    def write_traceback(self, trace: str) -> None:
        self.write([("", trace)])

    @contextmanager
    def held(self) -> Iterator[Any]:
        yield self
