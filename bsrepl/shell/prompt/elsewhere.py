"""Completion as at our prompt, for one that is not ours: of our namespaces and commands alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from prompt_toolkit.completion import CompleteEvent, Completer, DummyCompleter
from prompt_toolkit.document import Document

from ...registry.namespaces import Namespace, belonging
from ...registry.store import Registry
from .completion import NamespaceCompleter
from .values_completion import ValuesCompleter

_DEEPER = re.compile(r"(?<![\w.])(?P<namespace>\w+)\.(?P<path>(?:\w+\.)*)(?P<typed>\w*)$")


class Offer(NamedTuple):
    """One completion."""

    text: str
    typed: str  # the end of what was typed, whose place it takes
    kind: str  # what it is: `transform`, `12 transforms`


def completer(registry: Registry, names: Mapping[str, Any]) -> Callable[[str], list[Offer]]:
    """What gives the completions of a text, given the names of a session; none if the text is not for us."""
    ours: Completer = ValuesCompleter(registry, names, DummyCompleter())
    ours = NamespaceCompleter(registry, lambda: names, ours)

    def offers(text: str) -> list[Offer]:
        found = ours.get_completions(Document(text), CompleteEvent())
        listed = [
            Offer(each.text, text[len(text) + each.start_position :], each.display_meta_text.partition("  ")[0])
            for each in found
        ]
        return listed or _itself(text, registry, names)

    return offers


def _itself(text: str, registry: Registry, names: Mapping[str, Any]) -> list[Offer]:
    """What is typed of an attribute that no namespace has, or of a plugin that is not imported: others would import
    that."""
    deeper = _DEEPER.search(text)
    namespace = names.get(deeper["namespace"]) if deeper is not None else None
    if deeper is None or not isinstance(namespace, Namespace):
        return []
    if _is_imported(registry, namespace, deeper["path"].split(".")):
        return []
    return [Offer(deeper["typed"], deeper["typed"], "")]


def _is_imported(registry: Registry, namespace: Namespace, path: list[str]) -> bool:
    """Whether a path in a namespace leads to a plugin whose module is imported."""
    if path[0] in namespace.frameworks():
        return _is_imported(registry, getattr(namespace, path[0]), path[1:])
    kind, framework = belonging(namespace)
    plugin = registry.snapshot.get(kind, path[0], framework)
    return plugin is not None and plugin.is_loaded
