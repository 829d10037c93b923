"""Which file depends on which: what it imports, and what it would import if that were there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable


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
