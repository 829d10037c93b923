"""Pictures of models and of their differences, written into files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .. import __version__
from ..drawing import page
from ..errors import DrawingError
from ..graphdiff.difference import Difference
from ..graphdiff.viewing import view
from ..text.whole_file import write_whole
from .model_diff import ModelDiff
from .workbench import load

_MOST_BOXES = 400  # that a page shows


def draw(thing: Any, file: str | os.PathLike[str]) -> Path:
    """Draws a model, given as `load` takes it, or a difference, into an .svg or .html file. Returns its path.

    Raises DrawingError if the file's name ends otherwise, or it cannot be written.
    """
    path = Path(os.path.expanduser(file))
    write = {".svg": page.svg, ".html": page.html}.get(path.suffix.lower())
    if write is None:
        raise DrawingError(f'a drawing is an .svg or an .html file, not {path.name}: draw(m, "{path.stem}.svg")')
    text = write(_picture(thing), f'drawn by bsrepl {__version__} with draw(..., "{path.name}")')
    try:
        write_whole(path, text.encode(errors="backslashreplace"))
    except OSError as error:
        raise DrawingError(f"{path} cannot be written: {error.strerror}") from error
    return path


def svg(thing: Any) -> str | None:
    """The drawing of a model or a difference for a page; None if there is too much of it to be looked at at once."""
    picture = _picture(thing)
    if sum(len(side.sketch.boxes) for side in picture.sides) > _MOST_BOXES:
        return None
    return page.svg(picture, f"drawn by bsrepl {__version__}")


def open_in(viewer: str, model: Any) -> str:
    """Opens a model in a viewer that is installed, in the web browser. Returns its address on this machine.

    Raises DrawingError if there is no such viewer.
    """
    if viewer != "netron":
        raise DrawingError(f'viewer is "netron", not {viewer!r}; draw(m, "m.html") needs none')
    try:
        import netron
    except ImportError as error:
        raise DrawingError('netron is not installed: pip install netron; draw(m, "m.html") needs none') from error
    proto = load(model).model
    host, port = netron.serve(f"{proto.graph.name or 'model'}.onnx", bytearray(proto.SerializeToString()), browse=True)
    return f"http://{host}:{port}"


def _picture(thing: Any) -> page.Picture:
    if isinstance(thing, ModelDiff):
        names = dict.fromkeys(filter(None, map(_name, (thing.before, thing.after))))
        return page.of_change(thing.difference, " -> ".join(names) or "difference")
    if isinstance(thing, Difference):
        return page.of_change(thing, "difference")
    model = load(thing)
    return page.of_model(view(model.model), thing if isinstance(thing, str) else _name(model) or "model")


def _name(model: Any) -> str:
    return str(getattr(model, "model", model).graph.name)
