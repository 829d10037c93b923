"""Packages that publish plugins as entry points: listed from their metadata, loaded when something of them is used.

An entry point of the group `brainsmith.plugins` or `bsrepl.plugins` names a function that returns
`{"transforms": [...], "kernels": [...], "backends": [...], "steps": [...]}`, each plugin a dictionary with its `name`,
`module`, `class_name` (or `func_name`) and whatever else is known of it; or a module, or a function that returns None,
which registers by decorators.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from ..errors import UnavailablePlugin
from ..registry.decorators import source_context
from ..registry.plugin import KINDS, Key, Lazy, Origin, Plugin
from ..registry.unavailable import reason
from ..text.format import safe_repr
from .cache import Index, is_data, state
from .discovery import package_folders
from .plugin_data import as_data, from_data
from .source_reader import Module

GROUPS = ("brainsmith.plugins", "bsrepl.plugins")

_KEYS = {f"{kind}s": kind for kind in KINDS}
_ADDRESS = ("name", "module", "class_name", "func_name")


@dataclass
class EntryPoint:
    """One entry point: its name is the framework of its plugins, its value `module` or `module:function`."""

    group: str
    name: str
    value: str
    distribution: str  # name and version
    plugins: list[Plugin] | None = field(default=None, repr=False)  # None as long as it was not loaded
    failure: str | None = None

    @property
    def module(self) -> str:
        """The name of the module that publishes."""
        return self.value.partition(":")[0]

    def load(self) -> list[Plugin]:
        """What it publishes, nothing of which is imported. Raises UnavailablePlugin if it does not work."""
        from importlib.metadata import EntryPoint as Loader

        try:
            with source_context(self.name):
                published = Loader(self.name, self.value, self.group).load()
                described = None if isinstance(published, ModuleType) else published()
            self.plugins = [] if described is None else list(_plugins(self.name, described))
            self.failure = None
        except Exception as error:
            self.failure = str(error) if isinstance(error, UnavailablePlugin) else reason(error)
            raise UnavailablePlugin(f"the entry point {self.name} of {self.distribution}: {self.failure}") from error
        return self.plugins


def published(index: Index) -> list[EntryPoint]:
    """The entry points of the packages that are installed; with their plugins, if the index has them. Loads none."""
    places = state(sys.path)
    listed = index.recall("entry points", places)
    if not isinstance(listed, list) or not all(map(_is_entry, listed)):
        listed = _listed()
        index.keep("entry points", places, listed)
    entry_points = [EntryPoint(group, name, value, distribution) for group, name, value, distribution in listed]
    for entry_point in entry_points:
        try:
            entry_point.plugins = [
                from_data(plugin, entry_point.name) for plugin in index.recall(_place(entry_point), _state(entry_point))
            ]
        except (KeyError, TypeError, ValueError):  # nothing is kept, or it is damaged
            entry_point.plugins = None
    return entry_points


def _is_entry(held: Any) -> bool:
    return isinstance(held, list) and len(held) == 4 and all(isinstance(text, str) for text in held)


def keep(entry_point: EntryPoint, index: Index) -> None:
    """Puts what an entry point published into the index, for the next start, if it can be kept."""
    published = [as_data(plugin) for plugin in entry_point.plugins or ()]
    if published and is_data(published):
        index.keep(_place(entry_point), _state(entry_point), published)
        index.save()


def _listed() -> list[list[str]]:
    from importlib.metadata import distributions

    by_name: dict[tuple[str, str], list[str]] = {}
    for distribution in distributions():
        for entry_point in distribution.entry_points:
            if entry_point.group in GROUPS:
                version = f"{distribution.metadata['Name']} {distribution.version}"
                by_name.setdefault(
                    (entry_point.group, entry_point.name),
                    [entry_point.group, entry_point.name, entry_point.value, version],
                )
    return list(by_name.values())


def _place(entry_point: EntryPoint) -> str:
    return f"{entry_point.group} {entry_point.name} {entry_point.value}"


def _state(entry_point: EntryPoint) -> list[int]:
    return state([*sys.path, _file(entry_point.value.partition(":")[0]) or ""])


def _plugins(framework: str, described: Any) -> Iterator[Plugin]:
    if not isinstance(described, Mapping):
        raise UnavailablePlugin(f"it returned a {type(described).__name__}, not a dictionary of {', '.join(_KEYS)}")
    for key, kind in _KEYS.items():
        for entry in described.get(key, ()):
            if not isinstance(entry, Mapping) or "name" not in entry:
                raise UnavailablePlugin(f"one of its {key} has no name: {safe_repr(entry)}")
            if "module" not in entry:  # a decorator registers it
                continue
            attribute = str(entry.get("class_name") or entry.get("func_name") or entry["name"])
            metadata = {field: value for field, value in entry.items() if field not in _ADDRESS and value is not None}
            if target := metadata.get("target_kernel"):
                metadata.setdefault("kernel", str(target).rpartition(":")[2])
            target = Lazy(str(entry["module"]), attribute)
            yield Plugin(Key(kind, framework, str(entry["name"])), target, _origin(target), metadata)


def _origin(target: Lazy) -> Origin:
    """Where a class or function of a module stands, without importing the module."""
    file = _file(target.module)
    if file is None:
        return Origin(target.module, 1)
    module = Module(target.module, file)
    statements: list[Any] = [*module.classes, *module.functions()]
    return next((statement.origin for statement in statements if statement.name == target.attribute), Origin(file, 1))


def _file(module: str) -> str | None:
    """The file of a module, found without importing the packages that it is in."""
    package, _, rest = module.partition(".")
    if not rest and (spec := find_spec(package)) is not None and str(spec.origin).endswith(".py"):
        return spec.origin
    for folder in package_folders(package):
        place = os.path.join(folder, *rest.split(".")) if rest else folder
        for candidate in (f"{place}.py", os.path.join(place, "__init__.py")):
            if os.path.isfile(candidate):
                return candidate
    return None
