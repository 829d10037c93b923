"""The files that are live: their code, what they depend on, the names they own, and those whose last save failed."""

from __future__ import annotations

from collections.abc import Iterable, Set
from os.path import isfile
from types import ModuleType
from typing import NamedTuple

from ..registry.plugin import Key, Plugin
from ..registry.snapshot import Snapshot
from .failure import Failure
from .files.disk import Disk
from .follow.successors import Replaced
from .imports.attachment import bind_in_package
from .imports.execution import Execution
from .imports.import_graph import Dependencies
from .imports.importer import PluginImporter
from .imports.module_names import other_form
from .imports.shown_source import show_source
from .namespace_uses import Use, plugin_of


class Loaded(NamedTuple):
    """The code of a file that is live."""

    source: bytes
    module: ModuleType
    plugins: tuple[Plugin, ...]
    imports: set[str]  # the files that it depends on; it grows with what its functions import when they are called


class LiveFiles:
    """The state that a transaction changes. The disk and the import system are kept equal to it."""

    def __init__(self, disk: Disk, importer: PluginImporter, loaded: dict[str, Loaded]) -> None:
        self.loaded = loaded
        self.owners: dict[Key, str] = {}
        self.failures: dict[str, Failure] = {}
        self.held: dict[str, frozenset[str]] = {}  # the files whose group failed, with the group
        self.missing: dict[str, set[Use]] = {}  # the plugins that a file which failed takes, and that did not exist
        self.packaged: set[str] = set()  # the files of packages under development whose modules are live
        self.executed: dict[str, bytes | None] = {}  # the contents a file was last executed with, if it had any
        self.reloaded: list[tuple[str, Replaced]] = []  # the modules that somebody else executed again, by their files
        self.dependencies = Dependencies()
        self._disk = disk
        self._importer = importer
        self._late: set[str] = set()  # what was imported by no file of ours, but at the prompt

    def starts(self, paths: Set[str]) -> set[str]:
        """The files among these that count whoever imports them: plugin files, modules of packages, live or only held,
        and what was imported at the prompt."""
        known = self._disk.plugin_files, self._late, self.packaged
        return {path for path in paths if any(path in some for some in known) or self._importer.holds(path)}

    def is_live(self, path: str, contents: bytes | None) -> bool:
        """Whether these contents of a file are the ones that are live."""
        return path in self.loaded and self.loaded[path].source == contents

    def put(self, path: str, run: Execution) -> None:
        """Makes the code of a file that was executed live."""
        assert run.module is not None
        self.loaded[path] = Loaded(run.source, run.module, run.plugins, run.depends)
        if self._importer.is_packaged(path):
            self.packaged.add(path)
        self.executed[path] = run.source
        self.depend(path, run.depends)

    def withdraw(self, path: str) -> Loaded:
        """Takes the code of a file out of what is live. Returns it."""
        loaded = self.loaded.pop(path)
        self.packaged.discard(path)
        for plugin in loaded.plugins:  # a name may have another owner by now, committed just before
            if self.owners.get(plugin.key) == path:
                del self.owners[plugin.key]
        return loaded

    def withdraw_unneeded(self) -> dict[str, Loaded]:
        """Takes out the helpers that nothing live imports any more. Returns their code, by their paths."""
        withdrawn: dict[str, Loaded] = {}
        released = self.dependencies.released
        while released:
            path = released.pop()
            if path in self.loaded and not self._is_needed(path):
                withdrawn[path] = self.withdraw(path)
                self._importer.restore(path, None)
                self.forget(path)
        return withdrawn

    def restore(self, paths: Iterable[str]) -> None:
        """Makes the import system hold the live modules of these files again."""
        # What was live comes last, for it may share a name with what was not; a package before what is in it.
        # By the names of their modules: those of what is gone are free, and another file may have taken one.
        depths = {path: self.loaded[path].module.__name__.count(".") for path in paths if path in self.loaded}
        for path in sorted(paths, key=lambda path: (path in depths, depths.get(path, 0))):
            loaded = self.loaded.get(path)
            self._importer.restore(path, loaded.module if loaded else None)
            if loaded:
                show_source(path, loaded.source)

    def bind(self, paths: Iterable[str]) -> None:
        """Makes packages hold their modules again: one may have come back without what is in it, or go on without its
        `__init__.py`."""
        for path in paths:
            module = self.loaded[path].module
            bind_in_package(module)
            self.depend_further(path, self._importer.awaited(path, module.__name__))

    def forget(self, path: str) -> None:
        """Forgets a file that was deleted or is no longer used. If it has importers, they wait for it."""
        self.depend(path, ())
        for known in (self.executed, self.held, self.failures, self.missing):
            known.pop(path, None)
        self._importer.forget(path)
        self._late.discard(path)
        is_held = self._importer.holds(path)  # and is to follow when the file returns
        self._disk.forget(path, is_awaited=is_held or bool(self.dependencies.importers(path)))

    def forget_failure(self, path: str) -> bool:
        """Forgets that a file failed. Returns whether it had."""
        self.held.pop(path, None)
        self.missing.pop(path, None)
        return self.failures.pop(path, None) is not None

    def waiting_with(self, paths: Iterable[str]) -> set[str]:
        """These files, and those that are held back with one of them, or with one of those: each save that fails makes
        a group of its own."""
        together = set(paths)
        while more := {path for group in self.held.values() if group & together for path in group} - together:
            together |= more
        return together

    def no_longer_missing(self, snapshot: Snapshot) -> set[str]:
        """The files that failed and whose groups can be tried again: a plugin that they take exists by now."""
        paths = [path for path, taken in self.missing.items() if any(plugin_of(use, snapshot) for use in taken)]
        return self.waiting_with(path for path in paths if path in self.held)

    def depend(self, path: str, imports: Iterable[str]) -> None:
        """Makes `imports` what a file depends on, and watches them."""
        self.dependencies.put(path, imports)
        for other in self.dependencies.of(path):
            self._disk.watch(other)

    def depend_further(self, path: str, imports: set[str]) -> None:
        """Adds what a function of a live file imported when it was called."""
        if path in self.loaded:
            self.loaded[path].imports.update(imports)
        self.depend(path, {*self.dependencies.of(path), *imports})

    def adopt_late_imports(self) -> bool:
        """Adds the files that a function imported when it was called, or the user at the prompt. Returns whether there
        were any."""
        late = self._importer.take_late()
        for path, run in late.items():
            self._note_reloaded(path, run)
            if run.module is None or run.error is not None:
                self.depend_further(path, run.depends)
                continue
            self.put(path, run)
            if not self.dependencies.importers(path):
                self._late.add(path)
            for plugin in run.plugins:
                self.owners.setdefault(plugin.key, path)
        return bool(late)

    def in_other_form(self, gone: Iterable[str]) -> set[str]:
        """The files that have taken the place of those that are gone, and that nobody but the session held."""
        late = {path: other_form(path) for path in gone if path in self._late}
        found = {other for other in late.values() if isfile(other) and other not in self.loaded}
        self._late |= found
        return found

    def take_reloaded(self) -> list[tuple[str, Replaced]]:
        """The modules that somebody else has executed again since the last call, by their files."""
        reloaded, self.reloaded = self.reloaded, []
        return reloaded

    def _note_reloaded(self, path: str, run: Execution) -> None:
        """Notes that somebody executed a live file again: with `importlib.reload()`, or when its module was gone."""
        live = self.loaded.get(path)
        if run.module is None or (run.error is not None and (live is None or live.module is not run.module)):
            return
        former, code = self._importer.settle(path), run.code
        if former is None and live is not None and live.module is not run.module:
            former, code = live.module, None
        if former is not None:
            plugins = () if live is None or run.error is not None else live.plugins
            self.reloaded.append((path, Replaced(former, run.module, plugins, code)))

    def _is_needed(self, path: str) -> bool:
        """Whether a file is a plugin file, or one that is live imports it, directly or not; or the session does."""
        importers = self.dependencies.with_importers(
            [path], lambda importer, path: importer in self.loaded and path in self.loaded[importer].imports
        )
        return bool(self.starts(importers))
