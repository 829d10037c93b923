"""Keeps the registry equal to the plugin files on disk, and says what is live."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

from ..frameworks.catalogue import Installed
from ..registry.plugin import Plugin
from ..registry.store import Registry
from .failure import Failure
from .files import checkout
from .files.disk import Disk
from .imports.development import Development
from .imports.importer import PluginImporter
from .imports.packages import FollowedPackage, followed_packages, importers
from .listed import ListedPlugins
from .loaded import LiveFiles, Loaded
from .outcome import Report
from .sources import Source, source_of
from .transaction import Transaction

_LOOKS = 5  # at files that are written to while others are executed


class Reloader:
    """Follows plugin files and folders of them, given by their paths.

    `provided` are the names that every plugin file finds without an import. `now` is the wall clock in ns, compared
    with the times of files. `hint` gives what to write instead of what raised an exception. `adopt` registers what the
    executed files taught an imported library. `trusting`, files are executed even if somebody else may have written
    them. `development` decides which packages are followed as well; without it, none.
    """

    def __init__(
        self,
        registry: Registry,
        paths: Iterable[str],
        provided: Mapping[str, Any],
        now: Callable[[], int],
        *,
        hint: Callable[[BaseException], str | None] = lambda error: None,
        adopt: Callable[[], None] = lambda: None,
        trusting: bool = False,
        development: Development | None = None,
    ) -> None:
        self.registry = registry
        self._hint = hint
        self._adopt = adopt
        self._disk = Disk(paths, now, trusting)
        loaded: dict[str, Loaded] = {}
        self.development = development or Development(is_on=False)
        self._importer = PluginImporter(
            self._disk.read, loaded.__contains__, provided, self.development, self._disk.is_given
        )
        self._live = LiveFiles(self._disk, self._importer, loaded)
        self._listed = ListedPlugins(registry, (), now)
        self._now = now
        self._imported_before = frozenset(sys.modules)
        self._importer.install()

    def close(self) -> None:
        """Stops importing plugin files, and withdraws what they registered, but for what was imported before this."""
        self._importer.uninstall()
        leaving = [path for path, module in self.modules.items() if module.__name__ not in self._imported_before]
        plugins = [plugin for path in leaving for plugin in self.files[path]]
        self.registry.change(plugins, ())

    def add(self, path: str) -> None:
        """Follows a plugin file or a folder of them, too."""
        self._disk.add(path)

    def set_aside(self) -> list[str]:
        """Follows no plugin file; the next `refresh` withdraws them all. Returns the paths to `add` again."""
        return self._disk.set_aside()

    def follow_listings(self, installed: Installed) -> None:
        """Keeps what packages under development list equal to their files."""
        readings = installed.readings(self.development.lies)
        self._listed = ListedPlugins(self.registry, readings, self._now, installed.published_again)
        self._list_imported()

    def _list_imported(self) -> None:
        loaded = self._live.loaded
        self._listed.imported({path: loaded[path].module.__name__ for path in self._live.packaged - self._listed.known})

    def drop(self, folder: str) -> None:
        """Follows a folder no longer; the next `refresh` withdraws what its files registered."""
        self._disk.drop(folder)

    def is_due(self) -> bool:
        """Looks at the files, a stat for each. Returns whether `refresh` has something to do."""
        self.adopt_imports()
        has_appeared = self._listed.look()
        self._disk.look(self._live.executed, has_appeared)
        if checkout.is_worth_a_look(self._disk.missing_since):  # what is missing may be about to be written
            self._disk.look(self._live.executed, self._listed.look())
        return bool(self._disk.changed or self._disk.gone or self._listed.changed or self._live.reloaded)

    def refresh(self, retry: bool | str = False, looked: bool = False) -> Report:
        """Brings the registry up to what is on disk. With `retry`, what failed is executed again as it is; with a path
        for it, that file is, whether it failed or not.

        With `looked`, `is_due` was just called, and the files are not looked at a second time.
        """
        disk, live = self._disk, self._live
        if isinstance(retry, str):
            forced = live.waiting_with([retry])
        else:
            forced = {path for group in live.held.values() for path in group} if retry else set()
        if not looked:
            self.is_due()
        if checkout.is_worth_a_look(disk.changed | disk.gone):
            self.is_due()
        transaction = Transaction(self.registry, disk, self._importer, live, self._listed, self._hint)
        is_executed = False
        looks = _LOOKS
        while (changed := disk.changed | disk.gone | self._listed.changed) or forced:
            freed = transaction.run(forced)
            is_executed = True
            disk.changed.clear()
            disk.gone.clear()
            freed_for = [path for path, failed in live.failures.items() if failed.taken & freed]
            forced = live.waiting_with(freed_for)
            forced |= live.no_longer_missing(self.registry.snapshot)
            if looks and (len(changed) > 1 or not live.held.keys().isdisjoint(changed)):
                looks -= 1  # a checkout may be going on, or a save: what is half done is not told
                self.is_due()
        if is_executed:
            self._list_imported()
            self._adopt()
        return transaction.report(self.registry.snapshot)

    def take_notes(self) -> list[str]:
        """What is to be told once: the packages and modules that cannot be followed, and why."""
        return [*self.development.take_notes(), *self._importer.take_notes()]

    # What there is

    @property
    def plugin_files(self) -> list[str]:
        """The paths of the plugin files that are watched and exist, helpers left out, sorted."""
        return sorted(self._disk.present)

    @property
    def watched(self) -> int:
        """How many plugin files are watched and exist."""
        return len(self._disk.present)

    @property
    def files(self) -> dict[str, tuple[Plugin, ...]]:
        """The plugins of each live plugin file, helpers included, by its path."""
        return {path: loaded.plugins for path, loaded in self._live.loaded.items() if self.is_own(path)}

    def is_own(self, path: str) -> bool:
        """Whether a file is a plugin file or a helper of some, and not a module of a package under development."""
        return not self._importer.is_packaged(path) or self._disk.is_given(path)

    @property
    def modules(self) -> dict[str, ModuleType]:
        """The module of each live plugin file, helpers included, by its path."""
        return {path: self._live.loaded[path].module for path in self.files}

    @property
    def package_modules(self) -> dict[str, ModuleType]:
        """The modules of packages under development that are imported, by the paths of their files."""
        return {path: self._live.loaded[path].module for path in self._live.packaged}

    def holding_modules(self) -> list[ModuleType]:
        """The modules of packages under development, and those outside that have imported something of them."""
        followed = self.package_modules.values()
        return [*followed, *importers({module.__name__ for module in followed})] if followed else []

    def adopt_imports(self) -> None:
        """Takes in what the command that runs has imported."""
        if self._live.adopt_late_imports():
            self._list_imported()

    @property
    def packages(self) -> list[FollowedPackage]:
        """The packages under development, imported or not, by name."""
        self.adopt_imports()
        return followed_packages(self.package_modules.values(), self._listed.folders)

    @property
    def unlike_disk(self) -> dict[str, ModuleType]:
        """The modules of packages whose files do not hold what is live, since that failed."""
        held = self._live.held.keys()
        return {path: module for path, module in self.package_modules.items() if path in held}

    @property
    def helpers(self) -> list[str]:
        """The paths of the files that plugin files import, as far as they are watched; those of packages left out."""
        return sorted(self.files.keys() - self._disk.plugin_files)

    @property
    def failures(self) -> Mapping[str, Failure]:
        """Why the last save of a file does not count, by its path."""
        return MappingProxyType(self._live.failures)

    @property
    def waiting(self) -> list[str]:
        """The files that are gone or empty and still count, for the moment: an editor may be saving them."""
        return sorted(self._disk.missing_since)

    def source(self, path: str) -> bytes:
        """The contents of a file as they were last read; of one that is gone, as they are live. Empty if unknown."""
        contents = self._disk.contents.get(path)
        if contents is None and path in self._live.loaded:
            return self._live.loaded[path].source
        return contents or b""

    def live_source(self, path: str) -> bytes:
        """The source of a file as it is live. Raises KeyError for a file that is not."""
        return self._live.loaded[path].source

    def source_of(self, module: str) -> Source | None:
        """The source of a module that is made from a file here, with all that it imports; None of any other, and of
        QONNX's."""
        loaded = {path: code for path, code in self._live.loaded.items() if not _is_of_qonnx(code.module)}
        return source_of(module, loaded)


def _is_of_qonnx(module: ModuleType) -> bool:
    return module.__name__.partition(".")[0] == "qonnx"
