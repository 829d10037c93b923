"""Puts what is installed into a registry: the frameworks whose source was read, and what packages publish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import UnavailablePlugin
from ..registry.namespaces import expect
from ..registry.plugin import BRAINSMITH, KINDS, Key, Plugin, precedence
from ..registry.store import Registry
from ..registry.unavailable import installed_packages
from . import entry_points
from .cache import Index
from .discovery import Framework, builtin_plugins, installed
from .entry_points import EntryPoint

if TYPE_CHECKING:
    from .reading import Reading


class Installation(NamedTuple):
    """What is known of one framework."""

    name: str
    version: str | None  # of the distribution it was installed by; None of a source tree
    folders: tuple[str, ...]
    counts: dict[str, int]  # of each kind that it has
    unavailable: dict[str, int]  # why plugins of it cannot be taken -> how many
    entry_points: tuple[EntryPoint, ...]


class Installed:
    """The frameworks and the entry points of this installation; what is in them is registered, or will be when used.

    `index_file` is where what was found out is kept for the next time; None keeps nothing.
    """

    def __init__(self, registry: Registry, index_file: Path | None) -> None:
        self._registry = registry
        self._index = Index(index_file)
        self.frameworks: list[Framework] = list(installed(self._index))
        self.entry_points: list[EntryPoint] = entry_points.published(self._index)
        self._index.save()
        plugins = [*builtin_plugins(), *(plugin for framework in self.frameworks for plugin in framework.plugins)]
        registry.change((), plugins)
        for entry_point in self.entry_points:
            self._add(entry_point.plugins or ())
        for name in dict.fromkeys(entry_point.name for entry_point in self.entry_points if entry_point.plugins is None):
            expect(name, partial(self._load, name))

    def installations(self) -> list[Installation]:
        """Every framework of which anything is known, in the order in which short names are looked up."""
        snapshot = self._registry.snapshot
        folders = {framework.name: framework.folders for framework in self.frameworks}
        names = {*folders, *(entry_point.name for entry_point in self.entry_points), BRAINSMITH}
        names |= {name for kind in KINDS for name in snapshot.frameworks(kind)}
        is_installed = installed_packages()
        installations = []
        for name in sorted(names, key=precedence):
            plugins = [plugin for kind in KINDS for plugin in snapshot.plugins(kind, name)]
            counts = Counter(plugin.kind for plugin in plugins)
            installations.append(
                Installation(
                    name,
                    version_of(name) if name in folders else None,
                    folders.get(name, ()),
                    {kind: counts[kind] for kind in KINDS if counts[kind]},
                    dict(Counter(why for plugin in plugins if (why := plugin.unavailable(is_installed))).most_common()),
                    tuple(entry_point for entry_point in self.entry_points if entry_point.name == name),
                )
            )
        return installations

    def readings(self, is_developed: Callable[[str, str], bool]) -> list[Reading]:
        """The frameworks whose files may change: `is_developed` tells of a package and a folder of it."""
        from .reading import Reading  # only now: most frameworks are not under development

        return [
            Reading(framework)
            for framework in self.frameworks
            if any(is_developed(framework.name, folder) for folder in framework.folders)
        ]

    def published_again(self, modules: Collection[str]) -> list[tuple[Plugin | None, Plugin | None]]:
        """What entry points published whose modules were executed again, given by name, and what they publish now.
        One that fails publishes what it did."""
        pairs: list[tuple[Plugin | None, Plugin | None]] = []
        for entry_point in self.entry_points:
            if entry_point.plugins is None or entry_point.module not in modules:
                continue
            before = {plugin.key: plugin for plugin in entry_point.plugins}
            with suppress(UnavailablePlugin):
                after = {plugin.key: plugin for plugin in entry_point.load()}
                new = [plugin for key, plugin in after.items() if key not in before and self._is_free(key)]
                pairs += [(None, plugin) for plugin in new]
                pairs += [(plugin, after.get(key)) for key, plugin in before.items()]
        return pairs

    def _is_free(self, key: Key) -> bool:
        return self._registry.snapshot.seen(key) is None

    def _load(self, name: str) -> None:
        """Loads the entry points of that name. Raises UnavailablePlugin if one does not work."""
        for entry_point in self.entry_points:
            if entry_point.name == name and entry_point.plugins is None:
                self._add(entry_point.load())
                entry_points.keep(entry_point, self._index)

    def _add(self, plugins: Iterable[Plugin]) -> None:
        """Registers what nothing else has registered: FINN's source tells more of a plugin than its entry point."""
        new = [plugin for plugin in plugins if self._registry.snapshot.seen(plugin.key) is None]
        self._registry.change((), new)


def version_of(distribution: str) -> str | None:
    """The version of an installed distribution; None if there is none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:  # a source tree on the path
        return None
