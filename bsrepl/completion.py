"""Completion of the namespaces from the registry alone: nothing is imported, and no attribute is asked for its value.

The snapshot that a completion reads is immutable, so the thread that ptpython completes in needs no lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from .namespaces import Namespace, summary
from .plugin import Plugin
from .workbench import samples

_ATTRIBUTE = re.compile(r"(?<![\w.])(?P<namespace>\w+)\.(?:(?P<framework>\w+)\.)?(?P<typed>\w*)$")
_ITEM = re.compile(r"(?<![\w.])(?P<namespace>\w+)\[(?P<quote>[\"'])(?P<typed>[^\"']*)$")
_DEEPER = re.compile(r"(?<![\w.])(?P<namespace>\w+)\.[\w.]*$")
_SAMPLE = re.compile(r"(?<![\w.])load\((?P<quote>[\"'])(?P<typed>[^\"']*)$")

_MOST = 1000  # completions of one kind; nobody reads more


class NamespaceCompleter(Completer):
    """Completes `tfm.`, `tfm.qonnx.`, `tfm["` and `load("`; everything else is left to another completer."""

    def __init__(self, names: Callable[[], Mapping[str, Any]], otherwise: Completer) -> None:
        self._names = names
        self._otherwise = otherwise

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = document.current_line_before_cursor
        for pattern, complete in ((_ATTRIBUTE, self._attributes), (_ITEM, self._items)):
            if (match := pattern.search(before)) and isinstance(self._names().get(match["namespace"]), Namespace):
                yield from complete(self._names()[match["namespace"]], match)
                return
        if match := _SAMPLE.search(before):
            yield from _matching(samples(), match["typed"], lambda name: "sample model")
        deeper = _DEEPER.search(before)
        if deeper is None or not isinstance(self._names().get(deeper["namespace"]), Namespace):
            yield from self._otherwise.get_completions(document, complete_event)

    def _attributes(self, namespace: Namespace, match: re.Match[str]) -> Iterator[Completion]:
        framework, typed = match["framework"], match["typed"]
        if framework and framework not in namespace.frameworks():
            return  # the attributes of a plugin: they would have to be imported
        if framework:
            namespace = getattr(namespace, framework)
        else:
            yield from _matching(namespace.frameworks(), typed, lambda name: "framework")
        plugins = {plugin.name: plugin for plugin in namespace.all().plugins if plugin.name.isidentifier()}
        yield from _matching(plugins, typed, lambda name: describe(plugins[name]))
        yield from _matching(("find", "all"), typed, lambda name: "method")

    def _items(self, namespace: Namespace, match: re.Match[str]) -> Iterator[Completion]:
        plugins = {plugin.key.qualified: plugin for plugin in namespace.all().plugins}
        yield from _matching(plugins, match["typed"], lambda name: describe(plugins[name]))


def describe(plugin: Plugin) -> str:
    """What stands beside a completion: kind, metadata and origin."""
    return "  ".join(filter(None, (plugin.kind, summary(plugin), str(plugin.origin))))


def _matching(names: Iterable[str], typed: str, meta: Callable[[str], str]) -> Iterator[Completion]:
    """Completions of the names that begin with what was typed, then of those that contain it, whatever the case."""
    wanted = typed.lower()
    starting = [name for name in names if name.lower().startswith(wanted)]
    containing = [name for name in names if wanted in name.lower() and not name.lower().startswith(wanted)]
    for name in [*starting, *containing][:_MOST]:
        yield Completion(name, -len(typed), display_meta=meta(name))
