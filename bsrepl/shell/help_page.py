"""The page that `help()` prints."""

from __future__ import annotations

from collections.abc import Mapping

from ..text.styled import Text, wrapped

_REACHING = {
    "tfm, kernels, backends, steps": 'tfm.FoldConstants, tfm["qonnx:FoldConstants"], tfm.qonnx.FoldConstants',
    "find, all": 'tfm.find(stage="cleanup"), tfm.find("identity"), kernels.all()',
    "for_kernel": 'backends.for_kernel("MVAU"), its default, and what is missing',
    "the decorators": "transform, kernel, backend, step, kernel_inference, framework_transform, plugin, register_op",
}
_SYNTAX = {
    "x?, x??": "show(x), source(x)",
    "!command": "the system shell",
    "command;": "its value is not shown",
}
_NARROW = 70  # columns; below that a description begins on a line of its own


def help_page(commands: Mapping[str, str], width: int) -> Text:
    """What the shell preloads, and a line on each of its commands, for so many columns."""
    calls = {f"{name}()": summary for name, summary in commands.items()}
    parts = {"Plugins": _REACHING, "Commands": calls, "Besides Python": _SYNTAX}
    text: Text = []
    for heading, rows in parts.items():
        text.append(("bold", f"{heading}\n"))
        indent = 4 if width < _NARROW else max(map(len, rows)) + 4
        for name, description in rows.items():
            lines = wrapped(f"{' ' * indent}{description}", width, " " * indent)
            if width < _NARROW:
                text += [("path", f"  {name}\n"), ("", lines)]
            else:
                text += [("path", f"  {name}".ljust(indent)), ("", lines[indent:])]
    return text
