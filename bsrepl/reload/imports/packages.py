"""The packages that are followed, as people ask for them: where they are, and how much of them is imported."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from os.path import basename, dirname
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from ...frameworks.cache import python_files
from ..follow import raw


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


def importers(names: Collection[str]) -> list[ModuleType]:
    """The modules that hold one of those with these `names`, or something that it defines; they themselves and the
    shell's own left out."""
    return [
        module
        for name, module in list(sys.modules.items())
        if type(module) is ModuleType
        and name not in names
        and name != "__main__"
        and name.partition(".")[0] != "bsrepl"
        and any(_home(value) in names for value in list(vars(module).values()))
    ]


def _home(value: Any) -> str:
    """The module that a value is, or that a class or function is from."""
    if type(value) is ModuleType:
        return value.__name__
    if type(value) is FunctionType:
        return str(value.__module__)
    return raw.module_name(value) if raw.is_type(value) else ""


def _folders(package: str) -> tuple[str, ...]:
    module = sys.modules.get(package)
    file = str(getattr(module, "__file__", None) or "")
    if file and basename(file) != "__init__.py":
        return (file,)
    return tuple(getattr(module, "__path__", ())) or (dirname(file),)
