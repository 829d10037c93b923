"""Executes plugin files and their helpers as real modules, set aside until somebody commits them.

The import system does the work: a finder of our own knows which files are ours, `__import__` as our modules see it
notes who imports whom and finds the modules that lie beside the importer. Code is compiled from the bytes on disk, so
no byte code cache can be stale, and what decorators register goes into a journal.
"""

from __future__ import annotations

import builtins
import importlib
import linecache
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import decode_source, find_spec, resolve_name
from io import StringIO
from itertools import chain, count
from os.path import basename, dirname, exists, isdir, isfile, join, samefile
from types import ModuleType
from typing import Any, TextIO

from ..frameworks.brainsmith.installed import InstalledBrainsmith, definition_line
from ..frameworks.qonnx import ops as custom_ops
from ..registry.plugin import Origin, Plugin
from ..registry.store import Journal, record
from . import interrupts
from .rebind import reference_counts

_INIT = "__init__.py"


@dataclass
class Execution:
    """One file that was executed, or the attempt."""

    path: str
    source: bytes = b""
    module: ModuleType | None = None
    plugins: tuple[Plugin, ...] = ()
    #: The files that it imports, and those whose appearance would change what it imports.
    depends: set[str] = field(default_factory=set)
    error: BaseException | None = None
    #: Whether the error is its own, not that of a file that it imports.
    is_cause: bool = False
    #: What it printed while it was executed.
    output: str = ""
    #: How often what it defines was referred to when it had been executed.
    counts: Mapping[str, int] = field(default_factory=dict)
    #: The threads that were started meanwhile.
    threads: tuple[threading.Thread, ...] = ()


