"""The pages that `help()` prints."""

from __future__ import annotations

from collections.abc import Mapping

from ..registry.namespaces import Namespace, belonging
from ..registry.plugin import BRAINSMITH, NAMESPACES
from ..text.styled import Text, wrapped
from .command import Command

_REACHING = {
    "tfm, kernels, backends, steps": 'tfm.FoldConstants, tfm["qonnx:FoldConstants"], tfm.qonnx.FoldConstants',
    "find, all": 'tfm.find(stage="cleanup"), tfm.find("identity"), kernels.all()',
    "for_kernel": 'backends.for_kernel("MVAU"), its default, and what is missing',
    "the decorators": "transform, kernel, backend, step, kernel_inference, framework_transform, plugin, register_op",
}
_SYNTAX = {
    "x?, x??": "show(x), source(x)",
    "!command": "the system shell",
    "%magic": """IPython's everyday commands, such as %timeit, %run and %debug; help("prompt") has them""",
    "command;": "its value is not shown",
}
_TOUR = {"tour()": "Leads through bsrepl, step by step, at the prompt."}
_FINDING = 'those that match: find("identity"), find(stage="cleanup"), find(name="*Fold*"), a table and a sequence'
_MOST = 34  # columns of what to type; what is longer has its description below
_NARROW = 70  # columns; below that a description begins on a line of its own


def help_page(commands: Mapping[str, Command], pages: Mapping[str, str], width: int) -> Text:
    """What the shell preloads, a line on each of its commands and on each page of the manual, for so many columns."""
    calls = {command.usage: command.summary for command in commands.values()} | _TOUR
    titles = {f'help("{name}")': title for name, title in pages.items()}
    parts = {"Plugins": _REACHING, "Commands": calls, "Besides Python": _SYNTAX, "Manual": titles}
    text: Text = []
    for heading, rows in parts.items():
        text.append(("bold", f"{heading}\n"))
        text += _rows(rows, width)
    return text


def namespace_page(namespace: Namespace, width: int) -> Text:
    """What a namespace holds, and how to reach it."""
    kind, framework = belonging(namespace)
    typed = NAMESPACES[kind] + (f".{framework}" if framework else "")
    rows = {
        f'{typed}.NAME, {typed}["NAME"]': f"the {kind} itself, imported when it is first taken",
        f"{typed}.all()": f"all {len(namespace)} of them",
        f"{typed}.find(TEXT, FIELD=VALUE)": _FINDING,
    }
    if framework is None:
        rows |= {f"{typed}.{name}": f"those of {name} alone" for name in namespace.frameworks() if name != BRAINSMITH}
    return [("bold", f"{namespace!r}\n"), *_rows(rows, width)]


def _rows(rows: Mapping[str, str], width: int) -> Text:
    """What to type and what it does, beside each other where that fits."""
    indent = 4 if width < _NARROW else min(max(map(len, rows)) + 4, _MOST)
    text: Text = []
    for typed, description in rows.items():
        lines = wrapped(f"{' ' * indent}{description}", width, " " * indent)
        if len(typed) + 4 > indent:
            text += [("path", wrapped(f"  {typed}", width, " " * 6)), ("", lines)]
        else:
            text += [("path", f"  {typed}".ljust(indent)), ("", lines[indent:])]
    return text
