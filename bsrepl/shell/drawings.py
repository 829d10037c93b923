"""The commands that draw models and their differences: on the terminal, into a file, in another viewer."""

from __future__ import annotations

import os
from functools import wraps
from typing import Any, NamedTuple

from ..frameworks.qonnx.samples import samples
from ..models import report as models_report
from ..models.history import History
from ..models.model_diff import ModelDiff
from ..models.series import Series
from ..models.workbench import Workbench, load
from ..text import onnx_values
from ..text.html import html, image
from ..text.styled import Text
from ..text.terminal import Terminal


class Part(NamedTuple):
    """The part of a graph that is drawn, and in how many lines."""

    around: str  # the node in its middle; empty for the whole graph
    hops: int
    op: str  # the op type of its nodes; empty for any
    lines: int | None  # 0 for as many as it takes, None for those of the screen


class Drawings:
    """Draws models, given by themselves or by the name that holds them, and what `diff` returns."""

    def __init__(self, workbench: Workbench, history: History, out: Terminal) -> None:
        self._workbench = workbench
        self._history = history
        self._out = out

    def show(self, thing: Any, part: Part) -> bool:
        """Prints a model or a difference as lanes; False if the thing is neither."""
        thing = self._history.named(thing)
        if isinstance(thing, str) and (thing in samples() or os.path.isfile(thing)):
            thing = load(thing)
        if isinstance(thing, ModelDiff):
            text = models_report.model_diff(thing, self._out.width, self._height(part))
            self._out.write_drawing(text, thing._repr_html_)
            return True
        if not onnx_values.is_model(thing):
            return False
        from ..drawing.report import model_drawing  # only now: many sessions hold no model

        height = self._height(part)
        text = model_drawing(thing, self._out.width, height, around=part.around, hops=part.hops, op=part.op)
        is_whole = not (part.around or part.op or part.lines)
        self._out.write_drawing(text, lambda: _page(thing, text) if is_whole else html(text))
        return True

    def _height(self, part: Part) -> int | None:
        """How many lines there are; None if it may be any number, as where the output is no terminal."""
        screen = self._out.height_above_prompt if self._out.stream.isatty() else None
        return screen if part.lines is None else part.lines or None

    def open_in(self, viewer: str, thing: Any) -> None:
        """Opens a model in a viewer, and prints its address."""
        from ..models.pictures import open_in  # only now: it loads onnx

        self._out.write([("path", f"{open_in(viewer, self._history.named(thing))}\n")])

    @wraps(Workbench.diff)
    def diff(self, *models: Any, **options: Any) -> ModelDiff | Series:
        return self._workbench.diff(*map(self._history.named, models), **options)

    def draw(self, thing: Any, file: str) -> None:
        """Draws a model, or what `diff` returns, into a file: `draw(m, "m.svg")`, `draw(diff(a, b), "d.html")`.

        A difference is drawn as both graphs side by side. The file needs nothing else; in HTML, hovering over a node
        shows its attributes, shapes, datatypes and weights. Raises DrawingError if the file is of another kind.
        """
        from ..models.pictures import draw  # only now: it loads onnx

        written = draw(self._history.named(thing), file)
        self._out.write([("added", f"{written} has the drawing\n")])


def _page(model: Any, text: Text) -> str:
    """A model in a page: its first line, the rest of the text folded, and the picture."""
    from ..models.pictures import svg  # only now: it loads onnx

    picture = svg(model)
    return html(text) if picture is None else html(text, 1) + image(picture)