class PluginImporter(MetaPathFinder, Loader):
    """Imports the files it was told of. `provided` are the names that every one of them finds without an import.

    `read` gives the bytes of a path, or raises what keeps it from being read. `counts` tells of a file that is not on
    disk whether it is to be taken for one that is: an editor may be saving it, or another file still needs it.
    """

    def __init__(
        self, read: Callable[[str], bytes], counts: Callable[[str], bool], provided: Mapping[str, Any]
    ) -> None:
        self._read = read
        self._counts = counts
        self._names: dict[str, str] = {}  # path -> module name
        self._paths: dict[str, str] = {}  # module name -> path; a folder for a package without __init__.py
        self._vacated: dict[str, str] = {}  # the names of files that are gone, until that is committed
        self._elsewhere: dict[str, bool] = {}
        self._executions: dict[str, Execution] = {}
        self._is_staging = False
        self._brainsmith = InstalledBrainsmith()
        self._builtins = {**vars(builtins), **provided, "__import__": self._import}

    # What the transaction uses

    def install(self) -> None:
        """Makes the import system ask here first."""
        sys.meta_path.insert(0, self)

    def uninstall(self) -> None:
        """Takes this and every module that came of it out of the import system again."""
        sys.meta_path.remove(self)
        for name in self._paths:
            self._brainsmith.release(name, sys.modules.pop(name, None))

    @contextmanager
    def staging(self, paths: Iterable[str], gone: Iterable[str]) -> Iterator[dict[str, Execution]]:
        """While this lasts the modules of `paths` are out of `sys.modules`; what is imported is executed afresh.

        The names of the modules of files that are `gone` are free for others. Yields the executions by path, filled
        while they happen. What they put into `sys.modules` stays there, for the caller to keep or to `restore`.
        """
        self._executions, self._is_staging = {}, True
        for path in sorted({*paths, *gone}, key=self.depth, reverse=True):  # a module before the package that has it
            self.restore(path, None)
        for path in gone:
            if path in self._names:
                self._vacated[path] = self._names.pop(path)
                del self._paths[self._vacated[path]]
        try:
            yield self._executions
        finally:
            self._executions, self._is_staging = {}, False

    def execute(self, path: str) -> None:
        """Imports a file under its module name, which executes it unless that was done since `staging` began.

        An exception of any kind ends up in the executions, not here.
        """
        try:
            importlib.import_module(self.name_of(path))
        except BaseException as error:  # the file's own doing, SystemExit and KeyboardInterrupt included
            self._blame(self._executions.setdefault(path, Execution(path)), error)

    def restore(self, path: str, module: ModuleType | None) -> None:
        """Makes `module` what `sys.modules` and the parent package hold for a path again; None: they hold nothing."""
        if path in self._vacated:
            name = self._vacated.pop(path)
            self._names.pop(self._paths.get(name, ""), None)
            self._claim(name, path)
        elif module is None and path not in self._names:
            return
        name = self.name_of(path)
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
        return self._names[path].count(".") + 1 if path in self._names else 0

    def take_late(self) -> dict[str, Execution]:
        """The files that were imported outside a transaction since the last call: by a function, or at the prompt."""
        late = dict(self._executions)
        self._executions.clear()
        return late

    def name_of(self, path: str) -> str:
        """The name of a file's module: that of the file, unless an importable module or another file has it.

        In a package it is dotted, as Python has it.
        """
        if path not in self._names:
            is_package = basename(path) == _INIT
            stem = basename(dirname(path) if is_package else path).removesuffix(".py").replace(".", "_")
            folder = dirname(dirname(path) if is_package else path)
            if is_package and dirname(path) in self._names:  # it was a package without an __init__.py so far
                sys.modules.pop(self._names[dirname(path)], None)
                self.forget(dirname(path))
            package = self._package(folder)
            if package is not None:
                name = f"{package}.{stem}"
            else:
                suffix = basename(folder).replace(".", "_")
                candidates = chain((stem, f"{stem}@{suffix}"), (f"{stem}@{suffix}{n}" for n in count(2)))
                name = next(n for n in candidates if n not in self._paths and not self._is_elsewhere(n, path))
            self._claim(name, path)
        return self._names[path]

    def _package(self, folder: str) -> str | None:
        """The name of the package that a folder is, if it is one."""
        if self._is_there(join(folder, _INIT)):
            return self.name_of(join(folder, _INIT))
        return self._names.get(folder)

    def _is_there(self, path: str) -> bool:
        return isfile(path) or (path in self._names and self._counts(path))

    def forget(self, path: str) -> None:
        """Gives up the module name of a file that is gone."""
        self._vacated.pop(path, None)
        self._paths.pop(self._names.pop(path, ""), None)

    # What the import system uses

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._paths:
            parent, _, child = fullname.rpartition(".")
            if parent not in self._paths:
                return None
            found = self._module_file(_package_folder(self._paths[parent]), child)
            if found is None:
                return None
            if found in self._names:  # it went by another name while its folder was no package
                sys.modules.pop(self._names[found], None)
                self.forget(found)
            self._claim(fullname, found)
        file = self._paths[fullname]
        if not exists(file) and not self._counts(file):
            return None
        if isdir(file):
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [file]
            return spec
        is_package = basename(file) == _INIT
        spec = ModuleSpec(fullname, self, origin=file, is_package=is_package)
        if is_package:
            spec.submodule_search_locations = [dirname(file)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        path = self._paths[module.__name__]
        failed = self._executions.get(path)
        if self._is_staging and failed is not None and failed.error is not None:
            raise failed.error  # once is enough, whoever else imports it
        execution = self._executions[path] = Execution(path, module=module)
        journal = Journal()
        output = StringIO()
        threads = set(threading.enumerate())
        try:
            execution.source = self._read(path)
            code = compile(execution.source, path, "exec", dont_inherit=True)
            show_source(path, execution.source)
            self._note(path, module.__name__.rpartition(".")[0], ())
            module.__file__ = path  # set here, and not by a spec with a location: that looks for a byte code cache
            module.__dict__["__builtins__"] = self._builtins
            with journal.recording(), _captured(output), interrupts.allowed():
                exec(code, module.__dict__)
            journal.plugins += self._brainsmith.registered_by(module, execution.source)
            journal.plugins += _plain_ops(module, execution.source, journal.plugins)
        except BaseException as error:
            self._blame(execution, error)
            raise
        finally:
            execution.plugins = tuple(journal.plugins)
            execution.counts = reference_counts(module)
            execution.output = output.getvalue()
            execution.threads = tuple(thread for thread in threading.enumerate() if thread not in threads)
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
        importer = self._paths.get(str((globals or {}).get("__name__")))
        package = str((globals or {}).get("__package__") or "")
        if importer is None or (level and not package):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        if level == 0:
            top, dot, rest = name.partition(".")
            name = self._beside(importer, top) + dot + rest
        try:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        finally:
            self._note(importer, resolve_name("." * level + name, package), fromlist or ())

    def _beside(self, importer: str, top: str) -> str:
        """The module name that `import top` means in a file: a module beside it, unless `top` is importable anyway."""
        found = self._module_file(self._folder(importer), top) or self._module_file(dirname(importer), top)
        return top if found is None or self._is_elsewhere(top, found) else self.name_of(found)

    def _note(self, importer: str, absolute: str, fromlist: Sequence[str]) -> None:
        """Records what an import statement made a file depend on, whether it worked or not."""
        execution = self._executions.setdefault(importer, Execution(importer))
        parts = absolute.split(".") if absolute else []
        names = [".".join(parts[: end + 1]) for end in range(len(parts))]
        names += [f"{absolute}.{child}" for child in fromlist]
        for name in names:
            if name in self._paths:
                path = self._paths[name]
                execution.depends.update(_candidates(dirname(path), basename(path)) if isdir(path) else [path])
                continue
            parent, _, child = name.rpartition(".")
            if parent in self._paths:
                folder = _package_folder(self._paths[parent])
                attributes = getattr(sys.modules.get(parent), "__dict__", {})
                if folder is not None and child.isidentifier() and child not in attributes:
                    execution.depends.update(_candidates(folder, child))
            elif not parent and name not in sys.modules and not self._is_elsewhere(name, ""):
                execution.depends.update(_candidates(self._folder(importer), name))

    def _folder(self, path: str) -> str:
        """The folder that a file's absolute imports look in: that of the outermost package it belongs to."""
        folder = dirname(path)
        while self._is_there(join(folder, _INIT)):
            folder = dirname(folder)
        return folder

    def _module_file(self, folder: str | None, name: str) -> str | None:
        """The file that a module of that name in a folder is made from, or the folder of a package without any."""
        if folder is None:
            return None
        for candidate in _candidates(folder, name):
            if self._is_there(candidate):
                return candidate
        return join(folder, name) if isdir(join(folder, name)) and name.isidentifier() else None

    def _claim(self, name: str, path: str) -> None:
        self._names[path] = name
        self._paths[name] = path

    def _is_elsewhere(self, name: str, path: str) -> bool:
        """Whether `import name` finds a module that is not the file `path`, and none of ours."""
        if name in self._paths:
            return False
        if name not in self._elsewhere:
            self._elsewhere[name] = _is_importable(name, path)
        return self._elsewhere[name]


@contextmanager
def _captured(output: StringIO) -> Iterator[None]:
    """Standard output and error go to `output`; whoever keeps hold of the streams writes to the real ones after."""
    stdout, stderr = _Tap(sys.stdout, output), _Tap(sys.stderr, output)
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr):
            yield
    finally:
        stdout.write, stderr.write = stdout.stream.write, stderr.stream.write


