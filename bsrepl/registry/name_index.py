"""The names of all plugins in alphabetical order: a keystroke reads what it shows, and what changed since the last."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from heapq import merge
from threading import Lock

from .plugin import Key
from .snapshot import Snapshot
from .store import Registry

_Entry = tuple[str, Key]  # the name in lower case, and the key


class NameIndex:
    """Finds the plugins of a registry whose names begin with, or contain, what is being typed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._snapshot = Snapshot()  # of which these are the names
        self._entries: dict[tuple[str, str], list[_Entry]] = {}  # of each kind and framework
        self._following = Lock()

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
        with self._following:  # completers run in threads
            self._follow()
            return [
                entries
                for (entry_kind, owner), entries in self._entries.items()
                if entry_kind == kind and framework in (None, owner)
            ]

    def _follow(self) -> None:
        """Brings the lists up to the registry's snapshot. One that changes is another: somebody may be reading it."""
        snapshot = self._registry.snapshot
        changed: dict[tuple[str, str], set[Key]] = {}
        for key in snapshot.changed_since(self._snapshot):
            changed.setdefault((key.kind, key.framework), set()).add(key)
        for place, keys in changed.items():
            others = (entry for entry in self._entries.get(place, []) if entry[1] not in keys)
            present = ((key.name.lower(), key) for key in keys if snapshot.seen(key) is not None)
            self._entries[place] = sorted([*others, *present])
        self._snapshot = snapshot

    @staticmethod
    def _from(entries: list[_Entry], wanted: str) -> Iterator[_Entry]:
        for at in range(bisect_left(entries, (wanted,)), len(entries)):
            yield entries[at]
