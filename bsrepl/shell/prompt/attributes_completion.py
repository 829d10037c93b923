"""Completion of attributes of the session's values, from what is known of them without running any code of theirs.

Jedi is asked where it has to work out what a call returns, and only if it would run no code either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ...text.patterns import late_pattern
from .names_completion import kind, shown_name
from .place import place
from .unasked_values import NAME, PARTS, Unknown, attribute_names, runs_code, value_of

_ATTRIBUTE = late_pattern(rf"(?<![\w.\])])(?P<chain>(?P<name>{NAME}){PARTS})\s*\.\s*(?P<typed>\w*)$")


class AttributeCompleter(Completer):
    """Completes `x.`, `x.y.`, `x[0].y.`; another completer does the rest."""

    def __init__(self, names: Mapping[str, Any], otherwise: Completer) -> None:
        self._names = names
        self._otherwise = otherwise

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        where = place(document.text_before_cursor)
        if where.is_comment:
            return ()
        if not where.is_code:
            return self._otherwise.get_completions(document, complete_event)
        if (match := _ATTRIBUTE.search(where.code)) and not _binds(where.code, match["name"]):
            try:
                return _starting(match["typed"], value_of(match["chain"], self._names))
            except KeyError:  # no name of the session
                pass
            except LookupError:
                return ()
            except Unknown:
                pass
        if runs_code(where.code, self._names):
            return ()
        return self._otherwise.get_completions(document, complete_event)


def _binds(code: str, name: str) -> bool:
    """Whether code gives a name another value than the session's."""
    return bool(re.search(rf"\b(?:for|as|import|lambda|def|class)\b[^\n:]*\b{name}\b|\b{name}\s*=(?!=)", code))


def _starting(typed: str, value: Any) -> Iterator[Completion]:
    """The attributes that begin with what was typed, whatever the case; those with an underscore where there are no
    others."""
    known = attribute_names(value)
    matching = [name for name in known if name.lower().startswith(typed.lower())]
    public = [name for name in matching if name[0] != "_"]
    for name in sorted(public or matching, key=lambda name: (name[:2] == "__", name.lower())):
        what = kind(known[name])
        yield Completion(name, -len(typed), display=shown_name(name, what), display_meta=what)
