"""A snapshot: the whole registry at one moment, immutable and indexed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from ..text.format import safe_repr
from .persistent_map import PersistentMap, differences
from .plugin import Key, Plugin, precedence

_Posting = PersistentMap[Key, Plugin]
_NOTHING: PersistentMap[Any, Any] = PersistentMap()
_K = TypeVar("_K")
_V = TypeVar("_V")


class Snapshot:
    """The whole registry at one moment, immutable.

    Several sources may claim one key: a built-in, a plugin file, the session. The latest claim is the one that is seen;
    when it is withdrawn, the one before it is seen again. Every metadata value is indexed, so that finding costs the
    number of hits.
    """

    __slots__ = ("_claims", "_frameworks", "_index")

    def __init__(self) -> None:
        self._frameworks: dict[str, tuple[str, ...]] = {}  # of the kinds that were asked for
        self._claims: PersistentMap[Key, tuple[Plugin, ...]] = _NOTHING
        self._index: PersistentMap[tuple[str, str], PersistentMap[Hashable, _Posting]] = _NOTHING

    def replacing(
        self,
        withdrawn: Iterable[Plugin],
        registered: Iterable[Plugin],
        exchanged: Iterable[tuple[Plugin, Plugin]] = (),
    ) -> Snapshot:
        """This snapshot without the claims of `withdrawn` and with those of `registered`, the last on top. In each pair
        of `exchanged`, which have one key, the second plugin takes the place of the first."""
        claims: dict[Key, tuple[Plugin, ...]] = {}
        for former, latter in exchanged:
            held = claims.get(former.key, self._claims.get(former.key, ()))
            claims[former.key] = tuple(latter if other is former else other for other in held)
        for plugin in withdrawn:
            held = claims.get(plugin.key, self._claims.get(plugin.key, ()))
            claims[plugin.key] = tuple(other for other in held if other is not plugin)
        for plugin in registered:
            held = claims.get(plugin.key, self._claims.get(plugin.key, ()))
            claims[plugin.key] = (*(other for other in held if _source(other) != _source(plugin)), plugin)

        postings: dict[tuple[str, str], dict[Hashable, dict[Key, Plugin | None]]] = {}
        for key, held in claims.items():
            before, after = self.seen(key), held[-1] if held else None
            if before is after:
                continue
            for claimant, stands in ((before, None), (after, after)):
                if claimant is not None:
                    for name, value in _terms(claimant):
                        postings.setdefault((key.kind, name), {}).setdefault(value, {})[key] = stands

        new = Snapshot()
        new._claims = _merged(self._claims, claims)
        new._index = _merged(
            self._index,
            {
                place: _merged(
                    self._index.get(place, _NOTHING),
                    {
                        value: _merged(self._index.get(place, _NOTHING).get(value, _NOTHING), posting)
                        for value, posting in values.items()
                    },
                )
                for place, values in postings.items()
            },
        )
        return new

    def seen(self, key: Key) -> Plugin | None:
        """The plugin that a key means now."""
        claims = self._claims.get(key)
        return claims[-1] if claims else None

    def claims(self, key: Key) -> tuple[Plugin, ...]:
        """Every plugin that claims a key, the one that is seen last."""
        return self._claims.get(key, ())

    def get(self, kind: str, name: str, framework: str | None = None) -> Plugin | None:
        """The plugin of a short name (`FoldBias`) or a qualified one (`qonnx:FoldConstants`), or None.

        A short name means the plugin of the first framework, in the order of `plugin.precedence`, that has it.
        """
        prefix, colon, rest = name.partition(":")
        if framework is not None:
            return self.seen(Key(kind, framework, name))
        if colon:
            return self.seen(Key(kind, prefix, rest))
        for candidate in self.frameworks(kind):
            plugin = self.seen(Key(kind, candidate, name))
            if plugin is not None:
                return plugin
        return None

    def frameworks(self, kind: str) -> tuple[str, ...]:
        """The frameworks that have a plugin of this kind, in the order in which short names are looked up."""
        cached = self._frameworks.get(kind)
        if cached is None:
            known = map(str, self._index.get((kind, "framework"), _NOTHING))
            cached = self._frameworks[kind] = tuple(sorted(known, key=precedence))
        return cached

    def values(self, kind: str, field: str, framework: str | None = None) -> dict[Hashable, int]:
        """The values that the plugins of a kind, or of a framework among them, have for a field; how many have each."""
        postings = self._index.get((kind, field), _NOTHING).items()
        if framework is None:
            return {value: len(posting) for value, posting in postings}
        counted = {value: sum(key.framework == framework for key in posting) for value, posting in postings}
        return {value: count for value, count in counted.items() if count}

    def fields(self, kind: str) -> list[str]:
        """The metadata fields that any plugin of a kind has, `framework` among them."""
        return sorted(field for indexed_kind, field in self._index if indexed_kind == kind)

    def count(self, kind: str, framework: str | None = None) -> int:
        if framework is not None:
            return len(self._posting(kind, "framework", framework))
        return sum(self.values(kind, "framework").values())

    def plugins(self, kind: str, framework: str | None = None) -> Iterator[Plugin]:
        """Every plugin of a kind, in no particular order."""
        frameworks = self._index.get((kind, "framework"), _NOTHING)
        for name, posting in frameworks.items():
            if framework in (None, name):
                yield from posting.values()

    def find(self, kind: str, text: str | None = None, **criteria: Any) -> list[Plugin]:
        """The plugins that match all of the criteria, by name.

        `text` is looked for in the name and in the values of the metadata, whatever its case. `name` is a glob pattern,
        case sensitive. Every other criterion names a metadata field and the value it must have, or be a list that
        has; a string with `*` or `?` is a pattern, None asks for plugins without the field.
        """
        name = criteria.pop("name", None)
        postings = [self._matching(kind, field, value) for field, value in criteria.items() if value is not None]
        plugins: Iterable[Plugin]
        if postings:
            smallest, *others = sorted(postings, key=len)
            plugins = smallest.values()
            if others:
                plugins = [smallest[key] for key in smallest if all(key in other for other in others)]
        else:
            plugins = self.plugins(kind)
        for field in [field for field, value in criteria.items() if value is None]:
            plugins = [plugin for plugin in plugins if plugin.metadata.get(field) is None]
        if name is not None:
            plugins = [plugin for plugin in plugins if fnmatchcase(plugin.name, name)]
        if text is not None:
            plugins = [plugin for plugin in plugins if _mentions(plugin, text.lower())]
        return sorted(plugins, key=lambda plugin: (plugin.key.name, precedence(plugin.key.framework)))

    def keys(self) -> Iterator[Key]:
        """Every key that a plugin is registered under, in no particular order."""
        return iter(self._claims)

    def changed_since(self, older: Snapshot) -> Iterator[Key]:
        """The keys whose claims differ, in time proportional to their number."""
        return differences(older._claims, self._claims)

    def rebased(self, base: Snapshot, since: Snapshot) -> Snapshot:
        """`base` with what changed in this one since another: others may have registered something meanwhile."""
        keys = list(self.changed_since(since))
        gone = [claim for key in keys for claim in since.claims(key) if not _is_in(claim, self.claims(key))]
        new = [claim for key in keys for claim in self.claims(key) if not _is_in(claim, since.claims(key))]
        return base.replacing(gone, new) if keys else base

    def _posting(self, kind: str, field: str, value: Hashable) -> _Posting:
        return self._index.get((kind, field), _NOTHING).get(value, _NOTHING)

    def _matching(self, kind: str, field: str, value: Any) -> Mapping[Key, Plugin]:
        if isinstance(value, str) and ("*" in value or "?" in value):
            matched: dict[Key, Plugin] = {}
            for candidate in self.values(kind, field):
                if isinstance(candidate, str) and fnmatchcase(candidate, value):
                    matched.update(self._posting(kind, field, candidate))
            return matched
        return self._posting(kind, field, value) if isinstance(value, Hashable) else {}


def _is_in(plugin: Plugin, plugins: Iterable[Plugin]) -> bool:
    return any(other is plugin for other in plugins)


def _source(plugin: Plugin) -> str:
    """Who makes the claim: a file, or the session whatever the command."""
    return plugin.origin.file if plugin.origin.is_file else "session"


def _terms(plugin: Plugin) -> Iterator[tuple[str, Hashable]]:
    """The (field, value) pairs that a plugin is found by; a list or a set is found by each of its elements."""
    yield "framework", plugin.framework
    for field, value in plugin.metadata.items():
        elements = value if isinstance(value, (list, tuple, set, frozenset)) else (value,)
        for element in elements:
            try:
                hash(element)
            except TypeError:
                continue
            if element is not None:
                yield field, element


def _mentions(plugin: Plugin, text: str) -> bool:
    return text in plugin.name.lower() or any(text in _text(value) for value in plugin.metadata.values())


def _text(value: object) -> str:
    return (value if isinstance(value, str) else safe_repr(value)).lower()


def _merged(old: PersistentMap[_K, Any], changes: Mapping[_K, Any]) -> PersistentMap[_K, Any]:
    """`old` with `changes` put in, and what they leave empty taken out."""
    kept = {key: value for key, value in changes.items() if value}
    return old.updated(kept, changes.keys() - kept.keys() if len(kept) < len(changes) else ())
