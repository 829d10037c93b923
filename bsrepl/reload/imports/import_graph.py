"""Which file depends on which, and which files therefore count together. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

_Imports = Mapping[str, Collection[str]]


class Dependencies:
    """A graph of files, readable in both directions."""

    def __init__(self) -> None:
        self._imports: dict[str, set[str]] = {}
        self._importers: dict[str, set[str]] = {}
        #: What lost an importer since somebody last looked.
        self.released: set[str] = set()

    def of(self, path: str) -> Collection[str]:
        return self._imports.get(path, ())

    def importers(self, path: str) -> Collection[str]:
        return self._importers.get(path, ())

    def put(self, path: str, imports: Iterable[str]) -> None:
        """Makes `imports` what a file depends on."""
        new = set(imports)
        for other in self._imports.pop(path, set()) - new:
            self._importers[other].discard(path)
            self.released.add(other)
        for other in new:
            self._importers.setdefault(other, set()).add(path)
        if new:
            self._imports[path] = new

    def with_importers(
        self, paths: Iterable[str], counts: Callable[[str, str], bool] = lambda importer, path: True
    ) -> set[str]:
        """The files, what imports them, what imports that, and so on, as far as each importer of a path counts."""
        found = set(paths)
        rest = list(found)
        while rest:
            path = rest.pop()
            new = {each for each in self.importers(path) if each not in found and counts(each, path)}
            found |= new
            rest += new
        return found


def groups(paths: Iterable[str], now: _Imports, before: _Imports, failed: Collection[str]) -> list[frozenset[str]]:
    """Parts `paths` into the sets that are joined by imports, in the order of their least paths.

    `now` are the imports that the files were seen to do this time, `before` those of the versions that are live. A file
    that failed, and whatever is joined to it, will go on living as it was; so it needs what it needed, and what it
    needed before joins it as well.
    """
    joined: dict[str, set[str]] = {path: set() for path in paths}

    def join(path: str, others: Iterable[str]) -> None:
        for other in others:
            if other in joined:
                joined[path].add(other)
                joined[other].add(path)

    def closure(start: Iterable[str]) -> set[str]:
        found = set(start)
        rest = list(found)
        while rest:
            new = joined[rest.pop()] - found
            found |= new
            rest += new
        return found

    for path in joined:
        join(path, now.get(path, ()))
    kept: set[str] = set()
    while more := closure(kept | set(failed)) - kept:
        for path in more:
            join(path, before.get(path, ()))
        kept |= more

    found: list[frozenset[str]] = []
    rest = set(joined)
    for path in sorted(joined):
        if path in rest:
            group = frozenset(closure([path]))
            rest -= group
            found.append(group)
    return found
