"""The sources of modules that are not installed: plugin files with what they import, and what commands defined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os.path import basename, dirname, relpath
from typing import NamedTuple

from .reloader import Loaded

_SESSION = "session.py"


class Source(NamedTuple):
    """Where a module came from: its file, and all that it takes, by their paths in a folder."""

    file: str
    files: Mapping[str, bytes]


def source_of(module: str, loaded: Mapping[str, Loaded], definitions: Callable[[], str]) -> Source | None:
    """The source of a module and of all that it imports, as they were executed; None of one that is installed.

    `loaded` are the plugin files and their helpers, `definitions` gives what the commands of the session defined.
    """
    if module == "__main__":
        return Source(_SESSION, {_SESSION: definitions().encode()})
    path = next((path for path, each in loaded.items() if each.module.__name__ == module), None)
    if path is None:
        return None
    needed = {path}
    waiting = [path]
    while waiting:
        found = {other for other in loaded[waiting.pop()].imports if other in loaded} - needed
        needed |= found
        waiting += found
    root = _root(path, loaded[path])
    return Source(relpath(path, root), {relpath(each, root): loaded[each].source for each in sorted(needed)})


def _root(path: str, loaded: Loaded) -> str:
    """The folder that a file's module is imported from."""
    folder = dirname(path)
    for _ in range(loaded.module.__name__.count(".") + (basename(path) == "__init__.py")):
        folder = dirname(folder)
    return folder