class _Tap:
    """A stream like another, but for where it writes."""

    def __init__(self, stream: TextIO, output: StringIO) -> None:
        self.stream = stream
        self.write: Callable[[str], int] = output.write

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _plain_ops(module: ModuleType, source: bytes, known: Sequence[Plugin]) -> Iterator[Plugin]:
    """The custom ops of a module that no decorator registered: kernels all the same."""
    taken = {id(plugin.target) for plugin in known}
    for op in custom_ops.of_module(module):
        if id(op) not in taken:
            yield custom_ops.plain(op, Origin(str(module.__file__), definition_line(source, op.__name__)))


def show_source(path: str, source: bytes) -> None:
    """Makes tracebacks and `inspect.getsource` show these bytes for a path, whatever is on disk."""
    try:
        is_plain = source.isascii() and b"\r" not in source and b"coding" not in source[:200]
        text = source.decode("ascii") if is_plain else decode_source(source)
    except (SyntaxError, UnicodeDecodeError):
        return
    lines = [line + "\n" for line in text.split("\n")]  # as linecache has them: the last one ends like the others
    linecache.cache[path] = (len(source), None, lines if lines[-1] != "\n" else lines[:-1], path)


def _is_importable(name: str, path: str) -> bool:
    if name in sys.modules:
        return True
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return False
    if spec is None or spec.loader is None:  # a folder without __init__.py gives way to a file, as Python has it
        return False
    if getattr(spec.loader, "gives_way", False):  # it stands in for something that a plugin package may really be
        return False
    return not (path and spec.has_location and spec.origin and isfile(spec.origin) and samefile(spec.origin, path))


def _package_folder(path: str) -> str | None:
    """The folder of a package, of which `path` is the `__init__.py` or, without one, the folder; None of a module."""
    if basename(path) == _INIT:
        return dirname(path)
    return path if isdir(path) else None


def _candidates(folder: str, name: str) -> tuple[str, str]:
    return join(folder, name, _INIT), join(folder, f"{name}.py")
