"""Completion of bare names: only such as would not be a NameError.

Where nothing but a name can stand, the names of the session, of Python and of the text itself are all there are. Jedi
would take up to a second for them when it is asked first, and would hold up the command that is entered meanwhile.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ...text.patterns import late_pattern
from .place import place

_WORD = late_pattern(r"[A-Za-z_]\w*")
_BARE = late_pattern(r"(?<![\w.\"'])(?P<typed>[A-Za-z_]\w*)?$")
_IMPORT = late_pattern(r"(?:^|\n)\s*(?:from|import)\b[^\n]*$")
_ALONE = late_pattern(  # one line, without brackets, strings, a colon or a definition
    r"(?!\s*(?:from|import|def|class|async)\b)[^\n()\[\]{}:\"'#@\\%!?]*?(?<![\w.])(?P<typed>[A-Za-z_]\w*)"
)
_KEYWORDS = frozenset([*keyword.kwlist, *keyword.softkwlist]) - {"_"}
_BUILTINS = vars(builtins)
_METHODS = (staticmethod, classmethod)  # as they stand in a class
_MOST = 500  # names that are offered at once


class NameCompleter(Completer):
    """Completes a name that stands alone; of what another completer offers, leaves out what has no value."""

    def __init__(self, names: Mapping[str, Any], otherwise: Completer) -> None:
        self._names = names
        self._otherwise = otherwise

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor
        if match := _ALONE.fullmatch(before):
            return self._alone(match["typed"])
        others = self._otherwise.get_completions(document, complete_event)
        bare = _BARE.search(before)
        if bare is None or _IMPORT.search(before) or not place(before).is_code:
            return others
        return self._with_a_value(others, bare["typed"] or "", document.text)

    def _alone(self, typed: str) -> Iterator[Completion]:
        wanted = typed.lower()
        known = {**dict.fromkeys(_KEYWORDS), **_BUILTINS, **dict(self._names)}
        matching = [name for name in known if name.lower().startswith(wanted)]
        public = [name for name in matching if name[0] != "_"]
        for name in sorted(public or matching, key=str.lower)[:_MOST]:
            what = "keyword" if name in _KEYWORDS else kind(known[name])
            style = "class:completion.keyword" if what == "keyword" else ""
            yield Completion(name, -len(typed), display=shown_name(name, what), display_meta=what, style=style)

    def _with_a_value(self, completions: Iterable[Completion], typed: str, text: str) -> Iterator[Completion]:
        """Those that have a value, or that are being defined in the text."""
        known = {*self._names, *_BUILTINS, *_KEYWORDS, *(set(_WORD.findall(text)) - {typed})}
        for completion in completions:
            name = completion.text if completion.start_position <= -len(typed) else typed + completion.text
            if name in known or not name.isidentifier():
                yield completion


def kind(value: Any) -> str:
    """What a value is, from its type alone."""
    if issubclass(type(value), type):
        return "class"
    if issubclass(type(value), ModuleType):
        return "module"
    return "function" if callable(value) or type(value) in _METHODS else "instance"


def shown_name(name: str, what: str) -> str:
    """A name as it stands in the list of completions, `load()`."""
    return f"{name}()" if what == "function" else name
