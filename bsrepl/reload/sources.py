"""The sources of modules that are not installed: plugin files, with what they import."""

from __future__ import annotations

from collections.abc import Mapping
from os.path import basename, dirname, relpath
from typing import NamedTuple

from .loaded import Loaded


class Source(NamedTuple):
    """The file that a module is made from, and all that it takes, by their paths in a folder."""

    file: str
    files: Mapping[str, bytes]


def source_of(module: str, loaded: Mapping[str, Loaded]) -> Source | None:
    """The source of a module and of all that it imports, as they were executed; None of one that is not `loaded`."""
    path = next((path for path, code in loaded.items() if code.module.__name__ == module), None)
    if path is None:
        return None
    needed = {path}
    waiting = [path]
    while waiting:
        imported = {other for other in loaded[waiting.pop()].imports if other in loaded} - needed
        needed |= imported
        waiting += imported
    root = _root(path, loaded[path])
    return Source(relpath(path, root), {relpath(other, root): loaded[other].source for other in sorted(needed)})


def _root(path: str, loaded: Loaded) -> str:
    """The folder that a file's module is imported from."""
    folder = dirname(path)
    for _ in range(loaded.module.__name__.count(".") + (basename(path) == "__init__.py")):
        folder = dirname(folder)
    return folder
