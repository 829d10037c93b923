"""Executes files aside: in the order that they take plugins from each other, each seeing what those before registered.

Nothing of it counts yet. At the end the registry is what it was, and the transaction decides what to commit.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os.path import basename, dirname

from ..errors import PluginWarning
from ..registry.store import Registry
from ..text.format import file_name
from .files.disk import Disk
from .files.signatures import modules_with_plugins
from .imports.execution import Execution
from .imports.importer import PluginImporter
from .imports.module_names import INIT
from .loaded import LiveFiles
from .namespace_uses import Use, is_miss, mentions_namespaces, plugin_of, uses


class Trial:
    """Executes files without making them live."""

    def __init__(self, registry: Registry, disk: Disk, importer: PluginImporter, live: LiveFiles) -> None:
        self._registry = registry
        self._disk = disk
        self._importer = importer
        self._live = live

    def executions(self, affected: set[str], gone: set[str]) -> dict[str, Execution]:
        """Executes the files among `affected` that count by themselves, and what they import of the others.

        The modules of files that are `gone` cannot be imported meanwhile. Returns the executions by path.
        """
        if any(path not in self._live.loaded and self._importer.holds(path) for path in affected):
            gc.collect()  # a file that returns is executed for those who hold its module, not since it is still there
        with self._importer.staging(affected, gone) as executions, self._visible(executions) as show:
            starts = self._live.starts(affected)
            packaged = {path for path in starts if self._importer.is_packaged(path)}
            for path in [*sorted(packaged, key=self._importer.place), *self._in_order(starts - packaged)]:
                if path not in executions or executions[path].module is None:
                    show(path)
                    self._importer.execute(path)
            self._execute_again(executions, show)
            for path, run in executions.items():
                if not self._importer.is_packaged(path):
                    run.depends |= self._files_of(uses(run.source)) - {path}
                self._warn_of_modules_left_out(path, executions)
        return executions

    def _in_order(self, paths: set[str]) -> list[str]:
        """The files in the order of their paths, but each behind those that it takes plugins from."""
        if len(paths) < 2:
            return list(paths)
        ordered: dict[str, None] = {}
        waiting = [(path, False) for path in sorted(paths, reverse=True)]
        entered: set[str] = set()
        while waiting:
            path, is_ready = waiting.pop()
            if is_ready:
                ordered[path] = None
            elif path not in entered:
                entered.add(path)
                taken = self._files_of(uses(self._disk.contents.get(path) or b"")) & paths
                waiting += [(path, True), *((other, False) for other in sorted(taken - entered, reverse=True))]
        return list(ordered)

    def _warn_of_modules_left_out(self, path: str, executions: Mapping[str, Execution]) -> None:
        """A package is its `__init__.py`: plugins in modules that nobody imports are not registered."""
        run = executions[path]
        if basename(path) != INIT or path not in self._disk.plugin_files or run.module is None or run.error is not None:
            return
        counted = executions.keys() | self._live.loaded.keys() | self._disk.plugin_files
        for other in modules_with_plugins(dirname(path)):
            if other not in counted:
                name = file_name(other)
                message = f"{name} defines plugins, but is not imported; add to {INIT}: from . import {name[:-3]}"
                warnings.warn_explicit(message, PluginWarning, path, 1)

    @contextmanager
    def _visible(self, executions: Mapping[str, Execution]) -> Iterator[Callable[[str], None]]:
        """Gives a function that lets a file find in the namespaces what those before it have registered.

        At the end the registry is what it was; what counts is registered when the transaction commits.
        """
        before = shown = self._registry.snapshot

        def show(path: str) -> None:
            nonlocal shown
            if not mentions_namespaces(self._disk.contents.get(path, b"")):
                return
            runs = {path: run for path, run in executions.items() if run.module is not None and run.error is None}
            old = [plugin for path in runs if path in self._live.loaded for plugin in self._live.loaded[path].plugins]
            new = [plugin for run in runs.values() for plugin in run.plugins]
            if old or new:
                self._registry.rebase(base := before.replacing(old, new), shown)
                shown = base

        try:
            yield show
        finally:
            if shown is not before:
                self._registry.rebase(before, shown)

    def _execute_again(self, executions: dict[str, Execution], show: Callable[[str], None]) -> None:
        """Executes the files again that missed a plugin which a later file registers, as long as that helps."""
        missing = set(executions)
        while True:
            failed = sorted(path for path, run in executions.items() if is_miss(run.error) and path in missing)
            if not failed or len(failed) == len(missing):
                return
            missing = set(failed)
            for path in failed:
                self._importer.repeat(path)
            for path in sorted(self._live.starts(missing)):
                if path not in executions:
                    show(path)
                    self._importer.execute(path)

    def _files_of(self, taken: set[Use]) -> set[str]:
        """The files, among those that are followed, that register these plugins."""
        plugins = (plugin_of(use, self._registry.snapshot) for use in taken)
        files = {plugin.origin.file for plugin in plugins if plugin is not None}
        return {file for file in files if file in self._live.loaded or file in self._disk.plugin_files}
