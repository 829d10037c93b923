"""Completion of what the session's values hold: keys of dictionaries, fields of ONNX messages, names in strings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ...registry.plugin import KINDS
from ...registry.store import Registry
from ...teach import manual
from ...text.onnx_values import is_message, is_model, is_repeated
from ...text.patterns import late_pattern
from .completion import starting
from .place import place
from .unasked_values import NAME, PART, PARTS, Unknown, listed, value_of

_KEY = late_pattern(rf"(?<![\w.\])])(?P<chain>{NAME}{PARTS})\[(?P<quote>[\"'])(?P<typed>[^\"']*)$")
_FIELD = late_pattern(r"(?<![\w.\])])(?P<path>[A-Za-z_]\w*(?:\.\w+|\[-?\d+\])*)\.(?P<typed>\w*)$")
_PLUGIN = late_pattern(r"(?<![\w.])(?P<command>show|source|help)\((?P<quote>[\"'])(?P<typed>[^\"']*)$")
_LESSON = late_pattern(r"(?<![\w.])lesson\((?P<quote>[\"'])(?P<typed>[^\"']*)$")
_MOST = 200
_MODEL_FIELDS = ("graph", "model")  # the properties of ModelWrapper that only read


class ValuesCompleter(Completer):
    """Completes `d["`, `x.d["`, `m.graph.node[0].`, `show("`, `help("`, `lesson("`; another completer does the rest.

    No property is run but `graph` and `model` of a ModelWrapper.
    """

    def __init__(self, registry: Registry, names: Mapping[str, Any], otherwise: Completer) -> None:
        self._registry = registry
        self._names = names
        self._otherwise = otherwise

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        where = place(document.text_before_cursor)
        in_code = ((_FIELD, self._fields),)
        in_string = ((_KEY, self._keys), (_PLUGIN, self._named), (_LESSON, _lessons))
        for pattern, complete in in_code if where.is_code else in_string:
            match = pattern.search(where.code)
            is_meant = match is not None and (where.is_code or where.is_string(match))
            offered = complete(match) if match is not None and is_meant else None
            if match is not None and offered is not None:
                yield from islice(starting(match["typed"], dict(offered)), _MOST)
                return
        yield from self._otherwise.get_completions(document, complete_event)

    def _keys(self, match: re.Match[str]) -> Iterator[tuple[str, str]] | None:
        """The keys of a dictionary, of the environment, of arrays in a file, or the columns of a table."""
        try:
            value = value_of(match["chain"], self._names)
        except (LookupError, Unknown):
            return None
        is_dict = issubclass(type(value), dict)
        keys = list(dict.keys(value)) if is_dict else listed(value, "keys")
        if not (is_dict or keys):
            return None
        return ((key, "key") for key in keys if isinstance(key, str) and match["quote"] not in key)

    def _fields(self, match: re.Match[str]) -> Iterator[tuple[str, str]] | None:
        """The fields of a message, or of a container in one."""
        name, rest = re.match(r"(\w+)(.*)", match["path"]).groups()  # type: ignore[union-attr]
        value: Any = self._names.get(name)
        for part in PART.finditer(rest):
            try:
                value = _part(value, part)
            except (AttributeError, IndexError, TypeError):
                return None
        if type(value) in (str, bytes, int, float) and rest:  # of a message
            return ((name, "method") for name in dir(value) if name[0] != "_")
        if not is_message(value) and not _is_list(value):
            return None
        fields = {field.name: "field" for field in value.DESCRIPTOR.fields} if is_message(value) else {}
        methods = dict.fromkeys((name for name in dir(type(value)) if name[0] != "_" and name not in fields), "method")
        return iter({**fields, **{name: what for name, what in methods.items() if not name.isupper()}}.items())

    def _named(self, match: re.Match[str]) -> Iterator[tuple[str, str]]:
        """The names of plugins, and for `help` of the pages of the manual."""
        if match["command"] == "help":
            yield from manual.titles().items()
        for kind in KINDS:
            yield from sorted((plugin.name, kind) for plugin in self._registry.snapshot.plugins(kind))


def _is_list(value: Any) -> bool:
    """Whether a value is a repeated field of a message: of messages, or of names and numbers."""
    return is_repeated(value) or type(value).__name__.startswith("RepeatedScalar")


def _part(value: Any, part: re.Match[str]) -> Any:
    """What an attribute or an index of a message, a container or a ModelWrapper gives. Raises TypeError of others."""
    if part["index"] is not None:
        if not _is_list(value):
            raise TypeError
        return value[int(part["index"])]
    is_wrapper = is_model(value) and not is_message(value)
    if is_message(value) or (is_wrapper and part["name"] in _MODEL_FIELDS):
        return getattr(value, part["name"])
    raise TypeError


def _lessons(match: re.Match[str]) -> Iterator[tuple[str, str]]:
    """The Markdown files of the folder that is being typed."""
    folder, slash, _ = match["typed"].rpartition("/")
    for path in sorted(Path(folder or ".").glob("*.md")):
        yield f"{folder}{slash}{path.name}", "lesson"
