"""Executes plugin files and their helpers as real modules, set aside until somebody commits them.

The import system does the work: a finder of our own knows which files are ours, and `__import__` as our modules see it
notes who imports whom and finds the modules that lie beside the importer. Code is compiled from the bytes on disk, so
no byte code cache can be stale, and what decorators register goes into a journal.
"""

from __future__ import annotations

import builtins
import importlib
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from io import StringIO
from os.path import basename, dirname, isdir, lexists
from types import CodeType, ModuleType
from typing import Any

from ...errors import PluginWarning
from ...frameworks.brainsmith.installed import InstalledBrainsmith
from ...registry.decorators import current_framework, source_context
from ...registry.store import Journal, register_at_once
from . import interrupts
from .attachment import attach, detach, put_back
from .capture import captured
from .compiling import Compiled
from .development import Development
from .execution import Execution, undecorated_ops
from .import_frames import part_of_import
from .import_statements import ImportStatements
from .in_place import InPlace
from .module_names import INIT, ModuleNames
from .package_finder import PackageFinder, PackageLoader, adopted
from .shown_source import show_source


class PluginImporter(MetaPathFinder, Loader):
    """Imports the files it was told of. `provided` are the names that every one of them finds without an import.

    `development` decides which modules of packages are followed. `read` gives the bytes of a path, or raises what keeps
    it from being read. `is_live` tells of a file that is not on disk whether it is to be taken for one that is: an
    editor may be saving it, or another file still needs it. `is_plugin_file` tells which modules of packages find what
    is `provided`, too.
    """

    def __init__(
        self,
        read: Callable[[str], bytes],
        is_live: Callable[[str], bool],
        provided: Mapping[str, Any],
        development: Development,
        is_plugin_file: Callable[[str], bool] = lambda path: True,
    ) -> None:
        self._read = read
        self._is_live = is_live
        self._is_plugin_file = is_plugin_file
        self._names = ModuleNames(is_live, development.follows)
        self.is_packaged, self.depth, self.forget = self._names.is_packaged, self._names.depth, self._names.forget
        self._packages = PackageFinder(self, development, self._take_over)
        self.take_notes = self._packages.fixed.take_notes
        self._in_place = InPlace()
        self.emptied, self.settle = self._in_place.emptied, self._in_place.settle
        self.awaited = self._in_place.awaited
        self._order: dict[str, int] = {}  # in which the modules of packages were executed first, by their files
        self._frameworks: dict[str, str] = {}  # of the plugins that modules of packages register
        self._running: set[str] = set()  # the modules of packages that are being executed
        self._compiled = Compiled()
        self._executions: dict[str, Execution] = {}
        self._is_staging = False
        self._brainsmith = InstalledBrainsmith()
        self._statements = ImportStatements(self._names, self._note)
        self._builtins = {**vars(builtins), **provided, "__import__": self._statements.statement}

    # What the transaction uses

    def install(self) -> None:
        """Makes the import system ask here first."""
        sys.meta_path.insert(0, self)
        self._statements.install()
        for execution in adopted(self._packages.imported(), self._names, self._read):
            self._executions[execution.path] = execution
            self._order.setdefault(execution.path, len(self._order))

    def uninstall(self) -> None:
        """Takes this and the modules of plugin files out of the import system again; those of packages stay."""
        sys.meta_path.remove(self)
        self._statements.uninstall()
        for name in self._names:
            if not self._names.is_packaged(self._names.path(name)):
                self._brainsmith.release(name, detach(name))

    @property
    def is_installed(self) -> bool:
        return self in sys.meta_path

    def name(self, names: Mapping[str, str]) -> None:
        """Gives files the names that their modules have in another process."""
        for path, name in names.items():
            self._names.claim(name, path)

    @contextmanager
    def staging(self, paths: Iterable[str], gone: Iterable[str]) -> Iterator[dict[str, Execution]]:
        """While this lasts the modules of `paths` are out of `sys.modules`; what is imported is executed again.

        The names of the modules of files that are `gone` are free for others. Yields the executions by path, filled
        while they happen. What they put into `sys.modules` stays there, for the caller to keep or to `restore`.
        """
        try:
            self._executions, self._is_staging = {}, True
            for path in paths:
                self._names.claim_again(self._in_place.name(path), path)
            for leaving in (gone, paths):  # first what is gone: it is not in what may come back
                self._set_aside(filter(self.is_packaged, leaving))
            for path in sorted({*paths, *gone}, key=self.depth, reverse=True):  # modules before packages
                self._remove(path)
            for path in gone:
                self._names.vacate(path)
            yield self._executions
        finally:
            self._executions, self._is_staging = {}, False

    def _set_aside(self, paths: Iterable[str]) -> None:
        """Keeps the modules of packages as they are, to be executed again in place, and takes them out."""
        leaving = list(paths)
        for path in leaving:
            self._in_place.begin(path, sys.modules.get(self._names.of(path)))
        for path in sorted(leaving, key=self.depth, reverse=True):
            self._remove(path)

    def execute(self, path: str) -> None:
        """Imports a file under its module name, which executes it unless that was done since `staging` began.

        An exception of any kind ends up in the executions, not here, and other modules that were replaced come back.
        """
        imported = sys.modules.copy()
        try:
            importlib.import_module(self._names.of(path))
        except BaseException as error:  # the file's own doing, SystemExit and KeyboardInterrupt included
            put_back(imported, self._names.__contains__)
            self._blame(self._executions.setdefault(path, Execution(path)), error)

    def restore(self, path: str, module: ModuleType | None) -> None:
        """Makes `module` what `sys.modules` and the parent package hold for a path again; None: they hold nothing."""
        self._names.reclaim(path)
        imported = self._in_place.restore(path)
        if module is None:
            self._remove(path)
            if isinstance(imported, ModuleType) and self._in_place.had_no_init(path):
                attach(imported)
            return
        if self._names.of(path) != module.__name__:
            sys.modules.pop(self._names.of(path), None)
            self._names.rename(path, module.__name__)
        attach(module, imported)
        self._brainsmith.put_back(module.__name__, module)

    def repeat(self, path: str) -> None:
        """Makes the next import of a file in this trial execute it again."""
        self._executions.pop(path, None)
        self._remove(path)

    def _remove(self, path: str) -> None:
        """Takes the module of a path out of `sys.modules` and of its package."""
        if not self._names.is_named(path):
            return
        name = self._names.of(path)
        self._brainsmith.release(name, detach(name))

    def place(self, path: str) -> tuple[int, str]:
        """Where a file stands in the order of execution: as it was imported first, for that is where cycles begin. A
        package that had no `__init__.py` was there before its modules."""
        return -1 if self._in_place.had_no_init(path) else self._order.get(path, len(self._order)), path

    def holds(self, path: str) -> bool:
        """Whether somebody holds the module of a file of a package, live or not, and no other has its name by now."""
        return self._in_place.holds(path) and self._names.is_free(self._in_place.name(path), path)

    def take_late(self) -> dict[str, Execution]:
        """The files that were imported outside a transaction since the last call: by a function, or at the prompt."""
        late, self._executions = self._executions, {}
        return late

    # What the import system uses

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._names or self._names.is_packaged(self._names.path(fullname)):
            spec = self._packages.find(fullname, path, target)
            if spec is not None:
                return spec
        file = self._names.locate(fullname)
        if file is None or not (lexists(file) or self._is_live(file)):
            return None
        if isdir(file):
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [file]
            return spec
        is_package = basename(file) == INIT
        is_packaged = self._names.is_packaged(file)  # and missing for the moment
        loader = PackageLoader(self, fullname, file) if is_packaged else self
        spec = ModuleSpec(fullname, loader, origin=file, is_package=is_package)
        spec.has_location = is_packaged
        if is_package:
            spec.submodule_search_locations = [dirname(file)]
        return spec

    @part_of_import
    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        path = self._names.path(name)
        failed = self._executions.get(path)
        if self._is_staging and failed is not None and failed.error is not None:
            raise failed.error  # once is enough, whoever else imports it
        execution = self._executions[path] = Execution(path, module=module)
        journal = Journal()
        restored: list[str] = []
        threads = set(threading.enumerate())
        if not self._is_staging and "__builtins__" in vars(module):  # somebody calls importlib.reload()
            self._in_place.begin(path, module)
        is_first = self._names.is_packaged(path) and not self._is_staging  # somebody imports it, as ever
        with nullcontext(StringIO()) if is_first else captured() as output:
            try:
                execution.source = self._read(path)
                execution.code = self._compiled.code(path, execution.source)
                show_source(path, execution.source)
                around = nullcontext(restored) if is_first else self._statements.kept()
                with journal.recording(), around as restored, interrupts.allowed():
                    self._run(execution.code, module, path)
                journal.plugins += self._brainsmith.registered_by(module, execution.source)
                if not self._names.is_packaged(path):  # QONNX finds those of packages by itself
                    journal.plugins += undecorated_ops(module, execution.source, journal.plugins)
            except BaseException as error:
                self._blame(execution, error)
                raise
            finally:
                vars(module)["__name__"] = name  # it is found by that
                execution.plugins = tuple(journal.plugins)
                execution.output = output.getvalue()
                execution.threads = tuple(thread for thread in threading.enumerate() if thread not in threads)
        if restored:
            message = f"{' and '.join(restored)} cannot be changed by a plugin file; put back"
            warnings.warn_explicit(message, PluginWarning, path, 1)
        if not self._is_staging:  # imported by a function or at the prompt: nobody waits to commit it
            for plugin in execution.plugins:
                register_at_once(plugin)

    @part_of_import
    def _run(self, code: CodeType, module: ModuleType, path: str) -> None:
        names = module.__dict__
        if not self._names.is_packaged(path):
            self._note(path, module.__name__.rpartition(".")[0], ())
            module.__file__ = path  # set here, and not by a spec with a location: that looks for a byte code cache
            names["__builtins__"] = self._builtins
            exec(code, names)
            return
        if self._is_plugin_file(path):
            names["__builtins__"] = self._builtins
        self._executions[path].depends |= self.awaited(path, module.__name__)
        self._order.setdefault(path, len(self._order))
        framework = self._frameworks.setdefault(path, current_framework())
        self._running.add(path)
        try:
            with self._statements.watched(), source_context(framework), self._brainsmith.source_of(module.__name__):
                exec(code, names)
        finally:
            self._running.discard(path)
        self._in_place.executed(path, module)
        hand_over, former = names.get("__reload__"), self._in_place.former(path)
        if former is not None and callable(hand_over):
            hand_over(dict(former))

    def _take_over(self, fullname: str, path: str) -> SourceFileLoader:
        self._names.claim(fullname, path, True)
        return PackageLoader(self, fullname, path)

    def _blame(self, execution: Execution, error: BaseException) -> None:
        if execution.error is None:
            execution.is_cause = all(other.error is not error for other in self._executions.values())
            execution.error = error

    def _note(self, importer: str, absolute: str, fromlist: Sequence[str]) -> None:
        """Records what an import statement made a file depend on; of a package's, what its functions import does not
        count: they find what is in the module when they are called."""
        if self._names.is_packaged(importer) and importer not in self._running:
            return
        execution = self._executions.setdefault(importer, Execution(importer))
        execution.depends |= self._names.depended_on(importer, absolute, fromlist)
