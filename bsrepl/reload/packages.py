"""The packages that are followed, as people ask for them: where they are, and how much of them is imported."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from os.path import basename, dirname
from types import ModuleType
from typing import NamedTuple

from ..frameworks.cache import python_files


class FollowedPackage(NamedTuple):
    """A package under development."""

    name: str
    folders: tuple[str, ...]  # or the file, of a module that is in no package
    imported: int  # of its modules
    modules: int


def followed_packages(imported: Iterable[ModuleType], listed: Mapping[str, tuple[str, ...]]) -> list[FollowedPackage]:
    """The packages of these modules, and those that are `listed`: names with their folders."""
    counts = Counter(module.__name__.partition(".")[0] for module in imported)
    folders = {name: _folders(name) for name in counts} | dict(listed)
    return [
        FollowedPackage(name, places, counts[name], sum(len(list(python_files(place))) or 1 for place in places))
        for name, places in sorted(folders.items())
    ]


def _folders(package: str) -> tuple[str, ...]:
    module = sys.modules.get(package)
    file = str(getattr(module, "__file__", None) or "")
    if file and basename(file) != "__init__.py":
        return (file,)
    return tuple(getattr(module, "__path__", ())) or (dirname(file),)
