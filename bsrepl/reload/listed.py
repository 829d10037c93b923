"""What packages under development list: kept equal to their files, imported or not, and to the modules they become."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.util import decode_source
from os.path import isdir
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import UnavailablePlugin
from ..registry.plugin import KINDS, Key, Lazy, Plugin
from ..registry.store import Registry
from .files import signatures

if TYPE_CHECKING:
    from ..frameworks.reading import Reading

_MISSING: Any = object()
_Pair = tuple[Plugin | None, Plugin | None]  # what was listed, and what is instead


class Relisted(NamedTuple):
    """How the registry changes."""

    withdrawn: Sequence[Plugin]
    registered: Sequence[Plugin]
    exchanged: Sequence[tuple[Plugin, Plugin]]  # those before, and those that take their places


class ListedPlugins:
    """The plugins that packages under development list.

    `readings` are the frameworks among them; `published_again` gives what entry points publish of modules that were
    executed again, beside what they published. `now` is the wall clock in ns.
    """

    def __init__(
        self,
        registry: Registry,
        readings: Sequence[Reading],
        now: Callable[[], int],
        published_again: Callable[[Collection[str]], Sequence[_Pair]] = lambda names: (),
    ) -> None:
        self._registry = registry
        self._readings = readings
        self._now = now
        self._published_again = published_again
        self.changed: set[str] = set()  # the files that were changed, added or deleted, and are not imported
        self._seen: dict[str, signatures.Signature] = {}
        self._young: dict[str, bytes | None] = {}  # what files hold that may be saved again within the same tick
        self.known: set[str] = set()  # the files whose modules are imported
        self.read: set[str] = set()  # those of them whose sources were taken in
        self._names: set[str] = set()  # of those modules
        self._lazy: dict[str, dict[Key, Plugin]] = {}  # what is listed of each module, with what to import
        self._shown: dict[Key, Plugin] = {}  # what is in the registry instead, with what was imported
        for path in self._paths():
            self._is_changed(path)

    @property
    def folders(self) -> dict[str, tuple[str, ...]]:
        """The folders of the frameworks, by their names."""
        return {reading.framework: reading.package_folders for reading in self._readings}

    def look(self) -> bool:
        """Adds to `changed`, at the cost of a stat for each file that is not imported, and for each folder. Returns
        whether a file has appeared."""
        suspects = signatures.suspects(self._seen)
        if not suspects:
            return False
        self.changed.update(path for path in suspects if self._is_changed(path) and not isdir(path))
        new: set[str] = set()
        if any(isdir(path) or self._seen[path] is None for path in suspects):
            present = set(self._paths()) - self.known
            gone, new = self._seen.keys() - present, present - self._seen.keys()
            for path in gone:
                del self._seen[path]
            new = {path for path in new if self._is_changed(path) and not isdir(path)}
            self.changed.update(gone, new)
        return bool(new)

    def _is_changed(self, path: str) -> bool:
        """Whether a file has changed since it was last asked for."""
        signature = self._seen[path] = signatures.signature(path, self._now())
        before = self._young.pop(path, _MISSING)
        if signature != signatures.UNSETTLED or isdir(path):
            return before is _MISSING or before != _read(path)
        self._young[path] = _read(path)
        return bool(before != self._young[path])

    def imported(self, modules: Mapping[str, str]) -> None:
        """Shows what was imported in the place of what can be: the names of `modules` by their files."""
        if not modules:
            return
        for path in modules:
            self._seen.pop(path, None)
        self.known |= modules.keys()
        names = set(modules.values())
        self._names |= names
        snapshot = self._registry.snapshot
        for plugin in (plugin for kind in KINDS for plugin in snapshot.plugins(kind)):
            for claim in snapshot.claims(plugin.key):
                if isinstance(claim.target, Lazy) and claim.target.module in names:
                    self._lazy.setdefault(claim.target.module, {})[claim.key] = claim
        exchanged = list(self._exchanged(names))
        if exchanged:
            self._registry.change((), (), exchanged)

    def of(self, module: str) -> tuple[Plugin, ...]:
        """The plugins in the registry that a module which was imported has."""
        return tuple(self._shown[key] for key in self._lazy.get(module, ()) if key in self._shown)

    def update(self, sources: Mapping[str, bytes | None], names: Collection[str]) -> Relisted:
        """Takes in the sources of modules that were executed again, None of one that is gone, and what has `changed`.

        `names` are those of the modules.
        """
        texts = {path: _decoded(source) for path, source in sources.items()}
        texts |= {path: _decoded(_read(path)) for path in self.changed - self.known}
        self.changed.clear()
        self.read |= sources.keys()
        for path in [path for path, source in sources.items() if source is None]:
            self.known.discard(path)
        pairs = list(self._published_again(names))
        for reading in self._readings:
            own = {path: text for path, text in texts.items() if reading.has(path)}
            pairs += reading.update(own) if own else ()
        withdrawn: list[Plugin] = []
        registered: list[Plugin] = []
        exchanged: list[tuple[Plugin, Plugin]] = []
        for old, new in pairs:
            if old is None and new is not None:
                registered.append(self._put(new))
            elif old is not None:
                shown = self._drop(old)
                if new is None:
                    withdrawn.append(shown)
                else:
                    exchanged.append((shown, self._put(new) if shown is old else self._moved(self._put(new))))
        return Relisted(withdrawn, registered, [*exchanged, *self._exchanged(names)])

    def _exchanged(self, names: Collection[str]) -> Iterator[tuple[Plugin, Plugin]]:
        for plugin in [plugin for name in names for plugin in self._lazy.get(name, {}).values()]:
            before = self._shown.get(plugin.key, plugin)
            if before.target is not self._target(plugin.target):
                yield before, self._put(plugin)

    def _drop(self, plugin: Plugin) -> Plugin:
        """Forgets a plugin that is not listed any more. Returns what was shown of it."""
        self._lazy.get(plugin.target.module, {}).pop(plugin.key, None)
        return self._shown.pop(plugin.key, plugin)

    def _target(self, lazy: Lazy) -> Any:
        """What was imported of a module that is followed."""
        return getattr(sys.modules.get(lazy.module), lazy.attribute, lazy) if lazy.module in self._names else lazy

    def _moved(self, plugin: Plugin) -> Plugin:
        """What to show of a plugin that was imported and stands in another module now: what is held of it follows."""
        if isinstance(plugin.target, Lazy):
            with suppress(UnavailablePlugin):
                plugin = self._shown[plugin.key] = replace(plugin, target=plugin.target.load())
        return plugin

    def _put(self, plugin: Plugin) -> Plugin:
        """What to show of a plugin that is listed: what was imported, if its module was."""
        self._lazy.setdefault(plugin.target.module, {})[plugin.key] = plugin
        target = self._target(plugin.target)
        if target is plugin.target:
            self._shown.pop(plugin.key, None)
            return plugin
        self._shown[plugin.key] = replace(plugin, target=target)
        return self._shown[plugin.key]

    def _paths(self) -> Iterator[str]:
        """The Python files of the frameworks, and the folders that they can lie in."""
        for root in dict.fromkeys(root for reading in self._readings for root in reading.folders):
            for folder, folders, files in os.walk(root):
                folders[:] = [name for name in folders if name.isidentifier() and name != "__pycache__"]
                yield folder
                yield from (os.path.join(folder, file) for file in files if file.endswith(".py"))


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _decoded(source: bytes | None) -> str | None:
    if source is None:
        return None
    try:
        return decode_source(source)
    except (SyntaxError, UnicodeDecodeError):
        return source.decode(errors="replace")
