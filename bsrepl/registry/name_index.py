"""The names of all plugins in alphabetical order, kept so as they come and go: a keystroke reads only what it shows."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from heapq import merge

from .plugin import Key
from .store import Registry

_Entry = tuple[str, Key]  # the name in lower case, and the key
_FEW = 64  # changes that are cheaper one by one than by sorting again


class NameIndex:
    """Follows a registry, and finds the plugins whose names begin with, or contain, what is being typed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._entries: dict[tuple[str, str], list[_Entry]] = {}  # of each kind and framework
        self.follow(list(registry.snapshot.keys()))
        registry.followers.append(self.follow)

    def follow(self, changed: list[Key]) -> None:
        """Brings the order up to the registry's snapshot, for the keys that changed."""
        places: dict[tuple[str, str], list[Key]] = {}
        for key in changed:
            places.setdefault((key.kind, key.framework), []).append(key)
        for place, keys in places.items():
            entries = self._entries.setdefault(place, [])
            present = [(key.name.lower(), key) for key in keys if self._registry.snapshot.seen(key) is not None]
            if len(keys) > _FEW:
                gone = set(keys)
                self._entries[place] = sorted([*(entry for entry in entries if entry[1] not in gone), *present])
                continue
            for key in keys:
                at = bisect_left(entries, (key.name.lower(), key))
                if at < len(entries) and entries[at][1] == key:
                    del entries[at]
            for entry in present:
                insort(entries, entry)

    def starting(self, kind: str, framework: str | None, typed: str) -> Iterator[Key]:
        """The keys whose names begin with `typed`, whatever its case, by name."""
        wanted = typed.lower()
        for name, key in merge(*(self._from(entries, wanted) for entries in self._lists(kind, framework))):
            if not name.startswith(wanted):
                return
            yield key

    def containing(self, kind: str, framework: str | None, typed: str) -> Iterator[Key]:
        """The keys whose names contain `typed` but do not begin with it, by name."""
        wanted = typed.lower()
        if not wanted:
            return
        for entries in self._lists(kind, framework):
            for name, key in entries:
                if wanted in name and not name.startswith(wanted):
                    yield key

    def _lists(self, kind: str, framework: str | None) -> list[list[_Entry]]:
        return [
            entries
            for (entry_kind, owner), entries in self._entries.items()
            if entry_kind == kind and framework in (None, owner)
        ]

    @staticmethod
    def _from(entries: list[_Entry], wanted: str) -> Iterator[_Entry]:
        for at in range(bisect_left(entries, (wanted,)), len(entries)):
            yield entries[at]
