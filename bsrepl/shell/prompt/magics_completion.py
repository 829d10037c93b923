"""Completion of `%magic`, of the files and folders behind it, and of `!command`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, ExecutableCompleter, PathCompleter
from prompt_toolkit.document import Document

from ...text.patterns import late_pattern
from .completion import starting

_NAME = late_pattern(r"\s*(?:\w+\s*=\s*)?(?P<marks>%%?)(?P<typed>\w*)$")
_ARGUMENT = late_pattern(r"\s*(?:\w+\s*=\s*)?%%?(?P<name>\w+)\s+(?P<typed>.*)$")
_SYSTEM = late_pattern(r"\s*(?:[\w, ]+=\s*)?!{1,2}\s*(?P<typed>.*)$")
_WORD = late_pattern(r"(?:[^\s\\]|\\.)*$")
_SPECIAL = late_pattern(r"([\s\\'\"`$&|;<>()*?\[\]{}#!])")  # which mean something to a shell
_WORDS = dict.fromkeys(("pdb", "timing"), ("off", "on"))
_FOLDERS = ("cd",)
_FILES = ("run", "edit", "save", "ls", "writefile")
_CODE = ("time", "timeit", "edit")  # what stands behind these may be code


class MagicCompleter(Completer):
    """Completes lines that are not Python; another completer does the rest.

    `lines` and `cells` are the magics that there are, with what they do.
    """

    def __init__(self, lines: Mapping[str, str], cells: Mapping[str, str], otherwise: Completer) -> None:
        self._lines = lines
        self._cells = cells
        self._otherwise = otherwise

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        line = document.current_line_before_cursor
        if match := _NAME.match(line):
            known = self._cells if match["marks"] == "%%" else self._lines
            return starting(match["typed"], dict(sorted(known.items())))
        if match := _SYSTEM.match(line):
            return _of_command(match["typed"], complete_event)
        if match := _ARGUMENT.match(line):
            return self._of_magic(match["name"], match["typed"], complete_event)
        return self._otherwise.get_completions(document, complete_event)

    def _of_magic(self, name: str, typed: str, event: CompleteEvent) -> Iterator[Completion]:
        if name in _WORDS:
            yield from starting(typed, dict.fromkeys(_WORDS[name], ""))
        elif name == "env":
            yield from starting(typed, dict.fromkeys(sorted(os.environ), "variable"))
        elif name in _FOLDERS:
            yield from _paths(typed, event, only_folders=True)
        elif name in _FILES:
            yield from _paths(typed, event) if name == "edit" else _escaped(typed, event)
        if name in _CODE:
            yield from self._otherwise.get_completions(Document(typed), event)


def _of_command(typed: str, event: CompleteEvent) -> Iterator[Completion]:
    """The programs that there are, or the files and folders that are a program's arguments."""
    if not re.search(r"[\s/.~]", typed):
        programs = ExecutableCompleter().get_completions(Document(typed), event)
        yield from {each.text: each for each in programs}.values()  # several folders may have one
    else:
        yield from _escaped(typed, event)


def _escaped(typed: str, event: CompleteEvent) -> Iterator[Completion]:
    """The paths that the last word of a line begins, as a shell wants them to be written."""
    word = re.sub(r"\\(.)", r"\1", _WORD.search(typed)[0])  # type: ignore[index]
    for each in _paths(word, event):
        yield Completion(_SPECIAL.sub(r"\\\1", each.text), each.start_position, display=each.display)


def _paths(typed: str, event: CompleteEvent, *, only_folders: bool = False) -> Iterator[Completion]:
    completer = PathCompleter(expanduser=True, only_directories=only_folders)
    for each in completer.get_completions(Document(typed), event):
        slash = "/" if str(each.display_text).endswith("/") else ""
        yield Completion(each.text.removesuffix("/") + slash, each.start_position, display=each.display)
