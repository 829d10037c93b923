"""Completion of the namespaces from the registry alone: nothing is imported, and no attribute is asked for its value.

The snapshot that a completion reads is immutable, so the thread that ptpython completes in needs no lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from heapq import nsmallest
from itertools import chain, islice
from typing import Any, TypeVar

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ...frameworks.qonnx.samples import samples
from ...registry.listing import summary
from ...registry.name_index import NameIndex
from ...registry.namespaces import Namespace, belonging
from ...registry.plugin import Key, Plugin
from ...registry.store import Registry
from ...text.format import counted
from ...text.patterns import late_pattern
from .place import Place, place

_NAMESPACE = r"(?<![\w.])(?P<namespace>\w+)(?:\.(?P<framework>\w+))?"
_ATTRIBUTE = late_pattern(rf"{_NAMESPACE}\.(?P<typed>\w*)$")
_ITEM = late_pattern(rf"{_NAMESPACE}\[(?P<quote>[\"'])(?P<typed>[^\"']*)$")
_FIND = late_pattern(rf"{_NAMESPACE}\.find\((?P<arguments>[^()]*)$")
_KERNEL = late_pattern(rf"{_NAMESPACE}\.for_kernel\((?P<quote>[\"'])(?P<typed>[^\"']*)$")
_VALUE = late_pattern(r"(?:^|,)\s*(?:(?P<field>\w+)\s*=\s*)?(?P<quote>[\"'])(?P<typed>[^\"']*)$")
_BARE_VALUE = late_pattern(r"(?:^|,)\s*(?P<field>\w+)\s*=\s*(?P<typed>[\w.]*)$")
_FIELD = late_pattern(r"(?:^|,)\s*(?P<typed>\w*)$")
_DEEPER = late_pattern(r"(?<![\w.])(?P<namespace>\w+)\.[\w.]*$")
_SAMPLE = late_pattern(r"(?<![\w.])load\((?P<quote>[\"'])(?P<typed>[^\"']*)$")

_T = TypeVar("_T")

_MOST = 500  # plugins that are offered at once; nobody reads more
_METHODS = {"find": "the plugins that match", "all": "every plugin", "frameworks": "whose plugins there are"}
_BACKEND_METHODS = {**_METHODS, "for_kernel": "the backends of a kernel"}


class NamespaceCompleter(Completer):
    """Completes `tfm.`, `tfm.qonnx.`, `tfm["`, `tfm.find(stage="`, `backends.for_kernel("` and `load("`.

    Another completer does the rest.
    """

    def __init__(self, registry: Registry, names: Callable[[], Mapping[str, Any]], otherwise: Completer) -> None:
        self._registry = registry
        self._index = NameIndex(registry)
        self._names = names
        self._otherwise = otherwise
        self._ways: dict[re.Pattern[str], Callable[[Namespace, re.Match[str]], Iterator[Completion]]] = {
            _FIND: self._arguments,
            _ATTRIBUTE: self._attributes,
            _ITEM: self._items,
            _KERNEL: self._kernels,
        }

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        where = place(document.text_before_cursor)
        for pattern, complete in self._ways.items():
            match = pattern.search(where.code)
            if match is None or not _is_meant(match, where) or (namespace := self._namespace(match)) is None:
                continue
            yield from complete(namespace, match)
            if pattern is _FIND and _BARE_VALUE.search(match["arguments"]):
                break  # the value may be a name of the session as well
            return
        if (match := _SAMPLE.search(where.code)) and where.is_string(match):
            yield from _offered(match["typed"], dict.fromkeys(samples(), "sample model"))
        deeper = _DEEPER.search(where.code) if where.is_code else None
        if deeper is None or not isinstance(self._names().get(deeper["namespace"]), Namespace):
            yield from self._otherwise.get_completions(document, complete_event)

    def _namespace(self, match: re.Match[str]) -> Namespace | None:
        """The namespace that was typed, or None if it is none."""
        namespace = self._names().get(match["namespace"])
        if not isinstance(namespace, Namespace):
            return None
        if match["framework"] is None:
            return namespace
        return getattr(namespace, match["framework"]) if match["framework"] in namespace.frameworks() else None

    def _attributes(self, namespace: Namespace, match: re.Match[str]) -> Iterator[Completion]:
        kind, framework = belonging(namespace)
        typed = match["typed"]
        yield from starting(typed, dict.fromkeys(namespace.frameworks(), "framework"))
        first = self._names_of(self._index.starting(kind, framework, typed), _MOST)
        yield from self._plugins(kind, framework, typed, first)
        yield from starting(typed, _BACKEND_METHODS if kind == "backend" else _METHODS)
        containing = self._names_of(self._index.containing(kind, framework, typed), _MOST - len(first))
        yield from self._plugins(kind, framework, typed, containing)

    @staticmethod
    def _names_of(keys: Iterator[Key], most: int) -> list[str]:
        return list(dict.fromkeys(islice((key.name for key in keys if key.name.isidentifier()), most)))

    def _plugins(self, kind: str, framework: str | None, typed: str, names: Iterable[str]) -> Iterator[Completion]:
        """The plugins of these short names, each of which means one."""
        for name in names:
            yield from _of_plugin(name, self._registry.snapshot.get(kind, name, framework), typed)

    def _items(self, namespace: Namespace, match: re.Match[str]) -> Iterator[Completion]:
        kind, framework = belonging(namespace)
        prefix, colon, rest = match["typed"].rpartition(":")
        keys = self._matching(kind, prefix if colon else framework, rest)
        for key in islice(keys, _MOST):
            name = key.qualified if framework is None else key.name
            yield from _of_plugin(name, self._registry.snapshot.seen(key), match["typed"])

    def _kernels(self, namespace: Namespace, match: re.Match[str]) -> Iterator[Completion]:
        """The kernels that `for_kernel` may be asked for."""
        names = (key.name for key in islice(self._matching("kernel", None, match["typed"]), _MOST))
        yield from _offered(match["typed"], dict.fromkeys(names, "kernel"))

    def _arguments(self, namespace: Namespace, match: re.Match[str]) -> Iterator[Completion]:
        """The fields that `find` may be asked for, or the values that there are, with how many plugins have each."""
        kind, framework = belonging(namespace)
        snapshot, arguments = self._registry.snapshot, match["arguments"]
        if value := _VALUE.search(arguments):
            if value["field"] in (None, "name"):
                names = dict.fromkeys(
                    key.name for key in islice(self._matching(kind, framework, value["typed"]), _MOST)
                )
                yield from _offered(value["typed"], dict.fromkeys(names, kind))
            else:
                there = snapshot.values(kind, value["field"], framework).items()
                counts = {value: count for value, count in there if isinstance(value, str)}
                yield from _offered(value["typed"], counts, lambda count: counted(count, kind))
        elif value := _BARE_VALUE.search(arguments):
            there = snapshot.values(kind, value["field"], framework).items()
            counts = {repr(value): count for value, count in there}
            yield from _offered(value["typed"], counts, lambda count: counted(count, kind))
        elif field := _FIELD.search(arguments):
            fields = {
                f"{field}=": "metadata" for field in snapshot.fields(kind) if not (framework and field == "framework")
            }
            yield from _offered(field["typed"], {"name=": "glob pattern", **fields})

    def _matching(self, kind: str, framework: str | None, typed: str) -> Iterator[Key]:
        index = self._index
        return chain(index.starting(kind, framework, typed), index.containing(kind, framework, typed))


def _is_meant(match: re.Match[str], where: Place) -> bool:
    """Whether what a pattern has found is code, or a string of its own, and not part of another one."""
    if where.is_code or where.is_comment:
        return where.is_code
    if "arguments" in match.re.groupindex:
        value = _VALUE.search(match["arguments"])
        return value is not None and where.quote == match.start("arguments") + value.start("quote")
    return "quote" in match.re.groupindex and where.is_string(match)


def describe(plugin: Plugin) -> str:
    """What stands beside a completion: kind, metadata and origin."""
    return "  ".join(filter(None, (plugin.kind, summary(plugin), str(plugin.origin))))


def _of_plugin(name: str, plugin: Plugin | None, typed: str) -> Iterator[Completion]:
    if plugin is not None:  # it has not gone meanwhile
        yield Completion(name, -len(typed), display_meta=lambda: describe(plugin))


def starting(typed: str, meanings: Mapping[str, str]) -> Iterator[Completion]:
    """The names that begin with what was typed, with what stands beside each."""
    for name, what in meanings.items():
        if name.startswith(typed):
            yield Completion(name, -len(typed), display_meta=what)


def _offered(typed: str, known: Mapping[str, _T], meaning: Callable[[_T], str] = str) -> Iterator[Completion]:
    """Completions of the names that begin with what was typed, then of those that contain it, whatever the case;
    beside each what is `said` of what is known of it."""
    wanted = typed.lower()
    matching = [(not lower.startswith(wanted), name) for name in known if wanted in (lower := name.lower())]
    for _, name in nsmallest(_MOST, matching):
        yield Completion(name, -len(typed), display_meta=meaning(known[name]))
