"""A framework whose files change: its plugins, read again from what has changed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from os.path import sep
from typing import Any

from ..registry.plugin import Key, Lazy, Plugin
from .discovery import Framework, plugins_of
from .source_reader import Module, modules

#: The frameworks of whose modules only the outline counts: what is in the bodies of their classes says nothing.
_BY_OUTLINE = frozenset({"qonnx"})


class Reading:
    """The plugins of one framework, none of which is imported, by their keys: `plugins` is as its files say."""

    def __init__(self, framework: Framework) -> None:
        self.framework = framework.name
        self.package_folders = framework.folders
        self.folders = list(dict.fromkeys(root for roots in framework.places.values() for root in roots))
        self.plugins: dict[Key, Plugin] = {plugin.key: plugin for plugin in framework.plugins}
        self._places = framework.places
        self._modules: dict[str, Module] = {}  # by the paths of their files; filled when something changes

    def has(self, path: str) -> bool:
        """Whether a file, which may be gone, lies in one of the folders that are read."""
        return any(path.startswith(folder + sep) for folder in self.folders)

    def update(self, texts: Mapping[str, str | None]) -> list[tuple[Plugin | None, Plugin | None]]:
        """Takes in what the files hold now, by their paths; None of one that is gone. Returns what was listed and what
        is instead, where that differs."""
        before = self._modules
        if not before or any(text is None or path not in before for path, text in texts.items()):
            present = [module for package, roots in self._places.items() for module in modules(roots, package).values()]
            kept = {path: module for path, module in before.items() if path not in texts}  # missing, for the moment
            self._modules = kept | {module.path: kept.get(module.path, module) for module in present}
        changed = [
            Module(self._modules[path].name, path, text) for path, text in texts.items() if path in self._modules
        ]
        self._modules = self._modules | {module.path: module for module in changed}
        is_outlined = self._modules.keys() == before.keys() and self.framework in _BY_OUTLINE
        if is_outlined and all(_outline(before[module.path]) == _outline(module) for module in changed):
            return self._move(changed)
        listed = plugins_of(self.framework, {module.name: module for module in self._modules.values()})
        former, self.plugins = self.plugins, {plugin.key: self._kept(plugin) for plugin in listed}
        keys = former.keys() | self.plugins.keys()
        pairs = [(former.get(key), self.plugins.get(key)) for key in keys]
        return [(old, new) for old, new in pairs if old is not new]

    def _move(self, changed: list[Module]) -> list[tuple[Plugin | None, Plugin | None]]:
        """Nothing but the lines have changed in these modules."""
        pairs: list[tuple[Plugin | None, Plugin | None]] = []
        for module in changed:
            origins = {statement.name: statement.origin for statement in module.classes}
            for key, plugin in self.plugins.items():
                target: Any = plugin.target
                if target.module == module.name and origins[target.attribute] != plugin.origin:
                    self.plugins[key] = replace(plugin, origin=origins[target.attribute])
                    pairs.append((plugin, self.plugins[key]))
        return pairs

    def _kept(self, plugin: Plugin) -> Plugin:
        """The plugin that was listed before, if it says the same."""
        before = self.plugins.get(plugin.key)
        return before if before is not None and _content(before) == _content(plugin) else plugin


def _content(plugin: Plugin) -> tuple[Any, ...]:
    target: Lazy = plugin.target
    return target.module, target.attribute, target.needs, plugin.origin, plugin.metadata


def _outline(module: Module) -> list[tuple[Hashable, ...]]:
    return [(each.name, each.bases, each.abstract, each.defined) for each in module.classes]
