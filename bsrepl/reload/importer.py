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
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import resolve_name
from os.path import basename, dirname, isdir, lexists
from types import ModuleType
from typing import Any

from ..errors import PluginWarning
from ..frameworks.brainsmith.installed import InstalledBrainsmith, definition_line
from ..frameworks.qonnx import ops as custom_ops
from ..registry.plugin import Origin, Plugin
from ..registry.store import Journal, record
from . import interrupts
from .capture import captured
from .execution import Execution
from .module_names import INIT, ModuleNames
from .process_state import kept
from .shown_source import show_source


class PluginImporter(MetaPathFinder, Loader):
    """Imports the files it was told of. `provided` are the names that every one of them finds without an import.

    `read` gives the bytes of a path, or raises what keeps it from being read. `is_live` tells of a file that is not on
    disk whether it is to be taken for one that is: an editor may be saving it, or another file still needs it.
    """

    def __init__(
        self, read: Callable[[str], bytes], is_live: Callable[[str], bool], provided: Mapping[str, Any]
    ) -> None:
        self._read = read
        self._is_live = is_live
        self._names = ModuleNames(is_live)
        self._executions: dict[str, Execution] = {}
        self._is_staging = False
        self._brainsmith = InstalledBrainsmith()
        self._without = importlib.import_module
        self._builtins = {**vars(builtins), **provided, "__import__": self._import}

    # What the transaction uses

    def install(self) -> None:
        """Makes the import system ask here first."""
        sys.meta_path.insert(0, self)
        self._without = importlib.import_module
        importlib.import_module = self._import_module

    def uninstall(self) -> None:
        """Takes this and every module that it made out of the import system again."""
        sys.meta_path.remove(self)
        if importlib.import_module == self._import_module:
            importlib.import_module = self._without
        for name in self._names:
            self._brainsmith.release(name, sys.modules.pop(name, None))

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
        self._executions, self._is_staging = {}, True
        for path in sorted({*paths, *gone}, key=self.depth, reverse=True):  # a module before the package that has it
            self.restore(path, None)
        for path in gone:
            self._names.vacate(path)
        try:
            yield self._executions
        finally:
            self._executions, self._is_staging = {}, False

    def execute(self, path: str) -> None:
        """Imports a file under its module name, which executes it unless that was done since `staging` began.

        An exception of any kind ends up in the executions, not here.
        """
        try:
            importlib.import_module(self._names.of(path))
        except BaseException as error:  # the file's own doing, SystemExit and KeyboardInterrupt included
            self._blame(self._executions.setdefault(path, Execution(path)), error)

    def restore(self, path: str, module: ModuleType | None) -> None:
        """Makes `module` what `sys.modules` and the parent package hold for a path again; None: they hold nothing."""
        self._names.reclaim(path)
        if module is None and not self._names.is_named(path):
            return
        if module is not None and self._names.of(path) != module.__name__:
            sys.modules.pop(self._names.of(path), None)
            self._names.rename(path, module.__name__)
        name = self._names.of(path)
        parent, _, child = name.rpartition(".")
        package = sys.modules.get(parent)
        if module is None:
            self._brainsmith.release(name, sys.modules.pop(name, None))
            if package is not None and child in vars(package):
                delattr(package, child)
        else:
            sys.modules[name] = module
            self._brainsmith.put_back(name, module)
            if package is not None:
                setattr(package, child, module)

    def depth(self, path: str) -> int:
        """How deep in packages a file's module is; 0 of one that has none yet."""
        return self._names.depth(path)

    def forget(self, path: str) -> None:
        """Gives up the module name of a file that is gone."""
        self._names.forget(path)

    def take_late(self) -> dict[str, Execution]:
        """The files that were imported outside a transaction since the last call: by a function, or at the prompt."""
        late = dict(self._executions)
        self._executions.clear()
        return late

    # What the import system uses

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        file = self._names.locate(fullname)
        if file is None or not (lexists(file) or self._is_live(file)):
            return None
        if isdir(file):
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [file]
            return spec
        is_package = basename(file) == INIT
        spec = ModuleSpec(fullname, self, origin=file, is_package=is_package)
        if is_package:
            spec.submodule_search_locations = [dirname(file)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        path = self._names.path(module.__name__)
        failed = self._executions.get(path)
        if self._is_staging and failed is not None and failed.error is not None:
            raise failed.error  # once is enough, whoever else imports it
        execution = self._executions[path] = Execution(path, module=module)
        journal = Journal()
        restored: list[str] = []
        threads = set(threading.enumerate())
        with captured() as output:
            try:
                execution.source = self._read(path)
                code = compile(execution.source, path, "exec", dont_inherit=True)
                show_source(path, execution.source)
                self._note(path, module.__name__.rpartition(".")[0], ())
                module.__file__ = path  # set here, and not by a spec with a location: that looks for a byte code cache
                module.__dict__["__builtins__"] = self._builtins
                with journal.recording(), kept() as restored, interrupts.allowed():
                    exec(code, module.__dict__)
                journal.plugins += self._brainsmith.registered_by(module, execution.source)
                journal.plugins += _plain_ops(module, execution.source, journal.plugins)
            except BaseException as error:
                self._blame(execution, error)
                raise
            finally:
                execution.plugins = tuple(journal.plugins)
                execution.output = output.getvalue()
                execution.threads = tuple(thread for thread in threading.enumerate() if thread not in threads)
        if restored:
            message = f"{' and '.join(restored)} cannot be changed by a plugin file; put back"
            warnings.warn_explicit(message, PluginWarning, path, 1)
        if not self._is_staging:  # imported by a function or at the prompt: nobody waits to commit it
            for plugin in execution.plugins:
                record(plugin)

    def _blame(self, execution: Execution, error: BaseException) -> None:
        if execution.error is None:
            execution.is_cause = all(other.error is not error for other in self._executions.values())
            execution.error = error

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """`__import__` for our modules: notes what the importer depends on, and looks beside it."""
        if globals is None:  # called as a function
            globals = sys._getframe(1).f_globals
        importer = str(globals.get("__name__"))
        package = str(globals.get("__package__") or "")
        if importer not in self._names or (level and not package):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        path = self._names.path(importer)
        if level == 0:
            top, dot, rest = name.partition(".")
            name = self._names.beside(path, top) + dot + rest
        try:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        finally:
            self._note(path, resolve_name("." * level + name, package), fromlist or ())

    def _import_module(self, name: str, package: str | None = None) -> ModuleType:
        """`importlib.import_module`: from a file of ours it does what an import statement does."""
        importer = str(sys._getframe(1).f_globals.get("__name__"))
        if importer not in self._names:
            return self._without(name, package)
        path = self._names.path(importer)
        if name.startswith("."):
            name = resolve_name(name, package or "")
        else:
            top, dot, rest = name.partition(".")
            name = self._names.beside(path, top) + dot + rest
        try:
            return self._without(name)
        finally:
            self._note(path, name, ())

    def _note(self, importer: str, absolute: str, fromlist: Sequence[str]) -> None:
        """Records what an import statement made a file depend on."""
        execution = self._executions.setdefault(importer, Execution(importer))
        execution.depends |= self._names.depended_on(importer, absolute, fromlist)


def _plain_ops(module: ModuleType, source: bytes, known: Sequence[Plugin]) -> Iterator[Plugin]:
    """The custom ops of a module that no decorator registered: kernels all the same."""
    taken = {id(plugin.target) for plugin in known}
    for op in custom_ops.of_module(module):
        if id(op) not in taken:
            yield custom_ops.undecorated(op, Origin(str(module.__file__), definition_line(source, op.__name__)))
